"""/v1/balance_transactions"""

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.errors import missing_object
from till_sandbox.state import Page, Resource


def retrieve(call: Call) -> Resource:
    return call.tx.get("balance_transaction", call.ids["id"])


def list_all(call: Call) -> Listing:
    """By `source` Stripe finds the rows of charges and refunds, never those of disputes."""
    if "payout" in call.params:
        raise missing_object("payout", call.params["payout"], "payout", status=400)  # the sandbox pays nothing out
    equal = {name: call.params.get(name) for name in ("currency", "source", "type")}
    if (equal["source"] or "").startswith("du_"):
        return Listing(Page([], has_more=False))
    return listing(call, "balance_transaction", equal)
