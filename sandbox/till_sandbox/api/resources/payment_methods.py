"""/v1/payment_methods, and a customer's payment methods"""

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.errors import ApiError, missing_param
from till_sandbox.model import payment_methods
from till_sandbox.state import Page, Resource


def create(call: Call) -> Resource:
    if "number" in call.params.get("card", {}) and not call.principal.publishable:
        raise raw_number()
    return payment_methods.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return _payment_method(call)


def update(call: Call) -> Resource:
    return payment_methods.update(call.tx, _payment_method(call), call.params)


def attach(call: Call) -> Resource:
    if "customer" not in call.params:
        raise missing_param("customer")
    call.tx.get("customer", call.params["customer"], param="customer", status=400)
    payment_method_id = call.ids["payment_method"]
    payment_method = payment_methods.resolve(call.tx, payment_method_id, status=404)
    return payment_methods.attach(call.tx, payment_method, call.params["customer"])


def detach(call: Call) -> Resource:
    return payment_methods.detach(call.tx, _payment_method(call))


def list_all(call: Call) -> Listing:
    """Those of one customer; without a customer, none."""
    customer = call.params.get("customer")
    if customer is None:
        return Listing(Page([], has_more=False))
    call.tx.get("customer", customer, param="customer", status=400)
    return _of_customer(call, customer)


def list_of_customer(call: Call) -> Listing:
    customer = call.tx.get("customer", call.ids["customer"])
    return _of_customer(call, customer.id)


def retrieve_of_customer(call: Call) -> Resource:
    customer = call.tx.get("customer", call.ids["customer"])
    found = call.tx.find("payment_method", call.ids["payment_method"])
    if found is None or found["customer"] != customer.id:
        raise ApiError("Invalid request", status=404, param="customer")
    return found


def raw_number() -> ApiError:
    return ApiError(
        "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens "
        "that map to the test card you are using, see https://stripe.com/docs/testing. To enable raw card data APIs in "
        "test mode, see https://support.stripe.com/questions/enabling-access-to-raw-card-data-apis.",
        status=402,
    )


def _payment_method(call: Call) -> Resource:
    return call.tx.get("payment_method", call.ids["payment_method"], param="payment_method")


def _of_customer(call: Call, customer: str) -> Listing:
    params = call.params
    equal = {"customer": customer, "type": params.get("type"), "allow_redisplay": params.get("allow_redisplay")}
    return listing(call, "payment_method", equal)
