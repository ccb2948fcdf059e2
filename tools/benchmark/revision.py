"""A revision of the store in a folder: its programs, run as its own Procfile runs them, and its commands.

Nothing of it is imported: another revision's modules may have other names.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from honcho.environ import parse_procfile

from tools.programs import ROOT, Program, ProgramFailed, free_port

# As long as real ones, for dj-stripe takes no others.
SECRET_KEY, PUBLISHABLE_KEY = "sk_test_onlyForTheTimeOfThisBenchmark", "pk_test_onlyForTheTimeOfThisBenchmark"
WEBHOOK_SECRET = "whsec_only_for_the_time_of_this_benchmark"  # noqa: S105  # signs webhooks on this machine only
APPLICATION = "app:create_app()"

SETTINGS = {
    "SECRET_KEY": "only-for-the-time-of-this-benchmark",
    "STRIPE_SECRET_KEY": SECRET_KEY,
    "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "ORDERS_PER_HOUR": "1000000",
    "DECLINES_PER_HOUR": "1000000",
}


class Server(Program):
    """A program that listens on a port."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str], log: Path, *, port: int, ready: str, folder: Path
    ) -> None:
        super().__init__(command, environment, log, port=port, ready=ready, folder=folder)
        self.port = port


@dataclass(frozen=True)
class Revision:
    """The store's code in `folder`, and the folder of the Python and the programs that it runs with."""

    name: str
    folder: Path
    programs: Path

    def store(self, database_url: str, sandbox: Server, log: Path) -> Server:
        """The store under Gunicorn as in its Procfile, on a free port; its database must be migrated already."""
        return self._gunicorn(APPLICATION, self.settings(database_url, sandbox), log, ready="/readyz")

    def yardstick(self, application: str, settings: Mapping[str, str], log: Path, *, worker_class: str = "") -> Server:
        """Another WSGI application of this project under the very same command. With another worker class nothing of
        the store is imported, its settings of Gunicorn neither.
        """
        return self._gunicorn(application, settings, log, ready="/", worker_class=worker_class)

    def flask(self, database_url: str, *arguments: str) -> str:
        """Run a command of the store to its end and return what it said. Raises ProgramFailed."""
        done = subprocess.run(
            [str(self.programs / "flask"), *arguments],
            cwd=self.folder,
            env=os.environ | self._environment(self.settings(database_url)),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProgramFailed(f"{self.name}: flask {shlex.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def settings(self, database_url: str, sandbox: Server | None = None) -> dict[str, str]:
        """The store's environment."""
        base = {"STRIPE_API_BASE": sandbox.url, "SANDBOX_PORT": str(sandbox.port)} if sandbox else {}
        return {**SETTINGS, **base, "DATABASE_URL": database_url}

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        return {**settings, "PATH": os.pathsep.join([str(self.programs), os.environ.get("PATH", os.defpath)])}

    def _gunicorn(
        self, application: str, settings: Mapping[str, str], log: Path, ready: str, worker_class: str = ""
    ) -> Server:
        web = parse_procfile((self.folder / "Procfile").read_text("utf-8")).processes["web"]
        if APPLICATION not in web:
            raise ProgramFailed(f"{self.name}: its Procfile does not start {APPLICATION}: {web}")
        if worker_class:
            web = re.sub(r"--worker-class \S+", f"--worker-class {worker_class}", web)
            web = re.sub(r"--config python:\S+ ", "", web)
        port = free_port()
        command = ["sh", "-c", f"exec {web.replace(APPLICATION, application)}"]
        environment = self._environment({**settings, "STORE_PORT": str(port)})
        return Server(command, environment, log, port=port, ready=ready, folder=self.folder)


def sandbox(programs: Path, folder: Path) -> Server:
    """This project's sandbox, with its data in `folder`; it sends no webhooks."""
    port = free_port()
    command = [str(programs / "python"), "-m", "till_sandbox", "--port", str(port), "--key", SECRET_KEY]
    command += ["--database", str(folder / "sandbox.sqlite3")]
    return Server(command, {}, folder / "sandbox.log", port=port, ready="/endive/stripe.js", folder=ROOT)
