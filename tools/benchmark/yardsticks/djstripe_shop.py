"""A Django shop with dj-stripe, in one file: dj-stripe takes the webhooks, and the shop pays its order.

Two modes, by the environment variable MODE. `handler`: dj-stripe keeps the event and the payment, then calls the shop's
handler of `payment_intent.succeeded`, as its documentation shows. `callback`: dj-stripe verifies and hands over, and
the shop does the rest. `python -m tools.benchmark.yardsticks.djstripe_shop FIRST LAST AMOUNT` makes orders.

It needs packages that this project does not ask for; `tools/benchmark/djstripe.py` gets them.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import django
from django.conf import settings

from tools.benchmark.numbering import PRODUCTS, payment_id

ENDPOINT = UUID("5d8f9d0e-7a1b-4c3e-9f60-2b1a7c5e4d3f")
_DATABASE = urlsplit(os.environ["DATABASE_URL"])
CALLBACK = os.environ["MODE"] == "callback"

settings.configure(
    SECRET_KEY="only-for-the-time-of-this-benchmark",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djstripe"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _DATABASE.path.strip("/"),
            "USER": _DATABASE.username,
            "HOST": parse_qs(_DATABASE.query)["host"][0],
            "CONN_MAX_AGE": None,
        }
    },
    USE_TZ=True,
    LOGGING={
        "version": 1,
        "handlers": {"log": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["log"], "level": "ERROR"},
    },
    STRIPE_LIVE_MODE=False,
    STRIPE_TEST_SECRET_KEY=os.environ["STRIPE_SECRET_KEY"],
    STRIPE_API_HOST=os.environ["STRIPE_API_BASE"],
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    **({"DJSTRIPE_WEBHOOK_EVENT_CALLBACK": f"{__name__}.take"} if CALLBACK else {}),
)
django.setup()

from django.core.management import call_command  # noqa: E402  # Django wants its settings first
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import F  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from djstripe.event_handlers import djstripe_receiver  # noqa: E402
from djstripe.models import WebhookEndpoint  # noqa: E402
from djstripe.views import ProcessWebhookView  # noqa: E402


class Product(models.Model):
    stock = models.IntegerField()

    class Meta:
        app_label = "shop"
        db_table = "product"


class Order(models.Model):
    email = models.TextField()
    state = models.TextField(default="open")
    total = models.IntegerField()
    quantity = models.IntegerField()
    paid_at = models.DateTimeField(null=True)
    intent = models.TextField(unique=True)
    product = models.ForeignKey(Product, on_delete=models.PROTECT)

    class Meta:
        app_label = "shop"
        db_table = "order"


class Event(models.Model):
    """What the shop remembers itself in callback mode, where dj-stripe does not."""

    id = models.TextField(primary_key=True)

    class Meta:
        app_label = "shop"
        db_table = "event"


OWN = (Product, Order, Event)


def pay(event: dict[str, Any]) -> None:
    """Pay the order of an event once, and take the pieces from the stock."""
    intent = event["data"]["object"]
    with transaction.atomic():
        _remembered, new = Event.objects.get_or_create(id=event["id"])
        order = Order.objects.select_for_update().get(intent=intent["id"])
        if new and order.state != "paid" and order.total == intent["amount_received"]:
            order.state, order.paid_at = "paid", datetime.now(UTC)
            order.save(update_fields=["state", "paid_at"])
            Product.objects.filter(id=order.product_id).update(stock=F("stock") - order.quantity)


def take(trigger: Any, **_: object) -> None:
    """dj-stripe's callback: the trigger has the verified body."""
    if trigger.json_body["type"] == "payment_intent.succeeded":
        pay(trigger.json_body)


if not CALLBACK:

    @djstripe_receiver("payment_intent.succeeded")
    def paid(sender: Any, event: Any, **_: object) -> None:  # noqa: ARG001  # Django calls it by these names
        pay({"id": event.id, "data": event.data})


_process = ProcessWebhookView.as_view()


def webhook(request: Any) -> Any:
    return _process(request, uuid=ENDPOINT)


webhook.csrf_exempt = True  # type: ignore[attr-defined]  # how Django marks a view; no middleware checks it here

urlpatterns = [path("", lambda _request: HttpResponse("ok")), path("webhooks/stripe", webhook)]
app = get_wsgi_application()


def fill(first: int, last: int, amount: int) -> None:
    """An unpaid order for each number, and all tables where there are none."""
    if Product._meta.db_table not in connection.introspection.table_names():  # Django's own name for it
        call_command("migrate", verbosity=0)
        with connection.schema_editor() as editor:
            for model in OWN:
                editor.create_model(model)
        Product.objects.bulk_create(Product(id=number, stock=1_000_000) for number in PRODUCTS)
        WebhookEndpoint.objects.create(
            id="we_benchmark",
            djstripe_uuid=ENDPOINT,
            secret=os.environ["STRIPE_WEBHOOK_SECRET"],
            livemode=False,
            enabled_events=["*"],
            status="enabled",
            url="http://127.0.0.1/webhooks/stripe",
        )
    Order.objects.bulk_create(
        Order(
            id=number,
            email="ada@example.com",
            total=amount,
            quantity=1,
            intent=payment_id(number),
            product_id=PRODUCTS[number % len(PRODUCTS)],
        )
        for number in range(first, last + 1)
    )


if __name__ == "__main__":
    fill(*map(int, sys.argv[1:4]))
