"""A page that waits for a payment, run by Node: where it goes once the shop knows more."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import run_node

SCRIPT = Path(__file__).parents[3] / "static" / "js" / "components" / "status_poller.js"
PAYMENT_PAGE = "/orders/AAAA/pay"
WAITING = {"state": "awaiting_payment", "payment": "open", "message": "Confirming."}


def page_after(**answer: str) -> str:
    """Where the waiting page goes when status.json answers so; `reload` where it only shows itself anew."""
    status = {**WAITING, "order": "AAAA", "next": "/orders/AAAA?confirming=1", **answer}
    waiting = {**WAITING, "status": "/orders/AAAA/status.json?confirming=1", "asks": "1"}
    waiting["notPaid"] = f"{PAYMENT_PAGE}?because=not-paid"
    program = f"""
    let gone = "stayed";
    globalThis.setTimeout = (act) => act();
    globalThis.location = {{
      pathname: "/orders/AAAA", search: "?confirming=1",
      replace: (path) => (gone = path), reload: () => (gone = "reload"),
    }};
    globalThis.fetch = async () => ({{ ok: true, json: async () => ({json.dumps(status)}) }});
    const {{ startStatusPoller }} = await import({json.dumps(SCRIPT.as_uri())});
    await startStatusPoller({{ dataset: {json.dumps(waiting)} }});
    console.log(JSON.stringify(gone));
    """
    done = run_node("--input-type=module", "--eval", program)
    assert done.returncode == 0, done.stderr
    gone: Any = json.loads(done.stdout)
    return str(gone)


@pytest.mark.parametrize(
    ("answer", "page"),
    [
        pytest.param({}, "stayed", id="still-waiting"),
        pytest.param({"next": PAYMENT_PAGE}, f"{PAYMENT_PAGE}?because=not-paid", id="not-paid"),
        pytest.param({"state": "paid", "payment": "paid", "next": "/orders/AAAA"}, "reload", id="paid"),
        pytest.param({"message": "The payment service does not answer."}, "reload", id="other-words"),
        pytest.param({"next": "/orders/BBBB"}, "/orders/BBBB", id="another-page"),
    ],
)
def test_a_waiting_page_goes_where_the_order_belongs(answer: dict[str, str], page: str) -> None:
    assert page_after(**answer) == page
