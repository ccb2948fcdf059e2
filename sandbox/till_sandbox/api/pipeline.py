"""From a request to an answer: key, version, parameters, idempotency, one transaction, expansion, Stripe's headers."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from till_sandbox import ids, json_text
from till_sandbox.api import idempotency
from till_sandbox.api.call import Call, Principal
from till_sandbox.api.expand import expand
from till_sandbox.api.http import MULTIPART, URLENCODED, Answer, Pairs, Request
from till_sandbox.api.keys import authenticate
from till_sandbox.api.locks import Locks
from till_sandbox.api.parameters import Accepted, accepted, decode, spec_of, typed
from till_sandbox.api.route import Route
from till_sandbox.api.versions import PINNED, answered_version, check_version, pins_types
from till_sandbox.api.views import for_browser, present
from till_sandbox.errors import ApiError, unrecognized_url
from till_sandbox.request_log import Entry, RequestLog
from till_sandbox.state import State, Transaction
from till_sandbox.state.transaction import Cause

#: Seconds a request waits for another one that changes the same object.
LOCK_WAIT = 2.0

#: In the environment of a request that Stripe breaks down over: "before" or "after" it did the work.
BREAKS_DOWN = "sandbox.breaks_down"
#: In the environment of a request whose answer will not arrive as it is: the kind of fault, for the log.
FAULT = "sandbox.fault"

#: Intents a failing call shows beside its error, by the name of their place in the path.
_SHOWN_WITH_ERRORS = {"/v1/payment_intents/": "payment_intent", "/v1/setup_intents/": "setup_intent"}


@dataclass(frozen=True)
class Authenticated:
    """A request with a valid key: the caller, the operation and the ids in its path."""

    request: Request
    route: Route
    ids: dict[str, str]
    principal: Principal
    entry: Entry

    @property
    def request_id(self) -> str:
        return self.entry.id

    @property
    def writes(self) -> bool:
        return self.request.method != "GET"

    def call(self, tx: Transaction, params: dict[str, Any]) -> Call:
        return Call(tx, params, self.ids, self.principal, self.request.files)

    @property
    def subject(self) -> tuple[str, str]:
        """What no other request may change meanwhile: the object in the path, or else this request alone."""
        return self.principal.account, next(iter(self.ids.values()), self.request_id)


@dataclass(frozen=True)
class Reply:
    """A status and the text of a body, as it is sent and kept."""

    status: int
    text: str


class Pipeline:
    """Answers requests. It keeps in memory which objects and keys are in use right now, and nothing else."""

    def __init__(self, state: State, log: RequestLog) -> None:
        self._state = state
        self._log = log
        self._objects = Locks()
        self._keys = Locks()

    def answer(self, request: Request, found: tuple[Route, dict[str, str]] | None) -> Answer:
        """The whole answer to a request for a route (None: there is none); a refusal is an answer too."""
        started = time.perf_counter()
        entry = Entry(ids.new("req"), self._state.now(), request.method, request.path)
        entry.fault = request.environ.get(FAULT)
        if found is None:
            answer = self._answer_unknown(request, entry)
        else:
            answer = self._answer(request, *found, entry)
            answer.headers["Stripe-Version"] = answered_version(request.header("Stripe-Version"))
        entry.answered(answer.status, answer.text)
        entry.seconds = time.perf_counter() - started
        self._log.add(entry)
        return answer

    def _answer_unknown(self, request: Request, entry: Entry) -> Answer:
        with suppress(ApiError):
            _enter(entry, authenticate(request))
        return response(404, {"error": unrecognized_url(request.method, request.path).body()}, entry.id)

    def _answer(self, request: Request, route: Route, path_ids: dict[str, str], entry: Entry) -> Answer:
        request_id = entry.id
        try:
            principal = authenticate(request)
        except ApiError as error:
            return _refused(error, request_id)
        _enter(entry, principal)
        try:
            check_version(request.header("Stripe-Version"))
        except ApiError as error:  # the one refusal without a log
            return response(error.status, {"error": error.body()}, request_id)
        incoming = Authenticated(request, route, path_ids, principal, entry)
        key = (request.header("Idempotency-Key") or None) if request.method == "POST" else None
        entry.idempotency_key = key
        try:
            if principal.publishable and not route.publishable:
                raise _secret_key_required()
            tree = decode(_pairs(request))
            entry.sent(tree)
            if key is not None:
                return self._answer_once(incoming, tree, key)
            reply = self._perform(incoming, self._checked(incoming, tree), None)
            return response(reply.status, reply.text, request_id)
        except ApiError as error:
            return _refused(error, request_id, {**error.headers, **_echo(key)})

    def _answer_once(self, incoming: Authenticated, tree: dict[str, Any], key: str) -> Answer:
        """The answer kept under the idempotency key; without one, a new answer that is kept from now on."""
        idempotency.check_key(key)
        account = incoming.principal.account
        fingerprint = idempotency.fingerprint(incoming.request.path, tree, publishable=incoming.principal.publishable)
        with self._keys.hold((account, key), wait=0, busy=lambda: idempotency.in_use(key)):
            with self._state.read(account) as tx:
                stored = idempotency.find(tx, key, fingerprint)
            if stored is not None:
                incoming.entry.replayed = True
                headers = {"Idempotent-Replayed": "true", "Original-Request": stored.request, **_echo(key)}
                return response(stored.status, stored.body, incoming.request_id, headers)
            reply = self._perform(incoming, self._checked(incoming, tree), idempotency.Pending(key, fingerprint))
            return response(reply.status, reply.text, incoming.request_id, _echo(key))

    def _checked(self, incoming: Authenticated, tree: dict[str, Any]) -> dict[str, Any]:
        """The typed parameters. A refusal of them shows the intent they were for, as every other refusal does."""
        try:
            return _params(incoming, tree)
        except ApiError as error:
            if incoming.writes and not incoming.principal.publishable:
                with self._state.read(incoming.principal.account) as tx:
                    _show_intent(tx, error, incoming)
            raise

    def _perform(self, incoming: Authenticated, params: dict[str, Any], pending: idempotency.Pending | None) -> Reply:
        """The operation in a transaction of its own, together with what is kept under its idempotency key."""
        account = incoming.principal.account
        if not incoming.writes:
            with self._state.read(account) as tx:
                return _run(incoming, incoming.call(tx, params))
        cause = Cause(incoming.request_id, pending.key if pending else None)
        with (
            self._objects.hold(incoming.subject, wait=LOCK_WAIT, busy=_lock_timeout),
            self._state.write(account, cause) as tx,
        ):
            breaks_down = incoming.request.environ.get(BREAKS_DOWN)
            done = None if breaks_down == "before" else _run(incoming, incoming.call(tx, params))
            reply = done if done is not None and breaks_down is None else _broken_down(incoming)
            if pending is not None:
                pending.store(tx, reply.status, reply.text, incoming.request_id)
        incoming.entry.events = tx.emitted
        return reply


def _run(incoming: Authenticated, call: Call) -> Reply:
    """The operation's answer. What a refused operation did is undone, unless the refusal keeps it.

    Raises the refusals that are not kept under an idempotency key: those of invalid requests.
    """
    tx = call.tx
    if incoming.writes:
        tx.begin_operation()
    try:
        body = present(incoming.route.operation(call), incoming.request.path)
        status, body = 200, expand(tx, body, call.params.get("expand") or [])
    except ApiError as error:
        if incoming.writes and not error.keeps_changes:
            tx.undo_operation()
            if error.param != "client_secret":  # who does not know the secret gets to see nothing
                _show_intent(tx, error, incoming)
        if error.is_validation or not incoming.writes:
            error.details = for_browser(error.details) if call.principal.publishable else error.details
            raise
        status, body = error.status, {"error": with_log(error.body(), incoming.request_id)}
    tx.end_operation()
    return _reply(status, for_browser(body) if call.principal.publishable else body)


def _broken_down(incoming: Authenticated) -> Reply:
    return _reply(500, {"error": with_log(broken_down().body(), incoming.request_id)})


def _reply(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status, json_text.pretty(body))


def _enter(entry: Entry, principal: Principal) -> None:
    entry.account = principal.account
    entry.key = "publishable" if principal.publishable else "secret"


def _refused(error: ApiError, request_id: str, headers: dict[str, str] | None = None) -> Answer:
    return response(error.status, {"error": with_log(error.body(), request_id)}, request_id, headers)


def response(
    status: int, body: Any, request_id: str, headers: dict[str, str] | None = None, version: str = PINNED
) -> Answer:
    """An answer with the headers every answer of Stripe's has."""
    text = body if isinstance(body, str) else json_text.pretty(body)
    every = {
        "Content-Type": "application/json",
        "Request-Id": request_id,
        "Stripe-Version": version,
        "Cache-Control": "no-cache, no-store",
    }
    return Answer(status, every | (headers or {}), text + "\n")


def _pairs(request: Request) -> Pairs:
    if request.has_body and request.content_type not in ("", URLENCODED, MULTIPART):
        raise ApiError(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any "
            "questions, we can help at https://support.stripe.com/."
        )
    sent = [(name, file.description) for name, file in request.files.items()] if request.has_body else []
    return [(name, value) for name, value in [*request.query, *request.form, *sent] if name != "key"]


def _params(incoming: Authenticated, tree: dict[str, Any]) -> dict[str, Any]:
    route = incoming.route
    pinning = pins_types(incoming.request.header("Stripe-Version"))
    params = typed(tree, _accepted(route, browser=incoming.principal.publishable, pins_types=pinning))
    if route.is_list:
        params["limit"] = min(max(params.get("limit", 10), 1), 100)
    return params


@cache
def _accepted(route: Route, *, browser: bool, pins_types: bool) -> Accepted:
    fields = spec_of(route.params) | {name: {"type": "open"} for name in route.undocumented}
    return accepted(fields, browser=browser, pins_types=pins_types)


def _show_intent(tx: Transaction, error: ApiError, incoming: Authenticated) -> None:
    """Put the intent the call was about, unchanged, beside the error."""
    for prefix, kind in _SHOWN_WITH_ERRORS.items():
        if incoming.request.path.startswith(prefix) and "intent" in incoming.ids:
            error.details.setdefault(kind, tx.find(kind, incoming.ids["intent"]))


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


def broken_down() -> ApiError:
    """Stripe's own failure."""
    return ApiError("An unknown error occurred.", status=500, kind="api_error")


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
