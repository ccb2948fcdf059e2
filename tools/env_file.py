"""Completes `.env` so that a fresh clone starts without a question: a secret key, and keys for the local test mode.

A setting that has a value, in the environment or in `.env`, is never touched. Run as `python -m tools.env_file`, which
also says what is wrong with the settings, if anything is.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values, set_key

from config import SANDBOX_PUBLISHABLE_KEY, SANDBOX_SECRET_KEY, STRIPE_API, ConfigurationError, Settings

ENV_FILE = Path(__file__).parents[1] / ".env"
HEADER = "# Made by `make run`. Every setting is explained in .env.example; the environment wins over this file.\n"

SANDBOX_KEYS = {"STRIPE_SECRET_KEY": SANDBOX_SECRET_KEY, "STRIPE_PUBLISHABLE_KEY": SANDBOX_PUBLISHABLE_KEY}


def settings_in_force(environment: Mapping[str, str], env_file: Path) -> dict[str, str]:
    """What has a value: the environment's own, then the file's."""
    in_file = dotenv_values(env_file) if env_file.exists() else {}
    return {name: value for name, value in (in_file | {k: v for k, v in environment.items() if v}).items() if value}


def missing_settings(present: Mapping[str, str]) -> dict[str, str]:
    """The settings to add, with fresh secrets.

    Nothing is added beside keys of the owner's own: half a pair or a webhook secret that Stripe does not know
    would only hide that something is missing.
    """
    added: dict[str, str] = {}
    if "SECRET_KEY" not in present:
        added["SECRET_KEY"] = secrets.token_hex(32)
    no_other_keys = all(present.get(name, value) == value for name, value in SANDBOX_KEYS.items())
    if no_other_keys:
        added |= {name: value for name, value in SANDBOX_KEYS.items() if name not in present}
    stand_in = no_other_keys or present.get("STRIPE_API_BASE", STRIPE_API) != STRIPE_API
    if "STRIPE_WEBHOOK_SECRET" not in present and stand_in:
        added["STRIPE_WEBHOOK_SECRET"] = f"whsec_{secrets.token_hex(32)}"
    if stand_in and "LOCAL_STAFF_PASSWORD" not in present:
        added["LOCAL_STAFF_PASSWORD"] = secrets.token_urlsafe(12)
    return added


def complete(environment: Mapping[str, str], env_file: Path) -> list[str]:
    """Write what is missing into `env_file`, readable by its owner only. Returns the names written."""
    added = missing_settings(settings_in_force(environment, env_file))
    if added and not env_file.exists():
        with os.fdopen(os.open(env_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(HEADER)
    for name, value in added.items():
        set_key(env_file, name, value, quote_mode="never", follow_symlinks=True)
    if env_file.exists() and env_file.stat().st_uid == os.getuid():
        env_file.chmod(0o600)
    return list(added)


if __name__ == "__main__":
    if written := complete(os.environ, ENV_FILE):
        print(f"Wrote {', '.join(written)} to .env.")
    try:
        Settings.load()
    except ConfigurationError as problems:
        sys.exit(str(problems))
