"""The settings are typed, complete, and refuse what would lose money, all problems at once."""

from typing import Any

import pytest
import stripe

from config import STRIPE_API_VERSION, STRIPE_JS_TRAIN, ConfigurationError, Settings

GOOD = {"secret_key": "a-secret-that-is-long-enough", "_env_file": None}
LIVE = {
    **GOOD,
    "stripe_secret_key": "sk_live_abc",
    "stripe_publishable_key": "pk_live_abc",
    "stripe_webhook_secret": "whsec_abc",
}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def problems(**values: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        Settings.load(**{**GOOD, **values})
    return refusal.value.problems


def test_without_keys_everything_points_at_the_sandbox() -> None:
    settings = Settings.load(**GOOD)

    assert settings.uses_sandbox
    assert not settings.live
    assert settings.stripe_api_base == "http://127.0.0.1:4242"
    assert settings.stripe_js_url == "http://127.0.0.1:4242/endive/stripe.js"


def test_the_sandbox_port_moves_both_addresses() -> None:
    settings = Settings.load(**GOOD, sandbox_port=4999)

    assert settings.stripe_api_base == "http://127.0.0.1:4999"
    assert settings.stripe_js_url == "http://127.0.0.1:4999/endive/stripe.js"


@pytest.mark.parametrize("mode", ["test", "live"])
def test_real_keys_are_the_only_change_it_takes_to_talk_to_stripe(mode: str) -> None:
    settings = Settings.load(
        **GOOD,
        stripe_secret_key=f"sk_{mode}_51Abc",
        stripe_publishable_key=f"pk_{mode}_51Abc",
        stripe_webhook_secret="whsec_abc",
    )

    assert not settings.uses_sandbox
    assert settings.stripe_api_base == "https://api.stripe.com"
    assert settings.stripe_js_url == "https://js.stripe.com/endive/stripe.js"
    assert settings.live is (mode == "live")


def test_the_api_version_is_the_one_the_sdk_pins_and_names_the_train_of_stripe_js() -> None:
    assert stripe.api_version == STRIPE_API_VERSION
    assert STRIPE_JS_TRAIN == "endive"


@pytest.mark.parametrize(
    ("setting", "address"),
    [("stripe_api_base", "http://127.0.0.1:4242"), ("stripe_js_url", "http://127.0.0.1:4242/endive/stripe.js")],
)
def test_a_live_key_is_refused_with_a_stand_in(setting: str, address: str) -> None:
    assert any(setting.upper() in problem for problem in problems(**LIVE, **{setting: address}))


def test_keys_of_two_modes_are_refused() -> None:
    assert "STRIPE_PUBLISHABLE_KEY is a test key while STRIPE_SECRET_KEY is a live key" in " ".join(
        problems(**{**LIVE, "stripe_publishable_key": "pk_test_abc"})
    )


def test_a_live_key_without_a_webhook_secret_is_refused() -> None:
    assert "STRIPE_WEBHOOK_SECRET is missing" in " ".join(problems(**{**LIVE, "stripe_webhook_secret": ""}))


def test_several_webhook_secrets_are_taken_for_rotation() -> None:
    settings = Settings.load(**GOOD, stripe_webhook_secret="whsec_new, whsec_old")

    assert settings.webhook_secrets == ["whsec_new", "whsec_old"]


def test_all_problems_are_listed_at_once_and_none_shows_a_secret() -> None:
    found = problems(
        secret_key="short",
        database_url="mysql://x",
        store_currency="dollars",
        hold_minutes="soon",
        stripe_secret_key="pk_test_wrong_way_round",
        stripe_publishable_key="sk_test_wrong_way_round",
        stripe_webhook_secret="not-a-secret-of-stripe",
        stripe_api_base="somewhere",
    )

    assert [problem.split()[0] for problem in found] == [
        "SECRET_KEY",
        "DATABASE_URL",
        "STORE_CURRENCY",
        "HOLD_MINUTES",
        "STRIPE_SECRET_KEY",
        "STRIPE_PUBLISHABLE_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "STRIPE_API_BASE",
    ]
    assert "wrong_way_round" not in " ".join(found)
    assert "not-a-secret-of-stripe" not in " ".join(found)


@pytest.mark.parametrize("value", ["0", "-1", "1441", "1.5", "ten", "9" * 30])
def test_a_hold_is_a_whole_number_of_minutes_within_a_day(value: str) -> None:
    assert problems(hold_minutes=value)[0].startswith("HOLD_MINUTES")


@pytest.mark.parametrize("setting", ["stripe_api_base", "store_url", "rate_limit_storage"])
@pytest.mark.parametrize(
    "value", ["x", "://", "memcached://localhost", "redis://", "http://", "http://h:x", "redis://h:99999"]
)
def test_an_address_is_a_scheme_and_a_host_and_a_port_if_any(setting: str, value: str) -> None:
    (problem,) = problems(**{setting: value})

    assert problem.startswith(f"{setting.upper()} must be ")


@pytest.mark.parametrize("value", ["memory://", "redis://localhost", "rediss://till:hush@redis.test:6380/1"])
def test_orders_are_counted_in_memory_or_in_redis(value: str) -> None:
    assert Settings.load(**GOOD, rate_limit_storage=value).rate_limit_storage == value


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_postgresql_address_gets_the_driver_that_is_pinned(scheme: str) -> None:
    settings = Settings.load(**GOOD, database_url=f"{scheme}://till@localhost/till")

    assert settings.database_url == "postgresql+psycopg2://till@localhost/till"


def test_the_environment_wins_over_the_file_and_empty_counts_as_not_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    file = tmp_path / ".env"
    file.write_text("HOLD_MINUTES=11\nSTORE_CURRENCY=eur\nSTORE_PORT=\n")
    monkeypatch.setenv("HOLD_MINUTES", "22")
    monkeypatch.setenv("STORE_CURRENCY", "")

    settings = Settings.load(secret_key=GOOD["secret_key"], _env_file=file)

    assert (settings.hold_minutes, settings.store_currency, settings.store_port) == (22, "eur", 8000)


def test_no_secret_is_in_the_text_of_the_settings() -> None:
    text = repr(Settings.load(**LIVE, database_url="postgresql://till:hush@localhost/till"))

    assert "sk_live_abc" not in text
    assert "whsec_abc" not in text
    assert "hush" not in text
