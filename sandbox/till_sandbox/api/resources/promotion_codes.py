"""/v1/promotion_codes"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.model.catalog import promotion_codes
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    return promotion_codes.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return _promotion_code(call)


def update(call: Call) -> Resource:
    return promotion_codes.update(call.tx, _promotion_code(call), call.params)


def list_all(call: Call) -> Listing:
    """Capitals in a code make no difference."""
    params = call.params
    equal = {name: params.get(name) for name in ("active", "customer")} | {"promotion.coupon": params.get("coupon")}
    also: tuple[str, tuple[Any, ...]] = ("", ())
    if "code" in params:
        also = (" AND lower(json_extract(body, '$.code')) = ?", (params["code"].lower(),))
    return listing(call, "promotion_code", equal, also=also)


def _promotion_code(call: Call) -> Resource:
    return call.tx.get("promotion_code", call.ids["promotion_code"], param="promotion_code")
