"""Starts the sandbox Hubject with mutual TLS, or without for benchmarks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.core.sandbox import SandboxServer
from adapters.core.tls import client_context, server_context
from adapters.hubject.sandbox.application import application
from adapters.hubject.sandbox.certificates import Certificates, write_certificates
from adapters.hubject.sandbox.state import HubjectSandbox


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that listens.

    Attributes:
        server: The server; stopped at the end of the block.
        certificates: What the connection has to show and to trust; None without TLS.
    """

    sandbox: HubjectSandbox
    server: SandboxServer
    certificates: Certificates | None

    @property
    def url(self) -> str:
        """Base URL for the connection's settings, without a trailing slash."""
        return self.server.url


@asynccontextmanager
async def run(
    sandbox: HubjectSandbox, folder: Path | None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Running]:
    """Runs a sandbox until the block ends.

    Args:
        folder: Where new certificates are written, one for each CPO and EMP; None runs plain HTTP and asks for none.
        port: 0 for any free one.
    """
    certificates = (
        None if folder is None else write_certificates(folder, list(sandbox.partners), list(sandbox.providers))
    )
    context = None
    if certificates is None:
        sandbox.checks_certificates = False
    else:
        server = certificates.server
        context = server_context(certificates.authority, server.certificate, server.key)
        hub = certificates.hub
        sandbox.outbound.tls = client_context(certificates.authority, hub.certificate, hub.key)
    listener = SandboxServer(application(sandbox), host, port, context)
    await listener.start()
    try:
        yield Running(sandbox, listener, certificates)
    finally:
        await listener.stop()
