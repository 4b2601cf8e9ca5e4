"""Signatures by the Standard Webhooks scheme (version 1.0.0, symmetric), for webhooks and call-outs."""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

PREFIX: Final = "whsec_"
_BYTES: Final = 32  # the scheme asks for 24 to 64


def new_secret() -> str:
    """Makes a secret, as its receiver gets it: 256 random bits in Base64 behind `whsec_`."""
    return PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def headers(keys: Iterable[str], id_: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """Gives the three headers of a signed request.

    Args:
        keys: Secrets as `new_secret` makes them; the receiver accepts whichever signature is by the one it knows.
        id_: Of what is told, the same on every try; without a full stop, which parts what is signed.
        at: When this try is made.
        body: What is sent, to the byte.
    """
    stamp = str(int(at.timestamp()))
    signed = b".".join((id_.encode(), stamp.encode(), body))
    return {
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in keys),
    }


def _signature(key: str, signed: bytes) -> str:
    return b64encode(hmac.new(b64decode(key.removeprefix(PREFIX)), signed, sha256).digest()).decode()
