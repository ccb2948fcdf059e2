"""Programs of the project as processes of their own, on free ports of this machine: started, stopped, killed."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
STARTS_WITHIN = 60.0  # seconds; two on an idle laptop
STOPS_WITHIN = 10.0


class ProgramFailed(Exception):
    """A program ended, or does not answer; the message holds the end of what it printed."""


class Program:
    """A program that answers GET `ready` on a port of this machine once it is ready, or that just runs without one.

    What it prints goes to the end of `log`. `environment` is added to this process's own, and this Python's own
    programs come first. It runs in `folder`, which is this project's.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        port: int = 0,
        ready: str = "",
        folder: Path = ROOT,
    ) -> None:
        self._command, self._port, self._ready, self._folder = list(command), port, ready, folder
        search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        self._environment = {"PATH": search, **environment}
        self.url, self.log = f"http://127.0.0.1:{port}", log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers. Raises ProgramFailed."""
        process = self.start_only()
        deadline = time.monotonic() + STARTS_WITHIN
        while self._ready and not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ProgramFailed(f"{shlex.join(self._command)} did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)

    def start_only(self) -> subprocess.Popen[bytes]:
        """Start it and wait for nothing."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=os.environ | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that all of it can be killed at once
            )
        return self._process

    def stop(self) -> None:
        """Ask it to end, then make it; returns when it is gone."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it and every process it has started at once, as kill -9 does; returns when it is gone."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def workers(self) -> list[int]:
        """The process ids of its children, such as Gunicorn's workers."""
        if self._process is None:
            return []
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        pairs = (map(int, line.split()) for line in listing.stdout.splitlines())
        return [child for child, parent in pairs if parent == self._process.pid]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{self._ready}", timeout=5):
                return True
        except OSError:
            return False


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
