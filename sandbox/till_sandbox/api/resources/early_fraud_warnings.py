"""/v1/radar/early_fraud_warnings"""

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.state import Resource

KIND = "radar.early_fraud_warning"


def retrieve(call: Call) -> Resource:
    return call.tx.get(KIND, call.ids["early_fraud_warning"], param="early_fraud_warning")


def list_all(call: Call) -> Listing:
    params = call.params
    names = ("charge", "payment_intent")
    for name in names:
        if name in params:
            call.tx.get(name, params[name], param=name, status=400)
    return listing(call, KIND, {name: params.get(name) for name in names})
