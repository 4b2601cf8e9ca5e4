"""What an EVSE's record says that follows from its kind: its connectors, services and mandatory words.

A network has a hundred thousand EVSEs and some hundred kinds of them. Each kind is worked out once for an operator's
defaults, with what is to be noted of it; only the place of the notes differs from EVSE to EVSE.
"""

from functools import lru_cache
from typing import Any

from mappings.canonical.locations import Evse
from mappings.oicp.v2_3 import connectors, services
from mappings.oicp.v2_3.defaults import OperatorDefaults, defaulted
from mappings.oicp.v2_3.enums import ACCESSIBILITY, CALIBRATION_LAW, DYNAMIC_INFO
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused, Report

_NO_PLACE = ("physical_reference", "parking_restrictions", "status_schedule")
_MOST_KINDS = 16384
_MOST_PLACES = 64


class Kind:
    """What EVSEs that are alike say.

    Attributes:
        fields: Their fields in a record. Shared: to be read, not changed.
    """

    __slots__ = ("_issues", "_placed", "_refusal", "fields")

    def __init__(self, evse: Evse, defaults: OperatorDefaults) -> None:
        report = Report()
        self.fields: Record = {}
        self._refusal: Refused | None = None
        try:
            self.fields["Plugs"], self.fields["ChargingFacilities"] = connectors.write(
                evse.connectors, defaults.connector_format, report
            )
            services.write(evse, defaults, self.fields, report)
            _mandatory(evse, defaults, self.fields, report)
            for name in _NO_PLACE:
                if getattr(evse, name):
                    report.add(IssueKind.LOST, name, "OICP has no place for it")
        except Refused as refusal:
            self._refusal = refusal
        self._issues = report.issues
        self._placed: dict[int, list[Issue]] = {}

    def issues(self, index: int) -> list[Issue]:
        """Gives what was noted, for the EVSE at an index of its location. Shared: to be read, not changed."""
        placed = self._placed.get(index)
        if placed is None:
            placed = [issue._replace(field=f"evses[{index}].{issue.field}") for issue in self._issues]
            # The few EVSEs beyond have theirs made anew, so that a place of thousands does not stay in memory.
            if index < _MOST_PLACES:
                self._placed[index] = placed
        return placed

    def demand_said(self, index: int) -> None:
        """Raises why such EVSEs cannot be said, if so.

        Raises:
            Refused: OICP has a word for none of the connectors, or a mandatory field is given by nobody.
        """
        if self._refusal is not None:
            reason = self._refusal.reason
            raise Refused(f"evses[{index}].{reason.field}", reason.detail, reason.value, before=self.issues(index))


class Kinds:
    """The kinds of EVSE met under one operator's defaults."""

    def __init__(self, defaults: OperatorDefaults) -> None:
        self._defaults = defaults
        self._known: dict[tuple[Any, ...], Kind] = {}

    def of(self, evse: Evse) -> Kind:
        """Gives the kind of an EVSE."""
        # All that `Kind` reads; a list is quicker to make into a tuple than a generator.
        key = (
            evse.capabilities,
            evse.authentication_modes,
            evse.payment_options,
            evse.value_added_services,
            evse.accessibility,
            evse.calibration_law,
            evse.hubject_compatible,
            evse.dynamic_info,
            bool(evse.physical_reference),
            bool(evse.parking_restrictions),
            bool(evse.status_schedule),
            *[
                (
                    c.standard,
                    c.format,
                    c.power_type,
                    c.max_voltage,
                    c.max_amperage,
                    c.max_power,
                    c.capabilities,
                    c.charging_modes,
                )
                for c in evse.connectors
            ],
        )
        kind = self._known.get(key)
        if kind is None:
            if len(self._known) >= _MOST_KINDS:
                self._known.clear()
            kind = self._known[key] = Kind(evse, self._defaults)
        return kind


@lru_cache(maxsize=64)
def kinds(defaults: OperatorDefaults) -> Kinds:
    """Gives the kinds met so far under an operator's defaults."""
    return Kinds(defaults)


def _mandatory(evse: Evse, defaults: OperatorDefaults, record: Record, report: Report) -> None:
    def given(name: str) -> Any:
        value = getattr(evse, name)
        return defaulted(getattr(defaults, name), name, report) if value is None else value

    record["Accessibility"] = ACCESSIBILITY.from_canonical(given("accessibility")).value
    record["CalibrationLawDataAvailability"] = CALIBRATION_LAW.from_canonical(given("calibration_law")).value
    record["IsHubjectCompatible"] = given("hubject_compatible")
    record["DynamicInfoAvailable"] = DYNAMIC_INFO.from_canonical(given("dynamic_info")).value
