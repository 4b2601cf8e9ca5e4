"""What is told of a session piece by piece, put together. Pure, and the same in whatever order the pieces come.

Of each field the value counts that was told of the latest moment of the session; of two of one moment the greater text,
so that no order of arrival decides. A session that was said to be over stays over.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.services.charge.checking import FINISHED
from mappings.canonical.base import Instant, Model
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Metering, SessionNews

_FIELDS: Final = (
    "evse_id",
    "status",
    "start",
    "end",
    "charging_start",
    "charging_end",
    "energy",
    "penalty_start",
    "error",
)
_READINGS: Final = ("start", "end")
_NAMES: Final = tuple(Leg.model_fields)


class Merged(Model):
    """All that was told of a session so far.

    Attributes:
        news: As one piece.
        told: By field, the moment of the session that its value is of.
    """

    news: SessionNews
    told: Mapping[str, Instant]


def merged(before: Merged | None, piece: SessionNews) -> Merged:
    """Adds a piece. The same one again changes nothing."""
    values, told = _values(piece), dict.fromkeys(_values(piece), piece.at)
    if before is not None:
        for name, value in _values(before.news).items():
            at = before.told[name]
            if name not in values or _rank(name, value, at) > _rank(name, values[name], told[name]):
                values[name], told[name] = value, at
    between = set(piece.metering.between) | set(before.news.metering.between if before is not None else ())
    news = SessionNews(
        cpo=piece.cpo,
        at=max(piece.at, before.news.at) if before is not None else piece.at,
        metering=Metering(**_of(values, "metering."), between=tuple(sorted(between))),
        leg=Leg(**_of(values, "leg.")),
        **{name: values[name] for name in _FIELDS if name in values},
    )
    return Merged(news=news, told=told)


def _values(piece: SessionNews) -> dict[str, Any]:
    """Gives what a piece tells, by path; the readings in between are no value but a set."""
    values = {name: getattr(piece, name) for name in _FIELDS}
    values |= {f"metering.{name}": getattr(piece.metering, name) for name in _READINGS}
    values |= {f"leg.{name}": getattr(piece.leg, name) for name in _NAMES}
    return {name: value for name, value in values.items() if value is not None}


def _of(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _rank(name: str, value: Any, at: Instant) -> tuple[bool, Instant, str]:
    return name == "status" and value in FINISHED, at, str(value)
