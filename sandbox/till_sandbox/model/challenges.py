"""The 3-D Secure challenges of PaymentIntents and SetupIntents: opened when a card asks for one, decided once."""

from till_sandbox import ids
from till_sandbox.state import Resource, Transaction

KIND = "authentication"


def open_for(
    tx: Transaction, intent: Resource, payment_method: Resource, *, return_url: str | None, use_stripe_sdk: bool
) -> None:
    """Start a challenge and point the intent's `next_action` at its page."""
    challenge_id = ids.new("src")
    secret = f"src_client_secret_{ids.random_text(24)}"
    tx.insert(
        Resource(
            {"id": challenge_id, "object": KIND, "created": tx.now, "intent": intent.id, "status": "pending"},
            {"client_secret": secret, "last4": payment_method["card"]["last4"], "return_url": return_url},
        )
    )
    url = f"{tx.public_url}/sandbox/3ds/{challenge_id}?client_secret={secret}"
    if return_url and not use_stripe_sdk:
        intent["next_action"] = {
            "redirect_to_url": {"return_url": return_url, "url": f"{url}&redirect=1"},
            "type": "redirect_to_url",
        }
    else:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"source": challenge_id, "stripe_js": url, "type": "three_d_secure_redirect"},
        }
    intent.private["challenge"] = challenge_id


def abandon(tx: Transaction, intent: Resource) -> None:
    """The intent goes on without the challenge that is open for it, if any: it counts as failed."""
    challenge_id = intent.private.pop("challenge", None)
    if challenge_id is None:
        return
    challenge = tx.get(KIND, challenge_id)
    if challenge["status"] == "pending":
        challenge["status"] = "failed"
        tx.save(challenge)
