"""Checkout Sessions: what the account asks for, what it comes to, how long it can be paid. `paying` is paying it."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import events, objects, payment_intents, setup_intents
from till_sandbox.model.checkout import discounts, lines, rules, settings, shipping, totals
from till_sandbox.model.details import address
from till_sandbox.model.metadata import merged
from till_sandbox.model.money import check_currency, check_total, step_of
from till_sandbox.state import Resource, Transaction

KIND = "checkout.session"
#: What is said about the payment now and used when it is made.
_LATER = ("payment_intent_data", "payment_method_data", "payment_method_options", "customer_update")
#: Pages that are shown inside one of the shop's, where an update can change what is bought.
_INSIDE = ("elements", "embedded_page")


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new session, open until its time is over. No event tells of it."""
    rules.check(tx, params)
    mode = params["mode"]
    customer = None
    if "customer" in params:
        customer = tx.get("customer", params["customer"], param="customer", status=400)
    session = _blank(tx, params, customer)
    if mode == "payment":
        currency = check_currency(params["currency"]) if "currency" in params else None
        bought = lines.add(tx, params["line_items"], currency)
        session["currency"] = bought[0]["currency"]
        session.private["lines"] = [line.id for line in bought]
        if "shipping_options" in params:
            shipping.offer(tx, session, params["shipping_options"])
        compute(tx, session)
        discounts.given(tx, session, params.get("discounts") or [])
        compute(tx, session)
        _check_total(session, bought)
    else:
        session["currency"] = check_currency(params["currency"]) if "currency" in params else None
    tx.insert(session)
    if mode == "setup":
        session["setup_intent"] = _set_up(tx, session, params).id
    tx.schedule_at(session["expires_at"], "expire_session", session.id)
    return session


def update(tx: Transaction, session: Resource, params: dict[str, Any]) -> Resource:
    """Metadata at any time; what is bought only while it is open, on a page inside one of the shop's."""
    changing = [name for name in params if name not in ("expand", "metadata")]
    if changing:
        check_open(tx, session, "updated")
        page = session["ui_mode"]
        if page not in _INSIDE or ("payment_intent_data" in changing and page != "elements"):
            raise ApiError(f"You can not update `{changing[0]}` when `ui_mode` is `{page}`.", param=changing[0])
    if "metadata" in params:
        session["metadata"] = merged(session["metadata"], params["metadata"])
    if "line_items" in params:
        before = line_items(tx, session)
        after = lines.change(tx, before, params["line_items"], session["currency"])
        if not after:
            raise ApiError("A Checkout Session needs at least one line item.", param="line_items")
        session.private["lines"] = [line.id for line in after]
    if "shipping_options" in params:
        shipping.offer(tx, session, params["shipping_options"] or [])
    if "collected_information" in params:
        given = params["collected_information"].get("shipping_details")
        details = {"address": address(given["address"]), "name": given["name"]} if given else None
        session["collected_information"] = collected(details)
    if "payment_intent_data" in params:
        _change_payment(tx, session, params["payment_intent_data"])
    if session["mode"] == "payment" and changing:
        compute(tx, session)
        _check_total(session, line_items(tx, session))
    return tx.save(session)


def expire(tx: Transaction, session: Resource) -> Resource:
    """Nobody can pay any more. Cancels its payment and emits checkout.session.expired."""
    check_open(tx, session, "expired")
    return _expire(tx, session)


def run_out(tx: Transaction, session: Resource) -> None:
    """Its time is over. One that was paid or expired before stays as it is."""
    if session["status"] == "open":
        _expire(tx, session)


def check_open(tx: Transaction, session: Resource, done: str) -> None:
    """Refuse what can only be done to an open session."""
    if session["status"] != "open" or session["expires_at"] <= tx.now:
        status = "expired" if session["status"] == "open" else session["status"]
        raise ApiError(
            f'Only Checkout Sessions with a status in ["open"] can be {done}. This Checkout Session has a status of '
            f"`{status}`."
        )


def line_items(tx: Transaction, session: Resource) -> list[Resource]:
    """The lines in their order; none in setup mode."""
    return [tx.get("item", line) for line in session.private.get("lines", [])]


def compute(tx: Transaction, session: Resource) -> None:
    """Bring the amounts of the session and its lines up to date."""
    bought = line_items(tx, session)
    products = discounts.products_of(session)
    sums = totals.compute(
        [lines.measured(tx, line, products) for line in bought],
        discounts.taken_off(session),
        shipping=shipping.cost(session),
        step=step_of(session["currency"]),
    )
    for line, sum_of_line in zip(bought, sums.lines, strict=True):
        line |= {
            "amount_discount": sum_of_line.discount,
            "amount_subtotal": sum_of_line.subtotal,
            "amount_tax": sum_of_line.tax,
            "amount_total": sum_of_line.total,
        }
        line.private["taxes"] = [[tax.rate, tax.amount, tax.on] for tax in sum_of_line.taxes]
        line.private["discount"] = session.private.get(discounts.KEPT)
        line.private["session"] = session.id
        tx.save(line)
    session |= {
        "amount_subtotal": sums.subtotal,
        "amount_total": sums.total,
        "total_details": {
            "amount_discount": sums.discount,
            "amount_shipping": sums.shipping,
            "amount_tax": sums.tax,
        },
    }


def collected(shipping_details: dict[str, Any] | None) -> dict[str, Any]:
    """What the customer said on the page."""
    return {"business_name": None, "individual_name": None, "shipping_details": shipping_details}


def customer_details(**said: Any) -> dict[str, Any]:
    """Who the customer says to be. What is not said is null."""
    names = ("address", "business_name", "email", "individual_name", "name", "phone")
    return {**{name: said.get(name) for name in names}, "tax_exempt": "none", "tax_ids": []}


def _expire(tx: Transaction, session: Resource) -> Resource:
    session |= {"status": "expired", "url": None}
    tx.save(session)
    events.emit(tx, "checkout.session.expired", session)
    if session["payment_intent"] is not None:
        intent = tx.get("payment_intent", session["payment_intent"])
        if intent["status"] in payment_intents.CANCELABLE:
            payment_intents.cancel(tx, intent, "automatic")
    if session["setup_intent"] is not None:
        setup_intents.cancel(tx, tx.get("setup_intent", session["setup_intent"]), None)
    return session


def _set_up(tx: Transaction, session: Resource, params: dict[str, Any]) -> Resource:
    said = {name: params[name] for name in ("customer",) if name in params}
    data = params.get("setup_intent_data", {})
    said |= {name: data[name] for name in ("description", "metadata") if name in data}
    said |= {name: params[name] for name in METHODS if name in params}
    return setup_intents.create(tx, said, owner=session)


def _change_payment(tx: Transaction, session: Resource, data: dict[str, Any]) -> None:
    """What is said about the payment; one that was tried already starts anew."""
    session.private["payment_intent_data"] = {**session.private.get("payment_intent_data", {}), **data}
    if session["payment_intent"] is not None:
        intent = tx.get("payment_intent", session["payment_intent"])
        payment_intents.update(tx, intent, {**data, "payment_method": None})


def _check_total(session: Resource, bought: list[Resource]) -> None:
    """Whether it can be paid, unless the customer is still to say how much that is."""
    total = session["amount_total"]
    if any(lines.custom_limits(line) for line in bought):
        return
    if total == 0 and session["total_details"]["amount_discount"] == 0:
        raise ApiError("The Checkout Session's total amount due cannot be zero in `payment` mode", param="line_items")
    if total:
        check_total(total, session["currency"])


#: What says which types of payment method are taken.
METHODS = ("allowed_payment_method_types", "excluded_payment_method_types", "payment_method_types")


def _blank(tx: Transaction, params: dict[str, Any], customer: Resource | None) -> Resource:
    session_id = f"cs_test_a1{ids.random_text(56)}"
    mode, page = params["mode"], params.get("ui_mode", "hosted_page")
    email = params.get("customer_email") or (customer["email"] if customer is not None else None)
    given = {
        **settings.shown(params, mode),
        "id": session_id,
        "client_secret": None if page == "hosted_page" else f"{session_id}_secret_{ids.random_text(40)}",
        "created": tx.now,
        "customer": customer.id if customer is not None else None,
        "customer_creation": None if customer is not None else params.get("customer_creation", "if_required"),
        "customer_details": customer_details(email=email) if email else None,
        "customer_email": params.get("customer_email"),
        "discounts": [] if mode == "payment" else None,
        "expires_at": params.get("expires_at", tx.now + rules.LONGEST),
        "metadata": merged({}, params.get("metadata") or {}),
        "mode": mode,
        "payment_method_configuration_details": {"id": ids.derived("pmc_1", tx.account, 23), "parent": None},
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_status": "unpaid" if mode == "payment" else "no_payment_required",
        "saved_payment_method_options": _saved(params) if customer is not None else None,
        "status": "open",
        "url": f"{tx.public_url}/c/pay/{session_id}#fid{ids.random_text(48)}" if page == "hosted_page" else None,
    }
    card = params.get("payment_method_options", {}).get("card", {})
    options: dict[str, Any] = given["payment_method_options"]
    options["card"] |= {
        name: card[name] for name in ("capture_method", "request_three_d_secure", "setup_future_usage") if name in card
    }
    private = {name: params[name] for name in (*_LATER, *METHODS) if name in params}
    return objects.new(tx, KIND, given, private)


def _saved(params: dict[str, Any]) -> dict[str, Any]:
    given = params.get("saved_payment_method_options", {})
    return {
        "allow_redisplay_filters": given.get("allow_redisplay_filters", ["always"]),
        "payment_method_remove": given.get("payment_method_remove", "disabled"),
        "payment_method_save": given.get("payment_method_save", "disabled"),
    }
