"""TLS towards hubs that want to see a client certificate, and of the sandboxes that ask for one."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class TlsFiles(ValueError):
    """A certificate or key cannot be read, or the two do not belong together."""


class TlsSettings(BaseModel):
    """The part of a connection's settings that says what is shown and whom to trust.

    Attributes:
        client_certificate, client_key: PEM files of what we show; the key may stand in the certificate's file.
        ca_file: PEM file of the authorities to trust instead of the system's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_certificate: Path | None = None
    client_key: Path | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _key_of_something(self) -> Self:
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("client_key without client_certificate")
        return self

    def context(self) -> ssl.SSLContext:
        """Reads the files.

        Raises:
            TlsFiles: One is missing or makes no sense.
        """
        return client_context(self.ca_file, self.client_certificate, self.client_key)

    def changed_at(self) -> tuple[int | None, ...]:
        """Tells when each file was changed last, in nanoseconds; -1 for one that is not there."""
        return tuple(_changed_at(path) for path in (self.ca_file, self.client_certificate, self.client_key))


def _changed_at(path: Path | None) -> int | None:
    try:
        return None if path is None else path.stat().st_mtime_ns
    except OSError:
        return -1


def client_context(authority: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """Makes the context of our requests; host names are checked, TLS is at least 1.2.

    Args:
        authority: Whom to trust instead of the system's authorities.
        certificate: What we show, PEM, with the chain if there is one; None shows nothing.
        key: Its key, not enciphered; None where the certificate's file holds it.

    Raises:
        TlsFiles: A file is missing or makes no sense. The text names the file, never what is in it.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise TlsFiles(f"{authority} holds no certificates: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        _load(context, certificate, key)
    return context


def server_context(authority: Path | None, certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Makes the context of a server.

    A client without a certificate is let in, so that the server can tell it so by HTTP, as web servers do: in TLS 1.3 a
    client learns of a refusal only after its handshake, if at all.

    Args:
        authority: Whose client certificates are asked for and verified; None asks for none.
        certificate: What we show, PEM, with the chain if there is one.
        key: Its key, not enciphered; None where the certificate's file holds it.

    Raises:
        TlsFiles: As `client_context`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is not None:
        try:
            context.load_verify_locations(cafile=authority)
        except (OSError, ssl.SSLError) as error:
            raise TlsFiles(f"{authority} holds no certificates: {error}") from None
        context.verify_mode = ssl.CERT_OPTIONAL
        # A resumed session is not verified anew: it would outlive the authority that its certificate hangs on.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    _load(context, certificate, key)
    return context


class ListenerTls:
    """The context of a listener, whose files are read again when they change: a renewal needs no restart.

    Args:
        authority, certificate, key: As `server_context`.

    Raises:
        TlsFiles: As `server_context`; once it is made, files that make no sense leave everything as it is.
    """

    def __init__(self, authority: Path | None, certificate: Path, key: Path | None) -> None:
        self._authority, self._certificate, self._key = authority, certificate, key
        self._read_at = self._changed_at()
        self.context = self._current = server_context(authority, certificate, key)
        """What the listener is given."""
        self.context.sni_callback = self._choose

    def _changed_at(self) -> tuple[int | None, ...]:
        return tuple(_changed_at(path) for path in (self._authority, self._certificate, self._key))

    def _choose(self, handshake: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called in every handshake, whether the client names a server or not."""
        if (changed_at := self._changed_at()) != self._read_at:
            try:
                self._current = server_context(self._authority, self._certificate, self._key)
            except TlsFiles:
                pass  # a certificate and its key are not replaced in the same instant: the next handshake looks again
            else:
                self._read_at = changed_at
        handshake.context = self._current


def _load(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        # A password would be asked for on the terminal if none were given.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise TlsFiles(f"{certificate} and {key or certificate} are no certificate with its key: {error}") from None
