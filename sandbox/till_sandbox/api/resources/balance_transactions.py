"""/v1/balance_transactions"""

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.errors import ApiError
from till_sandbox.model import payouts
from till_sandbox.state import Page, Resource


def retrieve(call: Call) -> Resource:
    return call.tx.get("balance_transaction", call.ids["id"])


def list_all(call: Call) -> Listing:
    """By `source` Stripe finds the rows of charges and refunds, never those of disputes; by `payout` those of an
    automatic one.
    """
    equal = {name: call.params.get(name) for name in ("currency", "source", "type")}
    if (equal["source"] or "").startswith("du_"):
        return Listing(Page([], has_more=False))
    if "payout" not in call.params:
        return listing(call, "balance_transaction", equal)
    payout = call.tx.get(payouts.KIND, call.params["payout"], param="payout", status=400)
    if not payout["automatic"]:
        raise ApiError("Balance transaction history can only be filtered on automatic transfers, not manual.")
    of_it = (f" AND json_extract(private, '$.{payouts.PAID_OUT}') = ?", (payout.id,))
    return listing(call, "balance_transaction", equal, also=of_it)
