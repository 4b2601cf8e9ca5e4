"""What is to be said of a tariff, a charge or a price beside its figures, and the error that ends a pricing."""

from enum import StrEnum
from typing import NamedTuple


class NoteKind(StrEnum):
    """What a note is about; each says one thing, wherever it is met."""

    ASSUMED = "assumed"
    """A figure was not told, and what stands for it is named."""
    STEP_ZERO = "step_zero"
    """A step size of 0: nothing is rounded up."""
    NEVER_HOLDS = "never_holds"
    """Restrictions that no moment can meet."""
    HIDDEN = "hidden"
    """An element before it takes every moment of its dimension."""
    OVERLAP = "overlap"
    """Restrictions that may hold together with an earlier element's; the earlier one counts then."""
    NEGATIVE_PRICE = "negative_price"
    TAX_AS_FRACTION = "tax_as_fraction"
    """A percentage between 0 and 1: 0.2 is read as 0.2 per cent."""
    LIMITS_CROSSED = "limits_crossed"
    """The minimum price lies above the maximum."""
    GAP = "gap"
    """Times that nothing prices, as the minute after an end of 23:59."""
    FLAT_LATER = "flat_later"
    """Another flat fee would have held later; a charge pays one."""
    HOURS_DIFFER = "hours_differ"
    """The hours billed are not those of the clock."""
    CLOCK_CHANGED = "clock_changed"
    """The local clock was put forward or back during the charge."""
    INEXACT = "inexact"
    """The hub says that it could not say its CPO's price exactly."""
    CHANGED = "changed"
    """The tariff changed while charging; what held at the start counts."""
    OTHER_TERMS = "other_terms"
    """What the CDR carries of a tariff is not what was published."""
    NOT_AGREED = "not_agreed"
    """The CDR names another tariff than the one that was agreed on, which counts."""
    KNOWN_LATER = "known_later"
    """The tariff was first heard of after the charge began."""
    AMBIGUOUS = "ambiguous"
    """Several tariffs hold alike; the first is taken."""
    NOT_IN_FORCE = "not_in_force"
    """The tariff does not hold for a charge that begins then, and was priced because it was asked for."""
    NAMES_NONE = "names_none"
    """A period names no tariff, where others of its charge do; it costs nothing."""
    PARTS_DIFFER = "parts_differ"
    """The total of a CDR is as calculated, and its parts are not."""
    NO_AGREEMENT = "no_agreement"
    """On record here the driver's EMSP has no agreement by which the charge would begin; the hub knows its own."""
    TAX_UNTOLD = "tax_untold"
    """A tariff names no tax, which is not zero: a CDR that has one is compared without, a quote is net."""


class Note(NamedTuple):
    """One thing to be said.

    Attributes:
        field: Path of what it speaks of, as `elements[2].restrictions`; empty for the whole.
        detail: One sentence for a person.
    """

    kind: NoteKind
    field: str
    detail: str


class Why(StrEnum):
    """Why something cannot be priced."""

    NO_TARIFF = "no_tariff"
    OTHER_CURRENCY = "other_currency"
    NO_AGREEMENT = "no_agreement"
    """The driver's EMSP may not charge by this way."""
    NO_ZONE = "no_zone"
    """The tariff speaks of local time, and where that is is not known."""
    NO_POWER = "no_power"
    """The tariff asks for the power, or the current, and it is not known."""
    NO_TIME = "no_time"
    """The tariff asks for time, and it is not told apart."""
    NEGATIVE_VOLUME = "negative_volume"
    OUT_OF_ORDER = "out_of_order"
    """Periods that begin before the one before them, or outside of the charge."""
    TOO_LONG = "too_long"
    """No charge lasts so long; OCPI has unknown stamps written as 1970."""
    UNKNOWN_DIMENSION = "unknown_dimension"
    NOT_MET = "not_met"
    """What a quote asks for cannot be reached, as energy without power."""
    NOTHING = "nothing"
    """There is nothing to price."""


class Unpriceable(ValueError):
    """Something cannot be priced; nothing is guessed in its place.

    Attributes:
        why: The reason.
        field: Path of what it speaks of; empty for the whole.
    """

    def __init__(self, why: Why, field: str, detail: str) -> None:
        self.why, self.field, self.detail = why, field, detail
        super().__init__(f"{field}: {detail}" if field else detail)
