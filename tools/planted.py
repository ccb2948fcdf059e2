"""Plant mistakes that cost money in copies of the store, one in each, and see which proof notices.

    make planted

Each mistake is a few characters of one file. `docs/proof.md` says how it is meant; a test makes sure that each can
still be planted in the code as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "mutants", "instance", "test-results", "__pycache__", ".*cache", ".hypothesis"
)
NOTICED, UNNOTICED = 1, 0  # pytest's exit codes

HISTORIES = "tests/proof/test_histories.py"
CRASHES = "tests/proof/test_crashes.py"


@dataclass(frozen=True)
class Mistake:
    """`old`, once in `file`, becomes `new`; `noticed_by` are the tests that have to fail then."""

    name: str
    file: str
    old: str
    new: str
    noticed_by: str = HISTORIES

    def plant(self, store: Path) -> None:
        """Raises ValueError where the code does not have `old` exactly once."""
        file = store / self.file
        text = file.read_text("utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.file} has {self.old!r} {text.count(self.old)} times")
        file.write_text(text.replace(self.old, self.new), "utf-8")


CANCELS = "    try:\n        snapshot = end(services, payment, reason)\n"

MISTAKES = (
    Mistake(
        "a decline counts each time it is reported",
        "store/services/payments/recording.py",
        "if decline is not None and _count_decline(session, order, decline, origin):",
        "if decline is not None and (_count_decline(session, order, decline, origin) or True):",
    ),
    Mistake(
        "stock is released before the payment is cancelled",
        "store/services/payments/closing.py",
        CANCELS,
        "    with services.database.transaction() as session:\n"
        "        close_order(session, transitions.lock_by_reference(session, reference), reason, origin)\n" + CANCELS,
        "tests/integration/test_expiry.py",
    ),
    Mistake(
        "money that comes late takes no stock",
        "store/services/payments/recording.py",
        "if not stock.commit(session, order.id, order.reservation):",
        "if not late and not stock.commit(session, order.id, order.reservation):",
    ),
    Mistake(
        "an order that is closed keeps its coupon's use",
        "store/services/stock.py",
        "    if reservation is not ReservationState.RELEASED:\n        coupons.release(session, order_id)\n",
        "",
        "tests/integration/test_coupons.py",
    ),
    Mistake(
        "a refund is asked for again without looking whether it was made",
        "store/gateway/stripe/adapter.py",
        "if (earlier := self._find_refund_by_key(provider_payment_id, key)) is not None:",
        "if (earlier := None) is not None:",
        CRASHES,
    ),
    Mistake(
        "a refund that failed is ignored",
        "store/services/payments/refunds/recording.py",
        "    refund = _find_or_add(session, payment, snapshot, origin)\n",
        "    if snapshot.event is RefundEvent.FAILED:\n        return\n"
        "    refund = _find_or_add(session, payment, snapshot, origin)\n",
    ),
    Mistake(
        "the e-mail is not written in the paying transaction",
        "store/services/payments/recording.py",
        "    mail.write(session, order, mail.Kind.ORDER_PAID, origin.at)\n",
        "",
    ),
    Mistake(
        "an order is read without its lock",
        "store/services/transitions.py",
        "        .with_for_update(of=(Order, Payment))\n",
        "",
        "tests/integration/test_simultaneous_events.py",
    ),
    Mistake(
        "a dispute that is lost does not flag the order",
        "store/services/payments/disputes.py",
        "Dispute.state.in_(STANDING)\n",
        'Dispute.state.in_([state for state in STANDING if state != "lost"])\n',
        "tests/integration/test_disputes.py",
    ),
    Mistake(
        "an order that is replaced keeps its payment open",
        "store/services/payments/closing.py",
        CANCELS,
        "    if reason is CancelReason.REPLACED:\n"
        "        with services.database.transaction() as session:\n"
        "            order = transitions.lock_by_reference(session, reference)\n"
        "            close_order(session, order, reason, origin)\n"
        "            return order.state\n" + CANCELS,
    ),
    Mistake(
        "the hosted page is shown while the payment before it can still be paid",
        "store/services/payments/changing.py",
        "    cancel_leftovers(services, reference, now, Source.STORE)\n",
        "",
        noticed_by="tests/integration/test_hosted_page_repairs.py",
    ),
    Mistake(
        "an order is closed while the payment before its hosted page can still be paid",
        "store/services/payments/closing.py",
        "    if payment.replaces_id is None:\n",
        "    if payment.replaces_id is None or True:\n",
        "tests/integration/test_hosted_page_repairs.py",
    ),
    Mistake(
        "an event is marked handled before its work commits",
        "store/webhooks/inbox.py",
        "    order = ordinary.record(services, event, origin, InboxResult.HANDLED)\n",
        "    with services.database.transaction() as session:\n"
        "        if _remember(session, event, origin.at).handled_at is not None:\n"
        "            return InboxResult.DUPLICATE, None\n"
        "        session.execute(\n"
        "            update(InboxEvent).where(InboxEvent.id == event.event_id).values(\n"
        "                handled_at=origin.at, outcome=InboxResult.HANDLED\n"
        "            )\n"
        "        )\n"
        "    with services.database.transaction() as session:\n"
        "        return InboxResult.HANDLED, HANDLERS[event.type](session, services, event, origin)\n"
        "    order = ordinary.record(services, event, origin, InboxResult.HANDLED)\n",
        CRASHES,
    ),
    Mistake(
        "after a breakdown a payment is created without looking for the first",
        "store/services/payments/creation.py",
        "    if setup.attempt > 1:\n",
        "    if setup.attempt > 1000:\n",
        "tests/integration/test_stripe_server_errors.py",
    ),
    Mistake(
        "an ordinary payment forgets the refund that came before it",
        "store/services/payments/ordinary.py",
        " AND NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.payment_id = payments.id)",
        "",
        "tests/proof/test_ordinary_payments.py",
    ),
    Mistake(
        "a refund reported before its payment is dropped",
        "store/services/payments/unmatched_events.py",
        "    kind, data = _data(snapshot)\n",
        "    if isinstance(snapshot, RefundSnapshot):\n        return\n    kind, data = _data(snapshot)\n",
        "tests/integration/test_event_order.py",
    ),
)


def main() -> int:
    """Print which mistake is noticed by what; 1 when one is not, or when the tests fail without any."""
    checks = sorted({mistake.noticed_by for mistake in MISTAKES})
    if _try(None, *checks) != UNNOTICED:
        print(f"The tests fail already, with nothing planted: {' '.join(checks)}", file=sys.stderr)
        return 1
    print("| planted | noticed by |\n| --- | --- |", flush=True)
    unnoticed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        codes = pool.map(lambda mistake: _try(mistake, mistake.noticed_by), MISTAKES)
        for mistake, code in zip(MISTAKES, codes, strict=True):
            verdict = f"`{mistake.noticed_by}`" if code == NOTICED else f"**nothing** (pytest ended with {code})"
            print(f"| {mistake.name} | {verdict} |", flush=True)
            unnoticed += code != NOTICED
    return 1 if unnoticed else 0


def _try(mistake: Mistake | None, *tests: str) -> int:
    """The exit code of these tests on a copy with the mistake in it."""
    with tempfile.TemporaryDirectory(prefix="till-planted-") as folder:
        store = Path(folder) / "store"
        shutil.copytree(ROOT, store, ignore=LEFT_OUT)
        if mistake is not None:
            mistake.plant(store)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
            cwd=store,
            env=os.environ | {"PYTHONPATH": f"{store}{os.pathsep}{store / 'sandbox'}", "PROOF_SHRINK": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
