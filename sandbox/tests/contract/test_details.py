"""Small things in Stripe's recorded answers that an imitation is likely to get wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

Later = Callable[[float], None]
Body = dict[str, Any]


def ask(http: FlaskClient, method: str, path: str, **form: str) -> Body:
    """A call whose answer matters, whatever its status."""
    sent = {name.replace("__", "[") + "]" * name.count("__"): value for name, value in form.items()}
    answer = (
        http.open(path, method=method, query_string=sent)
        if method == "GET"
        else http.open(path, method=method, data=sent)
    )
    body: Body | None = answer.json
    assert body is not None
    return body


def pay(http: FlaskClient, card: str = "pm_card_visa", **more: str) -> Body:
    form = {"amount": "2500", "currency": "usd", "confirm": "true", "payment_method": card, "description": "Tea"}
    return ask(http, "POST", "/v1/payment_intents", **form, **more)


@pytest.fixture
def disputed(http: FlaskClient, later: Later) -> Body:
    """A dispute of a customer who has no name."""
    customer = ask(http, "POST", "/v1/customers", email="ada@example.com", description="The countess")["id"]
    charge = pay(http, "pm_card_createDispute", customer=customer)["latest_charge"]
    later(2)
    dispute: Body = ask(http, "GET", f"/v1/charges/{charge}/dispute")
    return dispute


def test_ids_are_as_long_and_as_related_as_stripes(http: FlaskClient, later: Later) -> None:
    intent = pay(http)
    later(2)
    refund = ask(http, "POST", "/v1/refunds", charge=intent["latest_charge"])
    customer = ask(http, "POST", "/v1/customers")
    setup = ask(http, "POST", "/v1/setup_intents")

    parts = [intent["id"], intent["latest_charge"], refund["id"], refund["balance_transaction"]]
    assert len({part.split("_")[1][:17] for part in parts}) == 1
    assert {len(part.split("_")[1]) for part in [*parts, setup["id"]]} == {24}
    assert (len(customer["id"]), len(customer["invoice_prefix"])) == (len("cus_") + 14, 8)
    assert len(intent["client_secret"]) == len(intent["id"] + "_secret_") + 25
    assert len(setup["client_secret"]) == len(setup["id"] + "_secret_") + 31


def test_some_lists_say_how_many_there_are(http: FlaskClient) -> None:
    charge = pay(http)["latest_charge"]
    ask(http, "POST", "/v1/refunds", charge=charge, amount="100")

    def keys(path: str, **query: str) -> set[str]:
        return set(ask(http, "GET", path, **query)) - {"object", "data", "has_more", "url"}

    assert keys("/v1/refunds", charge=charge) == {"count"}
    assert keys("/v1/disputes", charge=charge) == {"count"}
    assert keys("/v1/refunds") == keys(f"/v1/charges/{charge}/refunds") == set()
    expanded = ask(http, "GET", f"/v1/charges/{charge}", expand__="refunds")["refunds"]
    assert (expanded["total_count"], expanded["url"]) == (1, f"/v1/charges/{charge}/refunds")
    assert "refunds" not in ask(http, "GET", f"/v1/charges/{charge}")


def test_rows_are_found_by_charge_and_refund_never_by_dispute(http: FlaskClient, disputed: Body) -> None:
    charge = pay(http)["latest_charge"]
    refund = ask(http, "POST", "/v1/refunds", charge=charge, amount="100")["id"]
    ask(http, "POST", f"/v1/charges/{charge}", **{"metadata[a]": "b"})

    def found(**query: str) -> list[tuple[str, int, str | None]]:
        rows = ask(http, "GET", "/v1/balance_transactions", **query)["data"]
        return [(row["type"], row["amount"], row["description"]) for row in rows]

    assert found(source=charge) == [("charge", 2500, "Tea")]
    assert found(source=refund) == [("refund", -100, "REFUND FOR CHARGE (Tea)")]
    assert found(source=disputed["id"]) == found(type="bogus") == []
    assert found(type="adjustment") == [("adjustment", -2500, f"Chargeback withdrawal for {disputed['charge']}")]


def test_a_refund_of_more_than_is_left_has_no_code_until_nothing_is_left(http: FlaskClient) -> None:
    charge = pay(http)["latest_charge"]
    ask(http, "POST", "/v1/refunds", charge=charge, amount="1000")

    too_much = ask(http, "POST", "/v1/refunds", charge=charge, amount="3000")["error"]
    ask(http, "POST", "/v1/refunds", charge=charge)
    none_left = ask(http, "POST", "/v1/refunds", charge=charge, amount="3000")["error"]

    assert "code" not in too_much
    assert "doc_url" not in too_much
    assert too_much["message"] == "Refund amount ($30.00) is greater than unrefunded amount on charge ($15.00)"
    assert (none_left["code"], none_left.get("param")) == ("charge_already_refunded", None)


@pytest.mark.parametrize(("path", "answered"), [("refund", "charge"), ("refunds", "refund")])
def test_two_addresses_refund_a_charge_and_answer_differently(http: FlaskClient, path: str, answered: str) -> None:
    charge = pay(http)["latest_charge"]

    assert ask(http, "POST", f"/v1/charges/{charge}/{path}")["object"] == answered


def test_the_reference_of_a_refund_is_absent_until_it_is_there(http: FlaskClient, later: Later) -> None:
    refund = ask(http, "POST", "/v1/refunds", charge=pay(http)["latest_charge"])
    later(3)
    known = ask(http, "GET", f"/v1/refunds/{refund['id']}")

    assert "reference" not in refund["destination_details"]["card"]
    assert len(known["destination_details"]["card"]["reference"]) == 16
    assert "livemode" not in refund


def test_evidence_is_due_at_the_end_of_the_eighth_day_and_begun_by_stripe(
    http: FlaskClient, disputed: Body, later: Later
) -> None:
    later(2)

    dispute = ask(http, "GET", f"/v1/disputes/{disputed['id']}")

    due = datetime.fromtimestamp(dispute["evidence_details"]["due_by"], UTC)
    created = datetime.fromtimestamp(dispute["created"], UTC)
    assert ((due.date() - created.date()).days, due.strftime("%H:%M:%S")) == (8, "23:59:59")
    assert {name: said for name, said in dispute["evidence"].items() if said} == {
        "customer_email_address": "ada@example.com",
        "customer_name": "The countess",
        "product_description": "Tea",
    }
    assert not dispute["evidence_details"]["has_evidence"]


def test_a_dispute_won_gives_the_money_back_but_not_the_fee(http: FlaskClient, disputed: Body, later: Later) -> None:
    ask(http, "POST", f"/v1/disputes/{disputed['id']}", evidence__uncategorized_text="winning_evidence")
    later(6)

    won = ask(http, "GET", f"/v1/disputes/{disputed['id']}")

    rows = [(row["amount"], row["fee"], row["reporting_category"]) for row in won["balance_transactions"]]
    assert rows == [(-2500, 1500, "dispute"), (2500, 0, "dispute_reversal")]
    assert ask(http, "POST", "/v1/refunds", charge=disputed["charge"])["status"] == "succeeded"


def test_a_dispute_accepted_is_lost_at_once_and_for_good(http: FlaskClient, disputed: Body) -> None:
    lost = ask(http, "POST", f"/v1/disputes/{disputed['id']}/close")
    again = ask(http, "POST", f"/v1/disputes/{disputed['id']}", evidence__uncategorized_text="winning_evidence")[
        "error"
    ]

    assert (lost["status"], len(lost["balance_transactions"])) == ("lost", 1)
    assert (again["message"], again.get("code")) == ("This dispute is already closed", None)


def test_a_declined_set_up_survives_without_a_charge(http: FlaskClient) -> None:
    form = {"payment_method": "pm_card_chargeDeclinedExpiredCard", "confirm": "true"}

    error = ask(http, "POST", "/v1/setup_intents", **form)["error"]

    assert (error["code"], error["decline_code"], error["param"]) == ("expired_card", "expired_card", "exp_month")
    assert (error["advice_code"], error["network_advice_code"]) == ("confirm_card_data", "03")
    setup = ask(http, "GET", f"/v1/setup_intents/{error['setup_intent']['id']}")
    assert (setup["status"], setup["payment_method"]) == ("requires_payment_method", None)
    assert setup["latest_attempt"].startswith("setatt_")
    assert "payment_method_type" not in setup["last_setup_error"]
    assert ask(http, "GET", "/v1/charges")["data"] == []


def test_a_deleted_customer_is_three_keys_and_still_a_cursor(http: FlaskClient) -> None:
    made = [ask(http, "POST", "/v1/customers", name=name)["id"] for name in ("first", "second", "third")]
    ask(http, "DELETE", f"/v1/customers/{made[1]}")

    def names(**query: str) -> list[str]:
        return [customer["name"] for customer in ask(http, "GET", "/v1/customers", **query)["data"]]

    assert set(ask(http, "GET", f"/v1/customers/{made[1]}")) == {"id", "object", "deleted"}
    assert names() == ["third", "first"]
    assert (names(starting_after=made[1]), names(ending_before=made[1])) == (["first"], ["third"])
    (event,) = ask(http, "GET", "/v1/events", type="customer.deleted")["data"]
    assert event["data"]["object"]["name"] == "second"
    assert "deleted" not in event["data"]["object"]
