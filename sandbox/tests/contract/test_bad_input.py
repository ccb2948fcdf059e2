"""Whatever is sent, the answer is one of Stripe's: never a fault of the sandbox's own."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from till_sandbox.api.parameters import spec_of
from till_sandbox.api.route import Route
from till_sandbox.api.routes import ROUTES
from till_sandbox.sandbox import Sandbox

LIKELY = (
    "0 -1 1 500 99999999999999999999 1e9 true false null usd USD card pm_card_visa tok_visa cus_x a@b.co http://x %"
)
WORDS = st.one_of(st.sampled_from(["", "é\0\n", *LIKELY.split()]), st.text(max_size=12))


def names_of(fields: dict[str, Any], prefix: str = "") -> list[str]:
    """Every parameter name the spec knows, nested with brackets, three levels deep."""
    found = []
    for name, spec in fields.items():
        path = f"{prefix}[{name}]" if prefix else name
        found.append(path)
        if spec["type"] == "object" and path.count("[") < 3:
            found += names_of(spec["fields"], path)
        elif spec["type"] in ("array", "map"):
            found += [f"{path}[]", f"{path}[0]", f"{path}[k]"]
    return found


def place(route: Route, ids: dict[str, str]) -> str:
    path = route.path
    for name, object_id in ids.items():
        path = path.replace("{" + name + "}", object_id)
    return path.replace("{", "").replace("}", "")


def usual(route: Route, ids: dict[str, str]) -> dict[str, str]:
    """What the operation needs to get to work at all."""
    needed = {
        "POST /v1/payment_intents": {"amount": "500", "currency": "usd"},
        "POST /v1/payment_intents/{intent}/confirm": {"payment_method": "pm_card_visa"},
        "POST /v1/payment_methods": {"type": "card", "card[token]": "tok_visa"},
        "POST /v1/refunds": {"charge": ids["charge"], "amount": "1"},
        "POST /v1/setup_intents": {"payment_method": "pm_card_visa", "confirm": "true"},
        "POST /v1/webhook_endpoints": {"url": "http://x/", "enabled_events[]": "*"},
    }
    return needed.get(f"{route.method} {route.path}", {})


@pytest.fixture
def known(http: FlaskClient) -> dict[str, str]:
    """Ids of objects that exist, by their place in the path."""

    def made(path: str, **form: str) -> dict[str, Any]:
        answer = http.post(path, data=form).json
        assert answer is not None
        return dict(answer)

    customer = made("/v1/customers", name="Ada")["id"]
    intent = made("/v1/payment_intents", amount="500", currency="usd", confirm="true", payment_method="pm_card_visa")
    return {
        "customer": customer,
        "payment_method": made("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"],
        "intent": made("/v1/payment_intents", amount="500", currency="usd")["id"],
        "charge": intent["latest_charge"],
        "refund": made("/v1/refunds", charge=intent["latest_charge"], amount="100")["id"],
        "webhook_endpoint": made("/v1/webhook_endpoints", url="http://x/", **{"enabled_events[]": "*"})["id"],
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_no_parameters_make_the_sandbox_fail(route: Route, http: FlaskClient, known: dict[str, str]) -> None:
    names = st.one_of(st.sampled_from([*names_of(spec_of(route.params)), "wat"]), st.text(max_size=6))

    @settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(names, WORDS, max_size=6))
    def check(form: dict[str, str]) -> None:
        sent = {**usual(route, known), **form}

        if route.method == "GET":
            answer = http.get(place(route, known), query_string=sent)
        else:
            answer = http.open(place(route, known), method=route.method, data=sent)

        assert answer.status_code in (200, 400, 402, 403, 404)
        assert isinstance(answer.json, dict)

    check()


FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
NASTY: list[tuple[str, bytes, str, int]] = [
    ("too large", b"a" * 10_000_000, FORM, 413),
    (
        "a part that is too large",
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n" + b"b" * 3_000_000,
        PARTS,
        413,
    ),
    ("very many fields", b"a=1&" * 20_000, FORM, 400),
    ("very deep", b"metadata" + b"[a]" * 5000 + b"=1", FORM, 400),
    ("not UTF-8", b"amount=5\xff\xfe&currency=%ff%fe", FORM, 400),
    ("half a character", b"amount=500&currency=%ED%A0%80", FORM, 400),
    ("a null byte", b"amount=500%00&currency=usd", FORM, 400),
    ("digits of another script", "amount=٥٠٠&currency=usd".encode(), FORM, 400),
    ("the same twice, once as a list", b"amount=500&amount[]=600&currency=usd", FORM, 400),
    ("JSON", b'{"amount": 500, "currency": "usd"}', "application/json", 400),
    ("text", b"amount=500&currency=usd", "text/plain", 400),
    ("no boundary", b"--x\r\n", "multipart/form-data", 400),
    ("no parts", b"--x\r\ngarbage", PARTS, 400),
    ("a file", b'--x\r\nContent-Disposition: form-data; name=amount; filename="a"\r\n\r\n500\r\n--x--', PARTS, 400),
]


@pytest.mark.parametrize(
    ("body", "content_type", "status"), [case[1:] for case in NASTY], ids=[case[0] for case in NASTY]
)
def test_nasty_bodies_are_answered(http: FlaskClient, body: bytes, content_type: str, status: int) -> None:
    answer = http.post("/v1/payment_intents", data=body, content_type=content_type)

    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert answer.json["error"]["request_log_url"]


@pytest.mark.parametrize("wrong", ["%ff%fe", "%ED%A0%80", "%00", "..", "%2e%2e", "x" * 3000, "%27%20OR%201=1", "٣"])
def test_nasty_ids_are_of_nothing(http: FlaskClient, wrong: str) -> None:
    answer = http.get(f"/v1/payment_intents/{wrong}")

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(("number", "status"), [(20, 200), (21, 400), (1100, 400)])
def test_events_are_listed_by_so_many_types_at_once(http: FlaskClient, number: int, status: int) -> None:
    answer = http.get("/v1/events", query_string={"types[]": ["charge.succeeded"] * number})

    assert answer.status_code == status
    assert answer.json is not None
    assert status == 200 or answer.json["error"]["param"] == "types"


def test_a_defect_of_the_sandbox_is_answered_as_one_of_stripes(
    http: FlaskClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.pipeline, "answer", None)

    answer = http.get("/v1/charges")

    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["error"]["type"] == "api_error"
    assert answer.json["error"]["request_log_url"].endswith(answer.headers["Request-Id"])
