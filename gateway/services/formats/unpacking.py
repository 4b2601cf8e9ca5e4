"""Plain or gzip, told by the first two bytes (RFC 1952, section 2.3.1), unpacked in small steps."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from gateway.services.formats.records import Damaged

_MAGIC: Final = b"\x1f\x8b"
_STEP: Final = 64 * 1024
"""Bytes unpacked at once: what a gzip of zeros grows to is never held."""


async def unpacked(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Gives the content piece by piece.

    Raises:
        Damaged: It is a gzip that is broken or ends early; the pieces before that were given.
    """
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= len(_MAGIC):
            break
    if not head.startswith(_MAGIC):
        if head:
            yield head
        async for chunk in chunks:
            yield chunk
        return
    async for piece in _inflated(head, chunks):
        yield piece


async def _inflated(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    unzip = zlib.decompressobj(wbits=31)
    try:
        packed = head
        while True:
            while packed:
                if unzip.eof:
                    # A gzip may be several, one after the other (section 2.2); zeros between and after are padding.
                    packed = packed.lstrip(b"\0")
                    if not packed:
                        break
                    unzip = zlib.decompressobj(wbits=31)
                if piece := unzip.decompress(packed, _STEP):
                    yield piece
                packed = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
            try:
                packed = await anext(chunks)
            except StopAsyncIteration:
                break
    except zlib.error as error:
        raise Damaged(f"the gzip is broken ({error})") from error
    if not unzip.eof:
        raise Damaged("the gzip ends early")
