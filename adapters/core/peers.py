"""The certificate that whoever calls us has shown: in the TLS that ends here, or at an ingress that hands it on.

Nobody is trusted by it yet: a hub's server compares it with what the connection's settings say of the hub.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Self, TypeAlias
from urllib.parse import unquote

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from mappings.canonical.ids import PartyId

Network: TypeAlias = IPv4Network | IPv6Network

ENVOY: Final = "x-forwarded-client-cert"
"""Header of Envoy and of what is built on it, which has a form of its own."""

VERDICT: Final = "ssl-client-verify"
"""Where NGINX's ingress says whether the certificate that it hands on has passed. It hands on those that have not, too,
where it was told `optional_no_ca`."""

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate whose key the peer has, and that an authority of ours has signed.

    Attributes:
        fingerprint: SHA-256 of the certificate, lower case hex.
        subject: Its subject.
    """

    fingerprint: str
    subject: x509.Name

    def __str__(self) -> str:
        return f"{self.subject.rfc4514_string()} ({self.fingerprint})"


class KnownCertificate(BaseModel):
    """A certificate that is the hub's, by its fingerprint or by its subject; in a connection's settings.

    Attributes:
        fingerprint: SHA-256 of the certificate, hex, colons and case as one likes. It changes when the certificate is
            renewed.
        subject: As RFC 4514 writes it (`openssl x509 -noout -subject -nameopt RFC2253`). It stays when the certificate
            is renewed, and is worth as much as the authorities that may sign it.
        bound_to: The only parties in whose name it speaks; empty for anybody behind the hub.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: str | None = None
    subject: str | None = None
    bound_to: frozenset[PartyId] = frozenset()

    @field_validator("fingerprint")
    @classmethod
    def _normal(cls, value: str | None) -> str | None:
        if value is None:
            return None
        plain = value.replace(":", "").lower()
        if not _FINGERPRINT.fullmatch(plain):
            raise ValueError("is not a SHA-256 in hex")
        return plain

    @field_validator("subject")
    @classmethod
    def _name(cls, value: str | None) -> str | None:
        if value is not None and not list(_name(value)):
            raise ValueError("is empty")
        return value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.fingerprint is None and self.subject is None:
            raise ValueError("fingerprint or subject is needed")
        return self

    def matches(self, shown: Shown) -> bool:
        """Tells whether it is that certificate; where both are given, both must be right."""
        if self.fingerprint is not None and self.fingerprint != shown.fingerprint:
            return False
        return self.subject is None or _name(self.subject) == shown.subject

    def speaks_for(self, party: PartyId) -> bool:
        """Tells whether it speaks in the name of a party."""
        return not self.bound_to or party in self.bound_to


@lru_cache(maxsize=256)
def _name(text: str) -> x509.Name:
    try:
        return x509.Name.from_rfc4514_string(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a name as RFC 4514 writes it: {error}") from None


class Peers:
    """Reads the certificate of a request.

    Args:
        header: Where an ingress hands the certificate on; None where TLS ends here, or nowhere.
        proxies: The networks that the ingress calls from. From anywhere else the header is worth nothing.
    """

    def __init__(self, header: str | None = None, proxies: Sequence[Network] = ()) -> None:
        self._header = header
        self._proxies = tuple(proxies)

    def shown(self, request: web.Request) -> Shown | None:
        """Gives the verified certificate of whoever calls; None if there is none, or none that can be read.

        A certificate of the connection itself wins: then nobody stands between.
        """
        if request.transport is None:
            return None
        own = request.transport.get_extra_info("ssl_object")
        # The listener lets only certificates in that one of its authorities has signed.
        if own is not None and (der := own.getpeercert(binary_form=True)):
            return _read(der)
        if self._header is None or not self._from_proxy(request):
            return None
        values = request.headers.getall(self._header, [])
        if len(values) != 1 or request.headers.getall(VERDICT, ["SUCCESS"]) != ["SUCCESS"]:
            return None
        der = _of_envoy(values[0]) if self._header.lower() == ENVOY else _decoded(values[0])
        return None if der is None else _read(der)

    def _from_proxy(self, request: web.Request) -> bool:
        return (address := remote(request)) is not None and any(address in network for network in self._proxies)


def remote(request: web.Request) -> IPv4Address | IPv6Address | None:
    """Gives the address at the other end of the connection itself, whatever headers say; IPv4 in its own form."""
    peer = None if request.transport is None else request.transport.get_extra_info("peername")
    try:
        address = ip_address(peer[0].partition("%")[0] if isinstance(peer, tuple) else "")
    except ValueError:
        return None  # a socket in the file system
    return getattr(address, "ipv4_mapped", None) or address


def on_loopback(request: web.Request) -> bool:
    """Tells whether whoever calls is on this machine."""
    return (address := remote(request)) is not None and address.is_loopback


def known(shown: Shown | None, certificates: Iterable[KnownCertificate]) -> KnownCertificate | None:
    """Finds a certificate among those that are the hub's."""
    if shown is None:
        return None
    return next((each for each in certificates if each.matches(shown)), None)


@lru_cache(maxsize=64)
def _read(der: bytes) -> Shown | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
        return Shown(certificate.fingerprint(SHA256()).hex(), certificate.subject)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _decoded(value: str) -> bytes | None:
    """Reads PEM with per cent signs (NGINX, AWS), or the bytes of RFC 9440 (`:MIIC…:`), or bare Base64 of DER."""
    text = unquote(value).strip()
    try:
        if text.startswith("-----BEGIN"):
            # The first is the peer's own; a chain may follow.
            return x509.load_pem_x509_certificate(text.encode()).public_bytes(Encoding.DER)
        return base64.b64decode(text.strip(":"), validate=True)
    except (ValueError, binascii.Error):
        return None


_ELEMENT: Final = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(;|$)')


def _of_envoy(value: str) -> bytes | None:
    """Reads `Cert` of Envoy's header; None where it tells of several certificates, so that others stand between."""
    found: dict[str, str] = {}
    at = 0
    while at < len(value):
        if (match := _ELEMENT.match(value, at)) is None:
            return None
        found.setdefault(match[1].lower(), match[2].strip('"'))
        at = match.end()
    return _decoded(found["cert"]) if found.get("cert") else None
