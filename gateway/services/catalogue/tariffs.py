"""Partners' tariffs in the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.services.catalogue.writing import SQL, Write, Written
from gateway.services.storing import columns, dump_issues, tariff_place
from gateway.store.pool import Store
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue


@dataclass(frozen=True, slots=True)
class TariffCopy:
    """A tariff to be written; as `rows.Copy`."""

    tariff: Tariff
    issues: Sequence[Issue]
    digest: bytes
    withdrawn_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Party, id, which has no case, and target party or `""`."""
        party, id_, target = tariff_place(self.tariff)
        return party, id_.lower(), target


async def write_tariffs(
    store: Store, connection_id: int, copies: Sequence[TariffCopy], pushed_at: datetime | None = None
) -> Written:
    """Writes tariffs of one connection in one statement, applied in their order.

    Older than what is stored changes nothing, and neither does equal content. What was not written is told as SAME.
    """
    latest: dict[tuple[str, str, str], TariffCopy] = {}
    for copy in copies:
        before = latest.get(copy.key)
        if before is None or copy.tariff.last_updated >= before.tariff.last_updated:
            latest[copy.key] = copy
    chosen = list(latest.values())
    rows = await store.fetch(
        SQL["write_tariffs"],
        connection_id,
        *columns([tariff_place(copy.tariff) for copy in chosen], 3),
        [copy.tariff.model_dump_json(exclude_defaults=True) for copy in chosen],
        [copy.digest for copy in chosen],
        [dump_issues(copy.issues) for copy in chosen],
        [copy.tariff.last_updated for copy in chosen],
        [copy.withdrawn_at for copy in chosen],
        pushed_at,
    )
    made = {(row["party"], row["tariff_id"].lower(), row["target"]): row for row in rows}
    written = Written()
    told: set[tuple[str, str, str]] = set()
    for copy in copies:
        row = made.get(copy.key)
        written.nos.append(None if row is None else row["no"])
        if row is None:
            written.outcomes.append(Write.SAME)
        else:
            written.outcomes.append(Write.NEW if row["inserted"] and copy.key not in told else Write.CHANGED)
        told.add(copy.key)
    return written
