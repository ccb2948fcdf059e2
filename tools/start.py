"""Starts everything in the Procfile, says when the store is open, and stops everything on Ctrl-C.

The sandbox is left out when the settings name real Stripe keys. Run as `python -m tools.start`.
"""

import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import NoReturn

from honcho.environ import parse_procfile
from honcho.manager import Manager

from config import Settings
from tools.env_file import ENV_FILE, settings_in_force

ROOT = Path(__file__).parents[1]
OPENS_WITHIN = 60.0  # seconds

ENDED_BY_THE_USER = {128 + signal.SIGINT, 128 + signal.SIGTERM}


def main() -> NoReturn:
    settings = Settings.load()
    ports = {"STORE_PORT": settings.store_port}
    if settings.uses_sandbox:
        ports["SANDBOX_PORT"] = settings.sandbox_port
    if len(set(ports.values())) < len(ports):
        sys.exit(f"{' and '.join(ports)} must be two different ports.")
    for setting, port in ports.items():
        _require_free(setting, port)

    manager = Manager()
    for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        if name != "sandbox" or settings.uses_sandbox:
            manager.add_process(name, command, env=_environment(ports), cwd=str(ROOT))
    signal.signal(signal.SIGHUP, _terminate)  # the terminal was closed
    threading.Thread(target=_announce, args=(ports, _local_account(settings)), daemon=True).start()
    manager.loop()
    sys.exit(0 if manager.returncode in ENDED_BY_THE_USER else manager.returncode)


def _environment(ports: dict[str, int]) -> dict[str, str]:
    """What the processes get: .env under the environment, the ports, and this Python's own programs first."""
    return {
        **settings_in_force(os.environ, ENV_FILE),
        **{setting: str(port) for setting, port in ports.items()},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
    }


def _require_free(setting: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            sys.exit(f"Port {port} is reserved to the system. Choose another one: {setting}={port + 8000} make run")
        except OSError:
            sys.exit(
                f"Port {port} is taken by another program; is Till running already? "
                f"Stop it, or choose another port: {setting}={port + 1} make run"
            )


def _local_account(settings: Settings) -> str:
    """How to sign in at the shop's admin; empty with live keys, which have no account but those that were added."""
    password = settings.local_staff_password.get_secret_value()
    return f"owner@localhost with the password {password}" if password and not settings.live else ""


def _announce(ports: dict[str, int], account: str) -> None:
    """Print the address once every process with a port answers."""
    deadline = time.monotonic() + OPENS_WITHIN
    while not all(_answers(port) for port in ports.values()):
        if time.monotonic() > deadline:
            print(f"The store does not answer after {OPENS_WITHIN:.0f} seconds; see the messages above.", flush=True)
            return
        time.sleep(0.1)
    print(f"\n  Till is open at http://127.0.0.1:{ports['STORE_PORT']}", flush=True)
    if "SANDBOX_PORT" in ports:
        print("  Test mode, on this machine only. Pay with 4242 4242 4242 4242, any later date, any CVC.", flush=True)
    if account:
        print(f"  Sign in at http://127.0.0.1:{ports['STORE_PORT']}/admin as {account}", flush=True)
    print("  Ctrl-C stops everything.\n", flush=True)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True  # an error page is an answer; the sandbox has no such page
    except OSError:
        return False


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
