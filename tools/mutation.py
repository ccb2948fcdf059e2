"""Change the store's code in thousands of small ways, one at a time, and count the changes that a check notices.

    make mutation                                 all of store/domain, store/services and store/webhooks
    make mutation MODULE=store/services/stock.py  one module, tried again even where nothing changed
    make mutation SAMPLE=300 SEED=1               so many, chosen at random, and what that says of all of them

Each changed function (a mutant) goes through the type checker, then through those of the tests that call it. A mutant
that was killed stays so, in `mutants/`, until its function changes; the others are tried again. Remove that folder to
begin anew. `docs/mutation.md` says which mutants may survive.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

from mutmut.__main__ import cli, create_mutants
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, setup_source_paths
from mutmut.workers import isolation

ROOT = Path(__file__).parents[1]
MUTANTS = ROOT / "mutants"
METAS = "store/**/*.py.meta"  # where mutmut keeps the results of a module's mutants
FOLDERS = ("store/domain", "store/services", "store/webhooks")

# What mutmut's exit codes stand for, unless a signal ended the process.
RESULTS = {0: "survived", 1: "tests", 3: "tests", 33: "no tests", 37: "types"}
KILLED = ("tests", "types", "timeout")
COLUMNS = ("tests", "types", "timeout", "survived", "no tests", "not tried")


class FileByFile(PytestRunner):
    """Runs the tests of a mutant a file at a time, those that are named after its module first, until one fails. Merely
    collecting the hundreds of tests that call a much-used function takes longer than most of them do.
    """

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        if mutant_name is None:
            return super().run_tests(mutant_name=None, tests=tests)
        files: dict[str, list[str]] = defaultdict(list)
        for test in tests:
            files[test.partition("::")[0]].append(test)
        module = mutant_name.split(".")[-2].removesuffix("s")
        seconds = {file: sum(map(state().duration_by_test.__getitem__, its)) for file, its in files.items()}
        for file in sorted(files, key=lambda file: (module not in file, seconds[file])):
            code = super().run_tests(mutant_name=mutant_name, tests=files[file])
            if code:
                return code
        return 0


def main(arguments: list[str]) -> int:
    """Try the mutants of one module, a sample of all, or all that were not killed yet, and print the score."""
    if arguments[:1] == ["types"]:
        return _check_types()
    asked = _parser().parse_args(arguments)
    os.chdir(ROOT)
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # where mutmut looks for `python`
    _forget_survivors()
    isolation.PytestRunner = FileByFile  # type: ignore[attr-defined]  # mutmut has no setting for it
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
