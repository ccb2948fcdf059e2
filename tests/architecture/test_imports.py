"""Imports point down, one adapter knows Stripe, one module commits, and the sandbox is a stranger to the store."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

NOTHING: set[str] = set()
DOMAIN = {"store.domain"}
MODELS = {"models"} | DOMAIN
PORT = {"store.gateway.port"} | DOMAIN
SERVICES = {"store.services", "config"} | MODELS | PORT
WEBHOOKS = {"store.webhooks"} | SERVICES

# What each part may import of ours. The longest name that fits a module is its part.
MAY_IMPORT = {
    "config": NOTHING,
    "models": MODELS,
    "app": {"config", "models", "store"},
    "store": NOTHING,
    "store.domain": DOMAIN,
    "store.logs": NOTHING,
    "store.server": NOTHING,
    "store.static_build": {"store.static_build"},
    "store.gateway": {"store.gateway"} | DOMAIN,
    "store.gateway.port": DOMAIN,
    "store.services": SERVICES,
    "store.webhooks": WEBHOOKS,
    "store.web": {"store.web", "store.logs", "store.static_build", "store.gateway.deadline"} | WEBHOOKS,
    "store.admin": {"store.admin", "store.cli.findings", "store.web", "store.logs", "store.gateway.deadline"}
    | WEBHOOKS,
    "store.api": {"store.api", "store.web", "store.logs", "store.gateway.deadline"} | WEBHOOKS,
    "store.testmode": {"store.testmode", "store.web"} | WEBHOOKS,
    "store.cli": {"store.cli", "store.logs"} | WEBHOOKS,
    "till_sandbox": {"till_sandbox"},
    "tools": {"tools", "config", "store.testmode", "store.web.static_files"} | DOMAIN,
    "tools.benchmark": {"tools", "app"} | SERVICES,
    "tools.chaos": {"store.cli", "tools", "app", "store.logs"} | WEBHOOKS,
}

ADAPTER = "store.gateway.stripe"
YARDSTICKS = "tools.benchmark.yardsticks"  # other applications, as others write them
COMMITS = "store.services.database"
ENDS_A_TRANSACTION = {"commit", "rollback"}
# Who writes a state: the engine, and the one way past it, which asks the same machines.
WRITES_A_STATE = {"store.services.transitions", "store.services.payments.ordinary"}
HAS_A_STATE = ("Order", "Payment", "Refund", "Dispute")


def source_files() -> Iterator[Path]:
    for part in ("app.py", "config.py", "models.py"):
        yield ROOT / part
    for folder in ("store", "sandbox/till_sandbox", "tools"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[1:] if parts[0] == "sandbox" else parts).removesuffix(".__init__")


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported(file: Path) -> Iterator[str]:
    """Every module `file` imports, wherever in it, by its full name."""
    package = file.relative_to(ROOT).parts[:-1]  # the sandbox imports by whole names
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, (start, node.module)))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_within(module: str, part: str) -> bool:
    return module == part or module.startswith(f"{part}.")


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in {"app", "config", "models", "store", "till_sandbox", "tools", "tests"}


def part_of(module: str) -> str:
    return max((part for part in MAY_IMPORT if is_within(module, part)), key=len)


FILES = {module_name(file): file for file in source_files()}
OF_THE_STORE = {
    name: file
    for name, file in FILES.items()
    if not is_within(name, "till_sandbox") and not is_within(name, YARDSTICKS)
}


def test_imports_point_down() -> None:
    wrong = [
        f"{module} may not import {name}"
        for module, file in FILES.items()
        for name in imported(file)
        if is_ours(name) and not any(is_within(name, allowed) for allowed in MAY_IMPORT[part_of(module)])
    ]

    assert wrong == []


def test_the_domain_knows_no_framework() -> None:
    frameworks = {"flask", "flask_sqlalchemy", "flask_wtf", "sqlalchemy", "stripe", "wtforms"}
    domain = {module: file for module, file in FILES.items() if is_within(module, "store.domain")}

    wrong = [
        f"{module} imports {name}"
        for module, file in domain.items()
        for name in imported(file)
        if name.partition(".")[0] in frameworks
    ]

    assert domain
    assert wrong == []


def test_one_adapter_of_the_store_knows_stripe() -> None:
    users = {
        module for module, file in OF_THE_STORE.items() if any(is_within(name, "stripe") for name in imported(file))
    }

    assert users
    assert [user for user in users if not is_within(user, ADAPTER)] == []


def test_only_the_app_chooses_the_gateway() -> None:
    users = {module for module, file in FILES.items() if any(is_within(name, ADAPTER) for name in imported(file))}

    assert {user for user in users if not is_within(user, ADAPTER)} == {"app"}


def test_one_module_ends_transactions() -> None:
    ends = {
        module: f"{module}, line {node.lineno}: {node.func.attr}()"
        for module, file in OF_THE_STORE.items()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ENDS_A_TRANSACTION
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "stock")  # which commits pieces
    }

    assert ends.pop(COMMITS, None)
    assert list(ends.values()) == []


def test_one_engine_and_one_way_past_it_write_states() -> None:
    writers = {module for module, file in OF_THE_STORE.items() if any(map(writes_a_state, ast.walk(tree(file))))}

    assert writers == WRITES_A_STATE


def writes_a_state(node: ast.AST) -> bool:
    """Whether this sets a state: an UPDATE in SQL of a table that has one, or its value in an UPDATE of SQLAlchemy's,
    or the statement that writes whatever it is given.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        tables = "|".join(f"{name.lower()}s" for name in HAS_A_STATE)
        return re.search(rf"\bUPDATE\s+({tables})\b", node.value, re.IGNORECASE) is not None
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "values"):
        return False
    if not any(named(each, "update") for each in ast.walk(node.func.value)):
        return False
    of_whatever = any(isinstance(each, ast.Call) and named(each.func, "type") for each in ast.walk(node.func.value))
    return of_whatever or any(word.arg == "state" for word in node.keywords)


def named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
