"""Which parameters a Checkout Session takes, by its mode and by where its page is shown."""

from typing import Any

from till_sandbox.errors import ApiError, missing_param
from till_sandbox.model.catalog.rules import check_one_of
from till_sandbox.model.details import check_email, check_url
from till_sandbox.state import Transaction

#: Sessions last from half an hour to a day.
SHORTEST, LONGEST = 30 * 60, 24 * 60 * 60
LONGEST_REFERENCE = 200
LONGEST_TEXT = 1200

#: Modes in which a session takes no such parameter.
_NOT_IN_MODE = {
    "payment": ("payment_method_collection", "setup_intent_data", "subscription_data"),
    "setup": (
        "allow_promotion_codes",
        "automatic_tax",
        "discounts",
        "invoice_creation",
        "line_items",
        "optional_items",
        "payment_intent_data",
        "payment_method_collection",
        "phone_number_collection",
        "shipping_address_collection",
        "shipping_options",
        "submit_type",
        "subscription_data",
    ),
}
#: Pages for which it takes none: the first three are shown inside a page of the shop's own.
_NOT_WITH_PAGE = {
    "elements": (
        "after_expiration",
        "cancel_url",
        "custom_fields",
        "custom_text",
        "optional_items",
        "origin_context",
        "submit_type",
        "success_url",
    ),
    "embedded_page": ("cancel_url", "success_url"),
    "form": ("cancel_url", "optional_items", "success_url"),
    "hosted_page": ("permissions", "redirect_on_completion", "return_url"),
}
#: What the page does not do here. It is refused, so that nobody waits for it.
_NOT_IMITATED = {
    "after_expiration": "recover expired Checkout Sessions",
    "invoice_creation": "make invoices",
    "managed_payments": "sell in the name of others",
    "name_collection": "ask for the names of people and businesses",
    "optional_items": "offer optional items",
    "tax_id_collection": "ask for tax ids",
}


def check(tx: Transaction, params: dict[str, Any]) -> None:
    """Refuse what cannot be, before anything is made."""
    mode = _mode(params)
    page = params.get("ui_mode", "hosted_page")
    for name in _NOT_IN_MODE[mode]:
        if name in params:
            raise ApiError(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    for name in _NOT_WITH_PAGE[page]:
        if name in params:
            raise ApiError(f"You can not pass `{name}` when `ui_mode` is `{page}`.", param=name)
    _check_imitated(params)
    _check_pairs(params)
    _check_addresses(params, page)
    if mode == "payment" and not params.get("line_items"):
        raise missing_param("line_items")
    if mode == "setup" and "currency" not in params and "allowed_payment_method_types" not in params:
        raise missing_param("currency")
    _check_expiry(tx, params)
    _check_texts(params)


def _mode(params: dict[str, Any]) -> str:
    mode: str | None = params.get("mode")
    if mode is None:
        raise missing_param("mode")
    if mode == "subscription":
        raise ApiError("The sandbox does not imitate subscriptions: `mode` can be `payment` or `setup`.", param="mode")
    return mode


def _check_imitated(params: dict[str, Any]) -> None:
    for name, what in _NOT_IMITATED.items():
        given = params.get(name)
        if given and _is_switched_on(given):
            raise ApiError(f"The sandbox's page does not {what}: leave `{name}` out.", param=name)
    saving = params.get("saved_payment_method_options", {})
    if "enabled" in (saving.get("payment_method_save"), saving.get("payment_method_remove")):
        raise ApiError(
            "The sandbox's page does not ask whether to save or remove a payment method.",
            param="saved_payment_method_options",
        )


def _is_switched_on(given: Any) -> bool:
    """Whether a setting is enabled, or anything in it; one without a switch is on by being there."""
    if isinstance(given, list):
        return bool(given)
    if "enabled" in given:
        return bool(given["enabled"])
    inside = [value for value in given.values() if isinstance(value, dict)]
    return any(map(_is_switched_on, inside)) or not inside


def _check_pairs(params: dict[str, Any]) -> None:
    check_one_of(params, "customer", "customer_email", param="customer")
    if params.get("allow_promotion_codes") and params.get("discounts"):
        check_one_of(params, "allow_promotion_codes", "discounts", param="allow_promotion_codes")
    if "customer" in params and "customer_creation" in params:
        check_one_of(params, "customer", "customer_creation", param="customer_creation")
    if "customer_update" in params and "customer" not in params:
        raise ApiError("`customer_update` can only be used with `customer`.", param="customer_update")
    if "customer_email" in params:
        check_email(params["customer_email"], "customer_email")


def _check_addresses(params: dict[str, Any], page: str) -> None:
    if page == "hosted_page" and "success_url" not in params:
        raise missing_param("success_url")
    for name in ("success_url", "cancel_url", "return_url"):
        if name in params:
            check_url(params[name], name)


def _check_expiry(tx: Transaction, params: dict[str, Any]) -> None:
    if "expires_at" not in params:
        return
    left = params["expires_at"] - tx.now
    if left > LONGEST:
        raise ApiError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )
    if left < SHORTEST:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )


def _check_texts(params: dict[str, Any]) -> None:
    reference = params.get("client_reference_id", "")
    if len(reference) > LONGEST_REFERENCE:
        raise ApiError(
            f"Invalid string: {reference[:10]}...{reference[-10:]}; must be at most {LONGEST_REFERENCE} characters",
            param="client_reference_id",
        )
    for name, text in params.get("custom_text", {}).items():
        if text and len(text["message"]) > LONGEST_TEXT:
            raise ApiError(
                f"Invalid string: must be at most {LONGEST_TEXT} characters", param=f"custom_text[{name}][message]"
            )
