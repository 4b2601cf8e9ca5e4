"""What may become of a network group's members, and when they are told of. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from gateway.services.offers.checking import LATE
from gateway.services.ports.common import Conflict, Invalid
from mappings.canonical.agreements import Member


def demand_kept(before: Sequence[Member], after: Sequence[Member], now: datetime) -> None:
    """Makes sure that nothing that was is unmade, and that nobody is a member twice at a time.

    Raises:
        Conflict: A member is gone who was one, or ended in the past, or an end in the past is another one.
        Invalid: A party is a member twice at a time.
    """
    kept = {(member.party, member.since): member for member in after}
    for was in before:
        if was.since > now:  # it was never a member
            continue
        now_ = kept.get((was.party, was.since))
        if now_ is None:
            raise Conflict(f"{was.party} was a member from {was.since.isoformat()} on: set its end", "members")
        if now_.until == was.until:
            continue
        if any(until is not None and until < now - LATE for until in (was.until, now_.until)):
            raise Conflict(f"{was.party} was a member at a time that this unmakes", "members")
    _demand_apart(after)


def due(member: Member, now: datetime) -> datetime | None:
    """Gives the moment at which a member comes or goes by itself, after now; None where it does not."""
    moments = (member.since, member.until)
    return min((moment for moment in moments if moment is not None and moment > now), default=None)


def members_at(members: Sequence[Member], now: datetime) -> frozenset[str]:
    """Gives who is a member at a moment, by normal forms."""
    return frozenset(
        member.party.normal
        for member in members
        if member.since <= now and (member.until is None or member.until > now)
    )


def _demand_apart(members: Sequence[Member]) -> None:
    of: Mapping[str, list[tuple[int, Member]]] = defaultdict(list)
    for number, member in enumerate(members):
        of[member.party.normal].append((number, member))
    for each in of.values():
        ordered = sorted(each, key=lambda one: one[1].since)
        for (_, one), (number, other) in pairwise(ordered):
            if one.until is None or one.until > other.since:
                raise Invalid((f"members[{number}].since", f"{other.party} is a member then already"))
