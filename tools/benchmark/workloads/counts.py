"""Statements and round trips: of the payment page, of a poll of the status, and of one whole paid order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.benchmark import wholeness
from tools.benchmark.figures import Goal, Row
from tools.benchmark.load import drive
from tools.benchmark.revision import Revision
from tools.benchmark.run import SLUG, Run
from tools.benchmark.shopper import Shopper
from tools.benchmark.statements import Sent
from tools.benchmark.visited import VisitedStore

NAME = "statements"
LOOKS = 6  # of which the later half counts: by then each worker has its connections
WHOLE_ORDER = "one whole paid order"


def run(run: Run) -> Iterator[Row]:
    with run.only_here():
        store = VisitedStore(run, run.ours, NAME, log_statements=True)
        requests = store.open_orders()
        for name, goal, transactions in (("payment page", 8, 2), ("status.json", 2, 1)):
            sent = store.sent_for(requests[name][0], LOOKS)[LOOKS // 2 :]
            detail = f"in {_range(each.transactions for each in sent)} transactions (goal: {transactions}); "
            detail += f"{_range(each.round_trips for each in sent)} round trips"
            yield Row(NAME, name, tuple(float(each.statements) for each in sent), Goal("≤", goal), detail)
        yield _whole_order(store)


def compared(run: Run, other: Revision) -> Iterator[Row]:
    """The same of another revision, beside ours."""
    with run.only_here():
        for revision in (run.ours, other):
            store = VisitedStore(run, revision, NAME, log_statements=True)
            requests = store.open_orders()
            for name, of_page in requests.items():
                sent = store.sent_for(of_page[0], LOOKS)[LOOKS // 2 :]
                counted = tuple(float(each.statements) for each in sent)
                yield Row(
                    NAME,
                    f"{name}: {revision.name}",
                    counted,
                    None,
                    f"{_range(each.round_trips for each in sent)} round trips",
                )
            row = _whole_order(store)
            yield Row(NAME, f"{row.measure}: {revision.name}", row.values, None, row.detail)


def _whole_order(store: VisitedStore) -> Row:
    """From the catalogue to the thank-you page, the second time that the store is asked all of it."""
    _journey(store)
    steps = _journey(store)
    parts = ", ".join(f"{name} {sent.statements}" for name, sent in steps.items())
    round_trips = sum(sent.round_trips for sent in steps.values())
    total = sum(sent.statements for sent in steps.values())
    return Row(NAME, WHOLE_ORDER, (float(total),), Goal("≤", 45), f"{round_trips} round trips; {parts}")


def _journey(store: VisitedStore) -> dict[str, Sent]:
    store.log.take()
    steps: dict[str, Sent] = {}
    with Shopper(store.server) as shopper:

        def step(name: str, act: Callable[[], object]) -> None:
            act()
            steps[name] = store.log.take()

        step("catalogue", lambda: shopper.look("/"))
        step("product", lambda: shopper.look(f"/products/{SLUG}"))
        step("add to cart", lambda: shopper.add_to_cart(SLUG))
        step("cart", lambda: shopper.look("/cart"))
        step("checkout", lambda: shopper.look("/checkout"))
        reference = shopper.place()
        steps["place"] = store.log.take()
        payment = shopper.open_payment_page(reference)
        steps["payment page"] = store.log.take()
        for event in store.events:
            request = event.request_for(reference, payment)
            step(event.type, lambda request=request: _send(store, request))  # type: ignore[misc]
        step("status.json", lambda: shopper.look(f"/orders/{reference}/status.json?confirming=1"))
        step("thank-you page", lambda: shopper.look(f"/orders/{reference}"))
    return steps


def _send(store: VisitedStore, request: bytes) -> None:
    wholeness.check_answers(store.name, drive(store.server.port, [request], connections=1, seconds=30))


def _range(numbers: Iterator[int]) -> str:
    found = sorted(set(numbers))
    return str(found[0]) if len(found) == 1 else f"{found[0]}–{found[-1]}"
