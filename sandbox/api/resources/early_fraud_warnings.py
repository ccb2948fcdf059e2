"""/v1/radar/early_fraud_warnings"""

from sandbox.api.call import Call, Listing, listing
from sandbox.state import Resource

KIND = "radar.early_fraud_warning"


def retrieve(call: Call) -> Resource:
    return call.tx.get(KIND, call.ids["early_fraud_warning"], param="early_fraud_warning")


def list_all(call: Call) -> Listing:
    params = call.params
    return listing(call, KIND, {"charge": params.get("charge"), "payment_intent": params.get("payment_intent")})
