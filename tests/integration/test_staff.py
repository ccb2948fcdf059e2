"""The staff: accounts, signing in with a password and a code, lock-out, and sessions that end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pyotp
import pytest
from click.testing import Result
from pydantic import SecretStr
from sqlalchemy import select

from models import StaffLogEntry, StaffMember, StaffSession
from store.domain.errors import SignInRefused
from store.domain.staff import Role
from store.services.staff import accounts, signing_in
from tests.support.concurrency import at_once
from tests.support.shop import Browser, Shop
from tests.support.staff import PASSWORD, browser_of, hire, staff

ADMIN = "/admin/account"


def run(shop: Shop, *arguments: str, typed: str = "") -> Result:
    return shop.app.test_cli_runner().invoke(args=["staff", *arguments], input=typed, catch_exceptions=False)


def sign_in(browser: Browser, email: str, password: str = PASSWORD) -> int:
    form = {"email": email, "password": password}
    return browser.post("/admin/sign-in", form, page="/admin/sign-in").status_code


def is_signed_in(browser: Browser) -> bool:
    return browser.get(ADMIN).status_code == 200


def actions(shop: Shop) -> list[tuple[str, str, str]]:
    with shop.services.database.reading() as session:
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id))
        return [(entry.actor, entry.action, entry.subject) for entry in entries]


@pytest.mark.on_sqlite  # what takes long is hashing
def test_an_account_is_added_changed_and_removed_at_the_terminal(shop: Shop) -> None:
    added = run(shop, "add", "Ada@Shop.example", "--role", "packing", typed=f"{PASSWORD}\n{PASSWORD}\n")
    again = run(shop, "add", "ada@shop.example", "--role", "owner", "--generate")
    made_up = run(shop, "add", "bob@shop.example", "--role", "owner", "--generate").output.split()[1]
    run(shop, "role", "ada@shop.example", "service")
    ada, bob = shop.browser(), shop.browser()

    assert added.exit_code == 0
    assert (again.exit_code, "There is an account" in again.output) == (1, True)
    assert (sign_in(ada, "ada@shop.example"), sign_in(bob, "BOB@shop.example", made_up)) == (303, 303)
    assert "ada@shop.example                         service  password" in run(shop, "list").output
    run(shop, "password", "ada@shop.example", typed="another long one\nanother long one\n")
    assert not is_signed_in(ada)
    assert sign_in(ada, "ada@shop.example", "another long one") == 303
    run(shop, "remove", "ada@shop.example")
    assert not is_signed_in(ada)
    assert "only owner" in run(shop, "remove", "bob@shop.example").output
    assert is_signed_in(bob)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "at least 12"),
        ("ada and her dog", "without the name"),
        ("abababababab", "different"),
        ("x" * 201, "200"),
    ],
)
@pytest.mark.on_sqlite
def test_a_password_that_is_easy_to_guess_is_not_taken(shop: Shop, password: str, says: str) -> None:
    refused = run(shop, "add", "ada@shop.example", "--role", "owner", typed=f"{password}\n{password}\n")

    assert (refused.exit_code, says in refused.output) == (1, True)


def test_five_wrong_passwords_lock_an_account_for_a_while(shop: Shop) -> None:
    shop.clock.stop()
    hire(shop, Role.SERVICE, "ada@shop.example")
    browser = shop.browser()

    for _ in range(5):
        assert sign_in(browser, "ada@shop.example", "wrong") == 403
    assert sign_in(browser, "ada@shop.example") == 403
    shop.clock.forward(minutes=14)
    assert sign_in(browser, "ada@shop.example") == 403
    shop.clock.forward(minutes=2)
    assert sign_in(browser, "ada@shop.example") == 303


def test_many_guesses_at_once_are_not_more_guesses(shop: Shop) -> None:
    ada = hire(shop, Role.SERVICE, "ada@shop.example")

    def guess(number: int) -> bool:
        try:
            signing_in.check_password(shop.services, ada.email, PASSWORD if number > 12 else "wrong", shop.clock())
        except SignInRefused:
            return False
        return True

    at_once(13, guess)

    with shop.services.database.reading() as session:
        assert session.scalars(select(StaffMember.locked_until)).one() is not None
    assert not guess(13)


@pytest.mark.on_sqlite
def test_what_is_refused_does_not_tell_whether_there_is_an_account(shop: Shop) -> None:
    hire(shop, Role.SERVICE, "ada@shop.example")
    browser = shop.browser()
    forms = [{"email": name, "password": "wrong"} for name in ("ada@shop.example", "nobody@shop.example", "\0")]

    pages = [browser.post("/admin/sign-in", form, page="/admin/sign-in") for form in forms]

    assert {page.status_code for page in pages} == {403}
    assert all("do not belong together" in page.text for page in pages)


def test_a_second_factor_is_added_asked_for_and_taken_once(shop: Shop) -> None:
    shop.clock.stopped_at = datetime(2026, 11, 28, 12, 0, 5, tzinfo=UTC)
    ada = hire(shop, Role.PACKING, "ada@shop.example")
    browser, other = browser_of(shop, ada), shop.browser()
    page = browser.get("/admin/account/authenticator").text
    totp = pyotp.TOTP(page.split('class="spoken-key">')[1].split("<")[0].replace(" ", ""))

    def code() -> str:
        return totp.at(shop.clock())

    wrong = browser.post("/admin/account/authenticator", {"code": "000000"}, page="/admin/account/authenticator")
    right = browser.post("/admin/account/authenticator", {"code": code()}, page="/admin/account/authenticator")
    assert (wrong.status_code, right.status_code, "<svg" in page) == (400, 303, True)
    assert sign_in(other, ada.email) == 303
    assert not is_signed_in(other)
    assert other.post("/admin/sign-in/code", {"code": code()}, page="/admin/sign-in/code").status_code == 403
    shop.clock.forward(seconds=30)
    assert other.post("/admin/sign-in/code", {"code": code()}, page="/admin/sign-in/code").status_code == 303
    assert is_signed_in(other)
    removal = other.post("/admin/account/authenticator/remove", {"password": PASSWORD}, page=ADMIN)
    assert (removal.status_code, sign_in(shop.browser(), ada.email)) == (303, 303)


def test_a_right_password_waits_five_minutes_for_its_code(shop: Shop) -> None:
    shop.clock.stop()
    secret = pyotp.random_base32()
    ada = hire(shop, Role.PACKING, "ada@shop.example", totp_secret=secret)
    browser = shop.browser()

    sign_in(browser, ada.email)
    token = browser.token("/admin/sign-in/code")
    shop.clock.forward(minutes=6)
    form = {"code": pyotp.TOTP(secret).at(shop.clock()), "csrf_token": token}
    late = browser.open("POST", "/admin/sign-in/code", data=form)

    assert (late.status_code, "took too long" in late.text) == (403, True)


def test_a_session_ends_unused_after_two_hours_and_always_after_twelve(shop: Shop) -> None:
    shop.clock.stop()
    used = staff(shop, Role.PACKING)
    unused = browser_of(shop, hire(shop, Role.OWNER))

    for _ in range(7):
        shop.clock.forward(hours=1, minutes=42)
        assert is_signed_in(used)
    shop.clock.forward(minutes=7)
    assert not is_signed_in(used)
    assert not is_signed_in(unused)


def test_signing_out_ends_a_session_wherever_its_cookie_went(shop: Shop) -> None:
    ada = hire(shop, Role.PACKING)
    first, second = browser_of(shop, ada), browser_of(shop, ada)
    stolen = shop.browser()
    stolen.set_cookie("till_staff", first.cookie("till_staff", "/admin"), "/admin")

    assert is_signed_in(stolen)
    first.post("/admin/sign-out", {}, page=ADMIN)
    assert [is_signed_in(each) for each in (first, stolen, second)] == [False, False, True]
    second.post("/admin/sign-out-everywhere", {}, page=ADMIN)
    assert not is_signed_in(second)
    with shop.services.database.reading() as session:
        assert session.scalars(select(StaffSession)).all() == []


@pytest.mark.on_sqlite  # what takes long is hashing
def test_another_password_signs_out_every_other_browser(shop: Shop) -> None:
    ada = hire(shop, Role.PACKING)
    here, elsewhere = browser_of(shop, ada), browser_of(shop, ada)
    form = {"current": PASSWORD, "new": "a longer one than that", "again": "a longer one than that"}

    wrong = here.post("/admin/account/password", {**form, "current": "wrong"}, page=ADMIN)
    done = here.post("/admin/account/password", form, page=ADMIN)

    assert ("This is not your password." in wrong.text, done.status_code) == (True, 303)
    assert (is_signed_in(here), is_signed_in(elsewhere)) == (True, False)
    assert sign_in(shop.browser(), ada.email, form["new"]) == 303


def test_the_log_says_who_did_what_to_whom(shop: Shop) -> None:
    owner = staff(shop)
    hire(shop, Role.PACKING, "bob@shop.example")

    owner.post("/admin/staff/bob@shop.example/role", {"role": "service"}, page="/admin/staff")
    owner.post("/admin/staff/bob@shop.example/remove", {}, page="/admin/staff")
    last = owner.post("/admin/staff/owner@shop.example/remove", {}, page="/admin/staff")

    assert actions(shop)[1:] == [
        ("owner@shop.example", "staff.role_changed", "bob@shop.example"),
        ("owner@shop.example", "staff.removed", "bob@shop.example"),
    ]
    assert last.location == "/admin/staff"
    assert "changed the role of bob@shop.example from packing to service" in owner.get("/admin/staff").text


@pytest.mark.on_sqlite
def test_somebody_is_led_to_where_they_wanted_to_go(shop: Shop) -> None:
    hire(shop, Role.OWNER, "ada@shop.example")
    browser = shop.browser()

    browser.get("/admin/staff/log?who=bob%40shop.example")
    done = browser.post("/admin/sign-in", {"email": "ada@shop.example", "password": PASSWORD}, page="/admin/sign-in")

    assert done.location == "/admin/staff/log?who=bob%40shop.example"


@pytest.mark.on_sqlite
def test_the_local_shop_has_an_owner_and_a_live_one_never_does(shop: Shop) -> None:
    password = "made-by-make-run"
    email = accounts.ensure_local(shop.services, password, shop.clock())
    accounts.ensure_local(shop.services, password, shop.clock())
    browser = shop.browser()

    assert sign_in(browser, email, password) == 303
    assert is_signed_in(browser)
    with live(shop):
        assert not is_signed_in(browser)
        assert sign_in(shop.browser(), email, password) == 403


@contextmanager
def live(shop: Shop) -> Iterator[None]:
    """Meanwhile real money moves."""
    settings = shop.services.settings.model_copy(update={"stripe_secret_key": SecretStr("sk_live_x")})
    parts = shop.app.extensions["admin"].application.extensions
    parts["services"] = replace(shop.services, settings=settings)
    yield
    parts["services"] = shop.services
