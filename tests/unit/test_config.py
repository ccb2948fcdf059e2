"""The settings are typed, complete, and refuse what would lose money, all problems at once."""

import re
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
import stripe

from config import ROOT, STRIPE_API_VERSION, STRIPE_JS_TRAIN, ConfigurationError, Settings
from store.gateway.port import Email
from store.gateway.smtp_mailer import compose

GOOD = {"secret_key": "a-secret-that-is-long-enough", "_env_file": None}
LIVE = {
    **GOOD,
    "stripe_secret_key": "sk_live_abc",
    "stripe_publishable_key": "pk_live_abc",
    "stripe_webhook_secret": "whsec_abc",
    "store_url": "https://till.example.com",
    "mail_server": "smtp.example.com",
    "merchant_email": "owner@example.com",
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


def test_a_test_shop_sells_from_somewhere_and_a_live_one_says_where() -> None:
    test, live = Settings.load(**GOOD), Settings.load(**LIVE)
    told = Settings.load(**LIVE, seller_name="Till GmbH", seller_address=" 12 Market Street ;;10115 Berlin; Germany")

    assert (test.seller, test.seller_lines) == ("Till", ["1 Test Street", "00000 Testville"])
    assert (live.seller, live.seller_lines) == ("Till", [])
    assert (told.seller, told.seller_lines) == ("Till GmbH", ["12 Market Street", "10115 Berlin", "Germany"])
    wrong = ["SELLER_ADDRESS must be like 12 Market Street; 10115 Berlin; Germany."]
    assert problems(seller_address="; ".join("abcdefghi")) == wrong
    assert problems(seller_address="x" * 101) == wrong


@pytest.mark.parametrize("mode", ["test", "live"])
def test_real_keys_are_the_only_change_it_takes_to_talk_to_stripe(mode: str) -> None:
    keys = {"stripe_secret_key": f"sk_{mode}_51Abc", "stripe_publishable_key": f"pk_{mode}_51Abc"}
    settings = Settings.load(**{**LIVE, **keys})

    assert not settings.uses_sandbox
    assert settings.stripe_api_base == "https://api.stripe.com"
    assert settings.stripe_js_url == "https://js.stripe.com/endive/stripe.js"
    assert settings.live is (mode == "live")


def test_the_api_version_is_the_sdks_and_names_the_train_of_stripe_js() -> None:
    assert stripe.api_version == STRIPE_API_VERSION
    assert STRIPE_JS_TRAIN == "endive"


@pytest.mark.parametrize(
    ("setting", "address"),
    [("stripe_api_base", "http://127.0.0.1:4242"), ("stripe_js_url", "http://127.0.0.1:4242/endive/stripe.js")],
)
def test_a_live_key_is_refused_with_a_sandbox_address(setting: str, address: str) -> None:
    assert any(setting.upper() in problem for problem in problems(**LIVE, **{setting: address}))


def test_keys_of_two_modes_are_refused() -> None:
    assert "STRIPE_PUBLISHABLE_KEY is a test key while STRIPE_SECRET_KEY is a live key" in " ".join(
        problems(**{**LIVE, "stripe_publishable_key": "pk_test_abc"})
    )


@pytest.mark.parametrize(
    ("secret", "publishable"),
    [
        ("sk_test_51RvUSQA1BSnPghSQaaaaaaaa", "pk_test_51RvUSQA1BSnPghSXaaaaaaaa"),
        ("rk_live_51RvUSQA1BSnPghSQaaaaaaaa", "pk_live_51AvUSQA1BSnPghSQaaaaaaaa"),
        ("sk_test_sandbox", "pk_test_mine"),
    ],
)
def test_keys_of_two_accounts_are_refused(secret: str, publishable: str) -> None:
    (problem,) = problems(**{**LIVE, "stripe_secret_key": secret, "stripe_publishable_key": publishable})

    assert problem.startswith("STRIPE_PUBLISHABLE_KEY belongs to another account than STRIPE_SECRET_KEY")


@pytest.mark.parametrize(
    ("secret", "publishable"),
    [
        ("sk_test_51RvUSQA1BSnPghSQaaaaaaaa", "pk_test_51RvUSQA1BSnPghSQbbbbbbbb"),
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", "pk_test_TYooMQauvdEDq54NiTphI7jx"),
        ("sk_test_team", "pk_test_team"),
    ],
)
def test_keys_that_may_be_of_one_account_are_taken(secret: str, publishable: str) -> None:
    settings = Settings.load(**GOOD, stripe_secret_key=secret, stripe_publishable_key=publishable)

    assert settings.stripe_publishable_key == publishable


@pytest.mark.parametrize(
    ("secret", "account"),
    [
        ("sk_test_51RvUSQA1BSnPghSQaaaaaaaa", "acct_1RvUSQA1BSnPghSQ"),
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", ""),
    ],
)
def test_a_key_of_today_names_its_account(secret: str, account: str) -> None:
    publishable = secret.replace("sk_", "pk_", 1)

    settings = Settings.load(**GOOD, stripe_secret_key=secret, stripe_publishable_key=publishable)

    assert settings.stripe_account_id == account


def test_a_secret_key_alone_is_half_a_pair() -> None:
    (problem,) = problems(stripe_secret_key="sk_test_51RvUSQA1BSnPghSQaaaaaaaa")

    assert problem.startswith("STRIPE_PUBLISHABLE_KEY is missing")


def test_a_live_key_without_a_webhook_secret_is_refused() -> None:
    assert "STRIPE_WEBHOOK_SECRET is missing" in " ".join(problems(**{**LIVE, "stripe_webhook_secret": ""}))


@pytest.mark.parametrize("setting", ["STORE_URL", "MAIL_SERVER", "MERCHANT_EMAIL"])
def test_a_live_key_is_refused_where_no_email_could_lead_to_an_order(setting: str) -> None:
    (problem,) = problems(**{**LIVE, setting.lower(): ""})

    assert problem.startswith(f"{setting} is missing, and a live key needs it: ")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("store_url", "http://till.example.com"),
        ("store_url", "https://"),
        ("merchant_email", "merchant@localhost"),
        ("merchant_email", "owner@till.local"),
    ],
)
def test_an_unreachable_address_is_refused_with_a_live_key(setting: str, value: str) -> None:
    (problem,) = problems(**{**LIVE, setting: value})

    assert problem.startswith(f"{setting.upper()} must be ")
    assert value not in problem or value == "https://"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("mail_from", "Shop <shop@"),
        ("mail_from", "till@shop.test, owner@shop.test"),
        ("mail_from", "Till, Inc <till@shop.test>"),
        ("mail_from", "The till"),
        ("mail_from", "Till <till@shop..test>"),
        ("mail_from", "Till\r\nBcc: <till@shop.test>"),
        ("mail_from", "Team: till@shop.test;"),
        ("mail_from", '()(<"@-;ab'),
        ("mail_from", "tïll@shop.test"),
        ("merchant_email", "me@shop.test, you@shop.test"),
        ("merchant_email", "Owner <me@shop.test>"),
        ("merchant_email", "me at shop.test"),
        ("merchant_email", "me@"),
        ("mail_server", "shop..test"),
        ("mail_server", "smtp.shop.test:587"),
        ("mail_server", "smtp://shop.test"),
        ("mail_server", "smtp shop"),
        ("mail_server", "x" * 64),
        ("store_url", "http://shop..test"),
    ],
)
def test_unusable_mail_settings_are_refused_and_not_shown(setting: str, value: str) -> None:
    (problem,) = problems(**{setting: value})

    assert problem.startswith(f"{setting.upper()} must be ")
    assert value not in problem


@pytest.mark.parametrize(
    ("value", "mailbox"),
    [
        ("Till <till@localhost>", "Till <till@localhost>"),
        ("till@shop.test", "till@shop.test"),
        ('"Till, Inc" <till@shop.test>', '"Till, Inc" <till@shop.test>'),
        ("St. Mary's <till@shop.test>", '"St. Mary\'s" <till@shop.test>'),
        ("Café <till@shop.test>", "=?utf-8?b?Q2Fmw6k=?= <till@shop.test>"),
        ("Till <till@bücher.example>", "Till <till@xn--bcher-kva.example>"),
    ],
)
def test_the_sender_is_a_name_and_an_address(value: str, mailbox: str) -> None:
    settings = Settings.load(**GOOD, mail_from=value)

    assert settings.mail_from == mailbox
    assert from_header(settings.mail_from) == str(default.header_factory("From", mailbox))


def from_header(sender: str) -> str:
    """Who sent a mail, as its reader sees it."""
    message = compose(Email("any", "ada@example.com", "<1@till>", {}), sender, lambda _template, _facts: "Subject")
    return str(message_from_bytes(message.as_bytes(), policy=default)["From"])


@pytest.mark.parametrize("value", ["localhost", "127.0.0.1", "::1", "smtp.shop.test", "mail_1", "bücher.example"])
def test_a_mail_server_has_a_name_or_a_number(value: str) -> None:
    assert Settings.load(**GOOD, mail_server=value).mail_server == value


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://till:hush@shop:abc/till",
        "postgresql://till:hush@shop:99999/till",
        "postgresql://till:hush@shop..test/till",
        "sqlite://hush",
        "sqlite://hush/till",
        "sqlite:hush",
    ],
)
def test_an_invalid_database_url_is_refused_and_not_shown(value: str) -> None:
    (problem,) = problems(database_url=value)

    assert problem.startswith("DATABASE_URL must ")
    assert "hush" not in problem


@pytest.mark.parametrize("value", ["sqlite:///till.sqlite3", "sqlite:////var/till.sqlite3", "sqlite://"])
def test_sqlite_is_a_file(value: str) -> None:
    assert Settings.load(**GOOD, database_url=value).database_url == value


def test_a_postgresql_socket_has_no_host() -> None:
    url = "postgresql+psycopg2:///till?host=/var/run/postgresql"

    assert Settings.load(**GOOD, database_url=url).database_url == url


def test_blanks_around_a_setting_are_no_part_of_it() -> None:
    padded = {name: f" \t{value}\r\n" for name, value in LIVE.items() if name != "_env_file"}

    settings = Settings.load(_env_file=None, **padded, hold_minutes=" 20 ", mail_username="  ")

    assert settings.stripe_secret_key.get_secret_value() == "sk_live_abc"
    assert settings.webhook_secrets == ["whsec_abc"]
    assert settings.store_url == "https://till.example.com"
    assert (settings.hold_minutes, settings.mail_username) == (20, "")


@pytest.mark.parametrize("name", ["stripe_secret_key", "stripe_publishable_key", "stripe_webhook_secret", "secret_key"])
@pytest.mark.parametrize("break_", ["\n", "\r", "\u2028", "\u200b"])
def test_a_key_in_two_lines_is_refused_and_not_shown(name: str, break_: str) -> None:
    value = f"{LIVE[name]}{break_}abcdefgh"

    found = problems(**{**LIVE, name: value})

    assert f"{name.upper()} must be one line, without line breaks or other invisible characters." in found
    assert "abcdefgh" not in " ".join(found)


@pytest.mark.parametrize("value", ["sk_test_abc def", "sk_test_abc;", '"sk_test_abc"', "sk_test_"])
def test_a_key_is_alphanumeric(value: str) -> None:
    assert problems(stripe_secret_key=value)[0].startswith("STRIPE_SECRET_KEY must be")


def test_placeholders_of_the_example_file_are_refused_by_name() -> None:
    shown = dict(re.findall(r"^# ([A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    invented = ["STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET", "DATABASE_URL"]
    invented += ["MAIL_SERVER", "MAIL_FROM", "MERCHANT_EMAIL"]

    found = problems(**{name.lower(): value for name, value in shown.items()})

    named = [problem.split()[0] for problem in found if "is still the example" in problem]
    assert sorted(named) == sorted(invented)
    assert set(shown) | {
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "MAIL_USERNAME",
        "MAIL_PASSWORD",
        "LOCAL_STAFF_PASSWORD",
    } == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("value", ["sk_test_your_key_here", "sk_test_xxxxxxxx", "<your secret key>"])
def test_placeholders_of_other_guides_are_refused(value: str) -> None:
    assert problems(stripe_secret_key=value)[0].startswith("STRIPE_SECRET_KEY is still the example")


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, True),
        ({"proxy_hops": 1}, False),
        ({"proxy_hops": 0}, False),
        ({"stripe_secret_key": "sk_test_abc", "stripe_publishable_key": "pk_test_abc"}, False),
    ],
)
def test_a_shop_behind_an_unconfigured_proxy_is_warned(changes: dict[str, Any], warned: bool) -> None:
    warnings = Settings.load(**{**LIVE, **changes}).warnings

    assert [warning.split()[0] for warning in warnings] == ["PROXY_HOPS"] * warned


@pytest.mark.parametrize(
    ("value", "address", "path"),
    [
        ("https://Till.Example.com/", "https://till.example.com", ""),
        ("https://host.example/till/", "https://host.example/till", "/till"),
    ],
)
def test_the_store_may_run_under_a_path(value: str, address: str, path: str) -> None:
    settings = Settings.load(**GOOD, store_url=value)

    assert (settings.store_url, settings.path_prefix) == (address, path)


@pytest.mark.parametrize("value", ["https://a@host.example", "https://host.example/?a=1", "https://host.example//x"])
def test_the_address_of_the_store_is_an_address_alone(value: str) -> None:
    assert problems(store_url=value)[0].startswith("STORE_URL must be an address alone")


def test_the_newest_key_signs_and_all_are_good() -> None:
    settings = Settings.load(**GOOD, secret_key_fallbacks="the-one-before, the-oldest-of-all")

    assert settings.signing_keys == ["the-oldest-of-all", "the-one-before", GOOD["secret_key"]]


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
def test_a_reservation_is_a_whole_number_of_minutes_within_a_day(value: str) -> None:
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
