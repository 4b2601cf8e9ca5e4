"""Doubts and decisions as they are stored."""

import json
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from gateway.services.ports.received import Decided, Doubt, Review

_DOUBTS: Final = TypeAdapter(list[Doubt])
_DECIDED: Final = TypeAdapter(Decided)


def dump_doubts(doubts: Sequence[Doubt]) -> str | None:
    """Gives doubts as JSON for the store; None for none."""
    return _DOUBTS.dump_json(list(doubts)).decode() if doubts else None


def load_doubts(stored: str | None) -> list[Doubt]:
    """Reads doubts as `dump_doubts` wrote them."""
    return _DOUBTS.validate_json(stored) if stored else []


def dump_decided(decided: Decided, settled: Sequence[str]) -> str:
    """Gives a decision as JSON, with the reasons for a review that it settles."""
    return json.dumps({**_DECIDED.dump_python(decided, mode="json"), "settled": list(settled)})


def load_decided(stored: str | None) -> Decided | None:
    """Reads a decision."""
    return _DECIDED.validate_json(stored) if stored else None


STICKY: Final = frozenset({Review.DENIED, Review.DUPLICATE})
"""What is doubted of a session's being under its permit, for as long as it is."""


def settled_reasons(stored: str | None) -> frozenset[str]:
    """Gives the reasons for a review that a person settled, which ask nobody again."""
    return frozenset(json.loads(stored)["settled"]) if stored else frozenset()
