"""Finds a Chromium for the browser tests, or gets one. Run as `python -m tools.browser` to get one now, and with
`--package` to install no more than Debian's package, which needs nothing but Python.

In this order: $CHROMIUM; a Chromium or Chrome on the PATH; one this program got earlier; Debian's package, installed by
root or through password-free sudo; the same package unpacked into .cache/ by a plain user; Playwright's own download.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache"
UNPACKED = CACHE / "chromium"
DOWNLOADED = CACHE / "playwright"

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHELL = "chromium-headless-shell"  # the same engine, of the same version, without a window around the page
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

# A font, because letters have to be seen and Chromium does not insist on one; libatomic1 for Playwright's own Node.js.
DEBIAN_PACKAGES = ("chromium", SHELL, "fonts-liberation", "libatomic1")


class BrowserMissing(Exception):
    """There is no browser to test with; the message says how to get one."""


@cache
def find() -> Path:
    """The browser to drive, the whole of it. Raises BrowserMissing.

    Where Playwright's own Node.js does not run (a minimal Linux lacks a library), Playwright is told, through the
    environment of this process, to use the one on the PATH.
    """
    _let_playwright_run()
    given = os.environ.get("CHROMIUM")
    if given:
        if _runs(Path(given)):
            return Path(given)
        raise BrowserMissing(f"CHROMIUM is {given!r}, which is not a browser that runs on this machine.")
    for candidate in _browsers():
        if _runs(candidate):
            return candidate
    raise BrowserMissing(
        "The browser tests need Chromium. `make test` tries to get it and could not: install it by hand "
        "(Debian: sudo apt-get install chromium), or set CHROMIUM to a Chromium or Chrome you have."
    )


@cache
def find_shell() -> Path:
    """The browser to drive where no test needs more of it than its pages: its headless shell takes three quarters of
    the time. The whole browser where there is no shell, or where $CHROMIUM names one. Raises BrowserMissing.
    """
    whole = find()
    if os.environ.get("CHROMIUM"):
        return whole
    return next((shell for shell in _shells() if _runs(shell)), whole)


def ensure() -> Path:
    """The browser to drive, installed first if there is none. Raises BrowserMissing."""
    try:
        return find_shell()
    except BrowserMissing:
        if os.environ.get("CHROMIUM"):
            raise
    for get in (_install_debian_package, _unpack_debian_package, _download_with_playwright):
        try:
            get()
            return find_shell()
        except (BrowserMissing, subprocess.CalledProcessError, FileNotFoundError) as error:
            print(f"  {get.__name__.removeprefix('_').replace('_', ' ')}: {error}", file=sys.stderr)
    return find_shell()


def install_package() -> None:
    """Install Debian's package where there is no browser and root asks, while other things are installed. Whatever goes
    wrong here, `ensure` does it again and says so.
    """
    if os.geteuid() != 0 or os.environ.get("CHROMIUM") or any(_runs(browser) for browser in _browsers()):
        return
    with suppress(subprocess.CalledProcessError, FileNotFoundError):
        _install_debian_package()


def _browsers() -> Iterator[Path]:
    yield from (Path(path) for name in NAMES if (path := shutil.which(name)))
    yield MAC
    yield UNPACKED / "run-chromium"
    yield from DOWNLOADED.glob("chromium-*/chrome-linux*/chrome")
    yield from DOWNLOADED.glob("chromium-*/chrome-mac*/*.app/Contents/MacOS/*")


def _shells() -> Iterator[Path]:
    if path := shutil.which(SHELL):
        yield Path(path)
    yield UNPACKED / f"run-{SHELL}"
    yield from DOWNLOADED.glob("chromium_headless_shell-*/*/*headless*shell")


def _let_playwright_run() -> None:
    import playwright  # not there yet when the package is installed beside it

    if os.environ.get("PLAYWRIGHT_NODEJS_PATH") or _runs(Path(playwright.__file__).parent / "driver" / "node"):
        return
    node = shutil.which("node")
    if node is None:
        raise BrowserMissing("Playwright's own Node.js does not run here (Debian: apt-get install libatomic1).")
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = node


def _runs(program: Path) -> bool:
    """Whether it starts at all: Ubuntu's chromium-browser may be a script that only asks for a snap."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _install_debian_package() -> None:
    privileged = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    print("Installing Debian's chromium for the browser tests.", flush=True)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    _run(*privileged, "apt-get", "update", "-qq")
    _run(*privileged, *environment, "apt-get", "install", "-qq", "-y", "--no-install-recommends", *DEBIAN_PACKAGES)


def _unpack_debian_package() -> None:
    """Get the package and what it needs without any rights: apt with folders of its own, then dpkg-deb."""
    print(f"Unpacking Debian's chromium for the browser tests into {UNPACKED}.", flush=True)
    shutil.rmtree(UNPACKED, ignore_errors=True)
    apt = CACHE / "apt"
    archives = apt / "cache" / "archives"
    for folder in (apt / "state" / "lists" / "partial", archives / "partial", UNPACKED):
        folder.mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State": apt / "state",
        "Dir::Cache": apt / "cache",
        "Dir::State::status": "/var/lib/dpkg/status",  # what is installed already is not needed again
        "Debug::NoLocking": 1,  # only root may take dpkg's lock, and nothing is installed
    }
    apt_get = ["apt-get", "-qq", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    _run(*apt_get, "update")
    _run(*apt_get, "install", "-y", "--download-only", "--no-install-recommends", *DEBIAN_PACKAGES)
    for package in archives.glob("*.deb"):
        _run("dpkg-deb", "-x", str(package), str(UNPACKED))
    _write_wrappers()
    shutil.rmtree(apt)


def _write_wrappers() -> None:
    """Commands that let the unpacked programs find the libraries and fonts unpacked beside them."""
    usr = UNPACKED / "usr"
    found = [
        library for folder in (UNPACKED / "lib", usr / "lib") for library in folder.glob("*-linux-gnu*/**/lib*.so*")
    ]
    libraries = sorted({str(library.parent) for library in found})
    fonts = UNPACKED / "fonts.conf"
    fonts.write_text(
        f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{usr}/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{UNPACKED}/font-cache</cachedir>
  <include ignore_missing="yes">{usr}/share/fontconfig/conf.avail/30-metric-aliases.conf</include>
  <include ignore_missing="yes">{usr}/share/fontconfig/conf.avail/60-latin.conf</include>
</fontconfig>
"""
    )
    for program in ("chromium", SHELL):
        wrapper = UNPACKED / f"run-{program}"
        wrapper.write_text(
            f"""#!/bin/sh
export LD_LIBRARY_PATH="{":".join(libraries)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export FONTCONFIG_FILE="{fonts}"
exec "{usr}/lib/chromium/{program}" "$@"
"""
        )
        wrapper.chmod(0o755)


def _download_with_playwright() -> None:
    print("Downloading Playwright's Chromium for the browser tests.", flush=True)
    _run("env", f"PLAYWRIGHT_BROWSERS_PATH={DOWNLOADED}", sys.executable, "-m", "playwright", "install", "chromium")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if "--package" in sys.argv:
        install_package()
        sys.exit()
    try:
        print(f"The browser tests use {ensure()}.")
    except BrowserMissing as missing:
        sys.exit(str(missing))
