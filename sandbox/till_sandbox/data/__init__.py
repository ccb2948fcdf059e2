"""What Stripe publishes, as data. Every file names its source; `load` reads one of them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def load(name: str) -> Any:
    """The contents of `<name>.json` in this folder. Shared between callers: read it, don't change it."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
