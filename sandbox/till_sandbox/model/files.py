"""Uploaded files: what they are, for how long, and which of them a dispute takes. Their content is looked at and
forgotten.
"""

import re
from collections.abc import Iterable
from typing import Any

from till_sandbox import ids
from till_sandbox.data import load
from till_sandbox.errors import ApiError, missing_object
from till_sandbox.model import objects
from till_sandbox.state import Resource, Transaction

_DATA = load("files")
_MIMETYPES: dict[str, str] = _DATA["mimetypes"]
_PURPOSES: dict[str, dict[str, Any]] = _DATA["purposes"]
DAY = 24 * 3600

#: What a file of each type begins with.
_BEGINNINGS = {"gif": rb"GIF8[79]a", "jpg": rb"\xff\xd8\xff", "pdf": rb"%PDF-", "png": rb"\x89PNG\r\n\x1a\n"}
_BEGINNINGS["svg"] = rb"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg\b"

#: A page of a PDF, where it is not compressed.
_PAGE = re.compile(rb"/Type\s*/Page\b")


def create(tx: Transaction, purpose: str, name: str, content: bytes) -> Resource:
    """Take a file for a purpose. Refuses a type or a size that the purpose does not allow."""
    known = _PURPOSES.get(purpose)
    if known is None:
        raise ApiError(f"The sandbox takes no files for {purpose}.", param="purpose")
    kind = _type_of(content)
    if kind not in known["types"]:
        allowed = ", ".join(sorted(_MIMETYPES[each] for each in known["types"]))
        raise ApiError(
            "We don't currently support that file type. Try uploading a file with one of the following mimetypes: "
            f"{allowed}."
        )
    if len(content) > known["largest"]:
        raise ApiError(f"File size must be at most {known['largest']} bytes.", param="file")
    if purpose == "dispute_evidence" and len(_PAGE.findall(content)) > _DATA["most_pages"]:
        pages = _DATA["most_pages"] + 1
        raise ApiError(f"The file you uploaded was too long. Please upload a file with fewer than {pages} pages.")
    file_id = ids.new("file")
    given = {
        "id": file_id,
        "expires_at": None if known["days"] is None else tx.now + known["days"] * DAY,
        "filename": name,
        "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={file_id}"},
        "purpose": purpose,
        "size": len(content),
        "type": kind,
        "url": f"https://files.stripe.com/v1/files/{file_id}/contents",
    }
    return tx.insert(objects.new(tx, "file", given))


def check_evidence(tx: Transaction, evidence: dict[str, Any], names: Iterable[str]) -> None:
    """Refuse evidence whose files, under these names, are not there, are for something else, or too large together."""
    size = 0
    for name in names:
        if not evidence.get(name):
            continue
        param = f"evidence[{name}]"
        found = tx.find("file", evidence[name])
        if found is None:
            raise missing_object("file upload", evidence[name], param, status=400)
        if found["purpose"] != "dispute_evidence":
            raise ApiError(f"The file {found.id} was not uploaded with the purpose dispute_evidence.", param=param)
        size += found["size"]
    if size > _DATA["largest_evidence"]:
        raise ApiError(
            "The files you've attached to this dispute as evidence will exceed the limit for a dispute's total size. "
            "Try using smaller files as evidence. Hint: if you've attached images, you might want to try providing "
            "them in lower resolutions."
        )


def _type_of(content: bytes) -> str | None:
    return next((kind for kind, start in _BEGINNINGS.items() if re.match(start, content, re.DOTALL)), None)
