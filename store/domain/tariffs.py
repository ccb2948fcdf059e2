"""Tariffs: everything beside the products' prices that the price of an order is made of, as it is at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from store.domain.addresses import Address
from store.domain.coupons import Coupon, CouponKind, coupon_rule, refusal
from store.domain.errors import (
    CouponRefusal,
    CouponRefused,
    NotShippedThere,
    ShippingMethodUnavailable,
    TaxAddressUnknown,
)
from store.domain.pricing import Quote, QuoteLine, Rule, quote
from store.domain.shipping import ShippingMethod, ShippingOffer, cheapest, has_shippable, offers, shipping_rule
from store.domain.tax_questions import TaxAnswer, Taxes, asked_rule, question_of
from store.domain.taxes import TaxRate, tax_rule
from store.domain.vat_numbers import WITH_VAT_NUMBERS


@dataclass(frozen=True, slots=True)
class Tariffs:
    """A store without any shipping method sends everything at no charge: shipping is included.

    `taxes` answers what the taxes are, where they do not go by the store's own `rates`.
    """

    methods: tuple[ShippingMethod, ...] = ()
    rates: tuple[TaxRate, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    taxes: Taxes | None = None

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules of `pricing.quote`, in the order in which they run."""
        taxes = tax_rule(self.rates) if self.taxes is None else asked_rule(self.taxes)
        return (shipping_rule(self.methods), coupon_rule(self.coupons), taxes)

    def with_coupon(self, coupon: Coupon | None) -> Tariffs:
        """These tariffs, and the coupon that somebody has a code of."""
        return replace(self, coupons=(coupon,)) if coupon is not None else self

    def asking(self, taxes: Taxes | None) -> Tariffs:
        """These tariffs, with somebody who answers what the taxes are; None for the store's own rates."""
        return replace(self, taxes=taxes)

    def tax_answer(self, price: Quote, address: Address | None, tax_id: str | None) -> TaxAnswer:
        """What was answered about the taxes of a price; nothing where they go by the store's own rates."""
        question = question_of(price, address, tax_id) if self.taxes is not None else None
        return self.taxes(question) if self.taxes is not None and question is not None else TaxAnswer()

    def tax_calculation(self, price: Quote, address: Address | None, tax_id: str | None) -> str | None:
        """The name of the calculation that the taxes of a price are from. Raises TaxAddressUnknown where nobody knows
        what they are there.
        """
        answer = self.tax_answer(price, address, tax_id)
        if answer.problem is not None:
            raise TaxAddressUnknown
        return answer.calculation

    def takes_tax_id(self, country: str) -> bool:
        """Whether a business of that country pays a tax by itself, so that it is asked for its VAT number."""
        if self.taxes is not None:
            return country in WITH_VAT_NUMBERS
        return any(rate.reverse_charge for rate in self.rates if rate.country == country)

    def offers(self, lines: Sequence[QuoteLine], address: Address) -> list[ShippingOffer]:
        """The shipping methods for `lines` to `address`, as they are listed."""
        return offers(self.methods, lines, address)

    def choose(self, lines: Sequence[QuoteLine], address: Address, wanted: str | None) -> ShippingOffer | None:
        """The method that is `wanted`, or the cheapest where none is; None where nothing is to be paid for: nothing is
        shipped, or shipping is included.

        Raises NotShippedThere where no method goes to the address, and ShippingMethodUnavailable where others do.
        """
        if not self.methods or not has_shippable(lines):
            return None
        offered = self.offers(lines, address)
        if not offered:
            raise NotShippedThere(address.country)
        if not wanted:
            return cheapest(offered)
        chosen = next((offer for offer in offered if offer.code == wanted), None)
        if chosen is None:
            raise ShippingMethodUnavailable(wanted)
        return chosen

    def check_code(self, code: str | None, price: Quote, now: datetime) -> None:
        """Raises CouponRefused where there is a code that takes nothing off what an order costs by now."""
        if not code:
            return
        coupon = next((coupon for coupon in self.coupons if coupon.code == code), None)
        reason = refusal(coupon, price.subtotal, now) if coupon is not None else CouponRefusal.UNKNOWN
        if (
            reason is None
            and coupon is not None
            and coupon.kind is CouponKind.FREE_SHIPPING
            and not price.pays_shipping
        ):
            reason = CouponRefusal.NO_SHIPPING
        if reason is not None:
            raise CouponRefused(reason, code, coupon.minimum if coupon is not None else None)

    def quote(
        self,
        lines: Sequence[QuoteLine],
        address: Address | None,
        shipping: str | None,
        codes: Sequence[str],
        now: datetime,
        *,
        currency: str,
        tax_id: str | None = None,
    ) -> Quote:
        """`pricing.quote` with these tariffs."""
        return quote(lines, address, shipping, codes, now, currency=currency, rules=self.rules, tax_id=tax_id)


NO_TARIFFS = Tariffs()
