"""Every finding that a check can make has words for an operator."""

import ast
from pathlib import Path
from string import Formatter

from store.cli.findings import BY_HAND, RECONCILE, WORDS, problem_of
from store.services.findings import Finding

SERVICES = Path(__file__).parents[2] / "store" / "services"
KINDS = ("refund", "dispute")


def codes() -> set[str]:
    """The codes that the services give to findings; one that begins with a kind stands for each kind."""
    found = set()
    for path in SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id in ("Finding", "_orders"):
                code = node.args[1 if node.func.id == "Finding" else 2]
                if isinstance(code, ast.Constant):
                    found.add(str(code.value))
                elif isinstance(code, ast.JoinedStr):
                    end = ast.literal_eval(code.values[-1])
                    found |= {kind + end for kind in KINDS}
    return found


def test_every_finding_has_a_text_and_no_text_is_unused() -> None:
    assert codes() == WORDS.keys()


def test_messages_use_named_placeholders_only() -> None:
    names = {
        name for pair in WORDS.values() for text in pair for _text, name, *_more in Formatter().parse(text) if name
    }

    assert all(name.isidentifier() for name in names)


def test_an_unrepaired_finding_asks_for_a_person() -> None:
    finding = Finding("order A", "paid_only_there")

    assert problem_of(finding).remedy == RECONCILE
    assert problem_of(Finding("order A", "paid_only_there", unrepaired=True)).remedy == BY_HAND
