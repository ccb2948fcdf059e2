"""Settings: every environment variable the store knows, typed. All that is missing or wrong is listed at once."""

from __future__ import annotations

import re
from email.utils import formataddr
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from babel.numbers import list_currencies
from pydantic import (
    AfterValidator,
    AnyUrl,
    Field,
    NameEmail,
    SecretStr,
    TypeAdapter,
    UrlConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
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

# What .env.example shows, and what people leave standing in a value that they meant to fill in.
_PLACEHOLDER = re.compile(
    r"^([spr]k_\w+|whsec_)?(\.\.\.|…)$|^([spr]k|whsec)_\w*(your_|_x{3,40}$)|[@.]your-shop\.example\b"
    r"|//user:password@host\b|^<[^@]*>$",
    re.IGNORECASE,
)
# Today's keys begin with 5 and the account's id without its acct_; older ones, of 24 characters, do not name it.
_ACCOUNT_IN_KEY = re.compile(r"[spr]k_[a-z]+_5(1[A-Za-z0-9]{15})")
_HOST = r"^(([\w-]{1,63}\.)*[\w-]{1,63}\.?|[0-9A-Fa-f]*(:[0-9A-Fa-f]*){2,7})$"  # a name, or a number of IPv4 or IPv6
_NEEDED_BY_A_LIVE_KEY = {
    "stripe_webhook_secret": "without it no webhook can be believed",
    "store_url": "mails link to their orders with it",
    "mail_server": "without it no shopper gets a mail",
    "merchant_email": "disputes have a date by which they must be answered, and reviews wait for a person",
}


class _Unfit(ValueError):
    """The value is not what the field's description says."""


def _web_address(value: str, *schemes: str) -> str:
    """As browsers spell it, without a slash at its end; empty stays empty."""
    constraints = UrlConstraints(allowed_schemes=list(schemes or ("http", "https")), host_required=True)
    try:
        url = TypeAdapter(Annotated[AnyUrl, constraints]).validate_python(value) if value else None
    except ValidationError:
        raise _Unfit from None
    if url and not _is_reachable(url.host, url.port):
        raise _Unfit
    return str(url or "").rstrip("/")


def _host(value: str) -> str:
    if value and not re.match(_HOST, value):
        raise _Unfit
    return value


def _memory_or_redis(value: str) -> str:
    if value != "memory://":
        _web_address(value, "redis", "rediss")
    return value


def _is_reachable(host: str | None, port: int | None) -> bool:
    """Whether a connection can be made there as far as the spelling says; no network is asked."""
    return re.match(_HOST, (host or "").strip("[]")) is not None and (port is None or 0 < port < 65536)


def _with_driver(value: str) -> str:
    """SQLAlchemy 2.1 takes `postgresql://` for psycopg 3; the store is pinned to psycopg2."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in ("sqlite", "postgres", "postgresql", "postgresql+psycopg2"):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    url = value if scheme == "sqlite" else f"postgresql+psycopg2://{rest}"
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        raise _Unfit from None
    elsewhere = parts.host or parts.port or parts.username or parts.password
    if elsewhere if scheme == "sqlite" else not _is_reachable(parts.host or "localhost", parts.port):
        raise _Unfit
    return url


def _currency(value: str) -> str:
    if value.upper() not in list_currencies():
        raise _Unfit
    return value.lower()


def _address_lines(value: str) -> str:
    """Up to eight lines, separated by semicolons."""
    lines = [line.strip() for line in value.split(";") if line.strip()]
    if len(lines) > 8 or any(len(line) > 100 for line in lines):
        raise _Unfit
    return "; ".join(lines)


def _whole_number(default: int, *, first: int, last: int) -> Any:
    return Field(default=default, ge=first, le=last, description=f"a whole number from {first} to {last}")


# The types of settings. A description ends the sentence about a value that is none: "STORE_PORT must be a port …".
Port = Annotated[int, Field(ge=1, le=65535, description="a port from 1 to 65535")]
Flag = Annotated[bool, Field(description="true or false")]
ShortName = Annotated[str, Field(max_length=40, description="a name of 40 characters at the most")]
Host = Annotated[
    str,
    AfterValidator(_host),  # a `pattern` of Pydantic's would take 30 ms to compile at each start
    Field(description="the name of a host such as smtp.example.com; its port goes into MAIL_PORT"),
]
WebAddress = Annotated[str, AfterValidator(_web_address), Field(description="an address such as http://127.0.0.1:4242")]
Currency = Annotated[str, AfterValidator(_currency), Field(description="a three-letter currency code such as usd")]
TaxSource = Annotated[Literal["own", "stripe"], Field(description="own or stripe")]
SellerLines = Annotated[
    str, AfterValidator(_address_lines), Field(description="like 12 Market Street; 10115 Berlin; Germany")
]
PaymentForm = Annotated[Literal["card", "payment_element"], Field(description="card or payment_element")]
Capture = Annotated[Literal["on_payment", "on_shipping"], Field(description="on_payment or on_shipping")]
Counter = Annotated[
    str,
    AfterValidator(_memory_or_redis),
    Field(description="memory:// or an address such as redis://localhost:6379 (rediss:// with TLS)"),
]
DatabaseAddress = Annotated[
    str,
    AfterValidator(_with_driver),
    Field(description="like sqlite:////folder/till.sqlite3 or postgresql://user:password@host:5432/till"),
]
SigningKey = Annotated[
    SecretStr,
    Field(min_length=16, description="a random text of 16 characters or more; `make run` writes one into .env"),
]


class ConfigurationError(Exception):
    """The settings do not work. `problems` are sentences, each naming a setting and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("Till cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))


class Settings(BaseSettings):
    """The store's settings, from the environment or `.env`; the environment wins, an empty value counts as not set, and
    blanks around a value are no part of it.
    """

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True
    )

    # Signs cookies, forms and the links in mail; the fallbacks are older ones, whose signatures are still good.
    secret_key: SigningKey = SecretStr("")
    secret_key_fallbacks: SecretStr = SecretStr("")
    database_url: DatabaseAddress = Field(default=f"sqlite:///{ROOT / 'instance' / 'till.sqlite3'}", repr=False)
    store_name: ShortName = "Till"
    store_port: Port = 8000
    store_currency: Currency = "usd"
    hold_minutes: int = _whole_number(30, first=1, last=24 * 60)
    max_declines: int = _whole_number(10, first=1, last=1000)  # after which an order is cancelled
    rate_limit_storage: Counter = Field(default="memory://", repr=False)  # where orders and declines are counted
    sandbox_port: Port = 4242
    proxy_hops: int = _whole_number(0, first=0, last=10)  # trusted proxies in front of the store
    stripe_secret_key: SecretStr = SecretStr(SANDBOX_SECRET_KEY)
    stripe_publishable_key: str = SANDBOX_PUBLISHABLE_KEY
    stripe_webhook_secret: SecretStr = SecretStr("")  # several are separated by commas
    stripe_api_base: WebAddress = ""
    stripe_js_url: WebAddress = ""
    store_url: WebAddress = ""  # the store's own address, for links in mail; its path, if any, begins every address
    mail_server: Host = ""
    mail_port: Port = 587
    mail_username: str = ""
    mail_password: SecretStr = SecretStr("")
    mail_use_tls: Flag = True
    mail_from: str = Field(
        default="Till <till@localhost>", description="like Till <till@example.com>, with one address"
    )
    merchant_email: str = Field(default="", description="one address such as merchant@example.com")
    orders_per_hour: int = _whole_number(0, first=0, last=1_000_000)  # of one address, browser or e-mail
    declines_per_hour: int = _whole_number(0, first=0, last=1_000_000)  # on all of these orders
    local_staff_password: SecretStr = SecretStr("")  # of the account that `make run` makes; never with a live key
    stripe_receipts: Flag = False  # whether Stripe mails its own receipt to the shopper
    payment_form: PaymentForm = "card"  # what takes the card on the payment page: Stripe's Card or Payment Element
    capture: Capture = "on_payment"  # when a card is charged: at once, or when the order is shipped
    # Who sells, for invoices; without a name it is the store's. None are issued while there is no address.
    seller_name: str = Field(default="", max_length=120, description="a name of 120 characters at the most")
    seller_address: SellerLines = ""
    seller_vat_number: str = Field(default="", max_length=40, description="a number of 40 characters at the most")
    taxes: TaxSource = "own"  # the rates in the store's database, or Stripe Tax

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
        return _is_live(self.stripe_secret_key.get_secret_value())

    @property
    def stripe_account_id(self) -> str:
        """The account that STRIPE_SECRET_KEY names; empty text when it names none, as older keys do."""
        named = _ACCOUNT_IN_KEY.match(self.stripe_secret_key.get_secret_value())
        return f"acct_{named[1]}" if named else ""

    @property
    def uses_sandbox(self) -> bool:
        """Whether the API address is a stand-in for Stripe."""
        return self.stripe_api_base != STRIPE_API

    @property
    def webhook_secrets(self) -> list[str]:
        return _split(self.stripe_webhook_secret)

    @property
    def signing_keys(self) -> list[str]:
        """What signatures are checked with, oldest first; the last one signs."""
        return [*reversed(_split(self.secret_key_fallbacks)), self.secret_key.get_secret_value()]

    @property
    def path_prefix(self) -> str:
        """The path under which the store is served, such as `/till`; empty at the root of its address."""
        return urlsplit(self.store_url).path

    @property
    def seller(self) -> str:
        """Who sells, as invoices name them."""
        return self.seller_name or self.store_name

    @property
    def seller_lines(self) -> list[str]:
        """The address of whoever sells; empty where a live shop has not said it yet."""
        return self.seller_address.split("; ") if self.seller_address else []

    @property
    def warnings(self) -> list[str]:
        """Sentences about settings that work and are probably not meant."""
        found = []
        if self.live and self.store_url.startswith("https:") and "proxy_hops" not in self.model_fields_set:
            found.append(
                "PROXY_HOPS is not set while STORE_URL is https: something in front of the store takes the encrypted "
                "connections, and without its number all shoppers share one address and its limit of orders. Set it to "
                "the number of proxies, usually 1 (0 if there are none)."
            )
        return found

    @field_validator("*", mode="before")
    @classmethod
    def _one_tidy_line(cls, value: Any, info: ValidationInfo) -> Any:
        """Without blanks around it; a value that is blank is the default, unless a live key needs one."""
        name = str(info.field_name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            return value
        text = text.strip()
        if not text.isprintable():
            raise ValueError("must be one line, without line breaks or other invisible characters")
        if _PLACEHOLDER.search(text) and name != "mail_password":
            raise ValueError("is still the example of .env.example; put your own value there, or leave it out")
        if not text and _live_beside(info) and name in _NEEDED_BY_A_LIVE_KEY:
            raise ValueError(f"is missing, and a live key needs it: {_NEEDED_BY_A_LIVE_KEY[name]}")
        return text or cls.model_fields[name].default

    @field_validator("stripe_secret_key")
    @classmethod
    def _a_secret_key(cls, value: SecretStr) -> SecretStr:
        _check_key(value.get_secret_value(), "sk_test_", "sk_live_", "rk_test_", "rk_live_")
        return value

    @field_validator("stripe_publishable_key")
    @classmethod
    def _of_the_same_account(cls, value: str, info: ValidationInfo) -> str:
        _check_key(value, "pk_test_", "pk_live_")
        secret = _secret_key(info)
        if secret and _is_live(secret) != _is_live(value):
            ours, other = ("live", "test") if _is_live(value) else ("test", "live")
            raise ValueError(f"is a {ours} key while STRIPE_SECRET_KEY is a {other} key; take both from one mode")
        if value == SANDBOX_PUBLISHABLE_KEY and secret != SANDBOX_SECRET_KEY:
            raise ValueError("is missing; take it from the page that STRIPE_SECRET_KEY is from")
        accounts = {found[1] for found in map(_ACCOUNT_IN_KEY.match, (secret, value)) if found}
        of_two_sandboxes = secret.startswith(SANDBOX_KEY_PREFIX) and secret[2:] != value[2:]
        if len(accounts) > 1 or of_two_sandboxes:
            raise ValueError("belongs to another account than STRIPE_SECRET_KEY; take both from one account")
        return value

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _webhook_secrets(cls, value: SecretStr) -> SecretStr:
        for secret in _split(value):
            if not secret.startswith("whsec_"):
                raise ValueError("must begin with whsec_ (several are separated by commas)")
            if not re.fullmatch(r"[\w+/=-]+", secret, re.ASCII):
                raise ValueError("must be the secret alone: letters and digits after whsec_")
        return value

    @field_validator("stripe_api_base")
    @classmethod
    def _stripe_or_stand_in(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            stand_in = _secret_key(info).startswith(SANDBOX_KEY_PREFIX)
            return f"http://127.0.0.1:{info.data.get('sandbox_port', 4242)}" if stand_in else STRIPE_API
        if value != STRIPE_API and _live_beside(info):
            raise ValueError(f"must be {STRIPE_API} (or left out) with a live key")
        return value

    @field_validator("stripe_js_url")
    @classmethod
    def _script_beside_the_api(cls, value: str, info: ValidationInfo) -> str:
        base = info.data.get("stripe_api_base", STRIPE_API)
        if not value:
            return f"{STRIPE_JS if base == STRIPE_API else base}/{STRIPE_JS_TRAIN}/stripe.js"
        if not value.startswith(f"{STRIPE_JS}/") and _live_beside(info):
            raise ValueError(f"must be on {STRIPE_JS} (or left out) with a live key")
        return value

    @field_validator("store_url")
    @classmethod
    def _own_address(cls, value: str, info: ValidationInfo) -> str:
        if _live_beside(info) and not value.startswith("https://"):
            raise ValueError("must be an address such as https://your.shop with a live key")
        value = value or f"http://127.0.0.1:{info.data.get('store_port', 8000)}"
        if re.search(r"[?#@]|//.*//", value):
            raise ValueError("must be an address alone such as https://your.shop or https://your.shop/till")
        return value

    @field_validator("mail_from")
    @classmethod
    def _name_and_address(cls, value: str) -> str:
        """As a header has it: quoted where its name needs it, its host in ASCII."""
        if value == cls.model_fields["mail_from"].default:
            return value  # what checks it takes a while to import
        return formataddr(_mailbox(value))

    @field_validator("merchant_email")
    @classmethod
    def _one_address(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return "merchant@localhost"  # a live key has one of its own
        name, address = _mailbox(value, reachable=_live_beside(info))
        if name:
            raise _Unfit
        return address

    @field_validator("seller_address")
    @classmethod
    def _somewhere(cls, value: str, info: ValidationInfo) -> str:
        """A test shop has one, so that its invoices can be seen."""
        return value if value or _live_beside(info) else "1 Test Street; 00000 Testville"

    @field_validator("orders_per_hour", "declines_per_hour")
    @classmethod
    def _few_when_live(cls, value: int, info: ValidationInfo) -> int:
        """Shoppers order now and then; developers and their programs order all day."""
        return value or (30 if _live_beside(info) else 100_000)


def _secret_key(info: ValidationInfo) -> str:
    secret = info.data.get("stripe_secret_key")
    return secret.get_secret_value() if isinstance(secret, SecretStr) else ""


def _live_beside(info: ValidationInfo) -> bool:
    return _is_live(_secret_key(info))


def _is_live(key: str) -> bool:
    return key[2:].startswith("_live_")


def _split(value: SecretStr) -> list[str]:
    return [part.strip() for part in value.get_secret_value().split(",") if part.strip()]


def _check_key(key: str, *beginnings: str) -> None:
    if not key.startswith(beginnings):
        raise ValueError(f"must begin with {' or '.join(beginnings)}")
    if not re.fullmatch(r"[a-z]+_[a-z]+_\w+", key, re.ASCII):
        raise ValueError("must be the key alone: letters and digits, as Stripe's page of keys shows it")


def _mailbox(value: str, *, reachable: bool = False) -> tuple[str, str]:
    """The name, if any, and the address of `Name <address>` or `address`, its host in ASCII. Only a `reachable` one has
    to be known to others than this machine and its network.
    """
    near = None if reachable else re.search(r"(?<=@)[\w.-]*\b(localhost|test|local|internal)(?=>?$)", value)
    known = value if near is None else f"{value[: near.start()]}example.com{value[near.end() :]}"
    try:
        mailbox = TypeAdapter(NameEmail).validate_python(known)
        local, _, host = mailbox.email.rpartition("@")
        host = (near[0] if near else host).encode("idna").decode()
    except (ValidationError, UnicodeError):
        raise _Unfit from None
    if not local.isascii():  # not every mail server takes it
        raise _Unfit
    return ("" if mailbox.name == local else mailbox.name, f"{local}@{host}")


def _sentence(problem: Any) -> str:
    """One line for a problem; never the value, which may be a secret."""
    name = str(problem["loc"][0]) if problem["loc"] else ""
    fault = problem.get("ctx", {}).get("error")
    said = str(fault) if isinstance(fault, ValueError) and not isinstance(fault, _Unfit) else ""
    return f"{name.upper()} {said or 'must be ' + str(Settings.model_fields[name].description)}."
