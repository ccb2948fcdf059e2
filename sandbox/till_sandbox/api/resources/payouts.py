"""/v1/payouts"""

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.model import payouts
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    return payouts.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return call.tx.get(payouts.KIND, call.ids["payout"], param="payout")


def update(call: Call) -> Resource:
    return payouts.update(call.tx, retrieve(call), call.params)


def cancel(call: Call) -> Resource:
    return payouts.cancel(call.tx, retrieve(call))


def list_all(call: Call) -> Listing:
    equal = {name: call.params.get(name) for name in ("destination", "status")}
    arrival = call.params.get("arrival_date", {})
    limits = arrival if isinstance(arrival, dict) else {"gte": arrival, "lte": arrival}
    where = "".join(f" AND json_extract(body, '$.arrival_date') {_SIGNS[name]} ?" for name in limits)
    return listing(call, payouts.KIND, equal, also=(where, tuple(limits.values())))


_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
