"""/v1/tax_rates"""

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.model.catalog import tax_rates
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    return tax_rates.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return _rate(call)


def update(call: Call) -> Resource:
    return tax_rates.update(call.tx, _rate(call), call.params)


def list_all(call: Call) -> Listing:
    return listing(call, "tax_rate", {name: call.params.get(name) for name in ("active", "inclusive")})


def _rate(call: Call) -> Resource:
    return call.tx.get("tax_rate", call.ids["tax_rate"], param="tax_rate")
