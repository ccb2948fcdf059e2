"""PaymentMethods: made from test cards, saved to customers."""

from datetime import UTC, datetime
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError, missing_object, missing_param
from till_sandbox.model import cards, declines, events
from till_sandbox.model.details import billing_details
from till_sandbox.model.metadata import merged
from till_sandbox.state import Resource, Transaction


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A PaymentMethod from `type=card` and `card` (a token, or a number typed into the card frame)."""
    if "type" not in params:
        raise missing_param("type")
    if params["type"] != "card":
        raise ApiError(
            f"The payment method type `{params['type']}` is invalid. Please ensure the provided type is activated in "
            "your dashboard (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for "
            "any preview features that you are trying to use.",
            param="type",
        )
    given = params.get("card")
    if not given:
        raise missing_param("card")
    if "token" in given:
        card = cards.by_alias(given["token"]) if given["token"].startswith("tok_") else None
        if card is None:
            raise missing_object("token", given["token"], "card[token]", status=400)
        return _insert(tx, card, params, cvc_given=True, **_token_expiry(tx))
    card = _typed_card(tx, given)
    return _insert(
        tx, card, params, cvc_given="cvc" in given, exp_month=given["exp_month"], exp_year=_year(given["exp_year"])
    )


def from_alias(tx: Transaction, alias: str) -> Resource | None:
    """A new PaymentMethod for `pm_card_…`, or None if that is no test card's name."""
    card = cards.by_alias(alias) if alias.startswith("pm_card_") else None
    return None if card is None else _insert(tx, card, {}, cvc_given=True, **_token_expiry(tx))


def resolve(tx: Transaction, payment_method_id: str, param: str = "payment_method", *, status: int = 400) -> Resource:
    """The stored PaymentMethod, or a new one where a test card is named instead."""
    found = tx.find("payment_method", payment_method_id) or from_alias(tx, payment_method_id)
    if found is None:
        raise missing_object("PaymentMethod", payment_method_id, param, status=status)
    return found


def card_of(payment_method: Resource) -> cards.Card:
    return cards.by_name(payment_method.private["card"])


def refusal(payment_method: Resource) -> str | None:
    """What its bank declines it for (a key of the declines table), or None. Without a CVC, none can be wrong."""
    reason = card_of(payment_method).declines
    return None if reason == "incorrect_cvc" and not payment_method.private["cvc"] else reason


def run_checks(tx: Transaction, payment_method: Resource) -> dict[str, str | None]:
    """The bank's answers about CVC and address, kept on the PaymentMethod from its first use on."""
    checks = dict(payment_method["card"]["checks"])
    results = card_of(payment_method).checks
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
    return checks


def attach(tx: Transaction, payment_method: Resource, customer: str) -> Resource:
    """Save the PaymentMethod to the customer. The bank is asked, so declining cards are refused here."""
    if payment_method["customer"] == customer:
        return payment_method
    if payment_method.private.get("spent"):
        raise ApiError(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
    if payment_method["customer"] is not None:
        raise ApiError("The payment method you provided has already been attached to a customer.")
    reason = refusal(payment_method)
    if reason is not None and not card_of(payment_method).attaches:
        raise declines.error(reason, param="")
    return link(tx, payment_method, customer)


def link(tx: Transaction, payment_method: Resource, customer: str) -> Resource:
    """Attach without asking the bank: it has just approved a payment or a set-up."""
    run_checks(tx, payment_method)
    payment_method["customer"] = customer
    tx.save(payment_method)
    events.emit(tx, "payment_method.attached", payment_method)
    return payment_method


def link_to_existing(tx: Transaction, payment_method: Resource, customer: str | None) -> None:
    """Attach what has just paid or been set up, unless it is attached already.

    A customer may have been deleted while the cardholder answered their bank: then there is none to attach it to.
    """
    if payment_method["customer"] is None and customer is not None and tx.find("customer", customer) is not None:
        link(tx, payment_method, customer)


def spend(tx: Transaction, payment_method: Resource) -> None:
    """It has paid, or was detached: without a customer to keep it, it is good for nothing any more."""
    if payment_method["customer"] is None:
        payment_method.private["spent"] = True
        tx.save(payment_method)


def check_unspent(payment_method: Resource) -> None:
    if payment_method.private.get("spent"):
        raise ApiError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be used "
            "again. To use a PaymentMethod multiple times, you must attach it to a Customer first."
        )


def detach(tx: Transaction, payment_method: Resource) -> Resource:
    """Take it from its customer, for good. Emits payment_method.detached, customer.updated if it was the default."""
    if payment_method["customer"] is None:
        raise ApiError("The payment method you provided is not attached to a customer so detachment is impossible.")
    before = payment_method.snapshot()
    payment_method["customer"] = None
    spend(tx, payment_method)
    _take_from_defaults(tx, tx.get("customer", before["customer"]), payment_method)
    events.emit(tx, "payment_method.detached", payment_method, before)
    return payment_method


def _take_from_defaults(tx: Transaction, customer: Resource, payment_method: Resource) -> None:
    if customer["invoice_settings"]["default_payment_method"] != payment_method.id:
        return
    before = customer.snapshot()
    customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": None}
    tx.save(customer)
    events.emit(tx, "customer.updated", customer, before)


def update(tx: Transaction, payment_method: Resource, params: dict[str, Any]) -> Resource:
    """Change a saved PaymentMethod. Emits payment_method.updated."""
    if payment_method["customer"] is None:
        raise ApiError("You must save this PaymentMethod to a customer before you can update it.")
    before = payment_method.snapshot()
    if "billing_details" in params:
        payment_method["billing_details"] = billing_details(
            params["billing_details"], payment_method["billing_details"]
        )
    if "metadata" in params:
        payment_method["metadata"] = merged(payment_method["metadata"], params["metadata"])
    if "allow_redisplay" in params:
        payment_method["allow_redisplay"] = params["allow_redisplay"]
    _update_card(tx, payment_method, params.get("card", {}))
    tx.save(payment_method)
    events.emit(tx, "payment_method.updated", payment_method, before)
    return payment_method


def _update_card(tx: Transaction, payment_method: Resource, given: dict[str, Any]) -> None:
    card = payment_method["card"]
    if "exp_month" in given or "exp_year" in given:
        month, year = given.get("exp_month", card["exp_month"]), _year(given.get("exp_year", card["exp_year"]))
        _check_expiry(tx, month, year)
        card |= {"exp_month": month, "exp_year": year}
    if "networks" in given:
        _prefer_network(payment_method, given["networks"].get("preferred"))


def type_cvc(tx: Transaction, payment_method: Resource, cvc: str) -> None:
    """A browser asked for the CVC of a saved card again. Stripe's 402 if it can be none."""
    _check_cvc(cvc)
    payment_method.private["cvc"] = True
    tx.save(payment_method)


def network_of(payment_method: Resource, wanted: str | None) -> str:
    """The network a payment goes over: the one wanted for it, or preferred for the card, or the card's first."""
    networks = payment_method["card"]["networks"]
    for choice in (wanted, networks["preferred"]):
        if choice in networks["available"]:
            return str(choice)
    return str(networks["available"][0])


def _prefer_network(payment_method: Resource, preferred: str | None) -> None:
    card = payment_method["card"]
    if preferred and preferred not in card["networks"]["available"]:
        raise ApiError(f"This card does not support the network {preferred}.", param="card[networks][preferred]")
    card["networks"] = {**card["networks"], "preferred": preferred or None}
    card["display_brand"] = preferred or card["networks"]["available"][0]


def _check_cvc(cvc: str) -> None:
    if not (_is_digits(cvc) and len(cvc) in (3, 4)):
        raise declines.error("invalid_cvc")


def _typed_card(tx: Transaction, given: dict[str, Any]) -> cards.Card:
    """The test card for what was typed; Stripe's 402 for anything that is none."""
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise missing_param(f"card[{name}]")
    number = str(given["number"]).replace(" ", "").replace("-", "")
    if not (_is_digits(number) and 12 <= len(number) <= 19):
        raise declines.error("invalid_number")
    if not cards.passes_luhn(number):
        raise declines.error("incorrect_number")
    _check_expiry(tx, given["exp_month"], _year(given["exp_year"]))
    if "cvc" in given:
        _check_cvc(given["cvc"])
    card = cards.by_number(number)
    if card is None or card.refused:
        raise declines.error("live_card" if card is None else str(card.refused))
    return card


def _check_expiry(tx: Transaction, month: int, year: int) -> None:
    today = datetime.fromtimestamp(tx.now, UTC)
    if not 1 <= month <= 12 or (year == today.year and month < today.month):
        raise declines.error("invalid_expiry_month")
    if not today.year <= year <= today.year + 50:
        raise declines.error("invalid_expiry_year")


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _insert(
    tx: Transaction, card: cards.Card, params: dict[str, Any], *, cvc_given: bool, exp_month: int, exp_year: int
) -> Resource:
    payment_method = Resource(
        {
            "id": ids.new("pm"),
            "object": "payment_method",
            "allow_redisplay": params.get("allow_redisplay", "unspecified"),
            "billing_details": billing_details(params.get("billing_details") or {}),
            "card": {
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
            },
            "created": tx.now,
            "customer": None,
            "customer_account": None,
            "livemode": False,
            "metadata": merged({}, params.get("metadata") or {}),
            "shared_payment_granted_token": None,
            "type": "card",
        },
        {"card": card.name, "cvc": cvc_given, "set_up": False},
    )
    _prefer_network(payment_method, (params.get("card") or {}).get("networks", {}).get("preferred"))
    return tx.insert(payment_method)


def _token_expiry(tx: Transaction) -> dict[str, int]:
    """Cards named by token expire a year from now."""
    today = datetime.fromtimestamp(tx.now, UTC)
    return {"exp_month": today.month, "exp_year": today.year + 1}


def _year(value: int) -> int:
    return 2000 + value if value < 100 else value
