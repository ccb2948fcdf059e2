"""Which types of payment method an intent takes, and that it takes no other."""

from typing import Any

import pytest
from flask.testing import FlaskClient

Body = dict[str, Any]

KINDS = ["payment_intent", "setup_intent"]
NO_CARDS = [{"excluded_payment_method_types[]": "card"}, {"allowed_payment_method_types[]": "link"}]


def ask(http: FlaskClient, path: str, **form: str) -> tuple[int, Body]:
    answer = http.post(path, data=form)
    body: Body | None = answer.json
    assert body is not None
    return answer.status_code, body


def make(http: FlaskClient, kind: str, **form: str) -> tuple[int, Body]:
    amount = {"amount": "4900", "currency": "usd"} if kind == "payment_intent" else {}
    return ask(http, f"/v1/{kind}s", **amount, **form)


def assert_refuses_the_card(answer: tuple[int, Body], kind: str) -> None:
    status, body = answer
    said = "PaymentIntent" if kind == "payment_intent" else "SetupIntent"
    assert status == 400
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["param"] == "payment_method"
    assert body["error"]["message"] == (
        f"The PaymentMethod provided (card) is not allowed for this {said}. Please attach a PaymentMethod of one of "
        f"the following types: link. Alternatively, update the allowed payment_method_types for this {said} to include "
        '"card".'
    )


@pytest.mark.parametrize("filters", NO_CARDS, ids=["excluded", "not allowed"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_card_pays_what_takes_no_cards(http: FlaskClient, kind: str, filters: dict[str, str]) -> None:
    card = {"payment_method": "pm_card_visa"}

    assert_refuses_the_card(make(http, kind, **filters, **card), kind)
    assert_refuses_the_card(make(http, kind, **filters, **card, confirm="true"), kind)

    status, intent = make(http, kind, **filters)
    assert (status, intent["payment_method_types"], list(intent["payment_method_options"])) == (200, ["link"], ["link"])
    assert_refuses_the_card(ask(http, f"/v1/{kind}s/{intent['id']}", **card), kind)
    assert_refuses_the_card(ask(http, f"/v1/{kind}s/{intent['id']}/confirm", **card), kind)
    assert http.get("/v1/charges").json == {"object": "list", "data": [], "has_more": False, "url": "/v1/charges"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_that_was_chosen_before_is_not_taken_either(http: FlaskClient, kind: str) -> None:
    _, intent = make(http, kind, payment_method="pm_card_visa")
    path = f"/v1/{kind}s/{intent['id']}"

    assert_refuses_the_card(ask(http, path, **{"excluded_payment_method_types[]": "card"}), kind)
    assert_refuses_the_card(ask(http, f"{path}/confirm", **{"allowed_payment_method_types[]": "link"}), kind)
    status, confirmed = ask(http, f"{path}/confirm")
    assert (status, confirmed["status"]) == (200, "succeeded")


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_chooses_again(http: FlaskClient, kind: str) -> None:
    _, intent = make(http, kind, **{"excluded_payment_method_types[]": "card"})
    path = f"/v1/{kind}s/{intent['id']}"

    _, all_again = ask(http, path, excluded_payment_method_types="")
    _, cards_only = ask(http, path, **{"allowed_payment_method_types[]": "card"})
    _, kept = ask(http, path, **{"metadata[a]": "b"})

    assert (all_again["payment_method_types"], all_again["excluded_payment_method_types"]) == (["card", "link"], None)
    assert cards_only["payment_method_types"] == cards_only["allowed_payment_method_types"] == ["card"]
    assert kept["payment_method_types"] == ["card"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_confirmation_chooses_too(http: FlaskClient, kind: str) -> None:
    _, intent = make(http, kind, **{"allowed_payment_method_types[]": "link"})
    card = {"allowed_payment_method_types[]": "card", "payment_method": "pm_card_visa"}

    status, confirmed = ask(http, f"/v1/{kind}s/{intent['id']}/confirm", **card)

    assert (status, confirmed["status"]) == (200, "succeeded")
    assert confirmed["allowed_payment_method_types"] == confirmed["payment_method_types"] == ["card"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_browser_does_not_choose(http: FlaskClient, browser: FlaskClient, kind: str) -> None:
    _, intent = make(http, kind, **{"allowed_payment_method_types[]": "link"})
    form = {"payment_method": "pm_card_visa", "client_secret": intent["client_secret"]}

    status, refused = ask(
        browser, f"/v1/{kind}s/{intent['id']}/confirm", **form, **{"allowed_payment_method_types[]": "card"}
    )

    assert (status, refused["error"]["param"]) == (400, "allowed_payment_method_types")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_done_chooses_no_more(http: FlaskClient, kind: str) -> None:
    _, intent = make(http, kind, payment_method="pm_card_visa", confirm="true")

    status, refused = ask(http, f"/v1/{kind}s/{intent['id']}", **{"excluded_payment_method_types[]": "alipay"})

    assert (status, refused["error"]["code"]) == (400, f"{kind}_unexpected_state")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of_what_nobody_offers(http: FlaskClient, kind: str) -> None:
    status, refused = make(http, kind, **{"allowed_payment_method_types[]": "alipay"})

    assert (status, refused["error"]["code"]) == (400, f"{kind}_invalid_parameter")
    assert refused["error"]["message"].startswith("No valid payment method types for this ")


@pytest.mark.parametrize("kind", KINDS)
def test_types_that_were_pinned_stay_pinned(http: FlaskClient, kind: str) -> None:
    http.environ_base["HTTP_STRIPE_VERSION"] = "2026-08-26.dahlia"
    _, pinned = make(http, kind, **{"payment_method_types[]": "card"})

    _, filtered = ask(http, f"/v1/{kind}s/{pinned['id']}", excluded_payment_method_types="")

    assert pinned["payment_method_types"] == filtered["payment_method_types"] == ["card"]
    assert pinned["automatic_payment_methods"] is filtered["automatic_payment_methods"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_automatic_payment_methods_can_be_off(http: FlaskClient, kind: str) -> None:
    _, off = make(http, kind, **{"automatic_payment_methods[enabled]": "false"})
    _, on = make(http, kind, **{"automatic_payment_methods[enabled]": "true"})

    assert (off["automatic_payment_methods"], off["payment_method_configuration_details"]) == (None, None)
    assert on["automatic_payment_methods"] == {"allow_redirects": "always", "enabled": True}


@pytest.mark.parametrize("kind", KINDS)
def test_choosing_keeps_what_was_said_about_cards(http: FlaskClient, kind: str) -> None:
    always = {"payment_method_options[card][request_three_d_secure]": "any"}
    _, intent = make(http, kind, **always)
    _, other = make(http, kind)
    cards_only = {"allowed_payment_method_types[]": "card"}

    _, kept = ask(http, f"/v1/{kind}s/{intent['id']}", **cards_only)
    _, said_meanwhile = ask(http, f"/v1/{kind}s/{other['id']}", **cards_only, **always)

    for answered in (kept, said_meanwhile):
        assert list(answered["payment_method_options"]) == ["card"]
        assert answered["payment_method_options"]["card"]["request_three_d_secure"] == "any"
