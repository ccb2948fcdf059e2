"""Finds the operation a request asks for."""

from till_sandbox.api.route import Route
from till_sandbox.api.routes import ROUTES

#: Where the resource is in an address: "/v1/payment_intents/…" has an empty part before the version.
_RESOURCE = 2


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route for a method and path, and the ids in the path by their names; None if there is no such route."""
    parts = path.split("/")  # of "/v1/" and something
    for route, words, names in _TABLE.get(("GET" if method == "HEAD" else method, len(parts), parts[_RESOURCE]), ()):
        if [parts[place] for place, _ in words] == [word for _, word in words]:
            ids = {name: parts[place] for place, name in names}
            return None if "" in ids.values() else (route, ids)
    return None


#: A route with the words of its path and the names of its ids, each with its place in the path.
Candidate = tuple[Route, list[tuple[int, str]], list[tuple[int, str]]]


def _table() -> dict[tuple[str, int, str], list[Candidate]]:
    """The routes by method, number of parts and resource; those with fewer ids first, so that words go before ids."""
    table: dict[tuple[str, int, str], list[Candidate]] = {}
    for route in sorted(ROUTES, key=lambda route: route.path.count("{")):
        places = list(enumerate(route.path.split("/")))
        words = [(place, part) for place, part in places[_RESOURCE + 1 :] if not part.startswith("{")]
        names = [(place, part[1:-1]) for place, part in places if part.startswith("{")]
        table.setdefault((route.method, len(places), places[_RESOURCE][1]), []).append((route, words, names))
    return table


_TABLE = _table()
