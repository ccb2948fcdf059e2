"""Lists, page by page, and objects in place of their ids."""

import pytest
import stripe
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PAYMENT = {"amount": "500", "currency": "usd"}


def test_lists_are_newest_first_and_page_both_ways(client: stripe.StripeClient) -> None:
    made = [client.v1.payment_intents.create({"amount": 500 + n, "currency": "usd"}).id for n in range(5)][::-1]

    page = client.v1.payment_intents.list({"limit": 2})
    following = client.v1.payment_intents.list({"limit": 2, "starting_after": made[1]})
    before = client.v1.payment_intents.list({"limit": 2, "ending_before": made[4]})

    assert ([intent.id for intent in page], page.has_more) == (made[:2], True)
    assert ([intent.id for intent in following], following.has_more) == (made[2:4], True)
    assert ([intent.id for intent in before], before.has_more) == (made[2:4], True)
    assert [intent.id for intent in page.auto_paging_iter()] == made


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=abc", "parameter_invalid_integer", "limit"),
        ("wat=1", "parameter_unknown", "wat"),
        ("starting_after=pi_nope", "resource_missing", "starting_after"),
        ("customer=cus_nope", "resource_missing", "customer"),
        ("starting_after=pi_1&ending_before=pi_2", "resource_missing", "starting_after"),
        ("expand[]=data.amount", None, "expand"),
        ("created[wat]=1", "parameter_unknown", "created[wat]"),
    ],
)
def test_wrong_questions_to_a_list_are_refused(
    http: FlaskClient, query: str, code: str | None, param: str | None
) -> None:
    http.post("/v1/payment_intents", data=PAYMENT)

    answer = http.get(f"/v1/payment_intents?{query}")

    assert answer.status_code == 400
    assert answer.json is not None
    assert (answer.json["error"].get("code"), answer.json["error"].get("param")) == (code, param)


def test_both_cursors_at_once_are_refused(http: FlaskClient) -> None:
    first, second = (_id(http.post("/v1/payment_intents", data=PAYMENT)) for _ in range(2))

    answer = http.get(f"/v1/payment_intents?starting_after={second}&ending_before={first}")

    assert answer.status_code == 400
    assert (answer.json or {})["error"] == {
        "message": "Received both starting_after and ending_before parameters. Please pass in only one.",
        "request_log_url": f"https://dashboard.stripe.com/test/logs/{answer.headers['Request-Id']}",
        "type": "invalid_request_error",
    }


def test_what_programs_ask_first_is_empty_and_not_missing(http: FlaskClient) -> None:
    customer = _id(http.post("/v1/customers"))
    sources = f"/v1/customers/{customer}/sources"

    accounts, cards = http.get("/v1/accounts"), http.get(f"{sources}?object=card")

    assert accounts.json == {"object": "list", "data": [], "has_more": False, "url": "/v1/accounts"}
    assert cards.json == {"object": "list", "data": [], "has_more": False, "url": sources}
    assert http.get("/v1/customers/cus_nobody/sources").status_code == 404


def _id(answer: TestResponse) -> str:
    return str((answer.json or {})["id"])


@pytest.mark.parametrize(("asked", "given"), [("0", 1), ("101", 3)])
def test_limits_are_clamped_silently(http: FlaskClient, asked: str, given: int) -> None:
    for _ in range(3):
        http.post("/v1/payment_intents", data=PAYMENT)

    answer = http.get(f"/v1/payment_intents?limit={asked}")

    assert answer.json is not None
    assert len(answer.json["data"]) == given


def test_objects_expand_four_levels_deep(http: FlaskClient) -> None:
    form = {**PAYMENT, "confirm": "true", "payment_method": "pm_card_visa"}
    intent = http.post("/v1/payment_intents", data=form).json
    assert intent is not None

    deep = http.get(f"/v1/payment_intents/{intent['id']}?expand[]=latest_charge.payment_intent.latest_charge.refunds")
    too_deep = http.get(
        f"/v1/payment_intents/{intent['id']}?expand[]={'latest_charge.payment_intent.' * 2}latest_charge"
    )

    assert deep.json is not None
    assert deep.json["latest_charge"]["payment_intent"]["latest_charge"]["refunds"]["object"] == "list"
    assert too_deep.status_code == 400


def test_what_is_inside_a_hash_expands_too(http: FlaskClient, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"}).id
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": saved}})
    default = "invoice_settings.default_payment_method"

    answer = http.get(f"/v1/customers/{customer}?expand[]={default}&expand[]=subscriptions").json
    deeper = http.get(f"/v1/payment_methods/{saved}?expand[]=customer.{default}").json
    unchanged = http.get(f"/v1/customers/{customer}").json

    assert answer is not None
    assert answer["invoice_settings"]["default_payment_method"]["id"] == saved
    assert answer["subscriptions"]["data"] == []
    assert deeper is not None
    assert deeper["customer"]["invoice_settings"]["default_payment_method"]["customer"] == customer
    assert unchanged is not None
    assert unchanged["invoice_settings"]["default_payment_method"] == saved
    assert "subscriptions" not in unchanged


@pytest.mark.parametrize(
    "path",
    [
        "last_payment_error.payment_method",
        "last_payment_error.payment_method.customer",
        "latest_charge.balance_transaction.source.balance_transaction",
        "latest_charge.dispute.balance_transactions.source",
        "latest_charge.refunds.data.balance_transaction",
        "customer.sources.data.anything",
        "review.anything",
    ],
)
def test_what_can_be_expanded_can_be_while_nothing_is_there(http: FlaskClient, path: str) -> None:
    intent = http.post("/v1/payment_intents", data=PAYMENT).json
    assert intent is not None

    assert http.get(f"/v1/payment_intents/{intent['id']}?expand[]={path}").status_code == 200
    assert http.get(f"/v1/payment_intents?expand[]=data.{path}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "metadata",
        "last_payment_error",
        "payment_method.foo",
        "latest_charge.refunds.foo",
        "latest_charge.refunds.data.foo",
        "latest_charge.balance_transaction.source.foo",
        "customer.default_payment_method",
    ],
)
def test_what_cannot_be_expanded_is_refused_while_nothing_is_there(http: FlaskClient, path: str) -> None:
    intent = http.post("/v1/payment_intents", data=PAYMENT).json
    assert intent is not None

    alone = http.get(f"/v1/payment_intents/{intent['id']}?expand[]={path}")
    listed = http.get(f"/v1/charges?expand[]=data.payment_intent.{path}")
    found = http.get(f"/v1/payment_intents/search?query=amount>9000&expand[]=data.{path}")

    assert (alone.status_code, listed.status_code, found.status_code) == (400, 400, 400)
    assert path in alone.text


def test_every_list_knows_what_it_lists_while_it_is_empty(http: FlaskClient) -> None:
    for listed, expandable in (("balance_transactions", "source"), ("radar/early_fraud_warnings", "charge")):
        assert http.get(f"/v1/{listed}?expand[]=data.{expandable}").status_code == 200
        assert http.get(f"/v1/{listed}?expand[]=data.foo").status_code == 400
