"""Stripe's search language, as far as it goes here."""

import pytest
import stripe
from flask.testing import FlaskClient


@pytest.fixture(autouse=True)
def payments(client: stripe.StripeClient) -> None:
    client.v1.customers.create({"name": "Ada Lovelace", "email": "ada@example.com"})
    for amount, currency, order in ((500, "usd", "T-1"), (1500, "usd", "T-2"), (2500, "eur", "T-3")):
        client.v1.payment_intents.create({"amount": amount, "currency": currency, "metadata": {"order": order}})


@pytest.mark.parametrize(
    ("query", "amounts"),
    [
        ('metadata["order"]:"T-2"', [1500]),
        ("metadata['order']:'t-2'", [1500]),
        ("amount>=1500", [2500, 1500]),
        ('currency:"usd" AND amount<1000', [500]),
        ('metadata["order"]:"T-1" OR metadata["order"]:"T-3"', [2500, 500]),
        ('-currency:"usd"', [2500]),
        ('metadata["order"]~"T-"', [2500, 1500, 500]),
        ('metadata["missing"]:null', [2500, 1500, 500]),
        ('status:"succeeded"', []),
    ],
)
def test_a_query_finds(client: stripe.StripeClient, query: str, amounts: list[int]) -> None:
    found = client.v1.payment_intents.search({"query": query})

    assert [intent.amount for intent in found.data] == amounts


def test_pages_follow_each_other(client: stripe.StripeClient) -> None:
    first = client.v1.payment_intents.search({"query": "amount>0", "limit": 2})

    assert [intent.amount for intent in first.auto_paging_iter()] == [2500, 1500, 500]


def test_customers_are_found_by_mail(client: stripe.StripeClient) -> None:
    assert [it.name for it in client.v1.customers.search({"query": 'email~"EXAMPLE"'}).data] == ["Ada Lovelace"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "wat",
        "wat:1",
        'amount:"x"',
        "amount>1 AND amount>2 OR amount>3",
        "metadata:1",
        'status>"a"',
        "amount>1 XOR amount>2",
        'metadata["\0"]:"1"',
        "metadata['a\0b']:null",
        'metadata["a\nb"]~"1"',
    ],
)
def test_a_query_that_means_nothing_is_refused(http: FlaskClient, query: str) -> None:
    assert http.get("/v1/payment_intents/search", query_string={"query": query}).status_code == 400


def test_no_character_in_a_query_makes_the_sandbox_fail(http: FlaskClient) -> None:
    for character in map(chr, range(128)):
        for query in (f"metadata['{character}']:'1'", f"metadata['order']:'{character}'"):
            answer = http.get("/v1/payment_intents/search", query_string={"query": query})
            assert answer.status_code in (200, 400), query


@pytest.mark.parametrize("page", ["%%", "!!", "é", "cGlfbm9wZQ==", "=", "pi_1"])
def test_a_made_up_page_is_refused(http: FlaskClient, page: str) -> None:
    answer = http.get("/v1/payment_intents/search", query_string={"query": "amount>0", "page": page})

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["param"] == "page"


def test_a_page_goes_on_where_what_was_deleted_stood(http: FlaskClient, client: stripe.StripeClient) -> None:
    for name in ("Grace", "Edith"):
        client.v1.customers.create({"name": name})
    first = client.v1.customers.search({"query": "created>0", "limit": 2})
    client.v1.customers.delete(first.data[1].id)

    following = client.v1.customers.search({"query": "created>0", "page": first.next_page or ""})

    assert [customer.name for customer in following.data] == ["Ada Lovelace"]


def test_what_is_found_is_counted_if_asked_for(client: stripe.StripeClient, http: FlaskClient) -> None:
    answer = http.get("/v1/payment_intents/search?query=amount>0&limit=1&expand[]=total_count&expand[]=data.customer")

    assert answer.json is not None
    assert (len(answer.json["data"]), answer.json["total_count"]) == (1, 3)
    assert "total_count" not in client.v1.payment_intents.search({"query": "amount>0"}).to_dict()
