"""Stripe's errors as exceptions: raised where they are understood, answered once by the request pipeline.

Wording, codes and params are Stripe's, from recorded test-mode exchanges where there are any.
"""

from typing import Any


class ApiError(Exception):
    """A refusal Stripe would give.

    `keeps_changes`: what the request did so far stays done (a declined payment leaves its PaymentIntent, charge and
    events behind); otherwise everything the request did is undone.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keeps_changes: bool = False,
        headers: dict[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.keeps_changes = keeps_changes
        self.headers = headers or {}
        self.details = details

    @property
    def is_validation(self) -> bool:
        """True when the request itself was wrong, so that nothing is remembered under its idempotency key."""
        return self.kind == "invalid_request_error" and (self.code is None or "unexpected_state" not in self.code)

    def body(self) -> dict[str, Any]:
        """The `error` object, without the keys that have no value. The pipeline adds what depends on the request."""
        known = {"code": self.code, "message": self.message, "param": self.param, "type": self.kind}
        if self.code is not None:
            known["doc_url"] = doc_url(self.code)
        return {key: value for key, value in sorted({**known, **self.details}.items()) if value is not None}


def doc_url(code: str) -> str:
    return "https://stripe.com/docs/error-codes/" + code.replace("_", "-")


def missing_object(kind: str, object_id: str, param: str, *, status: int = 404) -> ApiError:
    """An unknown id: 404 in the path, 400 (pass it) in a parameter. `kind` is what Stripe's sentence calls it."""
    return ApiError(f"No such {kind}: '{object_id}'", status=status, code="resource_missing", param=param)


def missing_param(param: str) -> ApiError:
    return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unrecognized_url(method: str, path: str) -> ApiError:
    """Any path or method Stripe does not have."""
    hint = ""
    if path.endswith("/"):
        hint = (
            " If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, "
            "make sure you passed a valid (non-empty) identifier in your code."
        )
    return ApiError(
        f"Unrecognized request URL ({method}: {path}).{hint} Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        status=404,
    )
