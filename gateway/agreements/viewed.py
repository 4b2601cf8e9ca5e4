"""What each EMSP has of a network, as a word that changes when that does: so what was told can be compared. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final

from gateway.agreements.book import Book, Network
from gateway.agreements.policy import Request, decide
from gateway.agreements.sight import ANYBODY, anybodys
from mappings.canonical.agreements import EVERY_SERVICE, Service
from mappings.canonical.ids import PartyId

EVERYBODY: Final = "*"
"""Stands for whoever is not named."""

EVERYTHING: Final = ""
"""The word for whoever has a network that is not restricted."""


class Digests:
    """Digests of the members of EVSE groups, each made once: a group may have a million."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[frozenset[str], str]] = {}

    def of(self, book: Book, group: str) -> str:
        """Gives the digest of a group's members."""
        members = book.members.get(group, frozenset())
        known = self._known.get(group)
        if known is None or known[0] is not members:
            digest = blake2b("\n".join(sorted(members)).encode(), digest_size=9).hexdigest()
            known = self._known[group] = members, digest
        return known[1]


def named(book: Book) -> Mapping[Network, Sequence[str]]:
    """Gives the EMSPs that agreements name, by network."""
    found: dict[Network, list[str]] = defaultdict(list)
    for connection_id, cpo, emsp in book.by_emsp:
        found[connection_id, cpo].append(emsp)
    return found


def views(book: Book, network: Network, emsps: Sequence[str], digests: Digests | None, now: datetime) -> dict[str, str]:
    """Gives the words by EMSP, `*` for whoever is not named; nothing for a network that is not restricted.

    Args:
        emsps: Whom agreements about it name.
        digests: None where no more matters than whether an EMSP may know its locations and tariffs.
    """
    since = book.restricted.get(network)
    if since is None or now < since:
        return {}
    made = {EVERYBODY: _word(anybodys(book), network, ANYBODY, digests, now)}
    for emsp in emsps:
        word = _word(book, network, PartyId(emsp), digests, now)
        if word != made[EVERYBODY]:
            made[emsp] = word
    return made


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names the EMSPs for whom something changed; `*` for whoever is not named."""
    of_others = before.get(EVERYBODY, EVERYTHING), now.get(EVERYBODY, EVERYTHING)
    names = (before.keys() | now.keys()) - {EVERYBODY}
    found = sorted(name for name in names if before.get(name, of_others[0]) != now.get(name, of_others[1]))
    return found if of_others[0] == of_others[1] else [*found, EVERYBODY]


def _word(book: Book, network: Network, emsp: PartyId, digests: Digests | None, now: datetime) -> str:
    connection_id, cpo = network

    def granted(service: Service) -> str:
        decision = decide(book, connection_id, Request(service, PartyId(cpo), emsp), now)
        if digests is None:
            return "+" if decision.allowed else "-"
        granting = [decision.agreement, *decision.others] if decision.agreement is not None else []
        return ",".join(
            f"{one.offer}/{one.version}/{'/'.join(digests.of(book, group) for group in one.terms.evse_groups)}"
            for one in granting
        )

    if digests is None:
        return granted(Service.POI)
    said = ";".join(f"{service}={granted(service)}" for service in sorted(EVERY_SERVICE))
    return blake2b(said.encode(), digest_size=9).hexdigest()
