"""How a Checkout Session shows the settings of its page: each whole, with what was not asked for switched off."""

import re
from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model import methods
from till_sandbox.model.catalog.rules import check_at_most

MOST_FIELDS = 3
MOST_OPTIONS = 200
#: What a typed field takes if nothing else is said.
LONGEST_VALUE = 255
_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_PLAIN = (
    "billing_address_collection",
    "branding_settings",
    "client_reference_id",
    "integration_identifier",
    "locale",
    "origin_context",
    "permissions",
    "redirect_on_completion",
    "return_url",
    "shipping_address_collection",
    "submit_type",
    "success_url",
    "cancel_url",
)


def shown(params: dict[str, Any], mode: str) -> dict[str, Any]:
    """The fields of the session that only repeat what was asked."""
    taxed = params.get("automatic_tax", {}).get("enabled", False)
    consent = params.get("consent_collection")
    return {
        **{name: params.get(name) for name in _PLAIN},
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", False)}
        if mode == "payment"
        else None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types") or None,
        "automatic_tax": {
            "enabled": taxed,
            "liability": {"type": "self"} if taxed else None,
            "provider": "stripe" if taxed else None,
            "status": "requires_location_inputs" if taxed else None,
        },
        "consent_collection": {
            name: consent.get(name) for name in ("payment_method_reuse_agreement", "promotions", "terms_of_service")
        }
        if consent
        else None,
        "custom_fields": custom_fields(params.get("custom_fields") or []),
        "custom_text": {name: (params.get("custom_text") or {}).get(name) or None for name in _TEXTS},
        "excluded_payment_method_types": params.get("excluded_payment_method_types") or None,
        "invoice_creation": {"enabled": False, "invoice_data": _no_invoice()} if mode == "payment" else None,
        "managed_payments": {"enabled": False},
        "payment_method_types": payment_method_types(params),
        "phone_number_collection": {"enabled": params.get("phone_number_collection", {}).get("enabled", False)},
        "ui_mode": params.get("ui_mode", "hosted_page"),
        "wallet_options": params.get("wallet_options"),
    }


def payment_method_types(params: dict[str, Any]) -> list[str]:
    """The types that a payment of the session takes."""
    pinned = params.get("payment_method_types")
    allowed, excluded = params.get("allowed_payment_method_types"), params.get("excluded_payment_method_types")
    left = [
        name
        for name in pinned or allowed or methods.TYPES
        if name in methods.TYPES and name in (allowed or methods.TYPES) and name not in (excluded or ())
    ]
    if not left:
        raise ApiError(
            "No payment method types enabled for the payment methods, currency and mode of this Checkout Session.",
            param="allowed_payment_method_types",
        )
    return left


def custom_fields(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Questions of the account's own, still without an answer."""
    check_at_most(given, MOST_FIELDS, "custom_fields")
    fields: list[dict[str, Any]] = []
    for number, field in enumerate(given):
        key, kind, param = field["key"], field["type"], f"custom_fields[{number}]"
        if not re.fullmatch("[A-Za-z0-9]{1,200}", key) or any(key == other["key"] for other in fields):
            raise ApiError("A key is letters and digits, at most 200, each once.", param=f"{param}[key]")
        if len(field["label"]["custom"]) > 50:
            raise ApiError("Invalid string: must be at most 50 characters", param=f"{param}[label][custom]")
        if kind == "dropdown" and not field.get("dropdown", {}).get("options"):
            raise ApiError("A dropdown needs options.", param=f"{param}[dropdown][options]")
        shown_field = {
            "dropdown": None,
            "key": key,
            "label": {"custom": field["label"]["custom"], "type": "custom"},
            "numeric": None,
            "optional": field.get("optional", False),
            "text": None,
            "type": kind,
        }
        shown_field[kind] = _answerable(kind, field.get(kind, {}), param)
        fields.append(shown_field)
    return fields


def _answerable(kind: str, given: dict[str, Any], param: str) -> dict[str, Any]:
    if kind == "dropdown":
        options = check_at_most(given["options"], MOST_OPTIONS, f"{param}[dropdown][options]")
        values = [option["value"] for option in options]
        if "default_value" in given and given["default_value"] not in values:
            raise ApiError("The default value must be one of the options.", param=f"{param}[dropdown][default_value]")
        return {"default_value": given.get("default_value"), "options": options, "value": None}
    limits = {name: given.get(name) for name in ("maximum_length", "minimum_length")}
    return {"default_value": given.get("default_value"), **limits, "value": None}


def _no_invoice() -> dict[str, Any]:
    names = ("account_tax_ids", "custom_fields", "description", "footer", "issuer", "rendering_options")
    return {**dict.fromkeys(names), "metadata": {}}
