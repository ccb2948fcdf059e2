"""Finds the operation a request asks for."""

from till_sandbox.api.route import Route
from till_sandbox.api.routes import ROUTES

#: Where the resource is in an address: "/v1/payment_intents/…" has an empty part before the version.
_RESOURCE = 2


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route for a method and path, and the ids in the path by their names; None if there is no such route."""
    parts = path.split("/")  # of "/v1/" and something
    for route, places in _TABLE.get(("GET" if method == "HEAD" else method, len(parts), parts[_RESOURCE]), ()):
        if all(place.startswith("{") or place == part for place, part in zip(places, parts, strict=True)):
            ids = {place[1:-1]: part for place, part in zip(places, parts, strict=True) if place.startswith("{")}
            return None if "" in ids.values() else (route, ids)
    return None


def _table() -> dict[tuple[str, int, str], list[tuple[Route, list[str]]]]:
    """The routes by method, number of parts and resource; those with fewer ids first, so that words go before ids."""
    table: dict[tuple[str, int, str], list[tuple[Route, list[str]]]] = {}
    for route in sorted(ROUTES, key=lambda route: route.path.count("{")):
        places = route.path.split("/")
        table.setdefault((route.method, len(places), places[_RESOURCE]), []).append((route, places))
    return table


_TABLE = _table()
