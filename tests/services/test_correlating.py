"""Which authorisation a session belongs to, as a table."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.services.sessions.correlating import Candidate, Found, Own, Review, correlate
from mappings.canonical.ids import ContractId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod, SessionStatus
from mappings.canonical.tokens import Identification, TokenType
from tests.harness import later
from tests.services.roaming import CARD, CONTRACT, OTHER_CARD, session

BY_CONTRACT = Identification(type=TokenType.APP_USER, contract_id=CONTRACT)


def candidate(no: int = 1, **changes: Any) -> Candidate:
    made = Candidate(
        no=no,
        id=f"a-{no}",
        location_id="L1",
        evse_uid="U1",
        identity="04A2B3C4D5E680",
        contract_key=None,
        connection_id=1,
        allowed=True,
        leg=None,
        at=later(300),
        expires=None,
        session_no=None,
    )
    return replace(made, **changes)


def verdict(found: object) -> str:
    match found:
        case Found(one):
            return one.id
        case Review(why):
            return why
        case _:
            assert isinstance(found, Own)
            return "own"


OF_REFERENCE = [
    ({}, "a-1"),
    ({"allowed": False}, "the authorisation that it refers to was denied"),
    ({"allowed": False, "silent": True}, "a-1"),  # a command that timed out, and was carried out all the same
    ({"session_no": 7}, "a-1"),
    ({"session_no": 8}, "the authorisation that it refers to serves another session"),
    ({"evse_uid": "U2"}, "a-1"),  # a terminal for several EVSEs
    ({"location_id": "L2"}, "the authorisation that it refers to is for another location"),
    ({"identity": "04FFFFFFFFFF80"}, "the authorisation that it refers to is another driver's"),
    ({"identity": CONTRACT.normal, "contract_key": CONTRACT.normal}, "a-1"),  # nothing to compare a uid with
    ({"leg": Leg(identification=OTHER_CARD)}, "the authorisation that it refers to is another driver's"),
    ({"leg": Leg(identification=BY_CONTRACT)}, "a-1"),
    ({"at": later(-90_000)}, "a-1"),  # however long ago
]


@pytest.mark.parametrize(("changes", "expected"), OF_REFERENCE)
def test_a_reference_decides_unless_it_contradicts_the_session(changes: dict[str, Any], expected: str) -> None:
    assert verdict(correlate(session(reference="x"), 7, [candidate(**changes)], [])) == expected


def test_a_reference_that_leads_to_several_is_reviewed() -> None:
    found = correlate(session(reference="x"), None, [candidate(1), candidate(2)], [])
    assert verdict(found) == "its reference leads to 2 authorisations"


REFUSED = "its auth_method is AUTH_REQUEST, but no authorisation fits it"
NEARBY = [
    ({}, "a-1"),
    ({"identity": "04a2b3c4d5e680".upper()}, "a-1"),
    ({"identity": "04FFFFFFFFFF80"}, REFUSED),
    ({"evse_uid": "U2"}, REFUSED),
    ({"location_id": "L2"}, REFUSED),
    ({"allowed": False}, REFUSED),
    ({"session_no": 8}, REFUSED),
    ({"at": later(600 - 3600)}, "a-1"),
    ({"at": later(600 - 3600 - 301)}, REFUSED),
    ({"at": later(600 - 7200), "expires": later(600)}, "a-1"),
    ({"at": later(600 - 7200), "expires": later(299)}, REFUSED),
    ({"at": later(900)}, "a-1"),  # the plug was in before the driver was admitted
    ({"at": later(900 + 301)}, REFUSED),
    ({"identity": CONTRACT.normal, "contract_key": CONTRACT.normal}, REFUSED),  # it cannot be told
]


@pytest.mark.parametrize(("changes", "expected"), NEARBY)
def test_without_a_reference_driver_evse_and_time_decide(changes: dict[str, Any], expected: str) -> None:
    assert verdict(correlate(session(), None, [], [candidate(**changes)])) == expected


@pytest.mark.parametrize("spelling", ["FR-XYZ-C12345678", "frxyzc12345678", "FR*XYZ*C12345678"])
def test_a_contract_is_the_same_in_every_spelling(spelling: str) -> None:
    given = session(identification=Identification(type=TokenType.APP_USER, contract_id=ContractId(spelling)))
    normal = ContractId("FR-XYZ-C12345678").normal
    named = candidate(identity="APP-7", contract_key=normal)
    assert verdict(correlate(given, None, [], [named])) == "a-1"


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([candidate(2)], "2 authorisations fit its driver, EVSE and time"),
        ([candidate(2, identity="04FFFFFFFFFF80")], "a-1"),
        ([candidate(2, session_no=9)], "a-1"),
    ],
)
def test_several_that_fit_are_never_guessed_among(others: list[Candidate], expected: str) -> None:
    assert verdict(correlate(session(), None, [], [candidate(), *others])) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [(SessionStatus.RESERVATION, "a-2"), (SessionStatus.PENDING, "a-1"), (SessionStatus.ACTIVE, "a-1")],
)
def test_a_driver_who_reserved_and_then_starts_is_admitted_once_for_each(status: SessionStatus, expected: str) -> None:
    both = [candidate(), candidate(2, reserves=True, expires=later(3600))]
    assert verdict(correlate(session(status=status), None, [], both)) == expected
    assert verdict(correlate(session(status=status), None, [], both[1:])) == "a-2"


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (AuthMethod.WHITELIST, "own"),
        (AuthMethod.AUTH_REQUEST, REFUSED),
        (AuthMethod.COMMAND, "its auth_method is COMMAND, but no authorisation fits it"),
    ],
)
def test_without_any_the_method_tells_whether_somebody_was_asked(method: AuthMethod, expected: str) -> None:
    assert verdict(correlate(session(auth_method=method, identification=CARD), None, [], [])) == expected
