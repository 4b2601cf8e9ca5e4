"""Stamps that are ahead of our clock."""

from datetime import datetime, timedelta

from mappings.canonical.locations import Evse, Location
from mappings.report import Issue, IssueKind

AHEAD = timedelta(minutes=5)
"""A stamp further ahead of our clock than this is a wrong clock, and is replaced by the time of arrival."""


def not_ahead(at: datetime, arrived: datetime, field: str) -> tuple[datetime, Issue | None]:
    """Gives a stamp, or the time of arrival in place of one that is too far ahead, with an issue."""
    if at <= arrived + AHEAD:
        return at, None
    detail = "ahead of the clock; replaced by the time of arrival"
    return arrived, Issue(IssueKind.MENDED, field, detail, at.isoformat())


def without_future(location: Location, arrived: datetime) -> tuple[Location, list[Issue]]:
    """Gives a location without stamps ahead of the clock: with one of them, no later status would count as newer."""
    issues: list[Issue] = []

    def mended(at: datetime, field: str) -> datetime:
        at, issue = not_ahead(at, arrived, field)
        if issue is not None:
            issues.append(issue)
        return at

    def evse(one: Evse, path: str) -> Evse:
        connectors = tuple(
            each.model_copy(
                update={"last_updated": mended(each.last_updated, f"{path}.connectors[{index}].last_updated")}
            )
            for index, each in enumerate(one.connectors)
        )
        at = mended(one.last_updated, f"{path}.last_updated")
        return one.model_copy(update={"connectors": connectors, "last_updated": at})

    latest = (
        max(
            location.last_updated,
            *(evse.last_updated for evse in location.evses),
            *(connector.last_updated for evse in location.evses for connector in evse.connectors),
        )
        if location.evses
        else location.last_updated
    )
    if latest <= arrived + AHEAD:
        return location, issues
    evses = tuple(evse(one, f"evses[{index}]") for index, one in enumerate(location.evses))
    at = mended(location.last_updated, "last_updated")
    return location.model_copy(update={"evses": evses, "last_updated": at}), issues
