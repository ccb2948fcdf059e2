"""Stripe's search: https://docs.stripe.com/search. Clauses of one kind of join, without parentheses.

`status:"succeeded" AND metadata["order"]:"T-1"`, `amount>1000`, `-currency:"usd"`, `email~"example"`, `email:null`.
"""

import base64
import binascii
import re
from typing import Any

from till_sandbox.api.call import Call
from till_sandbox.errors import ApiError
from till_sandbox.state import Page

#: The fields that can be searched by, and whether they hold numbers.
FIELDS: dict[str, dict[str, bool]] = {
    "charge": {
        "amount": True,
        "billing_details.address.postal_code": False,
        "created": True,
        "currency": False,
        "customer": False,
        "disputed": True,
        "payment_method_details.card.brand": False,
        "payment_method_details.card.fingerprint": False,
        "payment_method_details.card.last4": False,
        "refunded": True,
        "status": False,
    },
    "customer": {"created": True, "email": False, "name": False, "phone": False},
    "payment_intent": {"amount": True, "created": True, "currency": False, "customer": False, "status": False},
    "price": {"active": True, "currency": False, "lookup_key": False, "product": False, "type": False},
    "product": {"active": True, "description": False, "name": False, "shippable": True, "url": False},
}

#: Counted only when it is asked for, by `expand`.
TOTAL = "total_count"

_CLAUSE = re.compile(
    r"""\s*(?P<not>-?)(?P<field>[a-z_0-9.]+)(\[(?P<key>"[^"\x00-\x1f]*"|'[^'\x00-\x1f]*')\])?"""
    r"""\s*(?P<operator>:|~|>=|<=|>|<)\s*(?P<value>"[^"]*"|'[^']*'|[A-Za-z0-9_.-]+)\s*"""
)
_JOIN = re.compile(r"(AND|OR)\b", re.IGNORECASE)


def search(call: Call, kind: str) -> dict[str, Any]:
    """A page of what the query finds, newest first."""
    where, values = _condition(call.params["query"], kind)
    cursor = _cursor(call, kind)
    page: Page = call.tx.page(kind, limit=call.params["limit"], starting_after=cursor, also=(where, tuple(values)))
    after = base64.urlsafe_b64encode(page.data[-1].id.encode()).decode() if page.has_more else None
    data = [dict(item) for item in page.data]
    body = {"object": "search_result", "data": data, "has_more": page.has_more, "next_page": after}
    expanded = call.params.get("expand") or []
    if TOTAL in expanded:
        expanded.remove(TOTAL)
        body[TOTAL] = call.tx.count(kind, also=(where, tuple(values)))
    return body


def _condition(query: str, kind: str) -> tuple[str, list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    joins: set[str] = set()
    position = 0
    while True:
        clause = _CLAUSE.match(query, position)
        if clause is None:
            raise _unparsable()
        condition, more = _clause(clause, kind)
        conditions.append(condition)
        values += more
        position = clause.end()
        if position == len(query):
            break
        join = _JOIN.match(query, position)
        if join is None:
            raise _unparsable()
        joins.add(join[1].upper())
        position = join.end()
    if len(joins) > 1:
        raise ApiError("You can't mix AND and OR in one search query.", param="query")
    joined = f" {joins.pop() if joins else 'AND'} ".join(conditions)
    return f" AND ({joined})", values


def _clause(clause: re.Match[str], kind: str) -> tuple[str, list[Any]]:
    field, operator = clause["field"], clause["operator"]
    if field == "metadata" and clause["key"]:
        path, numeric = f'$.metadata."{clause["key"][1:-1]}"', False
    elif field in FIELDS[kind] and not clause["key"]:
        path, numeric = f"$.{field}", FIELDS[kind][field]
    else:
        raise ApiError(
            f"Field `{field}` is an unsupported search field for resource `{kind}s`. See "
            f"http://stripe.com/docs/search#query-fields-for-{kind.replace('_', '-')}s for a list of supported fields.",
            param="query",
        )
    condition, values = _comparison(operator, clause["value"], numeric=numeric)
    return (f"NOT coalesce({condition}, 0)" if clause["not"] else condition), [path, *values]


def _comparison(operator: str, text: str, *, numeric: bool) -> tuple[str, list[Any]]:
    """SQL that compares the value at the path bound first with what is bound after it."""
    value = text[1:-1] if text[0] in "\"'" else text
    if text == "null" and operator == ":":
        return "json_extract(body, ?) IS NULL", []
    if not numeric:
        if operator not in (":", "~"):
            raise ApiError(f"The operator `{operator}` only compares numbers.", param="query")
        if operator == "~":
            return "instr(lower(json_extract(body, ?)), lower(?)) > 0", [value]
        return "lower(json_extract(body, ?)) = lower(?)", [value]
    number = {"true": "1", "false": "0"}.get(value, value)
    if operator == "~" or not re.fullmatch(r"-?[0-9]{1,18}", number, re.ASCII):
        raise _unparsable()
    return f"json_extract(body, ?) {'=' if operator == ':' else operator} ?", [int(number)]


def _cursor(call: Call, kind: str) -> str | None:
    """The id of the last object on the page before; None for the first page."""
    page = call.params.get("page")
    if page is None:
        return None
    try:
        last = base64.b64decode(page, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _unknown_page() from error
    if call.tx.find(kind, last) is None and not call.tx.was_deleted(kind, last):
        raise _unknown_page()
    return last


def _unknown_page() -> ApiError:
    return ApiError("Invalid page token.", param="page")


def _unparsable() -> ApiError:
    return ApiError(
        'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for '
        'metadata or `field:"value"` to query for other fields.',
        param="query",
    )
