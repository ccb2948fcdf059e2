"""/v1/tax/calculations, /v1/tax/transactions, /v1/tax/associations, /v1/tax/settings, /v1/tax/registrations and
/v1/tax_codes
"""

from till_sandbox.api.call import Call, Listing, slice_of
from till_sandbox.model.tax import (
    associations,
    calculations,
    codes,
    registrations,
    reversals,
    settings,
    transactions,
)
from till_sandbox.state import Page, Resource


def calculate(call: Call) -> Resource:
    return calculations.create(call.tx, call.params)


def retrieve_calculation(call: Call) -> Resource:
    return calculations.get(call.tx, call.ids["calculation"])


def list_calculated(call: Call) -> Listing:
    found = calculations.line_items(call.tx, calculations.get(call.tx, call.ids["calculation"]))
    return slice_of(call, calculations.LINE, found)


def create_transaction(call: Call) -> Resource:
    return transactions.create(call.tx, call.params)


def create_reversal(call: Call) -> Resource:
    return reversals.create(call.tx, call.params)


def retrieve_transaction(call: Call) -> Resource:
    return call.tx.get(transactions.KIND, call.ids["transaction"], param="transaction")


def list_recorded(call: Call) -> Listing:
    return slice_of(call, transactions.LINE, transactions.line_items(call.tx, retrieve_transaction(call)))


def find_association(call: Call) -> Resource:
    return associations.find(call.tx, call.params["payment_intent"])


def retrieve_settings(call: Call) -> Resource:
    return settings.of_account(call.tx)


def update_settings(call: Call) -> Resource:
    return settings.update(call.tx, call.params)


def create_registration(call: Call) -> Resource:
    return registrations.create(call.tx, call.params)


def retrieve_registration(call: Call) -> Resource:
    return registrations.current(call.tx, call.tx.get(registrations.KIND, call.ids["id"]))


def update_registration(call: Call) -> Resource:
    return registrations.update(call.tx, retrieve_registration(call), call.params)


def list_registrations(call: Call) -> Listing:
    found = [registrations.current(call.tx, each) for each in call.tx.all(registrations.KIND)]
    status = call.params.get("status", "all")
    chosen = [each for each in found if status in ("all", each["status"])]
    return slice_of(call, registrations.KIND, chosen)


def list_codes(call: Call) -> Listing:
    found = codes.listed(call.tx)
    names = [code["id"] for code in found]
    after = call.params.get("starting_after")
    first = names.index(after) + 1 if after in names else 0
    last = first + call.params["limit"]
    return Listing(Page(found[first:last], has_more=last < len(found)))


def retrieve_code(call: Call) -> Resource:
    return codes.retrieve(call.tx, call.ids["id"])
