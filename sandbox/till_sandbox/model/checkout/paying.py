"""The customer presses the button: what they said is checked, the payment is made and confirmed in one go."""

from dataclasses import dataclass, field
from typing import Any, Literal

from till_sandbox.errors import ApiError
from till_sandbox.model import confirmation, customers, payment_intents, setup_intents
from till_sandbox.model.checkout import completion, discounts, lines, sessions
from till_sandbox.model.details import address, check_email
from till_sandbox.state import Resource, Transaction

#: Characters of its id that a payment refers to its session by.
REFERENCE = 25
#: What of `payment_intent_data` a payment is made with.
_DATA = (
    "capture_method",
    "description",
    "metadata",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


@dataclass(frozen=True)
class Said:
    """What a customer typed. `method` is `payment_method` or `payment_method_data`, as a confirmation takes it.

    `delayed`: the payment is decided a while later, in this way.
    """

    method: dict[str, Any] = field(default_factory=dict)
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: dict[str, Any] | None = None
    shipping_name: str | None = None
    shipping_address: dict[str, Any] | None = None
    custom_fields: dict[str, str] = field(default_factory=dict)
    accepts_terms: bool = False
    delayed: Literal["succeeds", "fails"] | None = None


def pay(tx: Transaction, session: Resource, said: Said) -> Resource | None:
    """Pay, or set up. Afterwards the session is complete, or its intent, which is returned, waits for the bank.

    A decline is an ApiError that keeps its changes: the session stays open for another try. Other refusals have the
    page's name of the field that is wrong in `param`.
    """
    sessions.check_open(tx, session, "paid")
    discounts.check_still_good(tx, session)
    for line in sessions.line_items(tx, session):
        if lines.custom_limits(line):
            lines.choose_amount(line, int(line.private["unit_amount"]))
    details = _details(session, said)
    if session["mode"] == "payment" and session["amount_total"] == 0:
        _keep(tx, session, details)
        tried = intent_of(tx, session)
        if tried is not None:
            payment_intents.cancel(tx, tried, "automatic")
        completion.complete(tx, session, "no_payment_required")
        return None
    if not said.method:
        raise ApiError("Your card number is incomplete.", param="cardNumber")
    _keep(tx, session, details)
    intent = _set_up_intent(tx, session) if session["mode"] == "setup" else _payment_intent(tx, session)
    if said.delayed is not None and intent.kind == "payment_intent":
        confirmation.delay(tx, intent, said.method, succeeds=said.delayed == "succeeds")
        session.private[completion.DELAYED] = True
        completion.complete(tx, session, "unpaid")
        return None
    confirm = setup_intents.confirm if intent.kind == "setup_intent" else confirmation.confirm
    confirm(tx, intent, {**said.method, "use_stripe_sdk": True})
    return intent if intent["status"] == "requires_action" else None


def intent_of(tx: Transaction, session: Resource) -> Resource | None:
    """The intent that a customer tries to pay, if there was a try."""
    kind = "setup_intent" if session["mode"] == "setup" else "payment_intent"
    return tx.get(kind, session[kind]) if session[kind] else None


def _payment_intent(tx: Transaction, session: Resource) -> Resource:
    """The session's payment, made at the first try and used again after a decline."""
    data = session.private.get("payment_intent_data", {})
    said = {name: data[name] for name in _DATA if name in data}
    shipping = session.private[completion.DETAILS]["collected_information"]["shipping_details"]
    if shipping is not None:
        said["shipping"] = {**shipping, "phone": session.private[completion.DETAILS]["customer_details"]["phone"]}
    customer = session.private[completion.DETAILS]["customer"]
    if customer is not None:
        said["customer"] = customer
    said |= {
        "amount": session["amount_total"],
        "payment_method_options": {"card": session.private.get("payment_method_options", {}).get("card", {})},
    }
    intent = intent_of(tx, session)
    if intent is not None:
        return payment_intents.update(tx, intent, said)
    said |= {name: session.private[name] for name in sessions.METHODS if name in session.private}
    said |= {"currency": session["currency"], "payment_details": {"order_reference": session.id[:REFERENCE]}}
    intent = payment_intents.create(tx, said, owner=session)
    session["payment_intent"] = intent.id
    tx.save(session)
    return intent


def _set_up_intent(tx: Transaction, session: Resource) -> Resource:
    intent = tx.get("setup_intent", session["setup_intent"])
    customer = session.private[completion.DETAILS]["customer"]
    return setup_intents.update(tx, intent, {"customer": customer} if customer is not None else {})


def _keep(tx: Transaction, session: Resource, details: dict[str, Any]) -> None:
    """Remember what was said until it is paid, and make the customer if one is to be made."""
    before = session.private.get(completion.DETAILS, {})
    customer = session["customer"] or before.get("customer")
    if customer is None and _makes_customer(session):
        who = details["customer_details"]
        known = {name: who[name] for name in ("address", "email", "name", "phone") if who[name]}
        customer = customers.create(tx, known).id
    elif session["customer"] is not None:
        _update_customer(tx, session, details)
    session.private[completion.DETAILS] = {**details, "customer": customer}
    tx.save(session)


def _makes_customer(session: Resource) -> bool:
    data = session.private.get("payment_intent_data", {})
    card = session.private.get("payment_method_options", {}).get("card", {})
    saves = data.get("setup_future_usage") or card.get("setup_future_usage")
    return session["customer_creation"] == "always" or (session["mode"] == "payment" and bool(saves))


def _update_customer(tx: Transaction, session: Resource, details: dict[str, Any]) -> None:
    """Whatever `customer_update` says may be taken over from the page."""
    wanted = [name for name, when in session.private.get("customer_update", {}).items() if when == "auto"]
    found = {
        "address": details["customer_details"]["address"],
        "name": details["customer_details"]["name"],
        "shipping": details["collected_information"]["shipping_details"],
    }
    changes = {name: found[name] for name in wanted if found[name]}
    customer = tx.find("customer", session["customer"])
    if changes and customer is not None:
        customers.update(tx, customer, changes)


def _details(session: Resource, said: Said) -> dict[str, Any]:
    """What the session shows of the customer once it is complete. Refuses what is missing."""
    known = (session["customer_details"] or {}).get("email")
    email = known or said.email
    if not email:
        raise ApiError("Your email is incomplete.", param="email")
    check_email(email, "email")
    if session["phone_number_collection"]["enabled"] and not said.phone:
        raise ApiError("Your phone number is incomplete.", param="phoneNumber")
    if session["billing_address_collection"] == "required" and not (said.address or {}).get("line1"):
        raise ApiError("Your address is incomplete.", param="billingAddressLine1")
    terms = (session["consent_collection"] or {}).get("terms_of_service") == "required"
    if terms and not said.accepts_terms:
        raise ApiError("You must accept the terms to continue.", param="termsOfServiceConsentCheckbox")
    place = address(said.address) if said.address else None
    return {
        "collected_information": sessions.collected(_shipping(session, said)),
        "consent": {"promotions": None, "terms_of_service": "accepted" if terms else None} if terms else None,
        "custom_fields": [_answered(one, said.custom_fields.get(one["key"])) for one in session["custom_fields"]],
        "customer_details": sessions.customer_details(email=email, name=said.name, phone=said.phone, address=place),
    }


def _shipping(session: Resource, said: Said) -> dict[str, Any] | None:
    asked = session["shipping_address_collection"]
    if asked is None and not said.shipping_address:
        return (session["collected_information"] or {}).get("shipping_details")
    given = said.shipping_address or {}
    if not said.shipping_name or not given.get("line1") or not given.get("country"):
        raise ApiError("Your shipping address is incomplete.", param="shippingAddressLine1")
    if asked is not None and given["country"] not in asked["allowed_countries"]:
        raise ApiError("We do not ship to this country.", param="shippingCountry")
    return {"address": address(given), "name": said.shipping_name}


def _answered(question: dict[str, Any], answer: str | None) -> dict[str, Any]:
    """A field of the account's own with what the customer answered."""
    param = f"custom-{question['key']}"
    kind = question["type"]
    limits = question[kind]
    if not answer:
        if question["optional"]:
            return question
        raise ApiError(f"{question['label']['custom']} is incomplete.", param=param)
    if kind == "dropdown":
        fits = answer in [option["value"] for option in limits["options"]]
    else:
        least, most = limits["minimum_length"] or 0, limits["maximum_length"] or 255
        fits = least <= len(answer) <= most and (kind == "text" or (answer.isascii() and answer.isdigit()))
    if not fits:
        raise ApiError(f"{question['label']['custom']} is invalid.", param=param)
    return {**question, kind: {**limits, "value": answer}}
