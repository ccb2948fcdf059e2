"""A sandbox as a process of its own on a free port, with files of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import requests

PROJECT = Path(__file__).parents[2]
KEY, SECRET = "sk_test_process", "whsec_process"
#: Seconds for what happens at once on an idle machine.
PATIENCE = 30


class SandboxProcess:
    """`till-sandbox` with a database in `folder`, started by its block and killed when the block ends.

    What it prints goes to `log`. `program` is the command of another environment, if it is to run in one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        forward_to: str = "",
        key: str = KEY,
        secret: str = SECRET,
        program: Sequence[str] = (sys.executable, "-m", "till_sandbox"),
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "sandbox.log"
        forward_to = forward_to or f"http://127.0.0.1:{free_port()}/nobody"
        self._command = [*program, "--port", str(self.port), "--key", key]
        self._command += ["--database", str(folder / "sandbox.sqlite3")]
        self._command += ["--forward-to", forward_to, "--webhook-secret", secret]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SandboxProcess":
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, cwd=PROJECT, start_new_session=True, stdout=output, stderr=subprocess.STDOUT
            )
        wait_for(lambda: self.answers() or self._has_ended())
        assert not self._has_ended(), self.log.read_text(encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)

    def kill(self) -> None:
        """-9 for the sandbox and every process it started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/sandbox/health", timeout=1).ok
        except requests.RequestException:
            return False

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"it did not happen within {PATIENCE} seconds"
        time.sleep(0.05)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def run_sandbox(*words: str) -> subprocess.CompletedProcess[str]:
    """What `python -m till_sandbox` did with these words."""
    return run([sys.executable, "-m", "till_sandbox", *words])


def run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """What a command did, in the sandbox's folder."""
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)
