"""The terms of offers, as uploaded: once, and the same for ever."""

import hashlib
from datetime import datetime
from typing import Final

from gateway.services.offers.announcing import audit
from gateway.services.ports.common import Conflict, Invalid, NotFound
from gateway.services.ports.offers import DocumentView
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.services.offers", "documents.sql")

MOST: Final = 10 * 1024 * 1024
"""Bytes."""

_MEDIA_TYPE: Final = "application/pdf"
_MAGIC: Final = b"%PDF-"


async def put_document(
    store: Store,
    document_id: str,
    party: PartyId,
    name: str,
    media_type: str,
    content: bytes,
    who: str,
    now: datetime,
) -> DocumentView:
    """See `ports.offers.Groups.put_document`."""
    if media_type.split(";", 1)[0].strip().lower() != _MEDIA_TYPE or not content.startswith(_MAGIC):
        raise Invalid(("content", "is no PDF"))
    if len(content) > MOST:
        raise Invalid(("content", f"is larger than {MOST // 1024 // 1024} MB"))
    digest = hashlib.sha256(content).digest()
    async with store.transaction() as tx:
        await tx.execute(SQL["insert"], document_id, party.normal, name, _MEDIA_TYPE, content, digest, now)
        row = await tx.fetchrow(SQL["document"], document_id)
        if row is None or (row["party"], row["digest"]) != (party.normal, digest):
            raise Conflict(f"there is another document {document_id}", "id")
        if row["uploaded_at"] == now:
            detail = {"party": party.normal, "name": name, "digest": digest.hex()}
            await audit(tx, who, "uploaded", f"document/{document_id}", detail)
    return _view(row)


async def read_document(store: Store, document_id: str) -> tuple[DocumentView, bytes]:
    """See `ports.offers.Groups.document`."""
    row = await store.fetchrow(SQL["document"], document_id)
    if row is None:
        raise NotFound(f"there is no document {document_id}")
    return _view(row), row["content"]


def _view(row: Record) -> DocumentView:
    return DocumentView(
        id=row["id"],
        party=PartyId(row["party"]),
        name=row["name"],
        media_type=row["media_type"],
        size=len(row["content"]),
        digest=row["digest"].hex(),
        uploaded_at=row["uploaded_at"],
    )
