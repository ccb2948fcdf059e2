"""Change the store's code in thousands of small ways, one at a time, and count the changes that a check notices.

    make mutation                                 all of store/domain, store/services and store/webhooks
    make mutation MODULE=store/services/stock.py  one module, tried again even where nothing changed
    make mutation SAMPLE=300 SEED=1               so many, chosen at random, and what that says of all of them

Each changed function (a mutant) goes through the type checker, then through those of the tests that call it. A mutant
that was killed stays so, in `mutants/`, until its function changes; the others are tried again. Remove that folder to
begin anew. `docs/mutation.md` says which mutants may survive.
"""

import argparse
import importlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from mutmut.__main__ import cli, create_mutants
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, setup_source_paths
from mutmut.workers import isolation

ROOT = Path(__file__).parents[1]
MUTANTS = ROOT / "mutants"
METAS = "store/**/*.py.meta"  # where mutmut keeps the results of a module's mutants
FAILURES = MUTANTS / "failures.txt"  # which test failed for a mutant of which function
STATS_LOG = MUTANTS / "stats.log"  # what pytest says when the calls are noted
MEMORY = Path("/dev/shm")  # noqa: S108  # databases there wait for no disk
CONTROL = 20  # tests
FOLDERS = ("store/domain", "store/services", "store/webhooks")

# What mutmut's exit codes stand for, unless a signal ended the process.
RESULTS = {0: "survived", 1: "tests", 3: "tests", 33: "no tests", 37: "types"}
KILLED = ("tests", "types", "timeout")
COLUMNS = ("tests", "types", "timeout", "survived", "no tests", "not tried")


class CollectedTests(PytestRunner):
    """Runs the tests of a mutant in a process that was forked after they had all been collected, which takes longer
    than most mutants live. Nothing has run in it yet: whatever the code keeps for later, the mutant has to work out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tests: dict[str, pytest.Item] = {}
        self._held: tuple[object, ...] = ()

    def warm_up(self) -> None:
        """Collect every test, and build what a test's database is a copy of."""
        from _pytest.config import _prepareconfig  # what pytest.main does, without its end

        self._held = sys.stdout, sys.stderr  # mutmut lets go of them: the warning of that would fail every first test
        os.chdir(MUTANTS)
        arguments = ["--rootdir=.", "-q", *self._pytest_add_cli_args_test_selection, *self._pytest_add_cli_args]
        config = _prepareconfig(arguments)
        config._do_configure()
        session = pytest.Session.from_config(config)
        config.hook.pytest_sessionstart(session=session)
        config.hook.pytest_collection(session=session)
        if session.testsfailed:
            raise RuntimeError("some tests could not be collected")
        self._tests = {item.nodeid: item for item in session.items}
        importlib.import_module("tests.support.databases").migrated_sqlite()

    def run_stats(self, *, tests: Iterable[str]) -> int:
        """Note which test calls which function; what pytest says of it is kept in a file."""
        with STATS_LOG.open("w", encoding="utf-8") as file, redirect_stdout(file), _in_memory():
            return super().run_stats(tests=tests)

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """0 if no test fails: those of one mutant, or, without one, the tests named or all."""
        if not self._tests:
            self.warm_up()
        ordered = _ordered(mutant_name, tests) if mutant_name else list(tests or self._tests)
        # With or without a mutant, the same circumstances; a stream that nobody holds would fail a test by its warning.
        with (
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
            _in_memory(),
        ):
            for test, following in zip(ordered, [*ordered[1:], None], strict=True):
                item = self._tests[test]
                after = self._tests[following] if following else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if item.session.testsfailed:
                    with FAILURES.open("a", encoding="utf-8") as file:
                        file.write(f"{_function(mutant_name or '')}\t{test}\n")
                    return 1
        return 0


class ControlledRunner(isolation.ForkServerRunner):
    """Tries no mutant before a few tests have passed where a mutant's tests run, but without one: else whatever fails
    there would count as noticed.
    """

    def startup(self) -> None:
        super().startup()
        quick = sorted(state().duration_by_test, key=state().duration_by_test.__getitem__)
        control = [test for test in quick if "/integration/" in test][:CONTROL]
        self.submit("control.no_function__mutmut_0", control, 600, 60)
        if self.wait_for_result().exit_code:
            raise SystemExit("tests fail where nothing was changed")


def _ordered(mutant: str, tests: Iterable[str]) -> list[str]:
    """The tests that failed for other mutants of the function come first, then those of files that are named after its
    module, then the quick ones.
    """
    function, module = _function(mutant), mutant.split(".")[-2].removesuffix("s")
    lines = FAILURES.read_text("utf-8").splitlines() if FAILURES.exists() else []
    failures = Counter(test for name, _, test in (line.partition("\t") for line in lines) if name == function)
    seconds = state().duration_by_test
    return sorted(tests, key=lambda test: (-failures[test], module not in test.partition("::")[0], seconds[test]))


def _function(mutant: str) -> str:
    return mutant.rpartition("__mutmut_")[0]


@contextmanager
def _in_memory() -> Iterator[None]:
    """Let temporary files, such as the tests' databases, be where they wait for no disk, if there is such a place."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        tempfile.tempdir = folder
        yield


def main(arguments: list[str]) -> int:
    """Try the mutants of one module, a sample of all, or all that were not killed yet, and print the score."""
    if arguments[:1] == ["types"]:
        return _check_types()
    asked = _parser().parse_args(arguments)
    os.chdir(ROOT)
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # where mutmut looks for `python`
    _forget_survivors()
    isolation.PytestRunner = CollectedTests  # type: ignore[attr-defined]  # mutmut has no setting for it
    isolation.ForkServerRunner = ControlledRunner  # type: ignore[misc]
    wanted = [path.removesuffix(".py").replace("/", ".") + ".*" for path in asked.module]
    if asked.sample:
        every = _mutants()
        wanted = random.Random(asked.seed).sample(every, min(asked.sample, len(every)))  # noqa: S311  # no secret
    try:
        cli(["run", "--max-children", str(os.cpu_count() or 2), *wanted], standalone_mode=False)
    finally:
        _report(wanted if asked.sample else None)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make mutation", description="Which small changes does no test notice?")
    parser.add_argument("module", nargs="*", help="try the mutants of this module")
    parser.add_argument("--sample", type=int, metavar="N", help="try N mutants of all, chosen at random")
    parser.add_argument("--seed", type=int, default=1, help="another seed chooses others")
    return parser


def _mutants() -> list[str]:
    """The name of every mutant there is, made first where it is not there yet."""
    MUTANTS.mkdir(exist_ok=True)
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    create_mutants(os.cpu_count() or 2)
    return sorted(mutant for meta in MUTANTS.glob(METAS) for mutant in _results(meta))


def _check_types() -> int:
    """mypy's report on the mutants, without its complaints about the comments that mutmut puts around them."""
    options = ["--output", "json", "--no-warn-unused-ignores"]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *FOLDERS], capture_output=True, text=True, check=False
    )
    for line in filter(None, checked.stdout.splitlines()):
        if json.loads(line)["code"] != "ignore-without-code":
            print(line)
    return checked.returncode


def _forget_survivors() -> None:
    """Try again those that were not killed: there may be a test for them by now."""
    for meta in MUTANTS.glob(METAS):
        known = json.loads(meta.read_text("utf-8"))
        codes = known["exit_code_by_key"]
        known["exit_code_by_key"] = {name: code if _result(code) in KILLED else None for name, code in codes.items()}
        meta.write_text(json.dumps(known, indent=4), "utf-8")


def _report(sample: Collection[str] | None) -> None:
    """The score of each module as a table, and the names of the mutants that were not killed; only of a sample where
    there is one, with what it says of all mutants.
    """
    results = {path: _results(path) for path in sorted(MUTANTS.glob(METAS))}
    if sample is not None:
        chosen = set(sample)
        results = {path: {name: its[name] for name in its if name in chosen} for path, its in results.items()}
    total: Counter[str] = Counter()
    print(f"\n| module | mutants | {' | '.join(COLUMNS)} | killed |\n|{' --- |' * (len(COLUMNS) + 3)}")
    for path, of_module in results.items():
        if of_module:
            counts = Counter(of_module.values())
            total += counts
            print(_row(f"`{path.relative_to(MUTANTS).with_suffix('')}`", counts))
    print(_row("**all**", total), "\n")
    for of_module in results.values():
        for mutant, result in of_module.items():
            if result not in ("tests", "types"):
                print(f"{result}: {mutant}")
    tried = total.total() - total["not tried"]
    if sample is not None and tried:
        low, high = interval(sum(total[result] for result in KILLED), tried)
        print(f"\nWith a confidence of 95 % between {low:.1%} and {high:.1%} of all mutants are killed.")


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Wilson's 95 % interval for the share of all mutants that are killed, from a random sample of them."""
    z = 1.96
    share, spread = killed / tried, z * z / tried
    half = z * math.sqrt(share * (1 - share) / tried + spread / (4 * tried))
    return (share + spread / 2 - half) / (1 + spread), (share + spread / 2 + half) / (1 + spread)


def _results(meta: Path) -> dict[str, str]:
    codes = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
    return {mutant: _result(code) for mutant, code in codes.items()}


def _result(code: int | None) -> str:
    return "not tried" if code is None else RESULTS.get(code, "timeout")


def _row(name: str, counts: Counter[str]) -> str:
    killed = sum(counts[result] for result in KILLED)
    cells = [name, counts.total(), *(counts[column] for column in COLUMNS), f"{killed / counts.total():.1%}"]
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
