"""The wheel is the whole sandbox: with nothing but what it asks for, it takes a payment and sends its webhook."""

import re
import shutil
import sys
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
import requests

from harness.processes import KEY, PROJECT, SECRET, SandboxProcess, run, wait_for
from harness.receiver import receiving

PAYMENT = {"amount": 4900, "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    made = run([sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation", "-w", folder, PROJECT])
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    installed = run([sys.executable, "-m", "pip", "--python", python, "install", *OFFLINE, wheel])
    assert installed.returncode == 0, installed.stdout + installed.stderr
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (metadata,) = packages.glob("till_sandbox-*.dist-info")
    for name in needed(Distribution.at(metadata)):
        install(distribution(name), packages)
    return folder / "venv"


#: The registry is not asked: what is needed is taken from the environment of the tests.
OFFLINE = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")


def test_an_installed_wheel_takes_a_payment_and_sends_its_webhook(environment: Path, tmp_path: Path) -> None:
    program = [str(environment / "bin" / "till-sandbox")]

    with receiving(SECRET) as receiver, SandboxProcess(tmp_path, forward_to=receiver.url, program=program) as sandbox:
        paid = requests.post(f"{sandbox.url}/v1/payment_intents", PAYMENT, auth=(KEY, ""), timeout=10).json()
        pages = [f"{sandbox.url}{path}" for path in ("/endive/stripe.js", "/v3/controller.html", "/sandbox/")]
        answers = [requests.get(page, timeout=10).status_code for page in pages]
        wait_for(lambda: "payment_intent.succeeded" in [event["type"] for event in receiver.events])

    assert (paid["status"], answers) == ("succeeded", [200, 200, 200])
    (event,) = [event for event in receiver.events if event["type"] == "payment_intent.succeeded"]
    assert event["data"]["object"]["id"] == paid["id"]


def needed(package: Distribution, found: set[str] | None = None) -> set[str]:
    """What a package depends on, and what that depends on, without what is optional or for other systems."""
    found = set() if found is None else found
    for requirement in package.requires or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()
        if "extra ==" in requirement or name in found:
            continue
        try:
            dependency = distribution(name)
        except PackageNotFoundError:  # for other systems or other versions of Python
            continue
        found.add(name)
        needed(dependency, found)
    return found


def install(package: Distribution, packages: Path) -> None:
    """Copy an installed package's modules."""
    for file in package.files or []:
        if not file.parts[0].startswith("..") and file.suffix != ".pyc":
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)
