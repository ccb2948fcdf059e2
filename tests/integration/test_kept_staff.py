"""Accounts of the staff as they are kept: whole rows, the log of what was done, and that an owner is left."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import StaffLogEntry, StaffMember
from store.domain.errors import StaffRefusal, StaffRefused
from store.domain.staff import LONGEST_EMAIL, Role
from store.services import staff_log
from store.services.staff import accounts, tries
from store.services.staff.tries import LOCKED_FOR, MOST_FAILURES
from tests.support.shop import Shop

ADA, BOB = "ada@shop.example", "bob@shop.example"


def members(shop: Shop) -> dict[str, dict[str, object]]:
    with shop.services.database.reading() as session:
        columns = [column.key for column in StaffMember.__table__.columns]
        return {each.email: {key: getattr(each, key) for key in columns} for each in accounts.everybody(session)}


def hired(shop: Shop) -> tuple[int, int]:
    """An owner and somebody who packs, both with all that an account can have."""
    accounts.add(shop.services, BOB, Role.PACKING, "hash of Bob", shop.clock())
    accounts.add(shop.services, ADA, Role.OWNER, "hash of Ada", shop.clock(), local=True)
    factors = {"tf_primary_method": "authenticator", "tf_totp_secret": "secret", "mf_recovery_codes": ["a", "b"]}
    with shop.services.database.transaction() as session:
        session.execute(update(StaffMember).values(failures=3, locked_until=shop.clock(), **factors))
        ids = dict(session.execute(select(StaffMember.email, StaffMember.id)).all())
    return ids[ADA], ids[BOB]


def logged(shop: Shop) -> list[tuple[object, ...]]:
    with shop.services.database.reading() as session:
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id)).all()
        return [(each.at, each.actor, each.action, each.subject, each.data) for each in entries]


def test_an_account_is_kept_as_it_was_added(shop: Shop) -> None:
    shop.clock.stop()
    accounts.add(shop.services, BOB, Role.PACKING, "hash of Bob", shop.clock())
    accounts.add(shop.services, ADA, Role.OWNER, "hash of Ada", shop.clock(), local=True)

    with pytest.raises(StaffRefused) as twice:
        accounts.add(shop.services, ADA, Role.PACKING, "another", shop.clock())

    kept = members(shop)
    assert [(key, row["role"], row["password"], row["local"], row["added_at"]) for key, row in kept.items()] == [
        (ADA, Role.OWNER, "hash of Ada", True, shop.clock()),
        (BOB, Role.PACKING, "hash of Bob", False, shop.clock()),
    ]
    assert twice.value.reason is StaffRefusal.EXISTS
    assert logged(shop) == [
        (shop.clock(), "flask staff", "staff.added", BOB, {"role": "packing"}),
        (shop.clock(), "flask staff", "staff.added", ADA, {"role": "owner"}),
    ]


def test_another_password_ends_locks_second_factors_and_sessions_of_one(shop: Shop) -> None:
    hired(shop)
    before = members(shop)

    accounts.set_password(shop.services, f" {BOB.upper()} ", "new hash", ADA, shop.clock())

    after = members(shop)
    cleared = {"failures": 0, "locked_until": None, "tf_primary_method": None, "tf_totp_secret": None}
    new = {"password": "new hash", "mf_recovery_codes": None, "fs_uniquifier": after[BOB]["fs_uniquifier"]}
    assert after == {ADA: before[ADA], BOB: {**before[BOB], **cleared, **new}}
    assert after[BOB]["fs_uniquifier"] not in (None, before[BOB]["fs_uniquifier"])
    assert logged(shop)[-1][1:] == (ADA, "staff.password_set", BOB, {})


def test_signing_out_everywhere_and_a_role_are_of_one_account(shop: Shop) -> None:
    shop.clock.stop()
    hired(shop)
    before = members(shop)

    accounts.sign_out_everywhere(shop.services, BOB, ADA, shop.clock())
    accounts.change_role(shop.services, BOB, Role.SERVICE, ADA, shop.clock())
    accounts.remove(shop.services, BOB, ADA, shop.clock() + timedelta(hours=1))

    assert members(shop) == {ADA: before[ADA]}
    assert logged(shop)[2:] == [
        (shop.clock(), ADA, "staff.signed_out_everywhere", BOB, {}),
        (shop.clock(), ADA, "staff.role_changed", BOB, {"from": "packing", "to": "service"}),
        (shop.clock() + timedelta(hours=1), ADA, "staff.removed", BOB, {}),
    ]


def test_the_last_owner_stays_one(shop: Shop) -> None:
    hired(shop)

    with pytest.raises(StaffRefused) as demoted:
        accounts.change_role(shop.services, ADA, Role.SERVICE, ADA, shop.clock())
    with pytest.raises(StaffRefused) as removed:
        accounts.remove(shop.services, ADA, ADA, shop.clock())
    with pytest.raises(StaffRefused) as unknown:
        accounts.remove(shop.services, "eve@shop.example", ADA, shop.clock())
    accounts.change_role(shop.services, ADA, Role.OWNER, ADA, shop.clock())
    accounts.change_role(shop.services, BOB, Role.OWNER, ADA, shop.clock())
    accounts.change_role(shop.services, ADA, Role.SERVICE, ADA, shop.clock())

    reasons = [each.value.reason for each in (demoted, removed, unknown)]
    assert reasons == [StaffRefusal.LAST_OWNER, StaffRefusal.LAST_OWNER, StaffRefusal.UNKNOWN]
    assert [row["role"] for row in members(shop).values()] == [Role.SERVICE, Role.OWNER]


def test_an_address_that_is_none_or_too_long_is_refused(shop: Shop) -> None:
    with pytest.raises(StaffRefused) as invalid:
        accounts.address("nobody")
    with pytest.raises(StaffRefused) as long:
        accounts.address(f"{'a' * LONGEST_EMAIL}@shop.example")

    assert accounts.address(" Ada@Shop.Example ") == ADA
    assert {invalid.value.reason, long.value.reason} == {StaffRefusal.EMAIL_INVALID}


def test_wrong_tries_are_counted_of_one_account_until_it_is_locked(shop: Shop) -> None:
    shop.clock.stop()
    ada, bob = hired(shop)
    now = shop.clock()
    with shop.services.database.transaction() as session:
        session.execute(update(StaffMember).values(failures=0, locked_until=now))

    counted = []
    for _ in range(MOST_FAILURES + 1):
        tries.failed(shop.services, bob, now)
        row = members(shop)[BOB]
        counted.append((row["failures"], row["locked_until"]))
    tries.failed(shop.services, 999, now)

    until = now + LOCKED_FOR
    assert counted == [(1, now), (2, now), (3, now), (4, now), (0, until), (0, until)]
    assert (members(shop)[ADA]["failures"], members(shop)[ADA]["locked_until"]) == (0, now)
    locked = [
        tries.is_locked(shop.services, member, at)
        for member, at in ((bob, now), (bob, until - timedelta(seconds=1)), (bob, until), (ada, now))
    ]
    assert locked == [True, True, False, False]


def test_whoever_gets_in_is_counted_anew_and_logged(shop: Shop) -> None:
    shop.clock.stop()
    _ada, bob = hired(shop)
    before = members(shop)

    with shop.services.database.transaction() as session:
        tries.succeeded(session, session.get_one(StaffMember, bob), shop.clock())

    assert members(shop) == {ADA: before[ADA], BOB: {**before[BOB], "failures": 0, "locked_until": None}}
    assert logged(shop)[-1] == (shop.clock(), BOB, "staff.signed_in", BOB, {})


def test_codes_are_taken_once_and_in_order_by_one_account(shop: Shop) -> None:
    ada, bob = hired(shop)

    taken = [tries.take_code(shop.services, bob, counter) for counter in (7, 7, 6, 8)]
    tries.spend_recovery_code(shop.services, bob, "a")
    with pytest.raises(StaffRefused) as spent:
        tries.spend_recovery_code(shop.services, bob, "a")
    with pytest.raises(StaffRefused):
        tries.spend_recovery_code(shop.services, 999, "a")

    assert taken == [True, False, False, True]
    assert tries.take_code(shop.services, ada, 1)
    assert spent.value.reason is StaffRefusal.CODE_SPENT
    assert [(row["totp_counter"], row["mf_recovery_codes"]) for row in members(shop).values()] == [
        (1, ["a", "b"]), (8, ["b"]),
    ]  # fmt: skip


def test_the_log_is_read_page_by_page_and_of_one_person(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        for number in range(staff_log.LISTED + 2):
            staff_log.add(session, shop.clock(), (ADA, BOB)[number % 2], "staff.signed_in", f"{number:02}" * 50)

    with shop.services.database.reading() as session:
        first = staff_log.read(session)
        second = staff_log.read(session, before=first.before)
        of_bob = staff_log.read(session, actor=BOB, before=first.entries[0].id)

    numbers = [int(entry.subject[:2]) for entry in (*first.entries, *second.entries)]
    assert numbers == list(reversed(range(staff_log.LISTED + 2)))
    assert (len(first.entries), first.before, len(second.entries), second.before) == (
        staff_log.LISTED, first.entries[-1].id, 2, None,
    )  # fmt: skip
    assert [int(entry.subject[:2]) for entry in of_bob.entries] == list(range(staff_log.LISTED - 1, 0, -2))
    assert {len(entry.subject) for entry in first.entries} == {80}
