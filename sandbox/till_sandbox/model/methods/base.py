"""What a type of payment method says and does: everything about a payment that depends on what it is paid with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from till_sandbox.errors import ApiError
from till_sandbox.state import Resource, Transaction

#: How the payer's authentication goes on: they are asked, or it ends without asking.
Authentication = Literal["challenge", "frictionless", "attempted", "error", "none"]


@dataclass(frozen=True)
class Consequences:
    """What follows a charge by itself.

    `available`: its money skips the pending balance. `disputes`: kinds of the disputes table, in their order.
    `refunds`: how a refund of it ends, if not at once and for good.
    """

    available: bool = False
    disputes: tuple[str, ...] = ()
    refunds: str | None = None


class MethodType:
    """One type. `name` is what `type` says; the options are what an intent shows that was told nothing about it.

    A type that is offered and never used, such as Link, only has these. Another one overrides all methods; the
    PaymentMethods they get are of its own type.
    """

    name: ClassVar[str]
    payment_options: ClassVar[Mapping[str, Any]]
    setup_options: ClassVar[Mapping[str, Any]]

    def create(self, tx: Transaction, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ARG002  # what others need
        """What a new PaymentMethod shows under the type's name, and what only the sandbox knows. Raises ApiError."""
        raise ApiError(
            f"The payment method type `{params['type']}` is invalid. Please ensure the provided type is activated in "
            "your dashboard (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for "
            "any preview features that you are trying to use.",
            param="type",
        )

    def from_alias(self, _tx: Transaction, _alias: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The same for a test PaymentMethod's name, such as `pm_card_visa`; None where it is no such name."""
        return None

    def update(self, tx: Transaction, payment_method: Resource, given: dict[str, Any]) -> None:
        """Change what the type shows."""
        raise NotImplementedError

    def answer_again(self, tx: Transaction, payment_method: Resource, options: dict[str, Any]) -> None:
        """What the payer typed again while paying, in `payment_method_options`."""

    def verify(self, tx: Transaction, payment_method: Resource) -> None:
        """Have the bank check what the payer typed. The results stay with the PaymentMethod."""

    def refusal(self, payment_method: Resource) -> str | None:
        """What its bank declines it for (a key of the declines table), or None."""
        raise NotImplementedError

    def may_be_saved(self, payment_method: Resource) -> bool:
        """Whether it can be saved although it would be declined."""
        return self.refusal(payment_method) is None

    def authenticate(self, payment_method: Resource, *, request: str, off_session: bool) -> Authentication:
        """Whether the payer must be asked. `request` is the option `request_three_d_secure`."""
        raise NotImplementedError

    def authentication_result(self, answer: Authentication) -> dict[str, Any] | None:
        """What a charge shows of it (for a challenge: once it was completed)."""
        raise NotImplementedError

    def charge_details(
        self, payment_method: Resource, options: dict[str, Any], amount: int, secure: dict[str, Any] | None
    ) -> dict[str, Any]:
        """What a charge shows of the method in `payment_method_details`. `options` are the intent's for the type."""
        raise NotImplementedError

    def setup_details(self, payment_method: Resource) -> dict[str, Any]:
        """What a setup attempt shows of it."""
        raise NotImplementedError

    def dispute_details(self, charge: Resource) -> dict[str, Any]:
        """What a dispute shows of it, without the reason."""
        raise NotImplementedError

    def refund_details(self) -> dict[str, Any] | None:
        """Where a refund goes, before the bank has said more."""
        return None

    def risk(self, payment_method: Resource) -> str:
        """Radar's level: normal, elevated or highest."""
        raise NotImplementedError

    def consequences(self, charge: Resource) -> Consequences:
        """What follows a charge of it."""
        raise NotImplementedError
