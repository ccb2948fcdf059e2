"""The OpenAPI document says what the API does: every address, every answer, and nothing else."""

import re
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from store.api.guard import FAILURES_PER_MINUTE
from store.domain.api_keys import Scope
from tests.support.crash_points import FaultPlan, Process
from tests.support.programs import Program, program
from tests.support.shop import Shop


def document(shop: Shop) -> dict[str, Any]:
    """Shown to whoever asks."""
    found: dict[str, Any] | None = shop.app.test_client().get("/api/v1/openapi.json").json
    assert found is not None
    return found


def test_the_document_is_one_of_openapi_and_has_every_address(usual_shop: Shop) -> None:
    described = document(usual_shop)

    validate(described)  # raises
    assert described["openapi"] == "3.1.0"
    assert described["servers"] == [{"url": "http://127.0.0.1:8000/api/v1"}]
    application: Flask = usual_shop.app.extensions["api"].application
    addresses = {
        (rule.rule.replace("<reference:", "{").replace("<slug:", "{").replace(">", "}"), method.lower())
        for rule in application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert addresses - {("/api/v1/openapi.json", "get")} == {
        (f"/api/v1{path}", method) for path, methods in described["paths"].items() for method in methods
    }
    operations = [operation for methods in described["paths"].values() for operation in methods.values()]
    assert {scope for each in operations for scope in each["security"][0]["key"]} == set(Scope)
    assert all(each["summary"].endswith(".") and each["operationId"] for each in operations)


class Held:
    """A program that holds every answer against the document."""

    def __init__(self, shop: Shop, ours: Program) -> None:
        self.described, self.ours = document(shop), ours
        self.seen: set[tuple[str, str, int]] = set()

    def ask(self, path: str, method: str, named: str = "", **more: Any) -> int:
        """Ask for a path of the document, with a name in it; the status of the answer, which was held."""
        answer = self.ours.ask(method.upper(), re.sub(r"{\w+}", named, path), **more)
        response = self.described["paths"][path][method]["responses"][str(answer.status_code)]
        shape = {**self.described, **response["content"][answer.mimetype]["schema"]}
        faults = [fault.message for fault in Draft202012Validator(shape).iter_errors(answer.json)]
        assert (path, method, answer.status_code, faults) == (path, method, answer.status_code, [])
        assert "Retry-After" not in response.get("headers", {}) or answer.headers["Retry-After"]
        self.seen.add((path, method, answer.status_code))
        return answer.status_code

    def change(self, path: str, named: str, body: Any, once: str, **headers: str) -> int:
        return self.ask(path, "post", named, json=body, headers={"Idempotency-Key": once, **headers})


# What each address that changes something is asked, and what the store refuses there.
BODIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "/orders/{reference}/ship": ({"tracking": "T-1"}, {}),
    "/orders/{reference}/refunds": ({"amount": 10}, {"amount": 10_000}),
    "/orders/{reference}/cancel": ({}, {}),
    "/stock/{slug}/corrections": ({"by": 1, "reason": "found"}, {"by": -900, "reason": "lost"}),
}


def test_every_answer_is_as_the_document_says(usual_shop: Shop) -> None:
    everything, nothing = program(usual_shop), program(usual_shop, Scope.STOCK_READ, name="Reader")
    neither = program(usual_shop, Scope.ORDERS_READ, name="Other reader")
    held = Held(usual_shop, everything)
    opened, bought = usual_shop.order(), usual_shop.order(2)
    usual_shop.pay(bought)
    usual_shop.deliver()
    held.change("/stock/{slug}/corrections", "brass-pen", BODIES["/stock/{slug}/corrections"][0], "taken")

    for path, methods in held.described["paths"].items():
        named = "cedar-pencil" if "{slug}" in path else bought.reference
        unknown = "nothing" if "{slug}" in path else "AAAA"
        for method in methods:
            held.ours = nothing if path.startswith("/orders") or method == "post" else neither
            assert held.ask(path, method, named, headers={"Idempotency-Key": "x"}, json={}) == 403
            held.ours = everything
            assert held.ask(path, method, named, headers={"Authorization": "Bearer nothing"}) == 401
        if "get" in methods:
            assert held.ask(path, "get", named) == 200
            wrong = held.ask(path, "get", unknown) if "{" in path else held.ask(path, "get", query_string={"x": "1"})
            assert wrong == (404 if "{" in path else 400)
        if "post" in methods:
            body, refused = BODIES[path]
            mine, not_mine = (opened, bought) if path.endswith("/cancel") else (bought, opened)
            mine_named, not_mine_named = (named, named) if "{slug}" in path else (mine.reference, not_mine.reference)
            assert held.change(path, not_mine_named, refused, f"{path}-refused") == 409
            assert held.change(path, mine_named, body, path) in (200, 201)
            assert held.change(path, unknown, body, f"{path}-unknown") == 404
            assert held.change(path, named, body, "taken") == 422
            assert held.change(path, named, {"unknown": 1}, f"{path}-wrong") == 400
            plain = {"Idempotency-Key": "y", "Content-Type": "text/plain"}
            assert held.ask(path, "post", named, headers=plain, data=b"{}") == 415
            large = {"Idempotency-Key": "z", "Content-Type": "application/json"}
            assert held.ask(path, "post", named, headers=large, data=b" " * 70_000) == 413
    told = {
        (path, method, int(status))
        for path, methods in held.described["paths"].items()
        for method, operation in methods.items()
        for status in operation["responses"]
    }
    assert {status for _path, _method, status in told - held.seen} == {202, 429, 500, 503}
    assert held.seen <= told


def test_an_answer_that_something_is_away_is_as_the_document_says(usual_shop: Shop) -> None:
    held = Held(usual_shop, program(usual_shop))
    opened, bought = usual_shop.order(), usual_shop.order()
    usual_shop.open(opened)
    usual_shop.pay(bought)
    usual_shop.deliver()
    process = Process(usual_shop)
    held.ours.restart()

    with process.under(FaultPlan(breaks_before=1)):
        accepted = held.change("/orders/{reference}/refunds", bought.reference, {}, "one")
    held.ours.restart()
    with process.under(FaultPlan(breaks_before=1)):
        away = held.change("/orders/{reference}/cancel", opened.reference, {}, "two")
    held.ours.restart()
    again = held.change("/orders/{reference}/cancel", opened.reference, {}, "two")
    held.ours = Program(usual_shop, "no key")
    often = [held.ask("/orders", "get") for _ in range(FAILURES_PER_MINUTE + 1)][-1]

    assert (accepted, away, again, often) == (202, 503, 200, 429)
