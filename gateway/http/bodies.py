"""Reading what callers send: bounded in size and depth, plain or gzip, whole or line by line.

aiohttp would unpack gzip itself, but takes a truncated one for whole, so the server is started without that.
"""

import zlib
from collections.abc import AsyncIterator
from typing import Final, TypeVar

import aiohttp
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from gateway.complaints import guard
from gateway.http.problems import Problem, of_validation

MIB: Final = 1024 * 1024
MAX_BODY: Final = 8 * MIB
"""Bytes of a body that is read whole, unpacked."""
MAX_LINE: Final = 4 * MIB
"""Bytes of one line of a streamed body."""

_STEP: Final = 64 * 1024

T = TypeVar("T")

JSON: Final = ("application/json",)
MERGE_PATCH: Final = ("application/merge-patch+json", "application/json")
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines")
ANY: Final = ("*/*",)


def demand_type(request: web.Request, types: tuple[str, ...]) -> None:
    """Raises the problem 415 unless the body has one of the types and a coding that is read here."""
    if types is not ANY and request.content_type not in types:
        given = request.headers.get("Content-Type", "none")[:100]
        raise Problem("wrong-media-type", f"Content-Type is {given}; this takes {' or '.join(types)}")
    if _coding(request) not in ("identity", "gzip"):
        raise Problem(
            "wrong-media-type", "Content-Encoding is neither gzip nor identity", headers={"Accept-Encoding": "gzip"}
        )


def _coding(request: web.Request) -> str:
    coding = request.headers.get("Content-Encoding")
    return coding.strip().lower() if coding else "identity"


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """Gives the body piece by piece, unpacked, at most 64 KiB each; any size in bounded memory.

    Raises:
        Problem: The body ends early, or is no gzip though it says so.
    """
    if _coding(request) == "gzip":
        async for piece in _unpacked(_raw(request)):
            yield piece
    else:
        async for piece in _raw(request):
            yield piece


async def _raw(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.content.iter_any():
            yield piece
    except (aiohttp.ClientPayloadError, web.RequestPayloadError, ConnectionError) as error:
        raise Problem("damaged-body", "The body ends before its end") from error


async def _unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    unzip = zlib.decompressobj(wbits=31)
    began = False
    try:
        async for piece in pieces:
            packed = piece
            while packed:
                if unzip.eof:  # a gzip file may be several, one after the other (RFC 1952, section 2.2)
                    unzip, began = zlib.decompressobj(wbits=31), False
                began = True
                yield unzip.decompress(packed, _STEP)
                packed = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
    except zlib.error as error:
        raise Problem("damaged-body", "The body is no gzip, though Content-Encoding says so") from error
    if began and not unzip.eof:
        raise Problem("damaged-body", "The gzip ends early")


async def read(request: web.Request, limit: int = MAX_BODY) -> bytes:
    """Reads a body whole.

    Raises:
        Problem: It is larger than the limit, in bytes, which a declared length shows before anything is read.
    """
    too_large = Problem("too-large", f"The body is over {limit} bytes, the most that this operation takes")
    if (request.content_length or 0) > limit:
        raise too_large
    pieces, size = [], 0
    async for piece in chunks(request):
        size += len(piece)
        if size > limit:
            raise too_large
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def lines(request: web.Request, limit: int = MAX_LINE) -> AsyncIterator[tuple[int, bytes | None]]:
    """Gives the lines of a body with their numbers, from 1, without blank ones; None for one over the limit."""
    number, rest, skipping = 0, bytearray(), False
    async for piece in chunks(request):
        *whole, tail = piece.split(b"\n")
        for end in whole:
            number += 1
            if skipping or len(rest) + len(end) > limit:
                yield number, None
            elif line := (bytes(rest) + end if rest else end).strip():
                yield number, line
            rest.clear()
            skipping = False
        if skipping or len(rest) + len(tail) > limit:
            rest.clear()
            skipping = True
        else:
            rest += tail
    if skipping:
        yield number + 1, None
    elif line := bytes(rest).strip():
        yield number + 1, line


def parse(body: bytes, adapter: TypeAdapter[T]) -> T:
    """Reads JSON into a model, strictly: no number for a text, no wrong case.

    Raises:
        Problem: 400 if it is no JSON, 422 with the fields if it is not the model's.
    """
    if faults := guard(body):
        raise Problem("invalid", "The body holds what cannot be stored", faults)
    try:
        return adapter.validate_json(body, strict=True)
    except ValidationError as error:
        raise of_validation(error) from error
