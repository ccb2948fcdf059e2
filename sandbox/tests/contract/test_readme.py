"""The sandbox's README tells the truth about what is imitated."""

from pathlib import Path

from till_sandbox.api.routes import ROUTES
from till_sandbox.faults import KINDS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_everything_imitated_is_listed() -> None:
    missing = [f"{route.method} {route.path}" for route in ROUTES if f"`{route.method} {route.path}`" not in README]

    assert missing == []


def test_every_kind_of_fault_is_explained() -> None:
    kinds = [kind for of_target in KINDS.values() for kind in of_target]

    assert [kind for kind in kinds if f"`{kind}`" not in README and f'"{kind}"' not in README] == []
