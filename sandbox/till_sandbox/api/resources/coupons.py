"""/v1/coupons"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.model.catalog import coupons
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    return coupons.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return _coupon(call)


def update(call: Call) -> Resource:
    return coupons.update(call.tx, _coupon(call), call.params)


def delete(call: Call) -> dict[str, Any]:
    return coupons.delete(call.tx, _coupon(call))


def list_all(call: Call) -> Listing:
    return listing(call, "coupon", {})


def _coupon(call: Call) -> Resource:
    return call.tx.get("coupon", call.ids["coupon"], param="coupon")
