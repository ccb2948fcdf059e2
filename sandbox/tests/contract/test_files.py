"""Files: uploaded in a form of parts, known by their content, and given to a dispute as evidence."""

from io import BytesIO
from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from till_sandbox.testing import START

PDF, PNG, JPEG = b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"


class Named(BytesIO):
    """A file of this name, as the library reads one from a folder."""

    def __init__(self, content: bytes, name: str = "receipt.pdf") -> None:
        super().__init__(content)
        self.name = name


def upload(client: stripe.StripeClient, content: bytes, purpose: str = "dispute_evidence", **options: Any) -> Any:
    return client.v1.files.create({"file": Named(content), "purpose": purpose}, options or None)  # type: ignore[arg-type]  # a part of what it takes


def refusal(client: stripe.StripeClient, content: bytes, purpose: str = "dispute_evidence") -> tuple[str | None, str]:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        upload(client, content, purpose)
    return refused.value.param, refused.value.user_message or ""


def dispute(client: stripe.StripeClient, http: FlaskClient) -> str:
    paid: dict[str, Any] = {"amount": 4900, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    charge = client.v1.payment_intents.create(paid).latest_charge  # type: ignore[arg-type]  # built from parts
    http.post("/sandbox/disputes", json={"charge": charge, "kind": "fraudulent"})
    return client.v1.disputes.list({"limit": 1}).data[0].id


def test_a_file_is_described_and_found_again(client: stripe.StripeClient) -> None:
    made = upload(client, PDF + b"/Type /Pages /Type /Page")

    body = made.to_dict()
    assert body == {
        "id": made.id,
        "object": "file",
        "created": int(START),
        "expires_at": int(START) + 270 * 24 * 3600,
        "filename": "receipt.pdf",
        "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={made.id}"},
        "purpose": "dispute_evidence",
        "size": 33,
        "title": None,
        "type": "pdf",
        "url": f"https://files.stripe.com/v1/files/{made.id}/contents",
    }
    assert made.id.startswith("file_1")
    assert client.v1.files.retrieve(made.id).to_dict() == body
    logo = upload(client, PNG, "business_logo")
    assert [each.id for each in client.v1.files.list()] == [logo.id, made.id]
    assert [each.id for each in client.v1.files.list({"purpose": "business_logo"})] == [logo.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such file upload: 'file_1x'"):
        client.v1.files.retrieve("file_1x")


def test_the_same_upload_under_the_same_key_is_the_same_file(client: stripe.StripeClient) -> None:
    first, again = upload(client, PDF, idempotency_key="one"), upload(client, PDF, idempotency_key="one")

    assert first.id == again.id
    with pytest.raises(stripe.IdempotencyError):
        upload(client, PDF + b" ", idempotency_key="one")


def test_a_file_is_taken_by_its_content_and_up_to_a_size(client: stripe.StripeClient) -> None:
    limit = 5 * 1024 * 1024

    kinds = [upload(client, content).type for content in (PDF, PNG, JPEG)]
    full = upload(client, PDF + bytes(limit - len(PDF)))

    assert kinds == ["pdf", "png", "jpg"]
    assert full.size == limit
    assert refusal(client, PDF + bytes(limit + 1 - len(PDF)))[0] == "file"
    mimetypes = "application/pdf, image/jpeg, image/png."
    assert refusal(client, b"MZ")[1].endswith(f"one of the following mimetypes: {mimetypes}")
    assert "mimetypes" in refusal(client, b"")[1]
    assert "mimetypes" in refusal(client, PDF, "business_logo")[1]
    assert upload(client, b'<?xml version="1.0"?>\n<svg/>', "customer_signature").type == "svg"
    assert "fewer than 50 pages" in refusal(client, PDF + b"/Type /Page\n" * 50)[1]
    assert upload(client, PDF + b"/Type /Page\n" * 49).type == "pdf"


def test_what_is_no_file_or_for_no_purpose_is_refused(client: stripe.StripeClient, http: FlaskClient) -> None:
    text = http.post("/v1/files", data={"purpose": "dispute_evidence", "file": "receipt.pdf"}).get_json()
    linked = http.post(
        "/v1/files",
        data={"purpose": "dispute_evidence", "file": (BytesIO(PDF), "a"), "file_link_data[create]": "true"},
        content_type="multipart/form-data",
    ).get_json()

    assert (text["error"]["code"], text["error"]["param"]) == ("parameter_missing", "file")
    assert linked["error"]["param"] == "file_link_data"
    assert refusal(client, PDF, "pci_document")[0] == "purpose"
    assert "Invalid purpose" in refusal(client, PDF, "holiday")[1]


def test_a_dispute_takes_files_that_are_evidence(client: stripe.StripeClient, http: FlaskClient) -> None:
    found, logo, receipt = dispute(client, http), upload(client, PNG, "business_logo"), upload(client, PDF)

    for name, message in (("file_1x", "No such file upload"), (logo.id, "dispute_evidence")):
        with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
            client.v1.disputes.update(found, {"evidence": {"receipt": name}, "submit": False})
        assert refused.value.param == "evidence[receipt]"
    taken = client.v1.disputes.update(
        found, {"evidence": {"receipt": receipt.id}, "submit": False, "expand": ["evidence.receipt"]}
    )

    assert taken.evidence.receipt == receipt
    kept = client.v1.disputes.retrieve(found)
    assert (kept.evidence.receipt, kept.status) == (receipt.id, "needs_response")


def test_the_files_of_a_dispute_are_so_large_together(client: stripe.StripeClient, http: FlaskClient) -> None:
    found, half = dispute(client, http), 4_718_592 // 2
    first, second = upload(client, PDF + bytes(half - len(PDF))), upload(client, PNG + bytes(half + 1 - len(PNG)))

    client.v1.disputes.update(found, {"evidence": {"receipt": first.id}, "submit": False})
    with pytest.raises(stripe.InvalidRequestError, match="exceed the limit for a dispute's total size"):
        client.v1.disputes.update(found, {"evidence": {"uncategorized_file": second.id}, "submit": False})

    assert client.v1.disputes.retrieve(found).evidence.uncategorized_file is None
