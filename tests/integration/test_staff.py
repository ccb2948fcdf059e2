"""The staff: accounts, signing in with a password and a second factor, lock-out, and sessions that end."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import Result
from flask import Flask
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from passlib.totp import TOTP
from pydantic import SecretStr
from sqlalchemy import select, text

from models import StaffLogEntry, StaffMember
from store.admin.second_factor import AuthenticatorCodes, totp_secrets
from store.domain.errors import StaffRefused
from store.domain.staff import Role
from store.services.staff import accounts, tries
from tests.support.concurrency import at_once
from tests.support.shop import Browser, Shop
from tests.support.staff import PASSWORD, browser_of, hire, staff

ADMIN = "/admin/account"
AUTHENTICATOR, CODE, CODES = "/admin/account/authenticator", "/admin/sign-in/code", "/admin/account/recovery-codes"


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
    ("password", "says"), [("short", "12 to 72"), ("abababababab", "Repeats"), ("x" * 73, "12 to 72")]
)
def test_a_password_that_is_easy_to_guess_is_not_taken(shop: Shop, password: str, says: str) -> None:
    refused = run(shop, "add", "ada@shop.example", "--role", "owner", typed=f"{password}\n{password}\n")

    assert (refused.exit_code, says in refused.output) == (1, True)


@pytest.mark.on_both_databases
def test_five_wrong_passwords_lock_an_account_for_a_while(shop: Shop) -> None:
    shop.clock.stop()
    hire(shop, Role.SERVICE, "ada@shop.example")
    browser = shop.browser()

    for _ in range(5):
        assert sign_in(browser, "ada@shop.example", "wrong") == 400
    assert sign_in(browser, "ada@shop.example") == 400
    shop.clock.forward(minutes=14)
    assert sign_in(browser, "ada@shop.example") == 400
    shop.clock.forward(minutes=2)
    assert sign_in(browser, "ada@shop.example") == 303


def test_wrong_passwords_lock_an_account_where_it_gets_another_one_too(shop: Shop) -> None:
    shop.clock.stop()
    ada = hire(shop, Role.SERVICE, "ada@shop.example")
    browser, path = browser_of(shop, ada), "/admin/account/password"
    new = {"new_password": "another long one", "new_password_confirm": "another long one"}

    browser.post(
        path, {"password": "wrong", **new, "new_password_confirm": "mistyped"}, page=path
    )  # no guess was tried
    for _ in range(4):
        assert "This is not your password." in browser.post(path, {"password": "wrong", **new}, page=path).text
    assert not tries.is_locked(shop.services, ada.id, shop.clock())
    browser.post(path, {"password": "wrong", **new}, page=path)
    refused = browser.post(path, {"password": PASSWORD, **new}, page=path)

    assert (refused.status_code, "too many wrong passwords or codes" in refused.text) == (400, True)
    assert sign_in(shop.browser(), ada.email) == 400
    shop.clock.forward(minutes=16)
    assert browser.post(path, {"password": PASSWORD, **new}, page=path).status_code == 303
    assert sign_in(shop.browser(), ada.email, "another long one") == 303


def test_an_address_on_the_network_tries_twenty_passwords_a_minute(shop: Shop) -> None:
    browser = shop.browser()
    form = {"csrf_token": browser.token("/admin/sign-in")}

    answers = [browser.open("POST", "/admin/sign-in", data=form).status_code for _ in range(21)]

    assert answers == [400] * 20 + [429]


@pytest.mark.on_both_databases
def test_many_guesses_at_once_are_each_counted(shop: Shop) -> None:
    ada = hire(shop, Role.SERVICE, "ada@shop.example")

    at_once(tries.MOST_FAILURES, lambda _number: tries.failed(shop.services, ada.id, shop.clock()))

    assert tries.is_locked(shop.services, ada.id, shop.clock())


def test_what_is_refused_does_not_tell_whether_there_is_an_account(shop: Shop) -> None:
    hire(shop, Role.SERVICE, "ada@shop.example")
    browser = shop.browser()
    forms = [{"email": name, "password": "wrong"} for name in ("ada@shop.example", "nobody@shop.example", "\0")]

    pages = [browser.post("/admin/sign-in", form, page="/admin/sign-in") for form in forms]

    assert {page.status_code for page in pages} == {400}
    assert all("do not belong together" in page.text for page in pages)


def test_nobody_is_remembered_longer_than_a_session(shop: Shop) -> None:
    hire(shop, Role.OWNER, "ada@shop.example")
    browser = shop.browser()
    form = {"email": "ada@shop.example", "password": PASSWORD, "remember": "y"}

    answer = browser.post("/admin/sign-in", form, page="/admin/sign-in")

    assert [cookie.split("=")[0] for cookie in answer.headers.getlist("Set-Cookie")] == ["till_staff"]


@pytest.mark.on_both_databases
def test_a_second_factor_is_added_asked_for_and_taken_once(shop: Shop) -> None:
    shop.clock.stopped_at = datetime(2026, 11, 28, 12, 0, 5, tzinfo=UTC)
    ada = hire(shop, Role.PACKING, "ada@shop.example")
    browser, other = browser_of(shop, ada), shop.browser()

    code = add_authenticator(shop, browser)
    assert sign_in(other, ada.email) == 303
    assert not is_signed_in(other)
    assert other.post(CODE, {"code": code()}, page=CODE).status_code == 400
    shop.clock.forward(seconds=30)
    assert other.post(CODE, {"code": code()}, page=CODE).status_code == 303
    assert is_signed_in(other)
    assert code() not in (stored(shop).tf_totp_secret or "")
    assert other.post(AUTHENTICATOR, {"setup": "disable"}, page=AUTHENTICATOR).status_code == 303
    assert stored(shop).second_factors == []


def test_wrong_codes_lock_an_account_too(shop: Shop) -> None:
    shop.clock.stopped_at = datetime(2026, 11, 28, 12, 0, 5, tzinfo=UTC)
    ada = hire(shop, Role.PACKING, "ada@shop.example")
    code, browser = add_authenticator(shop, browser_of(shop, ada)), shop.browser()
    shop.clock.forward(seconds=60)

    sign_in(browser, ada.email)
    for wrong in ("000000", "no code", "1" * 19, "", "000000", "000000"):
        browser.post(CODE, {"code": wrong}, page=CODE)
    refused = browser.post(CODE, {"code": code()}, page=CODE)

    assert "too many wrong passwords or codes" in refused.text
    assert not is_signed_in(browser)


@pytest.mark.on_both_databases
def test_a_code_that_two_send_at_once_lets_one_of_them_in(shop: Shop) -> None:
    ada = hire(shop, Role.PACKING, mf_recovery_codes=["stored"])
    taken: list[str] = []

    def take(_number: int) -> None:
        if tries.take_code(shop.services, ada.id, 59_000_000):
            taken.append("code")
        try:
            tries.spend_recovery_code(shop.services, ada.id, "stored")
            taken.append("recovery code")
        except StaffRefused:
            pass

    at_once(4, take)

    assert sorted(taken) == ["code", "recovery code"]


def test_a_recovery_code_lets_somebody_in_once(shop: Shop) -> None:
    ada = hire(shop, Role.PACKING, "ada@shop.example")
    browser, other = browser_of(shop, ada), shop.browser()
    add_authenticator(shop, browser)
    made = re.findall("<code>([0-9a-f-]{14})</code>", browser.post(CODES, {}, page=CODES).text)
    form, page = {"code": f" {made[3].upper()} "}, "/admin/sign-in/recovery-code"

    for lets_in in (True, False):
        sign_in(other, ada.email)
        other.post(page, form, page=page)
        assert is_signed_in(other) is lets_in
        other.post("/admin/sign-out", {}, page=ADMIN)
    assert (len(made), len(stored(shop).mf_recovery_codes or [])) == (10, 9)
    assert not set(made) & set(stored(shop).mf_recovery_codes or [])


def test_an_authenticator_outlives_another_secret_key(shop: Shop) -> None:
    with shop.app.extensions["admin"].application.app_context():
        before = AuthenticatorCodes(totp_secrets(["old"]), "Till")
        after = AuthenticatorCodes(totp_secrets(["old", "new"]), "Till")
        secret, later = before.generate_totp_secret(), after.generate_totp_secret()

        assert after.generate_totp_password(secret) == before.generate_totp_password(secret)
        with pytest.raises(KeyError):
            before.generate_totp_password(later)


def test_a_session_ends_unused_after_two_hours_and_always_after_twelve(shop: Shop) -> None:
    ada = hire(shop, Role.PACKING)
    used, unused, long_used = (browser_of(shop, ada, signed_in_ago=hours * 3600) for hours in (11.9, 11.9, 12.1))

    assert is_signed_in(used)
    assert not is_signed_in(long_used)
    for hours, lets_in in ((1.9, True), (2.1, False)):
        put_aside(shop, unused, hours * 3600)
        assert is_signed_in(unused) is lets_in


def test_signing_out_everywhere_ends_a_session_wherever_its_cookie_went(shop: Shop) -> None:
    ada = hire(shop, Role.PACKING)
    first, second, stolen = browser_of(shop, ada), browser_of(shop, ada), shop.browser()
    stolen.set_cookie("till_staff", second.cookie("till_staff", "/admin"), "/admin")

    first.post("/admin/sign-out", {}, page=ADMIN)
    assert [is_signed_in(each) for each in (first, stolen, second)] == [False, True, True]
    second.post("/admin/account/sign-out-everywhere", {}, page=ADMIN)
    assert [is_signed_in(each) for each in (stolen, second)] == [False, False]
    assert [action for _actor, action, _subject in actions(shop)] == ["staff.signed_out", "staff.signed_out_everywhere"]


def test_another_password_signs_out_every_other_browser(shop: Shop) -> None:
    ada = hire(shop, Role.PACKING)
    here, elsewhere = browser_of(shop, ada), browser_of(shop, ada)
    page, new = "/admin/account/password", "a longer one than that"
    form = {"password": PASSWORD, "new_password": new, "new_password_confirm": new}

    wrong = here.post(page, {**form, "password": "wrong"}, page=page)
    done = here.post(page, form, page=page)

    assert ("This is not your password." in wrong.text, done.status_code) == (True, 303)
    assert (is_signed_in(here), is_signed_in(elsewhere)) == (True, False)
    assert [action for _actor, action, _subject in actions(shop)] == ["staff.password_changed"]
    assert sign_in(shop.browser(), ada.email, new) == 303


def test_what_is_delicate_asks_for_the_password_again_after_a_while(shop: Shop) -> None:
    hire(shop, Role.PACKING, "bob@shop.example")
    owner = browser_of(shop, hire(shop, Role.OWNER), signed_in_ago=16 * 60)
    form = {"role": "service"}

    asked = owner.post("/admin/staff/bob@shop.example/role", form, page="/admin/staff")
    assert asked.location == "/admin/confirm?next=/admin/staff"
    assert owner.get(AUTHENTICATOR).location == f"/admin/confirm?next={AUTHENTICATOR}"
    confirmed = owner.post("/admin/confirm", {"password": PASSWORD, "next": "/admin/staff"}, page="/admin/confirm")
    assert confirmed.location == "/admin/staff"
    assert owner.post("/admin/staff/bob@shop.example/role", form, page="/admin/staff").location == "/admin/staff"
    assert ("owner@shop.example", "staff.role_changed", "bob@shop.example") in actions(shop)


@pytest.mark.on_both_databases
def test_the_log_says_who_did_what_to_whom(shop: Shop) -> None:
    owner = staff(shop)
    hire(shop, Role.PACKING, "bob@shop.example")

    owner.post("/admin/staff/bob@shop.example/role", {"role": "service"}, page="/admin/staff")
    owner.post("/admin/staff/bob@shop.example/remove", {}, page="/admin/staff")
    last = owner.post("/admin/staff/owner@shop.example/remove", {}, page="/admin/staff")

    assert actions(shop) == [
        ("owner@shop.example", "staff.role_changed", "bob@shop.example"),
        ("owner@shop.example", "staff.removed", "bob@shop.example"),
    ]
    assert last.location == "/admin/staff"
    assert "changed the role of bob@shop.example from packing to service" in owner.get("/admin/staff").text


def test_somebody_is_led_to_where_they_wanted_to_go_in_this_shop(shop: Shop) -> None:
    hire(shop, Role.OWNER, "ada@shop.example")
    browser = shop.browser()
    form = {"email": "ada@shop.example", "password": PASSWORD}

    door = browser.get("/admin/staff/log?who=bob%40shop.example").location
    done = browser.post("/admin/sign-in", {**form, "next": next_on(browser, door)}, page="/admin/sign-in")
    assert done.location == "/admin/staff/log?who=bob%40shop.example"
    browser.post("/admin/sign-out", {}, page=ADMIN)
    lured = browser.post("/admin/sign-in", {**form, "next": "https://evil.example/"}, page="/admin/sign-in")
    assert (lured.status_code, lured.headers.get("Location")) == (400, None)


def test_whoever_is_signed_in_is_told_when_the_database_is_away(shop: Shop) -> None:
    browser = staff(shop)

    with without_staff(shop):
        answer = browser.get(ADMIN)

    assert (answer.status_code, "did not answer in time" in answer.text) == (503, True)
    assert is_signed_in(browser)


def test_the_local_shop_has_an_owner_and_a_live_one_never_does(shop: Shop) -> None:
    password = "made-by-make-run-0815"
    with local_password(shop, password):
        for _ in range(2):
            assert run(shop, "local").exit_code == 0
    browser = shop.browser()

    assert sign_in(browser, accounts.LOCAL_EMAIL, password) == 303
    assert is_signed_in(browser)
    with live(shop):
        assert not is_signed_in(browser)
        assert sign_in(shop.browser(), accounts.LOCAL_EMAIL, password) == 400


def add_authenticator(shop: Shop, browser: Browser) -> Callable[[], str]:
    """Add one as the pages lead to it; what it shows at a time."""
    page = browser.post(AUTHENTICATOR, {"setup": "authenticator"}, page=AUTHENTICATOR).text
    totp = TOTP(page.split('class="spoken-key">')[1].split("<")[0].replace("-", ""))
    wrong = browser.post(CODE, {"code": "000000"}, page=CODE)
    right = browser.post(CODE, {"code": totp.generate(shop.clock()).token}, page=CODE)
    assert (wrong.status_code, right.status_code, "<svg width" in page) == (400, 303, True)
    return lambda: str(totp.generate(shop.clock()).token)


def stored(shop: Shop) -> StaffMember:
    with shop.services.database.reading() as session:
        return session.scalars(select(StaffMember)).one()


def next_on(browser: Browser, door: str) -> str:
    found = re.search(r'name="next"[^>]*value="([^"]*)"', browser.get(door).text)
    return found.group(1) if found else ""


def put_aside(shop: Shop, browser: Browser, seconds: float) -> None:
    """The browser is not used for so long: its cookie is as old."""
    admin: Flask = shop.app.extensions["admin"].application
    fresh = admin.session_interface.get_signing_serializer(admin)  # type: ignore[attr-defined]

    class LongAgo(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() - seconds)

    old = URLSafeTimedSerializer(
        fresh.secret_keys,
        salt=fresh.salt,
        serializer=fresh.serializer,
        signer=LongAgo,
        signer_kwargs=fresh.signer_kwargs,
    )
    browser.set_cookie("till_staff", str(old.dumps(fresh.loads(browser.cookie("till_staff", "/admin")))), "/admin")


@contextmanager
def without_staff(shop: Shop) -> Iterator[None]:
    """Meanwhile the database does not answer who works here."""
    for before, after in (("staff", "away"), ("away", "staff")):
        with shop.services.database.transaction() as session:
            session.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))
        if after == "away":
            yield


@contextmanager
def local_password(shop: Shop, password: str) -> Iterator[None]:
    """Meanwhile `make run` has made up a password."""
    settings = shop.services.settings.model_copy(update={"local_staff_password": SecretStr(password)})
    shop.app.extensions["services"] = replace(shop.services, settings=settings)
    yield
    shop.app.extensions["services"] = shop.services


@contextmanager
def live(shop: Shop) -> Iterator[None]:
    """Meanwhile real money moves."""
    settings = shop.services.settings.model_copy(update={"stripe_secret_key": SecretStr("sk_live_x")})
    parts = shop.app.extensions["admin"].application.extensions
    parts["services"] = replace(shop.services, settings=settings)
    yield
    parts["services"] = shop.services
