"""Keys for other programs: shown once, known by a digest, for what their scopes say, and revoked."""

from hashlib import sha256

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import ApiKey, StaffLogEntry
from store.domain.api_keys import Scope
from store.domain.errors import ApiKeyRefusal, ApiKeyRefused, NotFound, Subject
from store.services import api_keys
from store.services.staff_log import Actor
from tests.support.programs import OWNER, Program, program
from tests.support.shop import Shop
from tests.support.staff import staff


def kept(shop: Shop) -> list[ApiKey]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(ApiKey).order_by(ApiKey.id)))


def log(shop: Shop) -> list[tuple[str, str, str, dict[str, object]]]:
    with shop.services.database.reading() as session:
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id))
        return [(entry.actor, entry.action, entry.subject, entry.data) for entry in entries]


def test_of_a_key_only_its_beginning_and_a_digest_are_kept(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    owner, now = Actor(OWNER, usual_shop.clock()), usual_shop.clock()

    key, token = api_keys.add(usual_shop.services, " Ware  house ", [Scope.STOCK_WRITE, Scope.ORDERS_READ], owner)
    other = api_keys.add(usual_shop.services, "Books", [Scope.ORDERS_READ], owner)[1]

    row = kept(usual_shop)[0]
    prefix = token[: len("till_12345678")]
    assert (row.name, row.prefix, row.digest, row.scopes, row.added_at, row.added_by, row.last_used_at) == (
        *("Ware house", prefix, sha256(token.encode()).hexdigest(), ["orders:read", "stock:write"], now, OWNER, None),
    )
    assert (key.id, token[len(prefix)], len(token)) == (row.id, "_", len(prefix) + 44)
    assert other.split("_")[1:] != token.split("_")[1:]
    assert log(usual_shop) == [
        (OWNER, "key.added", "Ware house", {"scopes": "orders:read, stock:write"}),
        (OWNER, "key.added", "Books", {"scopes": "orders:read"}),
    ]


@pytest.mark.parametrize(
    ("name", "scopes", "reason"),
    [
        (" ", [Scope.ORDERS_READ], ApiKeyRefusal.NAME_INVALID),
        ("x" * 41, [Scope.ORDERS_READ], ApiKeyRefusal.NAME_INVALID),
        ("a\x07b", [Scope.ORDERS_READ], ApiKeyRefusal.NAME_INVALID),
        ("Warehouse", [Scope.ORDERS_READ], ApiKeyRefusal.NAME_TAKEN),
        ("Books", [], ApiKeyRefusal.NO_SCOPE),
    ],
)
def test_a_key_needs_a_name_of_its_own_and_a_scope(
    usual_shop: Shop, name: str, scopes: list[Scope], reason: ApiKeyRefusal
) -> None:
    program(usual_shop)

    with pytest.raises(ApiKeyRefused) as refused:
        api_keys.add(usual_shop.services, name, scopes, Actor(OWNER, usual_shop.clock()))

    assert refused.value.reason is reason
    assert len(kept(usual_shop)) == 1


def test_a_key_is_revoked_once_and_the_others_work_on(usual_shop: Shop) -> None:
    first, second = program(usual_shop), program(usual_shop, name="Books")
    owner = Actor(OWNER, usual_shop.clock())

    done = [api_keys.revoke(usual_shop.services, "Warehouse", owner) for _ in range(2)]

    assert done == [True, False]
    assert [each.get("/stock").status_code for each in (first, second)] == [401, 200]
    with usual_shop.services.database.reading() as session:
        listed = [(key.name, key.revoked_by) for key in api_keys.everything(session)]
    assert listed == [("Books", None), ("Warehouse", OWNER)]
    assert log(usual_shop)[2:] == [(OWNER, "key.revoked", "Warehouse", {})]
    with pytest.raises(NotFound) as missing:
        api_keys.revoke(usual_shop.services, "Nobody", owner)
    assert missing.value.subject is Subject.API_KEY


def test_keys_that_work_are_listed_first_the_newest_of_them_first(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    for name in ("One", "Two", "Three", "Four"):
        program(usual_shop, name=name)
    before = kept(usual_shop)
    usual_shop.clock.forward(minutes=1)
    prefix = before[3].prefix

    for name in (prefix, "Two"):
        assert api_keys.revoke(usual_shop.services, name, Actor("ada@shop.example", usual_shop.clock()))

    with usual_shop.services.database.reading() as session:
        listed = [(key.name, key.revoked_at, key.revoked_by) for key in api_keys.everything(session)]
    revoked = (usual_shop.clock(), "ada@shop.example")
    assert listed == [("Three", None, None), ("One", None, None), ("Four", *revoked), ("Two", *revoked)]
    assert [entry[:3] for entry in log(usual_shop)[4:]] == [
        ("ada@shop.example", "key.revoked", name) for name in ("Four", "Two")
    ]


def test_only_a_whole_key_opens_anything(usual_shop: Shop) -> None:
    ours = program(usual_shop)
    token = ours.token
    wrong = ["", "Bearer", f"Basic {token}", f"Bearer {token[:-1]}x", f"Bearer {token[:13]}", f"Bearer {token}x", token]

    answers = [ours.ask("GET", "/orders", {"Authorization": shown}) for shown in wrong]
    answers.append(usual_shop.app.test_client().get("/api/v1/orders"))

    assert [(answer.status_code, answer.json["code"] if answer.json else "") for answer in answers] == [
        (401, "not_authenticated")
    ] * 8
    assert answers[0].headers["WWW-Authenticate"] == 'Bearer realm="till"'
    assert ours.ask("GET", "/orders", {"Authorization": f"bearer  {token}"}).status_code == 200


def test_the_last_use_of_a_key_is_noted_once_a_minute(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    ours, first = program(usual_shop), usual_shop.clock()
    program(usual_shop, name="Books")

    times = []
    for seconds in (0, 59, 1):
        usual_shop.clock.forward(seconds=seconds)
        ours.get("/stock")
        times.append(kept(usual_shop)[0].last_used_at)

    assert times == [first, first, usual_shop.clock()]
    assert kept(usual_shop)[1].last_used_at is None


def asked(ours: Program) -> dict[Scope, list[TestResponse]]:
    """An answer of every address, by the scope that it needs."""
    order = "/orders/AAAA-BBBB-CCCC-DDDD"
    return {
        Scope.ORDERS_READ: [ours.get("/orders"), ours.get(order)],
        Scope.ORDERS_WRITE: [ours.post(f"{order}/{what}") for what in ("ship", "refunds", "cancel")],
        Scope.STOCK_READ: [ours.get("/stock"), ours.get("/stock/cedar-pencil")],
        Scope.STOCK_WRITE: [ours.post("/stock/cedar-pencil/corrections", {"by": 1, "reason": "delivery"})],
    }


@pytest.mark.parametrize("scope", Scope)
def test_a_key_may_do_what_its_scope_says_and_nothing_else(usual_shop: Shop, scope: Scope) -> None:
    answers = asked(program(usual_shop, scope))

    assert all(answer.status_code in (200, 201, 404) for answer in answers[scope])
    for needed in set(Scope) - {scope}:
        for answer in answers[needed]:
            assert (answer.status_code, answer.json and answer.json["scope"]) == (403, needed)


def test_an_owner_makes_a_key_sees_it_once_and_revokes_it(usual_shop: Shop) -> None:
    browser = staff(usual_shop)
    form = {"name": "Warehouse", "scopes": ["orders:read"]}

    refused = browser.post("/admin/programs/keys", {"name": "Warehouse"}, page="/admin/programs")
    made = browser.post("/admin/programs/keys", form, page="/admin/programs")
    again = browser.post("/admin/programs/keys", form, page="/admin/programs")

    prefix = kept(usual_shop)[0].prefix
    token = made.text.partition(f"{prefix}_")[2][:43]
    ours = Program(usual_shop, f"{prefix}_{token}")
    assert (refused.status_code, made.status_code, again.status_code) == (400, 201, 409)
    assert ours.get("/orders").status_code == 200
    page = browser.get("/admin/programs").text
    assert prefix in page
    assert token not in page
    browser.post(f"/admin/programs/keys/{prefix}/revoke", {}, page="/admin/programs")
    assert ours.get("/orders").status_code == 401


def test_commands_make_list_and_revoke_keys(usual_shop: Shop) -> None:
    run = usual_shop.app.test_cli_runner().invoke

    none = run(args=["api-keys", "list"]).output
    added = run(args=["api-keys", "add", "Warehouse", "--scope", "orders:read", "--scope", "stock:read"]).output
    token = added.split()[-1]
    taken = run(args=["api-keys", "add", "Warehouse", "--scope", "orders:read"])
    ours = Program(usual_shop, token)
    assert ours.get("/orders").status_code == 200
    listed = run(args=["api-keys", "list"]).output
    revoked = [run(args=["api-keys", "revoke", token[:13]]).output for _ in range(2)]
    unknown = run(args=["api-keys", "revoke", "Nobody"])

    assert none == "There is no key yet.\n"
    assert "for orders:read, stock:read" in added
    assert (taken.exit_code, taken.output) == (1, "Error: There is a key with this name already.\n")
    assert listed.startswith(f"{token[:13]}  Warehouse")
    assert " orders:read stock:read  used 2" in listed
    assert revoked == [f"{token[:13]} opens nothing any more.\n", f"{token[:13]} was revoked before.\n"]
    assert "revoked 2" in run(args=["api-keys", "list"]).output
    assert (unknown.exit_code, ours.get("/orders").status_code) == (1, 401)
