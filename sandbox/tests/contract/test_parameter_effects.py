"""What a request says is done or refused: it is never taken and then forgotten."""

from typing import Any

import pytest
from flask.testing import FlaskClient

Body = dict[str, Any]


def ask(http: FlaskClient, path: str, **form: str) -> Body:
    """`a__b__c` is sent as `a[b][c]`."""
    sent = {name.replace("__", "[", 1).replace("__", "][") + "]" * ("__" in name): form[name] for name in form}
    body: Body | None = http.post(path, data=sent).json
    assert body is not None
    return body


def listed(http: FlaskClient, path: str, **query: str) -> list[Body]:
    """Oldest first."""
    body: Body | None = http.get(path, query_string=query).json
    assert body is not None
    return list(reversed(body["data"]))


def intend(http: FlaskClient, **more: str) -> Body:
    return ask(http, "/v1/payment_intents", amount="4900", currency="usd", **more)


@pytest.fixture
def held(http: FlaskClient) -> Body:
    """A payment whose money is only held."""
    return intend(http, capture_method="manual", confirm="true", payment_method="pm_card_visa", receipt_email="a@b.com")


@pytest.fixture
def charge(http: FlaskClient) -> Body:
    return ask(http, f"/v1/charges/{intend(http, confirm='true', payment_method='pm_card_visa')['latest_charge']}")


@pytest.mark.parametrize("path", ["/v1/payment_intents", "/v1/setup_intents"])
@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_authenticationRequired"])
def test_an_empty_payment_method_unsets_it(http: FlaskClient, path: str, card: str) -> None:
    amount = {"amount": "4900", "currency": "usd"} if path == "/v1/payment_intents" else {}
    confirm = {"confirm": "true"} if card == "pm_card_authenticationRequired" else {}
    intent = ask(http, path, payment_method=card, **amount, **confirm)
    assert intent["payment_method"] is not None

    unset = ask(http, f"{path}/{intent['id']}", payment_method="")
    again = ask(http, f"{path}/{intent['id']}", payment_method="")
    refused = ask(http, f"{path}/{intent['id']}/confirm")

    assert (unset["status"], unset["payment_method"], unset["next_action"]) == ("requires_payment_method", None, None)
    assert again["status"] == "requires_payment_method"
    assert "missing a payment method" in refused["error"]["message"]


def test_the_payment_method_that_paid_stays(http: FlaskClient) -> None:
    for path, amount in (("/v1/payment_intents", {"amount": "4900", "currency": "usd"}), ("/v1/setup_intents", {})):
        done = ask(http, path, confirm="true", payment_method="pm_card_visa", **amount)

        refused = ask(http, f"{path}/{done['id']}", payment_method="")

        assert refused["error"]["code"].endswith("_unexpected_state")


def test_a_customers_values_can_be_nothing_again(http: FlaskClient) -> None:
    said = {"balance": "500", "preferred_locales__": "de", "tax_exempt": "exempt", "next_invoice_sequence": "7"}
    customer = ask(http, "/v1/customers", **said)
    assert [customer[name] for name in ("balance", "preferred_locales", "tax_exempt")] == [500, ["de"], "exempt"]

    cleared = ask(http, f"/v1/customers/{customer['id']}", balance="0", preferred_locales="", tax_exempt="")

    assert [cleared[name] for name in ("balance", "preferred_locales", "tax_exempt")] == [0, [], "none"]
    assert cleared["next_invoice_sequence"] == 7


def test_a_customers_invoice_settings_are_kept(http: FlaskClient) -> None:
    first = ask(
        http,
        "/v1/customers",
        invoice_settings__footer="Thank you",
        invoice_settings__rendering_options__amount_tax_display="exclude_tax",
    )

    second = ask(
        http,
        f"/v1/customers/{first['id']}",
        invoice_settings__custom_fields__0__name="VAT",
        invoice_settings__custom_fields__0__value="1",
    )

    assert first["invoice_settings"] == {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": "Thank you",
        "rendering_options": {"amount_tax_display": "exclude_tax", "template": None},
    }
    assert second["invoice_settings"] == {
        **first["invoice_settings"],
        "custom_fields": [{"name": "VAT", "value": "1"}],
    }


@pytest.mark.parametrize("by", ["its id", "a test card's name"])
def test_a_customer_is_there_before_its_payment_method(http: FlaskClient, by: str) -> None:
    made = ask(http, "/v1/payment_methods", type="card", card__token="tok_visa")["id"]
    card = made if by == "its id" else "pm_card_visa"

    customer = ask(
        http, "/v1/customers", payment_method=card, invoice_settings__default_payment_method=card, name="Ada"
    )

    events = listed(http, "/v1/events")
    assert [event["type"] for event in events] == ["customer.created", "payment_method.attached"]
    (saved,) = listed(http, f"/v1/customers/{customer['id']}/payment_methods")
    assert customer["invoice_settings"]["default_payment_method"] == saved["id"]
    assert events[0]["data"]["object"] == customer


def test_a_customer_whose_card_is_refused_is_not_made(http: FlaskClient) -> None:
    refused = ask(http, "/v1/customers", payment_method="pm_card_chargeDeclined")

    assert refused["error"]["code"] == "card_declined"
    assert listed(http, "/v1/customers") == listed(http, "/v1/events") == []


def test_no_card_is_saved_to_a_deleted_customer(http: FlaskClient) -> None:
    customer = ask(http, "/v1/customers")["id"]
    payment = intend(http, customer=customer)["id"]
    setup = ask(http, "/v1/setup_intents", customer=customer)["id"]
    card = {"payment_method": "pm_card_visa"}
    http.delete(f"/v1/customers/{customer}")

    refused = [
        ask(http, f"/v1/payment_intents/{payment}/confirm", setup_future_usage="off_session", **card),
        ask(
            http,
            f"/v1/payment_intents/{payment}/confirm",
            payment_method_options__card__setup_future_usage="off_session",
            **card,
        ),
        ask(http, f"/v1/setup_intents/{setup}/confirm", **card),
    ]

    for body in refused:
        assert body["error"]["message"] == f"No such customer: '{customer}'"
        assert (body["error"]["code"], body["error"]["param"]) == ("resource_missing", "customer")
    assert listed(http, "/v1/charges") == []


@pytest.mark.parametrize("kind", ["payment_intent", "setup_intent"])
def test_a_customer_deleted_during_the_challenge_keeps_no_card(http: FlaskClient, kind: str) -> None:
    customer = ask(http, "/v1/customers")["id"]
    form = {"customer": customer, "confirm": "true", "payment_method": "pm_card_authenticationRequired"}
    if kind == "payment_intent":
        asked = intend(http, setup_future_usage="off_session", **form)
    else:
        asked = ask(http, "/v1/setup_intents", **form)
    http.delete(f"/v1/customers/{customer}")

    challenge = asked["next_action"]["use_stripe_sdk"]["source"]
    assert http.post(f"/sandbox/challenges/{challenge}", json={"outcome": "complete"}).status_code == 200

    done = http.get(f"/v1/{kind}s/{asked['id']}", query_string={"expand[]": "payment_method"}).json
    assert done is not None
    assert (done["status"], done["payment_method"]["customer"]) == ("succeeded", None)


def test_a_capture_may_change_what_the_statement_says(http: FlaskClient, held: Body) -> None:
    captured = ask(http, f"/v1/payment_intents/{held['id']}/capture", statement_descriptor_suffix="TEA")

    charge = listed(http, "/v1/charges")[0]
    assert captured["statement_descriptor_suffix"] == charge["statement_descriptor_suffix"] == "TEA"
    assert charge["calculated_statement_descriptor"] == "Stripe* TEA"


def test_so_may_a_charges_capture_and_whom_the_receipt_goes_to(http: FlaskClient, held: Body) -> None:
    path = f"/v1/charges/{held['latest_charge']}/capture"

    captured = ask(http, path, statement_descriptor_suffix="TEA", receipt_email="ada@example.com", amount="900")

    (event,) = listed(http, "/v1/events", type="charge.captured")
    for charge in (captured, event["data"]["object"]):
        assert (charge["calculated_statement_descriptor"], charge["amount_captured"]) == ("Stripe* TEA", 900)
        assert charge["receipt_email"] == "ada@example.com"


def test_a_capture_that_is_refused_changes_nothing(http: FlaskClient, held: Body) -> None:
    charge = f"/v1/charges/{held['latest_charge']}"

    for path, form in (
        (f"/v1/payment_intents/{held['id']}/capture", {"statement_descriptor_suffix": "much too long to be shown"}),
        (f"/v1/payment_intents/{held['id']}/capture", {"statement_descriptor": "TEA"}),
        (f"{charge}/capture", {"receipt_email": "nope"}),
        (f"{charge}/capture", {"receipt_email": "ada@example.com", "amount": "9999"}),
    ):
        assert "error" in ask(http, path, **form)

    (kept,) = listed(http, "/v1/charges")
    assert (kept["captured"], kept["receipt_email"]) == (False, "a@b.com")
    assert (kept["statement_descriptor_suffix"], kept["calculated_statement_descriptor"]) == (None, "Stripe")


@pytest.mark.parametrize(
    ("path", "name", "unknown", "spoken"),
    [
        ("/v1/setup_intents", "payment_method", "pm_unknown", "PaymentMethod"),
        ("/v1/setup_intents", "customer", "cus_unknown", "customer"),
        ("/v1/radar/early_fraud_warnings", "charge", "ch_unknown", "charge"),
        ("/v1/radar/early_fraud_warnings", "payment_intent", "pi_unknown", "payment_intent"),
    ],
)
def test_lists_refuse_what_they_do_not_know(http: FlaskClient, path: str, name: str, unknown: str, spoken: str) -> None:
    answer = http.get(path, query_string={name: unknown})

    assert answer.json is not None
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == f"No such {spoken}: '{unknown}'"
    assert (answer.json["error"]["code"], answer.json["error"]["param"]) == ("resource_missing", name)


def test_lists_find_what_they_know(http: FlaskClient, later: Any) -> None:
    setup = ask(http, "/v1/setup_intents", payment_method="pm_card_visa")
    ask(http, "/v1/setup_intents")
    fraud = intend(http, confirm="true", payment_method="pm_card_createIssuerFraudRecord")
    later(3)

    found = listed(http, "/v1/setup_intents", payment_method=setup["payment_method"])
    warnings = listed(http, "/v1/radar/early_fraud_warnings", charge=fraud["latest_charge"])

    assert [intent["id"] for intent in found] == [setup["id"]]
    assert [warning["payment_intent"] for warning in warnings] == [fraud["id"]]


def test_a_charge_gets_a_customer_once(http: FlaskClient, charge: Body) -> None:
    path = f"/v1/charges/{charge['id']}"
    first, second = (ask(http, "/v1/customers")["id"] for _ in range(2))

    unknown = ask(http, path, customer="cus_unknown")
    given = ask(http, path, customer=first)
    same = ask(http, path, customer=first)
    changed = ask(http, path, customer=second)

    assert (unknown["error"]["message"], unknown["error"]["param"]) == ("No such customer: 'cus_unknown'", "customer")
    assert given["customer"] == same["customer"] == first
    assert changed["error"]["param"] == "customer"


def test_a_charges_receipt_goes_to_an_address(http: FlaskClient, charge: Body) -> None:
    path = f"/v1/charges/{charge['id']}"

    refused = ask(http, path, receipt_email="nope")
    taken = ask(http, path, receipt_email="ada@example.com")

    assert (refused["error"]["code"], refused["error"]["param"]) == ("email_invalid", "receipt_email")
    assert taken["receipt_email"] == "ada@example.com"


@pytest.mark.parametrize(
    "url", ["ftp://a", "shop", "http:///hooks", "http://a:b/", "http://[a", "http://a b/", "javascript:1"]
)
def test_webhooks_go_to_web_addresses(http: FlaskClient, url: str) -> None:
    endpoint = ask(http, "/v1/webhook_endpoints", url="https://shop.example:444/hooks", enabled_events__="*")["id"]

    for path, events in (
        ("/v1/webhook_endpoints", {"enabled_events__": "*"}),
        (f"/v1/webhook_endpoints/{endpoint}", {}),
    ):
        refused = ask(http, path, url=url, **events)

        assert (refused["error"]["code"], refused["error"]["param"]) == ("url_invalid", "url")

    (kept,) = listed(http, "/v1/webhook_endpoints")
    assert kept["url"] == "https://shop.example:444/hooks"
