"""Every address of the admin, asked by everybody: who may do what is one table, and no address is left out of it."""

from collections.abc import Iterator

import pytest
from flask import Flask

from models import StaffMember
from store.domain.staff import Role
from tests.support.shop import Browser, Shop
from tests.support.staff import browser_of, hire, staff

# The least role that each address is for; None is whoever comes.
WHO = {
    "home.show": Role.PACKING,
    "security.login": None,
    "security.two_factor_token_validation": None,
    "security.mf_recovery": None,
    "security.tf_select": None,
    "security.wan_signin": None,
    "security.wan_signin_response": None,
    "security.logout": Role.PACKING,
    "security.verify": Role.PACKING,
    "security.change_password": Role.PACKING,
    "security.two_factor_setup": Role.PACKING,
    "security.mf_recovery_codes": Role.PACKING,
    "security.wan_register": Role.PACKING,
    "security.wan_register_response": Role.PACKING,
    "security.wan_delete": Role.PACKING,
    "account.show": Role.PACKING,
    "account.sign_out_everywhere": Role.PACKING,
    "orders.index": Role.PACKING,
    "orders.show": Role.PACKING,
    "orders.packing_slip": Role.PACKING,
    "documents.invoice": Role.PACKING,
    "documents.invoice_pdf": Role.PACKING,
    "documents.credit_note": Role.PACKING,
    "documents.credit_note_pdf": Role.PACKING,
    "orders.ship": Role.PACKING,
    "orders.show_mail": Role.SERVICE,
    "orders.send_mail_again": Role.SERVICE,
    "orders.refund": Role.SERVICE,
    "orders.refund_lines": Role.SERVICE,
    "orders.cancel": Role.SERVICE,
    "orders.resolve": Role.SERVICE,
    "orders.refund_warned": Role.SERVICE,
    "orders.try_mail_now": Role.SERVICE,
    "orders.give_up_mail": Role.SERVICE,
    "orders.refund_now": Role.SERVICE,
    "disputes.answer": Role.SERVICE,
    "disputes.accept": Role.SERVICE,
    "products.index": Role.OWNER,
    "products.add": Role.OWNER,
    "products.edit": Role.OWNER,
    "products.correct_stock": Role.OWNER,
    "products.categories": Role.OWNER,
    "products.add_category": Role.OWNER,
    "products.change_category": Role.OWNER,
    "products.remove_category": Role.OWNER,
    "pictures.add": Role.OWNER,
    "pictures.change": Role.OWNER,
    "pictures.remove": Role.OWNER,
    "charges.index": Role.OWNER,
    "charges.taxes": Role.OWNER,
    "charges.add_zone": Role.OWNER,
    "charges.zone": Role.OWNER,
    "charges.remove_zone": Role.OWNER,
    "charges.add_method": Role.OWNER,
    "charges.method": Role.OWNER,
    "charges.remove_method": Role.OWNER,
    "charges.add_rate": Role.OWNER,
    "charges.rate": Role.OWNER,
    "charges.remove_rate": Role.OWNER,
    "coupons.index": Role.OWNER,
    "coupons.add": Role.OWNER,
    "coupons.edit": Role.OWNER,
    "money.index": Role.OWNER,
    "money.collect": Role.OWNER,
    "money.export": Role.OWNER,
    "webhooks.index": Role.SERVICE,
    "webhooks.show": Role.SERVICE,
    "webhooks.replay_all": Role.SERVICE,
    "webhooks.replay": Role.SERVICE,
    "webhooks.set_aside": Role.SERVICE,
    "order_export.export": Role.SERVICE,
    "programs.index": Role.OWNER,
    "programs.add_key": Role.OWNER,
    "programs.revoke_key": Role.OWNER,
    "endpoints.add": Role.OWNER,
    "endpoints.edit": Role.OWNER,
    "endpoints.rotate": Role.OWNER,
    "endpoints.remove": Role.OWNER,
    "endpoints.replay": Role.OWNER,
    "team.listing": Role.OWNER,
    "team.log": Role.OWNER,
    "team.change_role": Role.OWNER,
    "team.sign_out": Role.OWNER,
    "team.remove": Role.OWNER,
}
SIGN_OUT = ("security.logout", "account.sign_out_everywhere")
KNOWN = {"email": "nobody@shop.example", "reference": "AAAA-BBBB-CCCC-DDDD", "slug": "no-such-thing"}


def admin(shop: Shop) -> Flask:
    application: Flask = shop.app.extensions["admin"].application
    return application


def addresses(shop: Shop) -> Iterator[tuple[str, str, str]]:
    """Every endpoint with each method that it takes, and an address of it."""
    adapter = admin(shop).url_map.bind("localhost")
    for rule in admin(shop).url_map.iter_rules():
        if rule.build_only:
            continue  # it answers nothing
        given = {name: KNOWN.get(name, "1") for name in rule.arguments}
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield rule.endpoint, method, adapter.build(rule.endpoint, given, method=method)


def ask(browser: Browser, method: str, path: str) -> tuple[int, str]:
    form = {"csrf_token": browser.token("/admin/account")} if method == "POST" else None
    answer = browser.open(method, path, data=form)
    return answer.status_code, answer.location or ""


def again(shop: Shop, member: StaffMember) -> StaffMember:
    """The account as it is now: signing out everywhere changes what its cookies say."""
    with shop.services.database.reading() as session:
        return session.get_one(StaffMember, member.id)


def is_refused(answer: tuple[int, str]) -> bool:
    return answer[0] == 403 or (answer[0] == 303 and is_the_door(answer[1]))


def is_the_door(address: str | None) -> bool:
    return (address or "").partition("?")[0] == "/admin/sign-in"


def test_the_table_has_every_address(shop: Shop) -> None:
    assert {endpoint for endpoint, _method, _path in addresses(shop)} == set(WHO)


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_its_own_addresses_and_no_other(shop: Shop, role: Role) -> None:
    member = hire(shop, role)
    browser = browser_of(shop, member)

    for endpoint, method, path in addresses(shop):
        if endpoint in SIGN_OUT:
            assert ask(browser, method, path) == (303, "/admin/sign-in")
            member = again(shop, member)
            browser = browser_of(shop, member)  # whoever is signed out reaches nothing
            continue
        needed = WHO[endpoint]
        if needed is None:
            continue
        answer = ask(browser, method, path)
        assert (endpoint, method, not is_refused(answer)) == (endpoint, method, role.includes(needed))


def test_nobody_is_shown_anything_but_the_way_in(shop: Shop) -> None:
    shopper, _reference = shop.browser_with_order()
    token = {"csrf_token": shopper.token("/admin/sign-in")}

    for endpoint, method, path in addresses(shop):
        answer = shopper.open(method, path, data=token if method == "POST" else None)
        if WHO[endpoint] is not None:
            assert (path, answer.status_code, is_the_door(answer.location)) == (path, 303, True)
    assert is_the_door(shopper.get("/admin/no-such-page").location)


def test_no_form_of_the_admin_is_taken_without_its_token(shop: Shop) -> None:
    browser = staff(shop)

    for _endpoint, method, path in addresses(shop):
        if method == "POST":
            assert (path, browser.open("POST", path).status_code) == (path, 400)
            assert (path, browser.open("POST", path, data={"csrf_token": browser.token("/cart")}).status_code) == (
                path,
                400,
            )


def test_the_admin_runs_nothing_of_stripes_and_is_kept_nowhere(shop: Shop) -> None:
    browser = staff(shop)

    for path in ("/admin/account", "/admin/account/authenticator", "/admin/account/passkeys", "/admin/no-such-page"):
        answer = browser.get(path)
        assert "http" not in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "style=" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_cookies_of_shop_and_admin_open_nothing_for_each_other(shop: Shop) -> None:
    shopper, reference = shop.browser_with_order()
    owner = staff(shop)
    thief = shop.browser()

    thief.set_cookie("till_staff", shopper.cookie("till"), "/admin")
    assert is_the_door(thief.get("/admin/account").location)
    assert owner.get(f"/orders/{reference}").status_code == 404
    assert not shopper.cookie("till_staff", "/admin")
