"""Who is served, decided from agreements alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.core.connection import Connection, Mode, Scope, Secrets, State
from gateway.agreements.model import DEFAULT_RANK, EVERY_SERVICE, Agreement, Service
from gateway.agreements.policy import Reason, Request, candidates, decide
from mappings.canonical.ids import PartyId
from tests.harness import AT, OTHER, PARTY

NOW = AT
EMSP = PartyId("FR-XYZ")
STRANGER = PartyId("DE-DCB")
SECOND = timedelta(seconds=1)

EVERYTHING = Agreement(1, 1, None, None, EVERY_SERVICE, 100, NOW - SECOND)
ONLY = {
    "party": replace(EVERYTHING, party=PARTY),
    "emsp": replace(EVERYTHING, emsp=EMSP),
    "both": replace(EVERYTHING, party=PARTY, emsp=EMSP),
    "service": replace(EVERYTHING, services=frozenset({Service.AUTHORISE})),
    "till": replace(EVERYTHING, valid_to=NOW),
    "from": replace(EVERYTHING, valid_from=NOW + SECOND),
}


@pytest.mark.parametrize("emsp", [None, EMSP, STRANGER])
@pytest.mark.parametrize("party", [PARTY, OTHER])
@pytest.mark.parametrize("service", Service)
def test_a_connection_without_any_agreement_serves_everybody(service, party, emsp):
    decision = decide([], Request(service, party, emsp), NOW)
    assert (decision.allowed, decision.reason, decision.agreement_id) == (True, Reason.UNRESTRICTED, None)
    assert decision.rank == DEFAULT_RANK


@pytest.mark.parametrize("emsp", [None, EMSP, STRANGER])
@pytest.mark.parametrize("party", [PARTY, OTHER])
@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("name", ONLY)
def test_one_agreement_serves_whom_it_names_and_nobody_else(name, service, party, emsp):
    agreement = ONLY[name]
    named = (
        agreement.party in (None, party)
        and (emsp is None or agreement.emsp in (None, emsp))
        and service in agreement.services
        and agreement.valid_from <= NOW
        and (agreement.valid_to is None or agreement.valid_to > NOW)
    )
    decision = decide([agreement], Request(service, party, emsp), NOW)
    assert decision.allowed is named
    assert (decision.reason is Reason.AGREED) is named
    assert decision.agreement_id == (agreement.id if named else None)


@pytest.mark.parametrize(
    ("request_", "agreement", "reason"),
    [
        (Request(Service.CDR, OTHER, EMSP), "both", Reason.OTHER_PARTY),
        (Request(Service.CDR, PARTY, STRANGER), "both", Reason.OTHER_EMSP),
        (Request(Service.CDR, PARTY, EMSP), "service", Reason.OTHER_SERVICE),
        (Request(Service.CDR, PARTY, EMSP), "till", Reason.ENDED),
        (Request(Service.CDR, PARTY, EMSP), "from", Reason.NOT_YET),
        (Request(Service.CDR, OTHER, STRANGER), "both", Reason.OTHER_PARTY),
    ],
)
def test_a_no_says_what_the_agreement_lacks(request_, agreement, reason):
    assert decide([ONLY[agreement]], request_, NOW).reason is reason


def test_of_several_agreements_the_nearest_to_a_yes_says_why_not():
    request = Request(Service.CDR, PARTY, STRANGER)
    other = replace(EVERYTHING, party=OTHER)
    assert decide([other, ONLY["emsp"]], request, NOW).reason is Reason.OTHER_EMSP
    assert decide([other, ONLY["emsp"], ONLY["service"]], request, NOW).reason is Reason.OTHER_SERVICE
    assert decide([ONLY["till"], ONLY["service"], other], request, NOW).reason is Reason.ENDED
    assert decide([ONLY["till"], ONLY["from"], other], request, NOW).reason is Reason.NOT_YET


@pytest.mark.parametrize(
    ("moment", "allowed"), [(NOW - SECOND, False), (NOW, True), (NOW + SECOND, True), (NOW + 2 * SECOND, False)]
)
def test_the_first_moment_counts_and_the_last_does_not(moment, allowed):
    agreement = replace(EVERYTHING, valid_from=NOW, valid_to=NOW + 2 * SECOND)
    assert decide([agreement], Request(Service.AUTHORISE, PARTY), moment).allowed is allowed


def test_an_end_opens_nothing():
    assert not decide([ONLY["till"]], Request(Service.AUTHORISE, PARTY, EMSP), NOW).allowed


def test_several_agreements_serve_together():
    agreements = [
        replace(EVERYTHING, id=1, emsp=EMSP, services=frozenset({Service.REMOTE})),
        replace(EVERYTHING, id=2, emsp=STRANGER, services=frozenset({Service.AUTHORISE})),
    ]
    told = {
        (service, emsp): decide(agreements, Request(service, PARTY, emsp), NOW).agreement_id
        for service in (Service.REMOTE, Service.AUTHORISE)
        for emsp in (EMSP, STRANGER, None)
    }
    assert told == {
        (Service.REMOTE, EMSP): 1,
        (Service.REMOTE, STRANGER): None,
        (Service.REMOTE, None): 1,
        (Service.AUTHORISE, EMSP): None,
        (Service.AUTHORISE, STRANGER): 2,
        (Service.AUTHORISE, None): 2,
    }


@pytest.mark.parametrize(("emsp", "chosen"), [(EMSP, 3), (STRANGER, 5), (None, 3)])
def test_the_agreement_that_names_most_counts_then_the_lowest_rank_then_the_oldest(emsp, chosen):
    agreements = [
        replace(EVERYTHING, id=1, rank=1),
        replace(EVERYTHING, id=2, emsp=EMSP, rank=2),
        replace(EVERYTHING, id=3, party=PARTY, emsp=EMSP, rank=3),
        replace(EVERYTHING, id=4, party=PARTY, emsp=EMSP, rank=3),
        replace(EVERYTHING, id=5, party=PARTY, rank=9),
        replace(EVERYTHING, id=6, party=PARTY, rank=9),
    ]
    decision = decide(list(reversed(agreements)), Request(Service.AUTHORISE, PARTY, emsp), NOW)
    assert decision.agreement_id == chosen


def connection(number: int, name: str) -> Connection:
    return Connection(number, name, "hub", Mode.LIVE, State.READY, Scope(), {}, Secrets())


A, B, C = connection(1, "a"), connection(2, "b"), connection(3, "c")


@pytest.mark.parametrize(
    ("ranks", "order"),
    [
        ({}, "abc"),
        ({1: 200}, "bca"),
        ({3: 1}, "cab"),
        ({1: 5, 2: 5, 3: 5}, "abc"),
        ({1: 3, 2: 2, 3: 1}, "cba"),
        ({2: 100}, "abc"),
    ],
)
def test_candidates_are_asked_by_rank_then_by_name(ranks, order):
    agreements = {number: [replace(EVERYTHING, connection_id=number, rank=rank)] for number, rank in ranks.items()}
    found = candidates(agreements, [C, A, B], Request(Service.AUTHORISE, PARTY, EMSP), NOW)
    assert "".join(each.connection.name for each in found) == order


def test_a_connection_that_does_not_serve_the_driver_is_no_candidate():
    agreements = {1: [replace(EVERYTHING, emsp=STRANGER)], 2: [ONLY["service"]]}
    request = Request(Service.AUTHORISE, PARTY, EMSP)
    assert [each.connection.name for each in candidates(agreements, [A, B, C], request, NOW)] == ["b", "c"]
    remote = replace(request, service=Service.REMOTE)
    assert [each.connection.name for each in candidates(agreements, [A, B, C], remote, NOW)] == ["c"]
    unknown = replace(request, emsp=None)
    assert [each.connection.name for each in candidates(agreements, [A, B, C], unknown, NOW)] == ["a", "b", "c"]
