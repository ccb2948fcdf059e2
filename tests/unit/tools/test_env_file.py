"""A first start fills in what is missing, and never touches what the owner chose."""

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from config import SANDBOX_PUBLISHABLE_KEY, SANDBOX_SECRET_KEY, Settings
from tools.env_file import complete, missing_settings

ALL = {"SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET", "LOCAL_STAFF_PASSWORD"}


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_a_fresh_clone_gets_settings_that_work(env_file: Path) -> None:
    written = complete({}, env_file)

    values = {name.lower(): value for name, value in dotenv_values(env_file).items()}
    assert set(written) == ALL
    assert Settings.load(**values).uses_sandbox


def test_the_secrets_are_new_each_time_and_for_their_owner_only(env_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.env"

    complete({}, env_file)
    complete({}, other)

    assert dotenv_values(env_file)["SECRET_KEY"] != dotenv_values(other)["SECRET_KEY"]
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_an_env_file_that_others_could_read_is_made_private(env_file: Path) -> None:
    env_file.write_text("STORE_NAME=Corner Shop\n")
    env_file.chmod(0o644)

    complete({}, env_file)

    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_a_second_start_changes_nothing(env_file: Path) -> None:
    complete({}, env_file)
    before = env_file.read_text()

    written = complete({}, env_file)

    assert written == []
    assert env_file.read_text() == before


def test_settings_of_the_owner_stay_unchanged(env_file: Path) -> None:
    env_file.write_text("# my shop\nSTORE_NAME='Corner Shop'\nSECRET_KEY=chosen-by-the-owner")

    complete({}, env_file)

    text = env_file.read_text()
    assert text.startswith("# my shop\nSTORE_NAME='Corner Shop'\nSECRET_KEY=chosen-by-the-owner\n")
    assert text.count("SECRET_KEY=chosen-by-the-owner") == 1


def test_the_environment_wins(env_file: Path) -> None:
    written = complete({"SECRET_KEY": "from-the-environment"}, env_file)

    assert "SECRET_KEY" not in written


def test_an_empty_value_is_filled_in(env_file: Path) -> None:
    env_file.write_text("SECRET_KEY=\n")

    written = complete({"STRIPE_WEBHOOK_SECRET": ""}, env_file)

    assert set(written) == ALL
    assert dotenv_values(env_file)["SECRET_KEY"]


@pytest.mark.parametrize("key", ["sk_test_51Owner", "sk_live_51Owner"])
def test_nothing_is_invented_beside_the_owners_own_keys(key: str) -> None:
    added = missing_settings({"STRIPE_SECRET_KEY": key})

    assert set(added) == {"SECRET_KEY"}


def test_half_of_the_sandboxs_keys_is_completed() -> None:
    added = missing_settings({"STRIPE_SECRET_KEY": SANDBOX_SECRET_KEY})

    assert added["STRIPE_PUBLISHABLE_KEY"] == SANDBOX_PUBLISHABLE_KEY


def test_a_sandbox_address_needs_a_webhook_secret() -> None:
    present = {"STRIPE_SECRET_KEY": "sk_test_team", "STRIPE_PUBLISHABLE_KEY": "pk_test_team"}

    added = missing_settings(present | {"STRIPE_API_BASE": "http://127.0.0.1:4242"})

    assert set(added) == {"SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "LOCAL_STAFF_PASSWORD"}
