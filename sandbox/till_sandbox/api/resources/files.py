"""/v1/files"""

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.errors import ApiError, missing_param
from till_sandbox.model import files
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    """Stripe takes it at files.stripe.com; here it is the same server."""
    if "file" not in call.files:
        raise missing_param("file")
    if "file_link_data" in call.params:
        raise ApiError("The sandbox makes no file links.", param="file_link_data")
    sent = call.files["file"]
    return files.create(call.tx, call.params["purpose"], sent.name, sent.content)


def retrieve(call: Call) -> Resource:
    return call.tx.get("file", call.ids["file"], param="file")


def list_all(call: Call) -> Listing:
    return listing(call, "file", {"purpose": call.params.get("purpose")})
