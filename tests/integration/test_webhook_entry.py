"""Webhooks are answered before Flask: what is said, sent and logged is what Flask would say, send and log."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from io import BytesIO
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from store.domain.states import OrderState
from tests.support.shop import WEBHOOK_PATH, Shop, event_of, signed
from till_sandbox.webhooks.sending import Outgoing


def paying(shop: Shop) -> tuple[str, Outgoing]:
    """An order, and the webhook that pays it."""
    order = shop.order()
    shop.pay(order)
    delivery = next(each for each in shop.lose() if event_of(each)["type"] == "payment_intent.succeeded")
    return order.reference, delivery


def in_chunks(shop: Shop, delivery: Outgoing) -> TestResponse:
    """As a body without a length, which Flask has to read."""
    return shop.app.test_client().post(
        WEBHOOK_PATH,
        input_stream=BytesIO(delivery.body),
        headers={**delivery.headers, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


def headers(answer: TestResponse) -> dict[str, str]:
    """All of them, without what differs from request to request, and without Flask's remark that its hooks have looked
    for a cookie.
    """
    left_out = ("x-request-id", "vary")
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in left_out}


def test_a_webhook_is_answered_as_flask_would(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(store_url="https://host.example/till")
    (_, first), (_, second) = paying(shop), paying(shop)

    direct, by_flask = shop.post_webhook(first.body, first.headers), in_chunks(shop, second)

    assert (direct.status, direct.data) == (by_flask.status, by_flask.data) == ("200 OK", b'{"outcome":"handled"}\n')
    assert headers(direct) == headers(by_flask)
    assert len(direct.headers["X-Request-Id"]) == len(by_flask.headers["X-Request-Id"]) == 32


def test_a_webhook_under_the_stores_path_is_taken(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(store_url="https://host.example/till")
    reference, delivery = paying(shop)

    answer = shop.app.test_client().post(f"/till{WEBHOOK_PATH}", data=delivery.body, headers=delivery.headers)

    assert answer.json == {"outcome": "handled"}
    assert shop.read(reference).state is OrderState.PAID


def test_both_ways_log_the_same_two_lines_after_the_event_is_handled(shop: Shop) -> None:
    (_, first), (_, second) = paying(shop), paying(shop)

    with capture_logs() as direct:
        shop.post_webhook(first.body, first.headers)
    with capture_logs() as by_flask:
        in_chunks(shop, second)

    expected = [("webhook received", None), ("request", WEBHOOK_PATH)]
    assert [(line["event"], line.get("route")) for line in direct] == expected
    assert [(line["event"], line.get("route")) for line in by_flask] == expected
    assert [set(line) for line in direct] == [set(line) for line in by_flask]
    assert [without_what_differs(line) for line in direct] == [without_what_differs(line) for line in by_flask]


def without_what_differs(line: MutableMapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in ("ms", "event_id", "order")}


@pytest.mark.parametrize("body", [b"{}", b"not json"])
@pytest.mark.parametrize("secret", ["whsec_another", None])
def test_a_refusal_is_logged_once_and_answered_by_flask(shop: Shop, body: bytes, secret: str | None) -> None:
    delivery = signed(body, secret) if secret else signed(body)

    with capture_logs() as log:
        answer = shop.post_webhook(delivery.body, delivery.headers)

    assert (answer.status_code, answer.is_json) == (400, True)
    assert [(line["event"], line["status"]) for line in log] == [("request", 400)]


def test_a_body_that_breaks_off_is_refused(shop: Shop) -> None:
    reference, delivery = paying(shop)

    answer = shop.app.test_client().post(
        WEBHOOK_PATH,
        input_stream=BytesIO(delivery.body[:-1]),
        headers={**delivery.headers, "Content-Length": str(len(delivery.body))},
    )

    assert answer.status_code == 400
    assert shop.read(reference).state is OrderState.AWAITING_PAYMENT


def test_a_connection_that_breaks_while_a_body_is_read_is_refused(shop: Shop) -> None:
    class Broken(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise ConnectionResetError

    answer = shop.app.test_client().post(WEBHOOK_PATH, input_stream=Broken(), headers={"Content-Length": "9"})

    assert answer.status_code == 400


@pytest.mark.parametrize("length", ["-1", "x", "\u00b2", "", "1048577", "9" * 5000])
def test_a_length_that_is_none_or_too_great_is_flasks_to_judge(shop: Shop, length: str) -> None:
    answer = shop.app.test_client().post(WEBHOOK_PATH, environ_overrides={"CONTENT_LENGTH": length})

    assert answer.status_code in (400, 413)
