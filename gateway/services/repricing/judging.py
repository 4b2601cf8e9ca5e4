"""Pricing CDRs anew, in whichever process: texts in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import TypeAdapter, ValidationError

from gateway.pricing.cdrs import charge_of
from gateway.pricing.comparing import Amount, Comparison, PartCompared, amount, compare
from gateway.pricing.engine import price, price_by
from gateway.pricing.notes import Unpriceable
from gateway.pricing.result import Calculation, Line
from gateway.pricing.rounding import Rules
from gateway.services.ports.quotes import NoteShown
from gateway.services.ports.repricing import Outcome, RepricingState
from gateway.services.repricing.choosing import Choice, choose
from gateway.services.tariffs.versions import Version, read_version
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId


@dataclass(frozen=True, slots=True)
class _Result:
    """As `RepricingResult`, of the engine's own types, whose amounts are written as texts: exactly, and fast."""

    parts: list[PartCompared] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    notes: list[NoteShown] = field(default_factory=list)
    detail: str | None = None
    field: str | None = None


_RESULT: Final = TypeAdapter(_Result)

FAILED: Final = "failed"
"""Why nothing came of a CDR where a fault of ours is in the way."""


@dataclass(frozen=True, slots=True)
class VersionText:
    """A tariff's version as it is stored."""

    no: int
    body: str
    known_from: datetime
    known_until: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """A CDR that is to be priced.

    Attributes:
        subject, queue_no: As in the store.
        body: The CDR, JSON.
        cdr_id, started, currency: Of it.
        party, cpo, emsp: In normal form.
        void: It is not in effect, so that nobody has to decide about it.
        ids: Of the tariffs of the charge, but for those that its periods name.
        told: The CDR names them.
        agreement: Under which the charge began, JSON.
        agreed: As of `choose`.
        versions: Numbers of what is known of all of these, in their order.
        zone: Of the place, where the CDR names none.
    """

    subject: int
    queue_no: int
    body: str
    cdr_id: str
    started: datetime
    currency: str
    party: str | None
    cpo: str
    emsp: str | None
    connection_id: int | None
    void: bool
    ids: Sequence[str]
    told: bool
    agreement: str | None
    agreed: Sequence[str] | None
    versions: Sequence[int]
    zone: str | None
    rules: Rules
    tolerance: Decimal


@dataclass(frozen=True, slots=True)
class Answer:
    """A row of `repricing`, in the order of the statement that writes it; `error` is for the log."""

    row: tuple[object, ...]
    outcome: Outcome
    state: RepricingState
    error: str | None = None


def judge_all(questions: Sequence[Question], versions: Mapping[int, VersionText]) -> list[Answer]:
    """Prices CDRs, one after the other.

    Args:
        versions: By their numbers; those that questions name.
    """
    return [judge(question, versions) for question in questions]


def judge(question: Question, versions: Mapping[int, VersionText]) -> Answer:
    """Prices one CDR. What cannot be priced has its reason; nothing is raised, or one CDR would hold up all others."""
    cdr: Cdr | None = None
    try:
        cdr = Cdr.model_validate_json(question.body)
        known = [
            read_version(each.no, each.body, each.known_from, each.known_until)
            for each in map(versions.__getitem__, question.versions)
        ]
        emsp = _emsp(question, cdr)
        choice, calculation, comparison = _priced(question, cdr, known, emsp)
    except Unpriceable as error:
        return _unpriceable(question, cdr, error.why.value, _Result(detail=error.detail, field=error.field))
    except Exception as error:  # noqa: BLE001 - a fault of ours in one CDR is told, and stops no other
        result = _Result(detail="could not be computed; the gateway's log says more")
        return _unpriceable(question, cdr, FAILED, result, _said(error))
    return _answer(question, emsp, choice, calculation, comparison)


def _priced(
    question: Question, cdr: Cdr, known: Sequence[Version], emsp: PartyId | None
) -> tuple[Choice, Calculation, Comparison]:
    charge = charge_of(cdr, question.zone)
    choice = choose(cdr, charge, question.ids, known, emsp, told=question.told, agreed=question.agreed)
    if choice.named:
        calculation = price_by(choice.named, charge, question.rules)
    else:
        calculation = price(choice.base.tariff, charge, question.rules)
    return choice, calculation, compare(cdr, calculation, question.tolerance)


def _answer(
    question: Question,
    emsp: PartyId | None,
    choice: Choice,
    calculation: Calculation,
    comparison: Comparison,
) -> Answer:
    outcome = Outcome(comparison.outcome.value)
    notes = dict.fromkeys((*choice.notes, *calculation.notes, *comparison.notes))
    result = _Result(list(comparison.parts), list(calculation.lines), [NoteShown(*note) for note in notes])
    total = comparison.total
    state = RepricingState.OPEN if outcome is Outcome.DIFFERS and not question.void else RepricingState.CLEAR
    row = (
        *_of_cdr(question, emsp),
        outcome.value,
        None,
        *_pair(total.told),
        *_pair(total.calculated),
        *_pair(total.difference),
        choice.base.tariff.id,
        choice.base.source.value,
        choice.base.version,
        _RESULT.dump_json(result).decode(),
        state.value,
        question.queue_no,
        question.agreement,
    )
    return Answer(row, outcome, state)


def _unpriceable(question: Question, cdr: Cdr | None, why: str, result: _Result, error: str | None = None) -> Answer:
    told = amount(cdr.total_cost) if cdr is not None and cdr.total_cost is not None else None
    # What costs nothing needs no tariff.
    open_ = told is not None and (told.net or told.gross) and not question.void
    state = RepricingState.OPEN if open_ else RepricingState.CLEAR
    nothing = (None, None)
    row = (
        *_of_cdr(question, _emsp(question, cdr) if cdr is not None else None),
        *(Outcome.UNPRICEABLE.value, why),
        *(*_pair(told), *nothing, *nothing),
        *(None, None, None),
        _RESULT.dump_json(result).decode(),
        state.value,
        question.queue_no,
        question.agreement,
    )
    return Answer(row, Outcome.UNPRICEABLE, state, error)


def _emsp(question: Question, cdr: Cdr) -> PartyId | None:
    """Names the driver's EMSP: as the hub or our own store does, else as the driver's contract does."""
    if question.emsp is not None:
        return PartyId(question.emsp)
    driver = cdr.identification
    return driver.party or (driver.contract_id.party if driver.contract_id is not None else None)


def _of_cdr(question: Question, emsp: PartyId | None) -> tuple[object, ...]:
    return (
        question.subject,
        question.party,
        question.cpo,
        emsp.normal if emsp is not None else question.emsp,
        question.cdr_id,
        question.connection_id,
        question.started,
        question.currency,
    )


def _said(error: Exception) -> str:
    """Names an error without what it was about: a driver's number may be among that."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in error.errors(include_input=False)
        )
    return type(error).__name__


def _pair(one: Amount | None) -> tuple[Decimal | None, Decimal | None]:
    return (one.net, one.gross) if one is not None else (None, None)
