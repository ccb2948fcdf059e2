"""From a request to an answer: key, version, parameters, idempotency, one transaction, expansion, Stripe's headers."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Request, Response

from sandbox import ids
from sandbox.api import idempotency
from sandbox.api.call import Call, Principal
from sandbox.api.expand import expand
from sandbox.api.keys import authenticate
from sandbox.api.locks import Locks
from sandbox.api.parameters import decode, spec_of, typed
from sandbox.api.route import Route
from sandbox.api.versions import PINNED, check_version, pins_types
from sandbox.api.views import for_browser, present
from sandbox.errors import ApiError
from sandbox.state import State, Transaction
from sandbox.state.transaction import Cause, encode

#: Intents a failing call shows beside its error, by the name of their place in the path.
_SHOWN_WITH_ERRORS = {"/v1/payment_intents/": "payment_intent", "/v1/setup_intents/": "setup_intent"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]


class Pipeline:
    """Answers requests. Keeps only what lives as long as the process: which objects and keys are in use right now."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._objects = Locks()
        self._keys = Locks()

    def answer(self, request: Request, route: Route, path_ids: dict[str, str]) -> Response:
        """The whole answer to a request for a route; a refusal is an answer too."""
        request_id = ids.new("req")
        try:
            principal = authenticate(request)
            check_version(request.headers.get("Stripe-Version"))
        except ApiError as error:
            return response(error.status, {"error": error.body()}, request_id, error.headers)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        try:
            if principal.publishable and not route.publishable:
                raise _secret_key_required()
            return self._answer(request, route, path_ids, principal, request_id, key)
        except ApiError as error:
            body = {"error": with_log(error.body(), request_id)}
            return response(error.status, body, request_id, {**error.headers, **_echo(key)})

    def _answer(
        self,
        request: Request,
        route: Route,
        path_ids: dict[str, str],
        principal: Principal,
        request_id: str,
        key: str | None,
    ) -> Response:
        tree = decode(_pairs(request))
        if key is None:
            params = _params(tree, route, principal, request)
            answer = self._perform(request, route, path_ids, principal, params, request_id, None)
            return response(answer.status, answer.body, request_id)
        idempotency.check_key(key)
        fingerprint = idempotency.fingerprint(request.method, request.path, tree)
        with self._keys.hold((principal.account, key), wait=0, busy=idempotency.in_use(key)):
            with self._state.read(principal.account) as tx:
                stored = idempotency.find(tx, key, fingerprint)
            if stored is not None:
                headers = {"Idempotent-Replayed": "true", "Original-Request": stored.request, **_echo(key)}
                return response(stored.status, stored.body, request_id, headers)
            params = _params(tree, route, principal, request)
            remember = idempotency.Pending(key, fingerprint)
            answer = self._perform(request, route, path_ids, principal, params, request_id, remember)
            return response(answer.status, answer.body, request_id, _echo(key))

    def _perform(
        self,
        request: Request,
        route: Route,
        path_ids: dict[str, str],
        principal: Principal,
        params: dict[str, Any],
        request_id: str,
        remember: "idempotency.Pending | None",
    ) -> Answer:
        if request.method == "GET":
            with self._state.read(principal.account) as tx:
                return self._run(tx, route, Call(tx, params, path_ids, principal), request, request_id)
        subject = next(iter(path_ids.values()), request_id)
        with (
            self._objects.hold((principal.account, subject), wait=2.0, busy=_lock_timeout()),
            self._state.write(principal.account, Cause(request_id, remember.key if remember else None)) as tx,
        ):
            answer = self._run(tx, route, Call(tx, params, path_ids, principal), request, request_id)
            if remember is not None:
                remember.store(tx, answer.status, answer.body, request_id)
            return answer

    def _run(self, tx: Transaction, route: Route, call: Call, request: Request, request_id: str) -> Answer:
        """The operation and what it answers; what a refused one did is undone, unless the refusal keeps it."""
        writes = request.method != "GET"
        if writes:
            tx.execute("SAVEPOINT operation")
        try:
            body = present(route.operation(call), request.path)
            body = expand(tx, body, call.params.get("expand") or [])
            status = 200
        except ApiError as error:
            if writes and not error.keeps_changes:
                tx.execute("ROLLBACK TO operation")
                _show_intent(tx, error, request.path, call.ids)
            if error.is_validation or not writes:
                raise _rendered(error, call.principal) from error
            status, body = error.status, {"error": with_log(error.body(), request_id)}
        shown = for_browser(body) if call.principal.publishable else body
        return Answer(status, shown)


def response(status: int, body: Any, request_id: str, headers: dict[str, str] | None = None) -> Response:
    """An answer with the headers every answer of Stripe's has."""
    text = body if isinstance(body, str) else encode(body)
    answer = Response(text + "\n", status=status, content_type="application/json")
    answer.headers["Request-Id"] = request_id
    answer.headers["Stripe-Version"] = PINNED
    answer.headers["Cache-Control"] = "no-cache, no-store"
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    return answer


def _pairs(request: Request) -> list[tuple[str, str]]:
    if (
        request.mimetype not in ("", "application/x-www-form-urlencoded", "multipart/form-data")
        and request.content_length
    ):
        raise ApiError(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any "
            "questions, we can help at https://support.stripe.com/."
        )
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
    return [(name, value) for name, value in pairs if name != "key"]


def _params(tree: dict[str, Any], route: Route, principal: Principal, request: Request) -> dict[str, Any]:
    params = typed(
        tree,
        spec_of(route.params) | {name: {"type": "string"} for name in route.undocumented},
        browser=principal.publishable,
        pins_types=pins_types(request.headers.get("Stripe-Version")),
    )
    if route.is_list:
        params["limit"] = min(max(params.get("limit", 10), 1), 100)
        if "starting_after" in params and "ending_before" in params:
            raise ApiError("You cannot parameterize both starting_after and ending_before.")
    return params


def _show_intent(tx: Transaction, error: ApiError, path: str, path_ids: dict[str, str]) -> None:
    """Put the intent the call was about, unchanged, beside the error."""
    for prefix, kind in _SHOWN_WITH_ERRORS.items():
        if path.startswith(prefix) and "intent" in path_ids:
            error.details.setdefault(kind, tx.find(kind, path_ids["intent"]))


def _rendered(error: ApiError, principal: Principal) -> ApiError:
    if principal.publishable:
        error.details = for_browser(error.details)
    return error


def with_log(body: dict[str, Any], request_id: str) -> dict[str, Any]:
    """The error with the address of its request in Stripe's dashboard, which every error has."""
    return dict(sorted({**body, "request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}"}.items()))


def _echo(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": json.dumps(key)[1:-1]}


def _secret_key_required() -> ApiError:
    return ApiError(
        "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of "
        "your API keys at https://dashboard.stripe.com/account/apikeys.",
        status=403,
        code="secret_key_required",
    )


def _lock_timeout() -> ApiError:
    return ApiError(
        "This object cannot be accessed right now because another API request or Stripe process is currently accessing "
        "it. If you see this error intermittently, retry the request. If you see this error frequently and are making "
        "multiple concurrent requests to a single object, make your requests serially or at a lower rate. For more "
        "details, see https://stripe.com/docs/rate-limits#object-lock-timeouts.",
        status=429,
        code="lock_timeout",
        headers={"Stripe-Should-Retry": "true"},
    )
