"""/v1/shipping_rates"""

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.model.catalog import shipping_rates
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    return shipping_rates.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return _rate(call)


def update(call: Call) -> Resource:
    return shipping_rates.update(call.tx, _rate(call), call.params)


def list_all(call: Call) -> Listing:
    """Rates made inline, for one purchase, are never listed."""
    params = call.params
    equal = {"active": params.get("active"), "fixed_amount.currency": params.get("currency")}
    return listing(call, "shipping_rate", equal, also=(" AND json_extract(private, '$.inline') IS NULL", ()))


def _rate(call: Call) -> Resource:
    return call.tx.get("shipping_rate", call.ids["shipping_rate"], param="shipping_rate_token")
