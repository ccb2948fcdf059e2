"""Starts everything in the Procfile, says when the store is open, and stops everything on Ctrl-C.

The sandbox is left out when the settings name real Stripe keys. Run as `python -m tools.start`.
"""

import os
import signal
import socket
import subprocess
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

from tools.env_file import ENV_FILE, settings_in_force

ROOT = Path(__file__).parents[1]
OPENS_WITHIN = 60.0  # seconds

ENDED_BY_THE_USER = {128 + signal.SIGINT, 128 + signal.SIGTERM}


def main() -> NoReturn:
    environment = _environment()
    processes = dict(parse_procfile((ROOT / "Procfile").read_text()).processes)
    ports = {"STORE_PORT": _port(environment, "STORE_PORT")}
    if _uses_sandbox(environment):
        ports["SANDBOX_PORT"] = _port(environment, "SANDBOX_PORT")
    else:
        del processes["sandbox"]
    if len(set(ports.values())) < len(ports):
        sys.exit(f"{' and '.join(ports)} must be two different ports.")
    for setting, port in ports.items():
        _require_free(setting, port)

    manager = Manager()
    for name, command in processes.items():
        manager.add_process(name, command, env=environment, cwd=str(ROOT))
    signal.signal(signal.SIGHUP, _terminate)  # the terminal was closed
    threading.Thread(target=_announce, args=(ports,), daemon=True).start()
    manager.loop()
    sys.exit(0 if manager.returncode in ENDED_BY_THE_USER else manager.returncode)


def _environment() -> dict[str, str]:
    """What the processes get: .env under the environment, the ports, and this Python's own programs first."""
    environment = os.environ | settings_in_force(os.environ, ENV_FILE)
    environment["STORE_PORT"] = environment.get("STORE_PORT") or "8000"
    environment["SANDBOX_PORT"] = environment.get("SANDBOX_PORT") or "4242"
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def _uses_sandbox(environment: dict[str, str]) -> bool:
    """Ask the store, which knows what its settings mean (and refused wrong ones when `make run` migrated)."""
    return subprocess.run(["flask", "uses-sandbox"], cwd=ROOT, env=environment, check=False).returncode == 0


def _port(environment: dict[str, str], setting: str) -> int:
    text = environment[setting]
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        sys.exit(f"{setting} is {text!r}; it must be a port number from 1 to 65535.")
    return int(text)


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


def _announce(ports: dict[str, int]) -> None:
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
