"""Idempotency keys: the first answer under a key is the answer to every later request with that key, for a day."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.state import Transaction

KEPT = 24 * 3600
LONGEST = 255


@dataclass(frozen=True)
class Stored:
    """The first answer; `body` is its text, unchanged."""

    status: int
    body: str
    request: str


@dataclass(frozen=True)
class Pending:
    """A key whose request is being processed."""

    key: str
    fingerprint: str

    def store(self, tx: Transaction, status: int, text: str, request_id: str) -> None:
        tx.execute_beside(
            "INSERT INTO answers (account, key, fingerprint, status, body, request, created) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, key) DO UPDATE SET fingerprint = excluded.fingerprint, "
            "status = excluded.status, body = excluded.body, request = excluded.request, created = excluded.created",
            tx.account,
            self.key,
            self.fingerprint,
            status,
            text,
            request_id,
            tx.now,
        )


def check_key(key: str) -> None:
    if len(key) > LONGEST:
        raise ApiError(f"Idempotency keys must be at most {LONGEST} characters long.", kind="idempotency_error")


def fingerprint(path: str, tree: dict[str, Any], *, publishable: bool) -> str:
    """Equal for equal requests: the path, and a digest of the parameters and the kind of key that asks. A browser must
    not get what a secret key was answered.
    """
    said = json.dumps([tree, publishable], sort_keys=True).encode()
    return f"{path} {hashlib.blake2b(said, digest_size=16).hexdigest()}"


def find(tx: Transaction, key: str, request_fingerprint: str) -> Stored | None:
    """The answer kept under the key, if it was for the same request; an error if it was for another."""
    row = tx.execute_beside(
        "SELECT fingerprint, status, body, request FROM answers WHERE account = ? AND key = ? AND created > ?",
        tx.account,
        key,
        tx.now - KEPT,
    ).fetchone()
    if row is None:
        return None
    if row["fingerprint"] != request_fingerprint:
        raise _mismatch(key, request_fingerprint, row["fingerprint"])
    return Stored(row["status"], row["body"], row["request"])


def _mismatch(key: str, given: str, kept: str) -> ApiError:
    path, first = given.rpartition(" ")[0], kept.rpartition(" ")[0]
    only = (
        "with the same parameters they were first used with"
        if path == first
        else f"for the same endpoint they were first used for ('{path}' vs '{first}')"
    )
    return ApiError(
        f"Keys for idempotent requests can only be used {only}. Try using a key other than '{key}' if you meant to "
        "execute a different request.",
        kind="idempotency_error",
    )


def in_use(key: str) -> ApiError:
    """Another request with this key is being worked on."""
    return ApiError(
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later.",
        status=409,
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )
