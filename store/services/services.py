"""The things every service needs, put together once by `app.create_app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from store.services.batches import Batches

if TYPE_CHECKING:
    from config import Settings
    from models import Order
    from store.gateway.port import Mailer, PaymentGateway, Sender
    from store.services.database import Database
    from store.services.orders.drafting import Draft
    from store.services.tariffs import TariffCache
    from store.services.taxes import AnswerCache


@dataclass(frozen=True)
class Services:
    """`link_path` is where the web shows an order to whoever has its signed `{key}`, with the `{reference}` in it.
    Without `shortcut` an ordinary payment is recorded and an ordinary order placed as any other, which comes to the
    same and takes longer.
    """

    settings: Settings
    database: Database
    gateway: PaymentGateway
    mailer: Mailer
    endpoint_sender: Sender
    clock: Callable[[], datetime]
    link_path: str
    tariffs: TariffCache
    tax_answers: AnswerCache
    shortcut: bool = True
    ordinary_payments: Batches[dict[str, Any], str | None] = field(default_factory=Batches)
    ordinary_orders: Batches[Draft, Order | None] = field(default_factory=Batches)

    @property
    def hold(self) -> timedelta:
        """How long an order keeps its stock while it waits for its payment."""
        return timedelta(minutes=self.settings.hold_minutes)
