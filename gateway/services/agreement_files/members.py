"""Takes the members of network groups over from files of agreements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from gateway.services.agreement_files.rows import AgreementRow, Fault, MemberRow
from gateway.services.offers.announcing import Turned, audit
from gateway.services.offers.groups import SQL, network_changed
from gateway.services.offers.networks import demand_kept, due, members_at
from gateway.services.ports import Conflict, Invalid
from gateway.store.pool import Transaction
from mappings.canonical.agreements import Member
from mappings.canonical.ids import PartyId


class _Wanted(NamedTuple):
    """A member that a file names.

    Attributes:
        alone: It stands in a row of its own, which says until when, too.
    """

    row: int
    party: PartyId
    starts: datetime | None
    ends: datetime | None
    alone: bool


@dataclass(slots=True)
class TakenMembers:
    """What came of them.

    Attributes:
        outcomes: Of rows that name a member and nothing else.
        gone: Members of today that a list of all does not name, as `network-group/G/FR*ABC`; they stay.
    """

    outcomes: list[str] = field(default_factory=list)
    refused: list[tuple[int, Fault | Conflict | Invalid]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    turned: list[Turned] = field(default_factory=list)


async def take_members(
    tx: Transaction, rows: Sequence[MemberRow], agreements: Sequence[AgreementRow], who: str, now: datetime
) -> TakenMembers:
    """Writes the members that rows name, each from its start or now on; whoever is one and is not named stays one."""
    taken = TakenMembers()
    wanted: dict[str, list[_Wanted]] = defaultdict(list)
    listed: set[str] = set()
    for one in rows:  # which say since when
        wanted[one.network_group].append(_Wanted(one.row, one.cpo, one.starts, one.ends, True))
    for row in agreements:
        if row.network_group is not None and row.members is not None:
            listed.add(row.network_group)
            wanted[row.network_group] += [_Wanted(row.row, party, row.starts, None, False) for party in row.members]
    for group, members in wanted.items():
        await _take(tx, group, members, taken, who, now)
        if group in listed:
            there = members_at(await _members(tx, group), now)
            gone = sorted(there - {member.party.normal for member in members})
            taken.gone += [f"network-group/{group}/{party}" for party in gone]
    return taken


async def _take(
    tx: Transaction, group: str, wanted: Sequence[_Wanted], taken: TakenMembers, who: str, now: datetime
) -> None:
    before = await _members(tx, group)
    after = list(before)
    for one in wanted:
        tried = list(after)
        try:
            outcome = _join(tried, one, now)
            demand_kept(before, tried, now)
        except (Fault, Conflict, Invalid) as error:
            taken.refused.append((one.row, error))
            continue
        after = tried
        if one.alone:
            taken.outcomes.append(outcome)
    if after == before:
        return
    # It is made with its first member, and keeps its name from then on.
    await tx.execute("INSERT INTO network_group (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", group)
    columns = (
        [member.party.normal for member in after],
        [member.since for member in after],
        [member.until for member in after],
        [due(member, now) for member in after],
    )
    await tx.execute(SQL["write_members"], group, *columns)
    told: list[JsonValue] = [member.model_dump(mode="json", exclude_none=True) for member in after]
    await audit(tx, who, "took over", f"network-group/{group}", {"members": told})
    if members_at(before, now) != members_at(after, now):
        taken.turned += await network_changed(tx, group, [*before, *after], now)


def _join(members: list[Member], wanted: _Wanted, now: datetime) -> str:
    """Puts a CPO among members, or moves the end of one."""
    for number, member in enumerate(members):
        if member.party == wanted.party and (member.until is None or member.until > now):
            if not wanted.alone or wanted.ends == member.until:
                return "unchanged"
            members[number] = _member(wanted.party, member.since, wanted.ends)
            return "changed"
        if member.party == wanted.party and wanted.ends is not None and member.until == wanted.ends:
            return "unchanged"  # it was one
    members.append(_member(wanted.party, wanted.starts or now, wanted.ends))
    return "added"


def _member(party: PartyId, since: datetime, until: datetime | None) -> Member:
    try:
        return Member(party=party, since=since, until=until)
    except ValidationError:
        raise Fault("ends", "is not after its start") from None


async def _members(tx: Transaction, group: str) -> list[Member]:
    rows = await tx.fetch(SQL["network_members"], [group])
    return [Member(party=PartyId(row["party"]), since=row["since"], until=row["until"]) for row in rows]
