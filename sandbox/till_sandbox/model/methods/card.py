"""Cards: made from the test cards, by number or by name, and decided as the table of test cards says."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from till_sandbox import ids
from till_sandbox.errors import ApiError, missing_object, missing_param
from till_sandbox.model import declines
from till_sandbox.model.methods import card_table, three_d_secure
from till_sandbox.model.methods.base import Authentication, Consequences, MethodType
from till_sandbox.model.methods.card_table import Card
from till_sandbox.state import Resource, Transaction

#: What a card shows as a PaymentMethod, and what only the sandbox knows about it.
Made = tuple[dict[str, Any], dict[str, Any]]


class CardType(MethodType):
    """A PaymentMethod's private part has the test card's `card` name, whether a `cvc` was given, and `set_up`."""

    name = "card"
    payment_options: ClassVar = {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    }
    setup_options: ClassVar = {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}

    def create(self, tx: Transaction, params: dict[str, Any]) -> Made:
        """From `card`: a token, or a number typed into the card frame. Stripe's 402 for a number that is none."""
        given = params.get("card")
        if not given:
            raise missing_param("card")
        if "token" in given:
            card = card_table.by_alias(given["token"]) if given["token"].startswith("tok_") else None
            if card is None:
                raise missing_object("token", given["token"], "card[token]", status=400)
            made = _made(card, cvc_given=True, **_token_expiry(tx))
        else:
            card = _typed(tx, given)
            expiry = {"exp_month": given["exp_month"], "exp_year": _year(given["exp_year"])}
            made = _made(card, cvc_given="cvc" in given, **expiry)
        _prefer_network(made[0], given.get("networks", {}).get("preferred"))
        return made

    def from_alias(self, tx: Transaction, alias: str) -> Made | None:
        card = card_table.by_alias(alias) if alias.startswith("pm_card_") else None
        return None if card is None else _made(card, cvc_given=True, **_token_expiry(tx))

    def update(self, tx: Transaction, payment_method: Resource, given: dict[str, Any]) -> None:
        card = payment_method["card"]
        if "exp_month" in given or "exp_year" in given:
            month, year = given.get("exp_month", card["exp_month"]), _year(given.get("exp_year", card["exp_year"]))
            _check_expiry(tx, month, year)
            card |= {"exp_month": month, "exp_year": year}
        if "networks" in given:
            _prefer_network(card, given["networks"].get("preferred"))

    def answer_again(self, tx: Transaction, payment_method: Resource, options: dict[str, Any]) -> None:
        """A browser asked for the CVC of a saved card again. Stripe's 402 if it can be none."""
        if "cvc" in options:
            _check_cvc(options["cvc"])
            payment_method.private["cvc"] = True
            tx.save(payment_method)

    def verify(self, tx: Transaction, payment_method: Resource) -> None:
        """The bank's answers about CVC and address, from the first use on."""
        checks = dict(payment_method["card"]["checks"])
        results = _card(payment_method).checks
        address = payment_method["billing_details"]["address"]
        if payment_method.private["cvc"]:
            checks["cvc_check"] = results.get("cvc_check", "pass")
        if address["line1"]:
            checks["address_line1_check"] = results.get("address_line1_check", "pass")
        if address["postal_code"]:
            checks["address_postal_code_check"] = results.get("address_postal_code_check", "pass")
        if checks != payment_method["card"]["checks"]:
            payment_method["card"]["checks"] = checks
            tx.save(payment_method)

    def refusal(self, payment_method: Resource) -> str | None:
        """Without a CVC, none can be wrong."""
        reason = _card(payment_method).declines
        return None if reason == "incorrect_cvc" and not payment_method.private["cvc"] else reason

    def may_be_saved(self, payment_method: Resource) -> bool:
        return self.refusal(payment_method) is None or _card(payment_method).attaches

    def authenticate(self, payment_method: Resource, *, request: str, off_session: bool) -> Authentication:
        set_up = payment_method.private["set_up"]
        return three_d_secure.answer(_card(payment_method), request=request, off_session=off_session, set_up=set_up)

    def authentication_result(self, answer: Authentication) -> dict[str, Any] | None:
        return three_d_secure.result(answer)

    def charge_details(
        self, payment_method: Resource, options: dict[str, Any], amount: int, secure: dict[str, Any] | None
    ) -> dict[str, Any]:
        shown = payment_method["card"]
        return {
            "amount_authorized": None,
            "authorization_code": f"{int.from_bytes(ids.random_text(4).encode()) % 10**6:06d}",
            "brand": shown["brand"],
            "checks": dict(shown["checks"]),
            "country": shown["country"],
            "electronic_commerce_indicator": secure["electronic_commerce_indicator"] if secure else "07",
            "exp_month": shown["exp_month"],
            "exp_year": shown["exp_year"],
            "extended_authorization": {"status": "disabled"},
            "fingerprint": shown["fingerprint"],
            "funding": shown["funding"],
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": shown["last4"],
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": _network(shown["networks"], options.get("network")),
            "network_token": {"used": False},
            "network_transaction_id": _card(payment_method).network_transaction_id,
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": secure,
            "transaction_link_id": None,
            "wallet": None,
        }

    def setup_details(self, payment_method: Resource) -> dict[str, Any]:
        shown = payment_method["card"]
        names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
        details = {name: shown[name] for name in names}
        return {**details, "network": shown["networks"]["available"][0], "three_d_secure": None, "wallet": None}

    def dispute_details(self, charge: Resource) -> dict[str, Any]:
        shown = charge["payment_method_details"]["card"]
        return {"brand": shown["brand"], "network": shown["network"]}

    def refund_details(self) -> dict[str, Any]:
        return {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}

    def risk(self, payment_method: Resource) -> str:
        return _card(payment_method).risk

    def consequences(self, charge: Resource) -> Consequences:
        card = card_table.by_name(charge.private["card"])
        return Consequences(available=card.funds == "available", disputes=card.disputes, refunds=card.refunds)


CARD = CardType()


def _card(payment_method: Resource) -> Card:
    return card_table.by_name(payment_method.private["card"])


def _made(card: Card, *, cvc_given: bool, exp_month: int, exp_year: int) -> Made:
    shown = {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "unchecked" if cvc_given else None,
        },
        "country": card.country,
        "display_brand": card.networks[0],
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": list(card.networks), "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.authentication != "not_supported"},
        "wallet": None,
    }
    return shown, {"card": card.name, "cvc": cvc_given, "set_up": False}


def _network(networks: dict[str, Any], wanted: str | None) -> str:
    """The network a payment goes over: the one wanted for it, or preferred for the card, or the card's first."""
    for choice in (wanted, networks["preferred"]):
        if choice in networks["available"]:
            return str(choice)
    return str(networks["available"][0])


def _prefer_network(card: dict[str, Any], preferred: str | None) -> None:
    if preferred and preferred not in card["networks"]["available"]:
        raise ApiError(f"This card does not support the network {preferred}.", param="card[networks][preferred]")
    card["networks"] = {**card["networks"], "preferred": preferred or None}
    card["display_brand"] = preferred or card["networks"]["available"][0]


def _typed(tx: Transaction, given: dict[str, Any]) -> Card:
    """The test card for what was typed; Stripe's 402 for anything that is none."""
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise missing_param(f"card[{name}]")
    number = str(given["number"]).replace(" ", "").replace("-", "")
    if not (_is_digits(number) and 12 <= len(number) <= 19):
        raise declines.error("invalid_number")
    if not card_table.passes_luhn(number):
        raise declines.error("incorrect_number")
    _check_expiry(tx, given["exp_month"], _year(given["exp_year"]))
    if "cvc" in given:
        _check_cvc(given["cvc"])
    card = card_table.by_number(number)
    if card is None or card.refused:
        raise declines.error("live_card" if card is None else str(card.refused))
    return card


def _check_cvc(cvc: str) -> None:
    if not (_is_digits(cvc) and len(cvc) in (3, 4)):
        raise declines.error("invalid_cvc")


def _check_expiry(tx: Transaction, month: int, year: int) -> None:
    today = datetime.fromtimestamp(tx.now, UTC)
    if not 1 <= month <= 12 or (year == today.year and month < today.month):
        raise declines.error("invalid_expiry_month")
    if not today.year <= year <= today.year + 50:
        raise declines.error("invalid_expiry_year")


def _token_expiry(tx: Transaction) -> dict[str, int]:
    """Cards named by token expire a year from now."""
    today = datetime.fromtimestamp(tx.now, UTC)
    return {"exp_month": today.month, "exp_year": today.year + 1}


def _year(value: int) -> int:
    return 2000 + value if value < 100 else value


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
