"""The store's process dies at every boundary of its work; when the same is asked again, all is as if it had not.

Each kind of work is first done unharmed. Then it is done on a fresh order again and again, dying at the first
boundary, at the second, and so on until it gets through; after each death a new process is asked for the same, or
upkeep comes by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from models import Mail, Order, OrderLine, Product
from store.cli.findings import problem_of
from store.domain.errors import StoreError
from store.domain.money import Money
from store.services import carts, checkout, payments, reconciliation
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.payments import refunds
from tests.support.crash_points import UNHARMED, Died, FaultPlan, Process
from tests.support.shop import Shop
from till_sandbox.webhooks.sending import Outgoing

MOST_BOUNDARIES = 40


@dataclass
class Scene:
    """One shopper and one order, before the work that is to be interrupted."""

    shop: Shop
    cart_id: str
    began: datetime
    shelf_before: int
    reference: str = ""

    @property
    def order(self) -> Order:
        return self.shop.read(self.reference)

    def place(self, quantity: int = 2) -> None:
        self.reference = self.shop.place(self.cart_id, browser_id=self.cart_id).reference

    def pay(self, number: str = "4242424242424242") -> None:
        self.place()
        self.shop.pay(self.order, number)

    def paid(self, number: str = "4242424242424242") -> None:
        self.pay(number)
        self.shop.deliver()

    def ask(self, amount: int | None) -> None:
        money = None if amount is None else Money(amount, "usd")
        origin = Origin(Source.STAFF, self.shop.clock())
        refunds.submit(self.shop.services, self.reference, money, f"{self.reference}-once", origin)


def begin(shop: Shop) -> Scene:
    shop.clock.forward(minutes=1)
    with shop.services.database.reading() as session:
        shelf = session.scalar(select(func.sum(Product.stock))) or 0
    return Scene(shop, shop.cart(2), shop.clock() - timedelta(seconds=30), shelf)


# --- the work, each: what comes before it, the work itself, and how it is asked for again --------------------------


@dataclass(frozen=True)
class Work:
    """`calls`: whether Stripe is asked for anything on the way."""

    name: str
    prepare: Callable[[Scene], None]
    do: Callable[[Scene], object]
    again: Callable[[Scene], object]
    calls: bool = True


def nothing(_scene: Scene) -> None:
    """The work begins with a cart."""


def place(scene: Scene) -> None:
    scene.place()


def place_changed(scene: Scene) -> None:
    scene.place()


def opened_then_changed(scene: Scene) -> None:
    scene.place()
    scene.shop.open(scene.order)
    with scene.shop.services.database.transaction() as session:
        carts.change(session, scene.cart_id, "cedar-pencil", 1, scene.shop.clock())


def opened(scene: Scene) -> None:
    scene.place()
    scene.shop.open(scene.order)


def overdue(scene: Scene) -> None:
    opened(scene)
    scene.shop.deliver()
    scene.shop.clock.forward(minutes=31)


def overdue_but_paid(scene: Scene) -> None:
    scene.pay()
    scene.shop.lose()
    scene.shop.clock.forward(minutes=31)


def declined_too_often(scene: Scene) -> None:
    scene.place()
    page = scene.shop.open(scene.order)
    for _ in range(scene.shop.services.settings.max_declines):
        scene.shop.confirm(page, "4000000000000002")
        scene.shop.deliver()


def paid_late(scene: Scene) -> None:
    """The order was let go by hand, its goods went elsewhere, and then the money came."""
    shop = scene.shop
    scene.pay()
    shop.close_by_hand(scene.reference)
    with shop.services.database.transaction() as session:
        on_shelf = session.scalar(select(Product.stock).where(Product.slug == "cedar-pencil")) or 0
        session.query(Product).where(Product.slug == "cedar-pencil").update({"stock": 0})
    shop.deliver()
    shop.set_stock("cedar-pencil", on_shelf)


def open_page(scene: Scene) -> None:
    scene.shop.open(scene.order)


def pay_after_opening(scene: Scene) -> None:
    scene.shop.pay(scene.order)


def upkeep_comes_by(scene: Scene) -> None:
    worker.run(scene.shop.services, scene.shop.clock())


def upkeep_comes_by_later(scene: Scene) -> None:
    scene.shop.clock.forward(minutes=2)
    upkeep_comes_by(scene)


def stripe_tells(scene: Scene) -> None:
    """A store that dies over a webhook acknowledges nothing, so Stripe keeps it for later."""

    def receive(delivery: Outgoing) -> int:
        try:
            return scene.shop.receive(delivery)
        except Died:
            return 503

    scene.shop.send_to(receive)


def stripe_tells_again(scene: Scene) -> None:
    scene.shop.clock.forward(minutes=2)
    stripe_tells(scene)


def look(scene: Scene) -> None:
    payments.look_up(scene.shop.services, scene.reference, scene.shop.clock())
    scene.shop.clock.forward(seconds=6)
    payments.look_up(scene.shop.services, scene.reference, scene.shop.clock())


def cancel(scene: Scene) -> None:
    checkout.cancel(scene.shop.services, scene.reference, scene.shop.clock())


def refund_all(scene: Scene) -> None:
    scene.ask(None)


def refund_a_part(scene: Scene) -> None:
    scene.ask(100)


def refund_a_part_again(scene: Scene) -> None:
    upkeep_comes_by_later(scene)
    scene.ask(100)


def dispute_changed(scene: Scene) -> None:
    scene.shop.clock.forward(seconds=5)
    stripe_tells(scene)


def refunded_in_the_dashboard(scene: Scene) -> None:
    scene.paid()
    scene.shop.stripe("POST", "/v1/refunds", {"payment_intent": scene.order.payment.provider_payment_id or ""})


def refund_fails_later(scene: Scene) -> None:
    scene.paid("4000000000005126")
    scene.ask(None)
    scene.shop.deliver()
    scene.shop.clock.forward(minutes=5)


def paid_untold(scene: Scene) -> None:
    scene.pay()
    scene.shop.lose()


def reconcile_all(scene: Scene) -> None:
    reconciliation.repair(scene.shop.services, scene.began, scene.shop.clock())


WORK = (
    Work("placing an order", nothing, place, place, calls=False),
    Work("placing a changed order", opened_then_changed, place_changed, place_changed),
    Work("opening a payment", place, open_page, open_page),
    Work("opening a payment once more", opened, open_page, open_page),
    Work("recording a payment that a webhook tells of", Scene.pay, stripe_tells, stripe_tells_again, calls=False),
    Work("looking a payment up", paid_untold, look, look),
    Work("reconciling a payment nobody told of", paid_untold, reconcile_all, reconcile_all),
    Work("cancelling for the shopper", opened, cancel, cancel),
    Work("expiring", overdue, upkeep_comes_by, upkeep_comes_by_later),
    Work("expiring what turns out to be paid", overdue_but_paid, upkeep_comes_by, upkeep_comes_by_later),
    Work("opening a payment whose time is over", overdue, open_page, open_page),
    Work("closing after too many declines", declined_too_often, upkeep_comes_by, upkeep_comes_by_later),
    Work("refunding everything", Scene.paid, refund_all, refund_all),
    Work("refunding a part", Scene.paid, refund_a_part, refund_a_part_again),
    Work("returning money that came too late", paid_late, upkeep_comes_by, upkeep_comes_by_later),
    Work(
        "recording a refund made in the dashboard",
        refunded_in_the_dashboard,
        stripe_tells,
        stripe_tells_again,
        calls=False,
    ),
    Work("recording a refund that failed", refund_fails_later, stripe_tells, stripe_tells_again, calls=False),
    Work(
        "recording a dispute",
        lambda scene: scene.paid("4000000000000259"),
        dispute_changed,
        stripe_tells_again,
        calls=False,
    ),
    Work("sending mail", Scene.paid, upkeep_comes_by, upkeep_comes_by_later, calls=False),
)


@pytest.mark.on_sqlite  # the statements run on both in the integration tests; make chaos kills processes on PostgreSQL
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.name)
def test_dying_at_any_boundary_changes_nothing_in_the_end(shop: Shop, work: Work) -> None:
    life = Process(shop)
    unharmed = lived_through(shop, life, work, UNHARMED)

    for boundary in range(1, MOST_BOUNDARIES):
        deaths = life.deaths
        outcome = lived_through(shop, life, work, FaultPlan(dies_at=boundary))
        if life.deaths == deaths:
            break
        assert outcome == unharmed, f"after dying at boundary {boundary}"
    else:
        pytest.fail("it never got through")
    assert boundary > 2, "there was nothing to interrupt"


@pytest.mark.on_sqlite
@pytest.mark.parametrize("work", [work for work in WORK if work.calls], ids=lambda work: work.name)
@pytest.mark.parametrize(
    "fates",
    [
        pytest.param([FaultPlan(breaks_before=1), FaultPlan(breaks_before=2)], id="before"),
        pytest.param([FaultPlan(breaks_after=1), FaultPlan(breaks_after=2)], id="after"),
        pytest.param(
            [FaultPlan(stripe_breaks_down="before"), FaultPlan(stripe_breaks_down="after")], id="Stripe breaks down"
        ),
    ],
)
def test_a_line_that_breaks_at_any_call_changes_nothing_in_the_end(
    shop: Shop, work: Work, fates: list[FaultPlan]
) -> None:
    life = Process(shop)
    unharmed = lived_through(shop, life, work, UNHARMED)

    for fate in fates:
        assert lived_through(shop, life, work, fate) == unharmed, fate


def lived_through(shop: Shop, life: Process, work: Work, fate: FaultPlan) -> dict[str, object]:
    """What is left in the end of an order whose work met this fate and was asked for once more."""
    scene = begin(shop)
    work.prepare(scene)
    for attempt, deed in ((fate, work.do), (UNHARMED, work.again)):
        try:
            with life.under(attempt):
                deed(scene)
        except (Died, StoreError):
            continue
    settle(scene)
    return ending(scene)


def settle(scene: Scene) -> None:
    """What happens anyway in the next minutes: webhooks arrive, upkeep comes by."""
    for _ in range(2):
        scene.shop.deliver()
        upkeep_comes_by_later(scene)
    scene.shop.deliver()


def ending(scene: Scene) -> dict[str, object]:
    """Everything that must not depend on whether somebody died: of the cart's orders, their money and their letters."""
    shop = scene.shop
    with shop.services.database.reading() as session:
        orders = session.scalars(select(Order).where(Order.cart_id == scene.cart_id).order_by(Order.id)).all()
        emails = session.execute(
            select(Mail.kind, Mail.sent_at.is_not(None))
            .join(Order, Order.id == Mail.order_id)
            .where(Order.cart_id == scene.cart_id)
            .order_by(Mail.kind)
        ).all()
        lines = session.scalars(
            select(OrderLine.quantity)
            .join(Order, Order.id == OrderLine.order_id)
            .where(Order.cart_id == scene.cart_id)
            .order_by(Order.id)
        ).all()
        shelf = session.scalar(select(func.sum(Product.stock))) or 0
        findings = [str(problem_of(finding)) for finding in audit.run(session, shop.clock())]
    references = [order.reference for order in orders]
    histories = [sorted(shop.history(reference)) for reference in references]
    intents = [
        intent
        for intent in shop.stripe("GET", "/v1/payment_intents", {"limit": "100"})["data"]
        if intent["metadata"].get("order_reference") in references
    ]
    made = [
        (refund["amount"], refund["status"])
        for intent in intents
        for refund in shop.stripe("GET", "/v1/refunds", {"payment_intent": intent["id"]})["data"]
    ]
    return {
        "orders": [(order.state, order.reservation, order.disputed, order.needs_review) for order in orders],
        "payments": [
            (order.payment.state, order.payment.received_minor, order.payment.refunded_minor)
            for order in map(shop.read, references)
        ],
        "pieces": list(lines),
        "shelf": shelf - scene.shelf_before,
        "history": histories,
        "letters": [tuple(email) for email in emails],
        "at stripe": sorted((intent["status"], intent["amount_received"]) for intent in intents),
        "refunds": sorted(made),
        "disagreements": [
            finding.replace(reference, "this")
            for reference in references
            for finding in findings
            if finding.startswith((f"order {reference}", "product"))
        ],
    }
