"""Ports on loopback that may be named before anybody listens on them."""

import os
import random
import socket
from itertools import count

_LOWEST, _SLICE, _SLICES = 16_384, 1_024, 16
"""Below what Linux gives to whoever asks for any port (from 32,768), so that nobody, listener or client, takes one by
chance between its choice and its use. Each of the processes that share a run has a slice of its own."""

_turn = count(random.randrange(_SLICE))  # runs beside this one begin elsewhere


def worker() -> int:
    """Gives the number of this process among those that share a run, from 0."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def free_port() -> int:
    """Gives a port that nobody listens on."""
    first = _LOWEST + worker() % _SLICES * _SLICE
    while True:
        port = first + next(_turn) % _SLICE
        with socket.socket() as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as a server does: no matter who listened before
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
