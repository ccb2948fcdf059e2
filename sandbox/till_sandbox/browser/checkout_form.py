"""Reads what a customer typed on the page of a Checkout Session."""

import re
from typing import Any

from till_sandbox.model.checkout.paying import Said

#: Where on the page each part of an address stands, after `billing` or `shipping`.
_ADDRESS = {
    "city": "Locality",
    "country": "Country",
    "line1": "AddressLine1",
    "line2": "AddressLine2",
    "postal_code": "PostalCode",
    "state": "AdministrativeArea",
}
#: What the names of the account's own fields begin with.
CUSTOM = "custom-"


def read(form: dict[str, Any]) -> Said:
    """The fields of the page's form by their names, as a payment takes them."""
    given = {name: str(value).strip() for name, value in form.items() if value not in (None, False, "")}
    address = _address(given, "billing")
    email, name, phone = (given.get(field) for field in ("email", "billingName", "phoneNumber"))
    method: dict[str, Any] = {}
    if "cardNumber" in given:
        details = {key: value for key, value in (("email", email), ("name", name), ("phone", phone)) if value}
        billing = {**details, "address": address} if address else details
        data = {"type": "card", "card": _card(given), "billing_details": billing}
        method = {"payment_method_data": data}
    return Said(
        method=method,
        email=email,
        name=name,
        phone=phone,
        address=address,
        shipping_name=given.get("shippingName"),
        shipping_address=_address(given, "shipping"),
        custom_fields={name.removeprefix(CUSTOM): value for name, value in given.items() if name.startswith(CUSTOM)},
        accepts_terms="termsOfServiceConsentCheckbox" in given,
    )


def _card(given: dict[str, str]) -> dict[str, Any]:
    """A month or year that is none is 0, and refused as one."""
    found = re.fullmatch(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*", given.get("cardExpiry", ""), re.ASCII)
    month, year = (int(found[1]), int(found[2])) if found else (0, 0)
    card: dict[str, Any] = {"number": given["cardNumber"], "exp_month": month, "exp_year": year}
    return {**card, "cvc": given["cardCvc"]} if "cardCvc" in given else card


def _address(given: dict[str, str], of: str) -> dict[str, Any] | None:
    found = {name: given[of + field] for name, field in _ADDRESS.items() if of + field in given}
    return found or None
