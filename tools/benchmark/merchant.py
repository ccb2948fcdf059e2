"""A member of the staff over HTTP: signed in, to look at the merchant's pages while they are measured."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.benchmark.revision import Server
from tools.benchmark.shopper import ShopFailed, Shopper
from tools.programs import ROOT

EMAIL = "owner@benchmark.example"


def sign_in(store: Server, programs: Path, settings: Mapping[str, str]) -> str:
    """The cookies of a new owner who has signed in, as one header. Raises ShopFailed."""
    added = subprocess.run(
        [str(programs / "flask"), "staff", "add", EMAIL, "--role", "owner", "--generate"],
        cwd=ROOT,
        env=os.environ | dict(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if added.returncode:
        raise ShopFailed(f"no account was added: {added.stdout}{added.stderr}")
    with Shopper(store) as browser:
        browser.look("/admin/sign-in")
        browser.send("/admin/sign-in", {"email": EMAIL, "password": added.stdout.split()[1]})
        return browser.cookie
