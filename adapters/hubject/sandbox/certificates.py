"""The sandbox's own certificate authority, its server and client certificate, and one client certificate a partner.

As at Hubject, a client certificate is bound to the OperatorIDs or ProviderIDs that it may speak for; here they stand in
it, each as a URI `urn:oicp:operator:DE*ABC` or `urn:oicp:provider:DE*ABC` among the alternative names.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mappings.canonical.ids import PartyId

URN = "urn:oicp:operator:"
PROVIDER_URN = "urn:oicp:provider:"
HUB_NAME = "hubject.sandbox.roamgate"
"""Common name of the certificate that the hub shows."""
_DAYS = 825


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path

    def fingerprint(self) -> str:
        """Gives the SHA-256 of the certificate, hex: by which a gateway knows it."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).fingerprint(hashes.SHA256()).hex()


@dataclass(frozen=True, slots=True)
class Certificates:
    """What `write_certificates` wrote.

    Attributes:
        authority: The authority's certificate, which both sides trust.
        hub: The client certificate that the hub shows to a gateway.
        clients: By the first OperatorID that each is bound to, in normal form.
        providers: The certificates of EMPs, by their ProviderIDs in normal form.
    """

    authority: Path
    server: Pair
    hub: Pair
    clients: Mapping[str, Pair]
    providers: Mapping[str, Pair] = field(default_factory=dict)


def write_certificates(
    folder: Path, operators: Iterable[str | Sequence[str]], providers: Iterable[str] = ()
) -> Certificates:
    """Writes a new authority, a server certificate for loopback, the hub's own client certificate, and the partners'.

    Args:
        folder: Made if absent; files of the same names are replaced. Keys are readable by their owner only.
        operators: An OperatorID for each client certificate, or the several that it is bound to.
        providers: A ProviderID for each client certificate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = _Authority()
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")), x509.IPAddress(ip_address("::1"))]
    clients: dict[str, Pair] = {}
    for given in operators:
        bound = [PartyId(text).normal for text in ([given] if isinstance(given, str) else given)]
        uris = [x509.UniformResourceIdentifier(URN + operator) for operator in bound]
        pair = authority.issue(bound[0], uris, ExtendedKeyUsageOID.CLIENT_AUTH)
        clients[bound[0]] = _write(folder, "client-" + _file(bound[0]), *pair)
    emps: dict[str, Pair] = {}
    for party in (PartyId(text).normal for text in providers):
        uris = [x509.UniformResourceIdentifier(PROVIDER_URN + party)]
        pair = authority.issue(party, uris, ExtendedKeyUsageOID.CLIENT_AUTH)
        emps[party] = _write(folder, "provider-" + _file(party), *pair)
    (folder / "authority.pem").write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    server = _write(folder, "server", *authority.issue("localhost", names, ExtendedKeyUsageOID.SERVER_AUTH))
    hub = _write(folder, "hub", *authority.issue(HUB_NAME, [x509.DNSName(HUB_NAME)], ExtendedKeyUsageOID.CLIENT_AUTH))
    return Certificates(folder / "authority.pem", server, hub, clients, emps)


def operators_of(peer: Mapping[str, Any] | None) -> frozenset[str]:
    """Gives the OperatorIDs, normal form, that a client certificate is bound to.

    Args:
        peer: The certificate as Python's `ssl` gives it.
    """
    return _bound(peer, URN)


def providers_of(peer: Mapping[str, Any] | None) -> frozenset[str]:
    """Gives the ProviderIDs, normal form, that a client certificate is bound to; as `operators_of`."""
    return _bound(peer, PROVIDER_URN)


def _bound(peer: Mapping[str, Any] | None, urn: str) -> frozenset[str]:
    names = (peer or {}).get("subjectAltName", ())
    return frozenset(value.removeprefix(urn) for kind, value in names if kind == "URI" and value.startswith(urn))


def _file(party: str) -> str:
    return party.replace("*", "-").replace("+", "")


def certificate_of(request: web.Request) -> dict[str, Any] | None:
    """Gives the client certificate that was shown, as Python's `ssl` gives it; None if there was none."""
    return (request.transport.get_extra_info("peercert") or None) if request.transport is not None else None


class _Authority:
    """An authority whose key is never written."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "roamgate sandbox authority")])
        public = self._key.public_key()
        usage = _usage(signs_certificates=True)
        self.certificate = (
            _builder(self._name, self._name, public)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def issue(
        self, common_name: str, names: Sequence[x509.GeneralName], purpose: x509.ObjectIdentifier
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Issues a certificate with a key of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _builder(subject, self._name, public)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate, key


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # for clocks that stand apart a little
        .not_valid_after(now + timedelta(days=_DAYS))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair.key.unlink(missing_ok=True)
    descriptor = os.open(pair.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return pair
