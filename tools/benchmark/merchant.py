"""A member of the staff over HTTP: signed in, to look at the merchant's pages while they are measured."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import requests

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


def lists_orders(store: Server, path: str, headers: Mapping[str, str]) -> bool:
    """Whether a page below /admin, asked for with the cookies of `sign_in`, leads to an order."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy is asked about this machine
        page = session.get(f"{store.url}/admin{path}", headers=headers, timeout=30).text
    return re.search(r"/admin/orders/\w{4}-", page) is not None
