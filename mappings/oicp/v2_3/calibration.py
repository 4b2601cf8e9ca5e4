"""SignedMeteringValues and CalibrationLawVerificationInfo in both directions (OICP 2.3, CPO Data Types).

The texts are carried through untouched: a signature or key that is cut verifies nothing.
"""

from collections.abc import Mapping
from typing import Any

from mappings.canonical.cdrs import SignedData, SignedNature, SignedValue
from mappings.oicp.v2_3 import forms
from mappings.oicp.v2_3.enums_charging import SIGNED_NATURES
from mappings.oicp.v2_3.values import listed, text
from mappings.oicp.v2_3.wire import Record
from mappings.oicp.v2_3.wire_charging import CalibrationLawVerification, SignedMeteringValue
from mappings.report import IssueKind, Report

VALUES = 10
"""Most signed readings in one CDR."""
SIGNED_LENGTH = 3000
_LONGEST_READ = 5000

_INFO = {
    "certificate_id": ("CalibrationLawCertificateID", 100),
    "public_key": ("PublicKey", 1000),
    "url": ("MeteringSignatureUrl", 200),
    "method": ("MeteringSignatureEncodingFormat", 50),
    "instruction": ("SignedMeteringValuesVerificationInstruction", 400),
}
_ORDER = (SignedNature.START, SignedNature.INTERMEDIATE, SignedNature.END)


def write(data: SignedData, field: str, report: Report) -> Record:
    """Writes both fields of a CDR; what is too long for OICP is left out whole, with an issue."""
    record: Record = {}
    values = _values(data, field, report)
    if values:
        record["SignedMeteringValues"] = values
    info = _info(data, field, report)
    if info:
        record["CalibrationLawVerificationInfo"] = info
    return record


def _values(data: SignedData, field: str, report: Report) -> list[Record]:
    # OICP 2.3, SignedMeteringValuesType: start, then what is between, then the end. Sorting keeps the order of equals.
    ordered = sorted(enumerate(data.values), key=lambda item: _ORDER.index(item[1].nature))
    # Start and end tell the energy: of too many, the last ones in between are given up first.
    between = [n for n, value in ordered if value.nature is SignedNature.INTERMEDIATE]
    rest = [n for n, value in ordered if value.nature is not SignedNature.INTERMEDIATE]
    kept = {*(rest + between)[:VALUES]}
    written: list[Record] = []
    for n, value in ordered:
        path = f"{field}.values[{n}]"
        if n not in kept:
            report.add(IssueKind.LEFT_OUT, path, f"more than the {VALUES} that OICP allows")
            continue
        if len(value.signed) > SIGNED_LENGTH:
            report.add(IssueKind.LEFT_OUT, path, f"longer than the {SIGNED_LENGTH} characters that OICP allows")
            continue
        if value.plain is not None:
            report.add(IssueKind.LOST, f"{path}.plain", "OICP has no place for it")
        nature = SIGNED_NATURES.from_canonical(value.nature).value
        written.append({"SignedMeteringValue": value.signed, "MeteringStatus": nature})
    return written


def _info(data: SignedData, field: str, report: Report) -> Record:
    texts: dict[str, str | None] = {name: getattr(data, name) for name in _INFO}
    if data.method is not None and data.method_version is not None:
        texts["method"] = f"{data.method}: V{data.method_version}"
    info: Record = {}
    for name, (word, length) in _INFO.items():
        said = texts[name]
        if not said:
            continue
        if len(said) > length:
            report.add(IssueKind.LEFT_OUT, f"{field}.{name}", f"longer than the {length} characters that OICP allows")
            continue
        info[word] = said
    return info


def read(fields: Mapping[str, Any], report: Report) -> SignedData | None:
    """Reads both fields of a CDR; None where neither says anything."""
    values: list[SignedValue] = []
    for n, item in enumerate(listed(fields.get("SignedMeteringValues"))):
        value = _value(item, f"SignedMeteringValues[{n}]", report)
        if value is not None:
            values.append(value)
    info = fields.get("CalibrationLawVerificationInfo")
    known: Record = forms.fields(CalibrationLawVerification, info)[0] if isinstance(info, Mapping) else {}
    if info is not None and not isinstance(info, Mapping):
        report.add(IssueKind.UNKNOWN, "CalibrationLawVerificationInfo", "not an object")
    texts: dict[str, Any] = {
        name: said
        for name, (word, _) in _INFO.items()
        if (said := _untouched(known.get(word), f"CalibrationLawVerificationInfo.{word}", report))
    }
    return SignedData(values=tuple(values), **texts) if values or texts else None


def _value(item: Any, field: str, report: Report) -> SignedValue | None:
    if not isinstance(item, Mapping):
        report.add(IssueKind.LEFT_OUT, field, "not an object")
        return None
    known, _ = forms.fields(SignedMeteringValue, item)
    signed = known.get("SignedMeteringValue")
    if not isinstance(signed, str) or not signed or len(signed) > _LONGEST_READ:
        report.add(IssueKind.LEFT_OUT, field, "without a signed value, or with one too long")
        return None
    status = str(known.get("MeteringStatus"))
    nature = SIGNED_NATURES.find(status) or SIGNED_NATURES.mend(status.rstrip("0123456789"))
    if nature is None:
        report.add(IssueKind.LEFT_OUT, field, "does not say when it was taken", known.get("MeteringStatus"))
        return None
    return SignedValue(nature=nature, signed=signed)


def _untouched(given: Any, field: str, report: Report) -> str | None:
    return given or None if isinstance(given, str) else text(given, field, report)
