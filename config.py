"""Settings: every environment variable the store knows, typed. All that is missing or wrong is listed at once."""

from __future__ import annotations

import re
from email.errors import HeaderParseError, ObsoleteHeaderDefect
from email.policy import default
from email.utils import formataddr
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from babel.numbers import list_currencies
from email_validator import EmailNotValidError, validate_email
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).parent

# The newest API version, as pinned by stripe-python 16.1.0, and the Stripe.js release train of the same name.
STRIPE_API_VERSION = "2026-10-28.endive"
STRIPE_JS_TRAIN = STRIPE_API_VERSION.rpartition(".")[2]
STRIPE_API = "https://api.stripe.com"
STRIPE_JS = "https://js.stripe.com"

# The sandbox's default pair, as long as real keys are. Whatever secret key begins with the prefix is meant for it.
SANDBOX_KEY_PREFIX = "sk_test_sandbox"
SANDBOX_SECRET_KEY = f"{SANDBOX_KEY_PREFIX}onyourmachine000001"
SANDBOX_PUBLISHABLE_KEY = SANDBOX_SECRET_KEY.replace("sk_", "pk_", 1)


class ConfigurationError(Exception):
    """The settings do not work. `problems` are sentences, each naming a setting and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("Till cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))


class Settings(BaseSettings):
    """The store's settings, from the environment or `.env`; the environment wins, and an empty value counts as not
    set.
    """

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True
    )

    secret_key: SecretStr = Field(default=SecretStr(""), description="signs the session cookie")
    database_url: str = Field(default=f"sqlite:///{ROOT / 'instance' / 'till.sqlite3'}", repr=False)
    store_name: str = Field(default="Till", min_length=1, max_length=40)
    store_port: int = Field(default=8000, ge=1, le=65535)
    store_currency: str = "usd"
    hold_minutes: int = Field(default=30, ge=1, le=24 * 60)
    max_declines: int = Field(
        default=10, ge=1, le=1000, description="declined cards before a payment is closed for good"
    )
    rate_limit_storage: str = Field(
        default="memory://", description="where orders are counted, memory:// or redis://…", repr=False
    )
    sandbox_port: int = Field(default=4242, ge=1, le=65535)
    proxy_hops: int = Field(default=0, ge=0, le=10, description="trusted proxies in front of the store")
    stripe_secret_key: SecretStr = SecretStr(SANDBOX_SECRET_KEY)
    stripe_publishable_key: str = SANDBOX_PUBLISHABLE_KEY
    stripe_webhook_secret: SecretStr = Field(default=SecretStr(""), description="several are separated by commas")
    stripe_api_base: str = ""
    stripe_js_url: str = ""
    store_url: str = Field(default="", description="the store's own address, for links in mail")
    mail_server: str = Field(default="", description="SMTP; left out, letters are written to instance/mail")
    mail_port: int = Field(default=587, ge=1, le=65535)
    mail_username: str = ""
    mail_password: SecretStr = SecretStr("")
    mail_use_tls: bool = True
    mail_from: str = "Till <till@localhost>"
    merchant_email: str = Field(default="", description="where the store tells of disputes")
    orders_per_hour: int = Field(default=0, ge=0, le=1_000_000, description="that one address or browser may place")
    stripe_receipts: bool = Field(default=False, description="let Stripe mail its own receipt to the shopper")

    @classmethod
    def load(cls, **values: Any) -> Self:
        """Read the settings, with `values` before the environment. Raises ConfigurationError."""
        try:
            return cls(**values)
        except ValidationError as failure:
            raise ConfigurationError([_sentence(problem) for problem in failure.errors()]) from None

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return _mode(self.stripe_secret_key.get_secret_value()) == "live"

    @property
    def uses_sandbox(self) -> bool:
        """Whether the API address is a stand-in for Stripe."""
        return self.stripe_api_base != STRIPE_API

    @property
    def webhook_secrets(self) -> list[str]:
        return _split(self.stripe_webhook_secret)

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 16:
            raise ValueError("must be a random text of 16 characters or more; `make run` writes one into .env")
        return value

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, value: str) -> str:
        """SQLAlchemy 2.1 takes `postgresql://` for psycopg 3; the store is pinned to psycopg2."""
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in ("sqlite", "postgres", "postgresql", "postgresql+psycopg2"):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        url = value if scheme == "sqlite" else f"postgresql+psycopg2://{rest}"
        if not _is_database(url):
            raise ValueError("must be like sqlite:////folder/till.sqlite3 or postgresql://user:password@host:5432/till")
        return url

    @field_validator("rate_limit_storage")
    @classmethod
    def _memory_or_redis(cls, value: str) -> str:
        if value != "memory://" and not _is_address(value, ("redis", "rediss")):
            raise ValueError("must be memory:// or an address such as redis://localhost:6379 (rediss:// with TLS)")
        return value

    @field_validator("store_currency")
    @classmethod
    def _a_currency(cls, value: str) -> str:
        if value.upper() not in list_currencies():
            raise ValueError("must be a three-letter currency code such as usd")
        return value.lower()

    @field_validator("store_url")
    @classmethod
    def _own_address(cls, value: str, info: ValidationInfo) -> str:
        live = _mode(_secret_key(info)) == "live"
        if not value and live:
            raise ValueError("is missing, and a live key needs it: letters lead to their orders with it")
        if live and not _is_address(value, ("https",)):
            raise ValueError("must be an address such as https://your.shop with a live key")
        return _address(value).rstrip("/") if value else f"http://127.0.0.1:{info.data.get('store_port', 8000)}"

    @field_validator("mail_server")
    @classmethod
    def _a_host(cls, value: str, info: ValidationInfo) -> str:
        if not value and _mode(_secret_key(info)) == "live":
            raise ValueError("is missing, and a live key needs it: without it no shopper gets a letter")
        if value and not _is_host(value):
            raise ValueError("must be the name of a host such as smtp.example.com; its port goes into MAIL_PORT")
        return value

    @field_validator("mail_from")
    @classmethod
    def _name_and_address(cls, value: str) -> str:
        """One mailbox, quoted where its name needs it."""
        mailbox = _mailbox(value)
        if mailbox is None:
            raise ValueError("must be like Till <till@example.com>, with one address")
        return formataddr(mailbox)

    @field_validator("merchant_email")
    @classmethod
    def _one_address(cls, value: str, info: ValidationInfo) -> str:
        live = _mode(_secret_key(info)) == "live"
        if not value and live:
            raise ValueError("is missing, and a live key needs it: disputes have a date by which they must be answered")
        name, address = _mailbox(value or "merchant@localhost", reachable=live) or ("", "")
        if name or not address:
            raise ValueError("must be one address such as merchant@example.com")
        return address

    @field_validator("stripe_secret_key")
    @classmethod
    def _a_secret_key(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
            raise ValueError("must begin with sk_test_ or sk_live_ (or rk_ for a restricted key)")
        return value

    @field_validator("orders_per_hour")
    @classmethod
    def _few_when_live(cls, value: int, info: ValidationInfo) -> int:
        """Shoppers order now and then; developers, and what they run against the store, all day."""
        return value or (30 if _mode(_secret_key(info)) == "live" else 100_000)

    @field_validator("stripe_publishable_key")
    @classmethod
    def _of_the_same_mode(cls, value: str, info: ValidationInfo) -> str:
        if not value.startswith(("pk_test_", "pk_live_")):
            raise ValueError("must begin with pk_test_ or pk_live_")
        if (secret := _secret_key(info)) and _mode(secret) != _mode(value):
            raise ValueError(
                f"is a {_mode(value)} key while STRIPE_SECRET_KEY is a {_mode(secret)} key; take both from one mode"
            )
        return value

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _there_when_live(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        secrets = _split(value)
        if any(not secret.startswith("whsec_") for secret in secrets):
            raise ValueError("must begin with whsec_ (several are separated by commas)")
        if not secrets and _mode(_secret_key(info)) == "live":
            raise ValueError("is missing, and a live key needs it: without it no webhook can be believed")
        return value

    @field_validator("stripe_api_base")
    @classmethod
    def _stripe_or_stand_in(cls, value: str, info: ValidationInfo) -> str:
        secret = _secret_key(info)
        if not value:
            stand_in = secret.startswith(SANDBOX_KEY_PREFIX)
            return f"http://127.0.0.1:{info.data.get('sandbox_port', 4242)}" if stand_in else STRIPE_API
        value = _address(value).rstrip("/")
        if value != STRIPE_API and _mode(secret) == "live":
            raise ValueError(f"must be {STRIPE_API} (or left out) with a live key")
        return value

    @field_validator("stripe_js_url")
    @classmethod
    def _script_beside_the_api(cls, value: str, info: ValidationInfo) -> str:
        base = info.data.get("stripe_api_base", STRIPE_API)
        if not value:
            return f"{STRIPE_JS if base == STRIPE_API else base}/{STRIPE_JS_TRAIN}/stripe.js"
        if not _address(value).startswith(f"{STRIPE_JS}/") and _mode(_secret_key(info)) == "live":
            raise ValueError(f"must be on {STRIPE_JS} (or left out) with a live key")
        return value


def _split(value: SecretStr) -> list[str]:
    return [part.strip() for part in value.get_secret_value().split(",") if part.strip()]


def _secret_key(info: ValidationInfo) -> str:
    secret = info.data.get("stripe_secret_key")
    return secret.get_secret_value() if isinstance(secret, SecretStr) else ""


def _mode(key: str) -> str:
    return "live" if key[2:].startswith("_live_") else "test"


def _address(value: str) -> str:
    if not _is_address(value, ("http", "https")):
        raise ValueError("must be an address such as http://127.0.0.1:4242")
    return value


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # of a port that is none
        return False


def _is_host(value: str) -> bool:
    """Whether it is spelled like a name or a number that a connection can be made to; no network is asked."""
    try:
        ip_address(value)
    except ValueError:
        try:
            return re.fullmatch(rb"[\w.-]+", value.encode("idna")) is not None
        except UnicodeError:  # of an empty part, or of one that is too long
            return False
    return True


def _is_database(url: str) -> bool:
    """Whether SQLAlchemy can take it apart, and finds a host only where there can be one."""
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        return False
    if parts.get_backend_name() == "sqlite":
        return not any((parts.host, parts.port, parts.username, parts.password))
    return (parts.host is None or _is_host(parts.host)) and 0 < (parts.port or 5432) < 65536


def _mailbox(value: str, *, reachable: bool = False) -> tuple[str, str] | None:
    """The name, if any, and the one address of `Name <address>` or `address`; None where it is neither. `reachable` is
    an address that others than this machine can know.
    """
    try:
        header = default.header_factory("From", value)
    except (HeaderParseError, ValueError, LookupError, AttributeError, TypeError):  # its reader stumbles in many ways
        return None
    faults = [fault for fault in header.defects if not isinstance(fault, ObsoleteHeaderDefect)]  # a dot in a name
    group = any(group.display_name is not None for group in header.groups)
    if not value.isprintable() or faults or group or len(header.addresses) != 1:
        return None
    (found,) = header.addresses
    address = _mail_address(found.username, found.domain, reachable)
    return (found.display_name, address) if address else None


def _mail_address(local: str, domain: str, reachable: bool) -> str | None:
    """In plain ASCII: not every mail server takes another part before the @."""
    beyond = reachable or not _is_host(domain)
    try:
        email = validate_email(
            f"{local}@{domain if beyond else 'example.com'}", check_deliverability=False, allow_smtputf8=False
        )
    except EmailNotValidError:
        return None
    return email.ascii_email if beyond else f"{email.ascii_local_part}@{domain.encode('idna').decode()}"


def _sentence(problem: Any) -> str:
    """One line for a problem; never the value, which may be a secret."""
    name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
    text = problem["msg"].removeprefix("Value error, ")
    return f"{name} {text[:1].lower()}{text[1:]}."
