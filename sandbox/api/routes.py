"""Everything the sandbox imitates of Stripe's API, on one screen. Anything else is answered as an unknown URL."""

from typing import Any

from sandbox.api.resources import charges, events, payment_intents, payment_methods, webhook_endpoints
from sandbox.api.route import Route

_STRING: dict[str, Any] = {"type": "string"}

ROUTES = (
    Route("POST", "/v1/payment_intents", payment_intents.create, "PaymentIntentCreateParams"),
    Route("GET", "/v1/payment_intents", payment_intents.list_all, "PaymentIntentListParams"),
    Route(
        "GET", "/v1/payment_intents/{intent}", payment_intents.retrieve, "PaymentIntentRetrieveParams", publishable=True
    ),
    Route("POST", "/v1/payment_intents/{intent}", payment_intents.update, "PaymentIntentUpdateParams"),
    Route(
        "POST",
        "/v1/payment_intents/{intent}/confirm",
        payment_intents.confirm,
        "PaymentIntentConfirmParams",
        publishable=True,
    ),
    Route("POST", "/v1/payment_intents/{intent}/cancel", payment_intents.cancel, "PaymentIntentCancelParams"),
    Route("POST", "/v1/payment_intents/{intent}/capture", payment_intents.capture, "PaymentIntentCaptureParams"),
    Route("POST", "/v1/payment_methods", payment_methods.create, "PaymentMethodCreateParams", publishable=True),
    Route("GET", "/v1/payment_methods", payment_methods.list_all, "PaymentMethodListParams"),
    Route("GET", "/v1/payment_methods/{payment_method}", payment_methods.retrieve, "PaymentMethodRetrieveParams"),
    Route("POST", "/v1/payment_methods/{payment_method}", payment_methods.update, "PaymentMethodUpdateParams"),
    Route("POST", "/v1/payment_methods/{payment_method}/attach", payment_methods.attach, "PaymentMethodAttachParams"),
    Route("POST", "/v1/payment_methods/{payment_method}/detach", payment_methods.detach, "PaymentMethodDetachParams"),
    Route("GET", "/v1/charges", charges.list_all, "ChargeListParams"),
    Route("GET", "/v1/charges/{charge}", charges.retrieve, "ChargeRetrieveParams"),
    Route("POST", "/v1/charges/{charge}", charges.update, "ChargeUpdateParams"),
    Route("GET", "/v1/events", events.list_all, "EventListParams"),
    Route("GET", "/v1/events/{id}", events.retrieve, "EventRetrieveParams"),
    Route("POST", "/v1/events/{id}/retry", events.retry, {"webhook_endpoint": _STRING}),
    Route("POST", "/v1/webhook_endpoints", webhook_endpoints.create, "WebhookEndpointCreateParams"),
    Route("GET", "/v1/webhook_endpoints", webhook_endpoints.list_all, "WebhookEndpointListParams"),
    Route(
        "GET", "/v1/webhook_endpoints/{webhook_endpoint}", webhook_endpoints.retrieve, "WebhookEndpointRetrieveParams"
    ),
    Route("POST", "/v1/webhook_endpoints/{webhook_endpoint}", webhook_endpoints.update, "WebhookEndpointUpdateParams"),
    Route(
        "DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", webhook_endpoints.delete, "WebhookEndpointDeleteParams"
    ),
)
