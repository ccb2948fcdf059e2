"""Files for a cardholder's bank: given to Stripe as soon as they are chosen, and named when the dispute is answered."""

from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import DisputeFile, StaffLogEntry
from store.domain.errors import DisputeNotAnswered, NotFound
from store.domain.evidence import EvidenceKind
from store.domain.staff import Role
from store.domain.states import DisputeState
from store.gateway.port import DisputeEvidence
from store.services.history import Origin, Source
from store.services.payments import evidence, evidence_files
from store.services.staff_log import Actor
from tests.integration.test_dispute_evidence import disputed
from tests.support.shop import Browser, NoAnswer, Shop
from tests.support.staff import staff

PDF, PNG = b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n"
FILES = ("POST", "/v1/files")


def send(browser: Browser, path: str, **form: Any) -> TestResponse:
    """The form of the page; what is bytes is a file."""
    data = {name: (BytesIO(value), "scan.exe") if isinstance(value, bytes) else value for name, value in form.items()}
    data["csrf_token"] = browser.token(path)
    return browser.open("POST", path, data=data, content_type="multipart/form-data")


def kept(shop: Shop) -> list[tuple[EvidenceKind, str, int]]:
    with shop.services.database.reading() as session:
        rows = session.scalars(select(DisputeFile))
        return sorted((each.kind, each.provider_file_id, each.size) for each in rows)


def at_stripe(shop: Shop) -> list[tuple[str, str, int]]:
    """The id, name and size of each file, the oldest first."""
    return [(each["id"], each["filename"], each["size"]) for each in shop.stripe("GET", "/v1/files")["data"]][::-1]


def test_files_are_given_to_stripe_and_go_with_the_answer(shop: Shop) -> None:
    reference, dispute, path = disputed(shop)
    browser = staff(shop, Role.SERVICE)

    added = send(browser, path, attach="1", explanation="In my words", receipt=PDF, other=PNG)
    assert (added.status_code, "In my words" in added.text, "Please check" in added.text) == (200, True, False)
    unread = send(
        browser,
        path,
        explanation="winning_evidence",
        shipping=PDF + b"2",
        service=PNG + b"3",
        communication=PDF + b"34",
    )
    files = {name: file_id for file_id, name, _size in at_stripe(shop)}
    assert list(files) == ["receipt.pdf", "other.png", "communication.pdf", "shipping.pdf", "service.png"]
    assert kept(shop) == [
        (EvidenceKind.COMMUNICATION, files["communication.pdf"], 11),
        (EvidenceKind.OTHER, files["other.png"], 8),
        (EvidenceKind.RECEIPT, files["receipt.pdf"], 9),
        (EvidenceKind.SERVICE, files["service.png"], 9),
        (EvidenceKind.SHIPPING, files["shipping.pdf"], 10),
    ]
    answered = send(browser, path, explanation="winning_evidence", read="y")

    assert (unread.status_code, answered.status_code) == (400, 303)
    found = shop.stripe("GET", f"/v1/disputes/{dispute}")
    said = {name: found["evidence"][name] for name in found["evidence"] if str(found["evidence"][name])[:5] == "file_"}
    assert said == {
        "receipt": files["receipt.pdf"],
        "uncategorized_file": files["other.png"],
        "shipping_documentation": files["shipping.pdf"],
        "service_documentation": files["service.png"],
        "customer_communication": files["communication.pdf"],
    }
    assert (found["status"], found["evidence"]["uncategorized_text"]) == ("under_review", "winning_evidence")
    with shop.services.database.reading() as session:
        entries = [(each.action, each.subject, each.data) for each in session.scalars(select(StaffLogEntry))]
    told = [("dispute.file_added", reference, {"dispute": dispute, "kind": kind}) for kind in ("receipt", "other")]
    assert entries[:2] == told


def test_a_file_is_put_in_the_place_of_another_or_taken_out(shop: Shop) -> None:
    _reference, dispute, path = disputed(shop)
    browser = staff(shop, Role.SERVICE)
    send(browser, path, attach="1", receipt=PDF, other=PDF)

    send(browser, path, attach="1", receipt=PNG)
    out = send(browser, path, detach="other", explanation="As typed")

    file_id, name, size = at_stripe(shop)[-1]
    assert (name, size) == ("receipt.png", 8)
    assert kept(shop) == [(EvidenceKind.RECEIPT, file_id, 8)]
    assert (out.status_code, "As typed" in out.text) == (200, True)
    assert send(browser, path, detach="other").status_code == 404
    send(browser, path, explanation="It was sent.", read="y")
    found = shop.stripe("GET", f"/v1/disputes/{dispute}")["evidence"]
    assert (found["receipt"], found["uncategorized_file"]) == (file_id, None)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"", "This file is empty."),
        (b"MZ", "This is no PDF, JPEG or PNG, whatever its name says."),
        (PDF + b"/Type /Page " * 50, "A PDF needs fewer than 50 pages"),
    ],
)
def test_a_file_that_is_not_taken_is_said_beside_what_was_typed(shop: Shop, file: bytes, says: str) -> None:
    reference, _dispute, path = disputed(shop)
    browser = staff(shop, Role.SERVICE)

    page = send(browser, path, explanation="As typed", read="y", receipt=file, other=PNG)

    assert (page.status_code, says in page.text, "As typed" in page.text) == (400, True, True)
    assert [kind for kind, _file_id, _size in kept(shop)] == [EvidenceKind.OTHER]
    assert "dispute.answered" not in shop.history(reference)


def test_the_files_together_are_not_larger_than_a_bank_takes(shop: Shop) -> None:
    reference, dispute, _path = disputed(shop)
    actor = Actor("service@shop.example", shop.clock())

    def add(kind: EvidenceKind, size: int) -> None:
        evidence_files.add(shop.services, reference, dispute, kind, PDF + bytes(size - len(PDF)), actor)

    add(EvidenceKind.RECEIPT, 4_000_000)
    with pytest.raises(Exception, match="evidence_file_refused reason=too_large left=500000"):
        add(EvidenceKind.OTHER, 500_001)
    add(EvidenceKind.OTHER, 500_000)
    add(EvidenceKind.RECEIPT, 3_999_999)

    assert [size for _kind, _file_id, size in kept(shop)] == [500_000, 3_999_999]


def test_a_file_that_stripe_did_not_answer_is_the_same_one_again(shop: Shop) -> None:
    _reference, _dispute, path = disputed(shop)
    browser = staff(shop, Role.SERVICE)

    def lose(method: str, path: str) -> None:
        if (method, path) == FILES:
            raise NoAnswer

    shop.transport.after = lose
    lost = send(browser, path, attach="1", receipt=PDF, explanation="As typed")
    nothing_kept = kept(shop)
    shop.transport.after = lambda _method, _path: None
    send(browser, path, attach="1", receipt=PDF)

    assert (lost.status_code, "Stripe does not answer right now." in lost.text, nothing_kept) == (400, True, [])
    assert "As typed" in lost.text
    assert len(at_stripe(shop)) == 1
    assert [file_id for _kind, file_id, _size in kept(shop)] == [at_stripe(shop)[0][0]]


def test_a_file_that_comes_after_the_answer_goes_with_nothing(shop: Shop) -> None:
    reference, dispute, _path = disputed(shop)
    actor, origin = Actor("service@shop.example", shop.clock()), Origin(Source.STAFF, shop.clock())

    def answer_meanwhile(method: str, path: str) -> None:
        if (method, path) == FILES:
            evidence.submit(shop.services, reference, dispute, DisputeEvidence("It was sent."), origin)

    shop.transport.after = answer_meanwhile
    with pytest.raises(DisputeNotAnswered):
        evidence_files.add(shop.services, reference, dispute, EvidenceKind.RECEIPT, PDF, actor)

    assert kept(shop) == []


def test_a_dispute_that_is_answered_takes_no_more_files(shop: Shop) -> None:
    reference, dispute, path = disputed(shop)
    browser, actor = staff(shop, Role.SERVICE), Actor("service@shop.example", shop.clock())
    send(browser, path, explanation="It was sent.", read="y", receipt=PDF)
    shop.transport.requests.clear()

    with pytest.raises(DisputeNotAnswered):
        evidence_files.add(shop.services, reference, dispute, EvidenceKind.OTHER, PDF, actor)
    with pytest.raises(DisputeNotAnswered):
        evidence_files.remove(shop.services, reference, dispute, EvidenceKind.RECEIPT, actor)
    with pytest.raises(NotFound):
        evidence_files.add(shop.services, shop.order().reference, dispute, EvidenceKind.OTHER, PDF, actor)

    assert FILES not in shop.transport.requests
    assert len(kept(shop)) == 1


def test_what_is_done_about_a_dispute_is_kept_with_who_has_done_it(shop: Shop) -> None:
    shop.clock.stop()
    (first, answered, _page) = disputed(shop)
    order = shop.order(2)
    shop.pay(order, "4000000000000259")
    shop.deliver()
    shop.clock.forward(minutes=1)
    shop.deliver()
    accepted = next(each["id"] for each in shop.stripe("GET", "/v1/disputes")["data"] if each["id"] != answered)
    actor, origin = Actor("service@shop.example", shop.clock()), Origin(Source.STAFF, shop.clock(), "Ada")
    for reference, dispute in ((first, answered), (order.reference, accepted)):
        for kind in (EvidenceKind.RECEIPT, EvidenceKind.OTHER):
            evidence_files.add(shop.services, reference, dispute, kind, PDF, actor)

    evidence_files.remove(shop.services, first, answered, EvidenceKind.OTHER, actor)
    states = [
        evidence.submit(shop.services, first, answered, DisputeEvidence("It was sent."), origin),
        evidence.accept(shop.services, order.reference, accepted, origin),
    ]

    with shop.services.database.reading() as session:
        files = session.scalars(select(DisputeFile)).all()
        log = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id)).all()
    assert states == [DisputeState.UNDER_REVIEW, DisputeState.LOST]
    assert sorted((each.provider_dispute_id, each.kind) for each in files) == sorted(
        [(answered, EvidenceKind.RECEIPT), (accepted, EvidenceKind.OTHER), (accepted, EvidenceKind.RECEIPT)]
    )
    assert {(each.size, each.added_at) for each in files} == {(len(PDF), shop.clock())}
    entry = next(each for each in log if each.action == "dispute.file_removed")
    assert (entry.actor, entry.at, entry.subject, entry.data) == (
        "service@shop.example", shop.clock(), first, {"dispute": answered, "kind": "other"},
    )  # fmt: skip
    for reference, event, dispute in ((first, "answered", answered), (order.reference, "accepted", accepted)):
        (line,) = [each for each in shop.read(reference).history if each.type == f"dispute.{event}"]
        assert (line.source, line.actor, line.data) == ("staff", "Ada", {"dispute": dispute})
