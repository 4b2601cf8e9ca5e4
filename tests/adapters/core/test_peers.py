"""Whose certificate a request came with: in TLS that ends here, or as an ingress hands it on."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
import trustme
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from adapters.core.peers import KnownCertificate, Peers, Shown, known, on_loopback
from adapters.core.tls import ListenerTls, TlsFiles
from mappings.canonical.ids import PartyId

HEADER = "ssl-client-cert"
LOOPBACK = ip_network("127.0.0.0/8")
ELSEWHERE = ip_network("10.0.0.0/8")


class Files:
    """An authority with the files of a listener, and clients of it."""

    def __init__(self, folder: Path, authority: trustme.CA | None = None) -> None:
        self.folder = folder
        self.issuer = authority or trustme.CA()
        self.authority, self.certificate, self.key = folder / "ca.pem", folder / "tls.crt", folder / "tls.key"
        self.issue(self.issuer)

    def issue(self, issuer: trustme.CA) -> None:
        """Writes a new authority and certificate in the place of the old ones."""
        self.issuer = issuer
        server = issuer.issue_cert("127.0.0.1")
        issuer.cert_pem.write_to_path(str(self.authority))
        server.private_key_pem.write_to_path(str(self.key))
        server.cert_chain_pems[0].write_to_path(str(self.certificate))

    def client(self, name: str, issuer: trustme.CA | None = None) -> trustme.LeafCert:
        return (issuer or self.issuer).issue_cert(common_name=name, organization_name="Hub, Inc.")

    def context(self, shown: trustme.LeafCert | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.issuer.configure_trust(context)
        if shown is not None:
            shown.configure_cert(context)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def certificate(leaf: trustme.LeafCert) -> x509.Certificate:
    return x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())


@asynccontextmanager
async def serving(peers: Peers, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that says whose certificate it saw."""

    async def who(request: web.Request) -> web.Response:
        shown = peers.shown(request)
        assert on_loopback(request)
        return web.json_response(None if shown is None else [shown.fingerprint, shown.subject.rfc4514_string()])

    app = web.Application()
    app.router.add_get("/", who)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def ask(
    url: str, context: ssl.SSLContext | None = None, headers: list[tuple[str, str]] | None = None
) -> list[str] | None:
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context or True)) as session,
        session.get(url, headers=headers or []) as answer,
    ):
        assert answer.status == 200
        found: list[str] | None = await answer.json()
        return found


def tls(files: Files) -> ssl.SSLContext:
    return ListenerTls(files.authority, files.certificate, files.key).context


# TLS that ends here


async def test_the_certificate_of_the_connection_itself_is_read(files: Files) -> None:
    leaf = files.client("hub.example")
    async with serving(Peers(), tls(files)) as url:
        found = await ask(url, files.context(leaf))
    own = certificate(leaf)
    assert found == [own.fingerprint(SHA256()).hex(), own.subject.rfc4514_string()]


async def test_whoever_shows_none_is_let_in_as_nobody(files: Files) -> None:
    async with serving(Peers(), tls(files)) as url:
        assert await ask(url, files.context()) is None


async def test_a_certificate_of_another_authority_ends_the_connection(files: Files) -> None:
    stranger = files.client("hub.example", trustme.CA())
    async with serving(Peers(), tls(files)) as url:
        with pytest.raises(aiohttp.ClientError):
            await ask(url, files.context(stranger))


async def test_without_an_authority_of_clients_none_is_asked_for(files: Files) -> None:
    context = ListenerTls(None, files.certificate, files.key).context
    async with serving(Peers(), context) as url:
        assert await ask(url, files.context(files.client("hub.example"))) is None


async def test_the_connections_own_certificate_wins_over_a_header(files: Files) -> None:
    leaf, other = files.client("hub.example"), files.client("other.example")
    async with serving(Peers(HEADER, [LOOPBACK]), tls(files)) as url:
        found = await ask(url, files.context(leaf), [(HEADER, quote(other.cert_chain_pems[0].bytes()))])
    assert found is not None
    assert found[0] == certificate(leaf).fingerprint(SHA256()).hex()


async def test_renewed_files_are_used_without_a_restart(files: Files, tmp_path: Path) -> None:
    before = files.issuer
    old = files.client("hub.example")
    async with serving(Peers(), tls(files)) as url:
        assert await ask(url, files.context(old)) is not None
        files.issue(trustme.CA())
        new = files.client("hub.example")
        found = await ask(url, files.context(new))
        assert found is not None
        assert found[0] == certificate(new).fingerprint(SHA256()).hex()
        with pytest.raises(aiohttp.ClientError):  # its authority is no longer one of ours
            await ask(url, files.context(files.client("hub.example", before)))
        # In the middle of a renewal a file makes no sense; the listener lives on with what it has.
        files.key.write_text("-----BEGIN PRIVATE")
        assert await ask(url, files.context(new)) is not None


def _meet(server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLObject:
    """Shakes hands in memory, reads what the server sends then, and gives the client's end."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1", session=session)
    asked = server.wrap_bio(to_server, to_client, server_side=True)
    for each in (asking, asked) * 3:
        with suppress(ssl.SSLWantReadError):
            each.do_handshake()
    asked.write(b"x")
    assert asking.read(1) == b"x"
    return asking


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_is_resumed_since_it_would_outlive_its_authority(files: Files, version: ssl.TLSVersion) -> None:
    server, client = tls(files), files.context(files.client("hub.example"))
    client.minimum_version = client.maximum_version = version
    first = _meet(server, client, None)
    assert not _meet(server, client, first.session).session_reused


def test_a_listener_without_usable_files_is_told_which(files: Files) -> None:
    files.authority.write_text("")
    with pytest.raises(TlsFiles, match=r"ca\.pem"):
        tls(files)


# At an ingress


def _nginx(leaf: trustme.LeafCert) -> str:
    return quote(leaf.cert_chain_pems[0].bytes(), safe="")


def _with_chain(leaf: trustme.LeafCert) -> str:
    return quote(leaf.cert_chain_pems[0].bytes() + trustme.CA().cert_pem.bytes(), safe="+=/")


def _rfc_9440(leaf: trustme.LeafCert) -> str:
    return f":{base64.b64encode(certificate(leaf).public_bytes(Encoding.DER)).decode()}:"


@pytest.mark.parametrize("write", [_nginx, _with_chain, _rfc_9440])
async def test_an_ingress_hands_the_certificate_on(files: Files, write: Callable[[trustme.LeafCert], str]) -> None:
    leaf = files.client("hub.example")
    async with serving(Peers(HEADER, [ELSEWHERE, LOOPBACK])) as url:
        found = await ask(url, headers=[(HEADER, write(leaf))])
    assert found is not None
    assert found[0] == certificate(leaf).fingerprint(SHA256()).hex()


async def test_envoys_header_is_read_though_the_subject_tries_to_look_like_more(files: Files) -> None:
    leaf, other = files.client("hub.example"), files.client("other.example")
    subject = f'Subject="CN=x\\";Cert=\\"{_nginx(other)}\\""'
    value = f'Hash={"0" * 64};{subject};Cert="{_nginx(leaf)}";URI=spiffe://a/b'
    async with serving(Peers("X-Forwarded-Client-Cert", [LOOPBACK])) as url:
        found = await ask(url, headers=[("x-forwarded-client-cert", value)])
        assert found is not None
        assert found[0] == certificate(leaf).fingerprint(SHA256()).hex()
        # Two elements: somebody stands between whom nobody told us of.
        two = f'{value},Cert="{_nginx(other)}"'
        assert await ask(url, headers=[("x-forwarded-client-cert", two)]) is None
        assert await ask(url, headers=[("x-forwarded-client-cert", "Hash=00")]) is None


async def test_from_anywhere_else_the_header_is_worth_nothing(files: Files) -> None:
    value = _nginx(files.client("hub.example"))
    for peers in (Peers(HEADER, [ELSEWHERE]), Peers(HEADER, []), Peers(None, [LOOPBACK]), Peers()):
        async with serving(peers) as url:
            assert await ask(url, headers=[(HEADER, value)]) is None


async def test_a_forwarded_address_makes_nobody_a_proxy(files: Files) -> None:
    value = _nginx(files.client("hub.example"))
    async with serving(Peers(HEADER, [ELSEWHERE])) as url:
        headers = [(HEADER, value), ("X-Forwarded-For", "10.0.0.1"), ("Forwarded", "for=10.0.0.1")]
        assert await ask(url, headers=headers) is None


async def test_what_the_ingress_did_not_verify_counts_for_nothing(files: Files) -> None:
    value = _nginx(files.client("hub.example"))
    async with serving(Peers(HEADER, [LOOPBACK])) as url:
        assert await ask(url, headers=[(HEADER, value), ("ssl-client-verify", "SUCCESS")]) is not None
        for verdict in ("FAILED:self-signed certificate", "NONE", ""):
            assert await ask(url, headers=[(HEADER, value), ("ssl-client-verify", verdict)]) is None


@pytest.mark.parametrize(
    "value",
    ["", "%", "-----BEGIN CERTIFICATE-----", "MIIC", ":%%:", "x" * 4000, "-----BEGIN%20CERTIFICATE-----%0AMIIC"],
)
async def test_a_header_that_holds_no_certificate_is_none(value: str) -> None:
    async with serving(Peers(HEADER, [LOOPBACK])) as url:
        assert await ask(url, headers=[(HEADER, value)]) is None


async def test_two_headers_are_none(files: Files) -> None:
    value = _nginx(files.client("hub.example"))
    async with serving(Peers(HEADER, [LOOPBACK])) as url:
        assert await ask(url, headers=[(HEADER, value), (HEADER, value)]) is None


# Whose it is


def shown(files: Files, name: str = "hub.example") -> Shown:
    own = certificate(files.client(name))
    return Shown(own.fingerprint(SHA256()).hex(), own.subject)


def test_a_known_certificate_is_named_by_fingerprint_or_subject_or_both(files: Files) -> None:
    hub, other = shown(files), shown(files, "other.example")
    colons = ":".join(hub.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    subject = hub.subject.rfc4514_string()
    by_print, by_subject = KnownCertificate(fingerprint=colons), KnownCertificate(subject=subject)
    assert by_print.matches(hub)
    assert by_subject.matches(hub)
    assert not by_print.matches(other)
    assert not by_subject.matches(other)
    assert not KnownCertificate(fingerprint=other.fingerprint, subject=subject).matches(hub)
    assert known(hub, [KnownCertificate(subject="CN=other.example"), by_subject]) is by_subject
    assert known(other, [by_print, by_subject]) is None
    assert known(None, [by_print]) is None


def test_a_certificate_speaks_for_everybody_or_for_those_whom_it_is_bound_to() -> None:
    bound = KnownCertificate.model_validate({"subject": "CN=hub.example", "bound_to": ["DE-ABC"]})
    assert bound.speaks_for(PartyId("DE*ABC"))
    assert not bound.speaks_for(PartyId("DE-XYZ"))
    assert KnownCertificate(subject="CN=hub.example").speaks_for(PartyId("DE-XYZ"))


@pytest.mark.parametrize(
    "wrong", [{}, {"fingerprint": "ab"}, {"subject": ""}, {"subject": "hub.example"}, {"bound_to": ["DE-ABC"]}]
)
def test_a_certificate_that_is_not_named_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        KnownCertificate.model_validate(wrong)


async def test_several_handshakes_at_once_use_the_same_files(files: Files) -> None:
    leaf = files.client("hub.example")
    async with serving(Peers(), tls(files)) as url:
        found = await asyncio.gather(*(ask(url, files.context(leaf)) for _ in range(8)))
    assert len({one[0] for one in found if one is not None}) == 1
