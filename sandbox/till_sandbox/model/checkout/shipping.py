"""How an order can be delivered: up to five ways, of which the customer chooses one."""

from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model.catalog import shipping_rates
from till_sandbox.model.catalog.rules import check_one_of
from till_sandbox.state import Resource, Transaction

MOST = 5


def offer(tx: Transaction, session: Resource, options: list[dict[str, Any]]) -> None:
    """Let the customer choose among these. The first is chosen until they do."""
    if len(options) > MOST:
        raise ApiError(f"You can pass at most {MOST} shipping options.", param="shipping_options")
    shown = []
    for number, option in enumerate(options):
        param = f"shipping_options[{number}]"
        rate = _rate(tx, option, param)
        amount = shipping_rates.amount(rate, session["currency"])
        if amount is None:
            raise ApiError(
                f"The shipping rate {rate.id} has no amount in {session['currency']}, the currency of this Checkout "
                "Session.",
                param=param,
            )
        shown.append({"shipping_amount": amount, "shipping_rate": rate.id})
    session["shipping_options"] = shown
    _set(session, shown[0] if shown else None)


def choose(session: Resource, rate_id: str) -> None:
    """The customer's choice."""
    for option in session["shipping_options"]:
        if option["shipping_rate"] == rate_id:
            _set(session, option)
            return
    raise ApiError("This Checkout Session does not offer that shipping rate.", param="shipping_rate")


def cost(session: Resource) -> int:
    """What the chosen way costs."""
    return int(session["shipping_cost"]["amount_total"]) if session["shipping_cost"] else 0


def _set(session: Resource, option: dict[str, Any] | None) -> None:
    if option is None:
        session["shipping_cost"] = None
        return
    amount = option["shipping_amount"]
    session["shipping_cost"] = {
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "shipping_rate": option["shipping_rate"],
    }


def _rate(tx: Transaction, option: dict[str, Any], param: str) -> Resource:
    check_one_of(option, "shipping_rate", "shipping_rate_data", param=f"{param}[shipping_rate]")
    if "shipping_rate" in option:
        rate = tx.get("shipping_rate", option["shipping_rate"], param=f"{param}[shipping_rate]", status=400)
        if not rate["active"]:
            raise ApiError(f"The shipping rate {rate.id} is inactive.", param=f"{param}[shipping_rate]")
        return rate
    rate = shipping_rates.create(tx, option["shipping_rate_data"], f"{param}[shipping_rate_data]")
    rate.private["inline"] = True
    return tx.save(rate)
