"""A sandbox with and without TLS, and adapters that talk to it."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from adapters.core.peers import Peers
from adapters.hubject.adapter import HubjectAdapter
from adapters.hubject.sandbox import HubjectSandbox, Partner, Running, run
from tests.adapters.hubject.called import Called, calling
from tests.adapters.hubject.charging import DRIVER, OTHER, Hub, playing
from tests.adapters.hubject.emps import World, world
from tests.adapters.hubject.network import HUB_CPO, SUB_ONE, SUB_TWO, adapter


def partners() -> list[Partner]:
    return [Partner(HUB_CPO, frozenset({SUB_ONE, SUB_TWO})), Partner(OTHER)]


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def plain(clock: Clock) -> AsyncIterator[Running]:
    """A sandbox without TLS, in no folder."""
    async with run(HubjectSandbox(partners(), clock=clock), None) as running:
        yield running


@pytest.fixture
async def secured(tmp_path: Path) -> AsyncIterator[Running]:
    """A sandbox with mutual TLS."""
    async with run(HubjectSandbox(partners()), tmp_path) as running:
        yield running


@pytest.fixture
async def hub(plain: Running) -> AsyncIterator[HubjectAdapter]:
    """An adapter that talks to `plain`."""
    made = adapter(base_url=plain.url, timeout_seconds=5)
    yield made
    await made.close()


@pytest.fixture
async def hbs(clock: Clock) -> AsyncIterator[Hub]:
    """A sandbox without TLS, with a driver of whom an EMP knows, and requests to it."""
    async with playing(clock=clock) as made:
        await made.drivers(DRIVER)
        yield made


@pytest.fixture
async def emp_world(clock: Clock) -> AsyncIterator[World]:
    """A sandbox with two EMPs and two CPOs, their gateways, and requests to it."""
    async with world(clock=clock) as made:
        yield made


@pytest.fixture
async def emp_called(tmp_path: Path) -> AsyncIterator[Called]:
    """TLS ends at the gateway."""
    async with calling(tmp_path, Peers(), tls=True) as made:
        yield made


@pytest.fixture
async def emp_behind_ingress(tmp_path: Path) -> AsyncIterator[Called]:
    """TLS ends at an ingress, which hands the certificate on."""
    peers = Peers("ssl-client-cert", [ip_network("127.0.0.0/8")])
    async with calling(tmp_path, peers, tls=False) as made:
        yield made
