"""What is asked while a driver waits, or with every session and CDR, takes no longer as the tables grow."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from gateway.services.authorisation.recording import SQL as AUTHORISATION
from gateway.services.cdrs.accepting import SQL as CDRS
from gateway.services.commands.finding import SQL as COMMANDS
from gateway.services.drivers.permits import SQL as PERMITS
from gateway.services.drivers.tokens import SQL as TOKENS
from gateway.services.listeners import SQL as LISTENERS
from gateway.services.quoting.reading import BY_ID, BY_LOCATION, BY_OWN_LOCATION
from gateway.services.received.knowing import SQL as RECEIVED
from gateway.services.repricing.reading import SQL as REPRICING
from gateway.services.sent_commands.answering import SQL as SENT
from gateway.services.sessions.belonging import SQL as SESSIONS
from gateway.services.sessions.pulling import SQL as PULLING
from gateway.services.tariffs.versions import SQL as VERSIONS
from gateway.store.pool import Store, Transaction
from tests.harness import AT, later

PARTY = "FR*ABC"
GROWING = {
    *("authorisation", "session", "session_ref", "cdr", "command", "token", "delivery"),
    *("driver_token", "permit", "permit_ref"),
    *("received_session", "received_cdr", "sent_command", "catalogue_location", "catalogue_evse"),
    *("tariff_version", "repricing", "repricing_history", "evse_group_member"),
}
SMALL = {"session_running", "session_review", "received_session_active", "received_session_review", "repricing_open"}
"""Indexes that hold no more than what goes on, or waits for a person, at the moment, so that they may be read whole."""

_PRICED: tuple[Any, ...] = (
    *(PARTY, PARTY, None, "c-1", 1, AT, "EUR", "matches", None, 1, None, 1, None, 0, None),
    *("T1", "published", 1, "{}", "clear", 9, None),
)
STATEMENTS: list[tuple[str, str, tuple[Any, ...]]] = [
    ("a tap", AUTHORISATION["prepare"], (PARTY, "L1", "U1", None, "04AB", None, None, "a-1")),
    ("a stop", AUTHORISATION["to_stop"], ("a-1", "04AB", None)),
    ("an authorisation", AUTHORISATION["one"], ("a-1",)),
    ("a reference", SESSIONS["named"], (PARTY, "a-1")),
    ("nearby", SESSIONS["nearby"], (PARTY, "U1", "L1", AT, later(-60), AT)),
    ("a foreign token", SESSIONS["is_foreign"], ("04AB", "FRXYZC12345678")),
    ("a session", SESSIONS["one"], (PARTY, "s-1")),
    ("a locked session", SESSIONS["lock"], (PARTY, "s-1")),
    ("a session's wishes", PULLING["running"], (1, None, "s-1")),
    ("the sessions of CDRs", CDRS["lock_sessions"], ([PARTY], ["s-1"])),
    ("the sessions of references", CDRS["sessions_of_references"], ([PARTY], ["a-1"])),
    ("CDRs known", CDRS["stored"], ([PARTY], ["c-1"])),
    ("CDRs' numbers", CDRS["numbers"], (PARTY, "c-1")),
    ("an EVSE", COMMANDS["evses_by_id"], ("FRABCE1", None, 1, "04AB", None, AT)),
    ("a location", COMMANDS["evses_by_location"], ("L1", None, 1, "04AB", None, AT, None)),
    ("a charge", COMMANDS["charges"], (1, "hub-1", None)),
    ("a reservation by anybody", COMMANDS["reservations"], (1, "r-1")),
    ("a command", COMMANDS["one"], (None, "c" * 32)),
    ("commands overdue", COMMANDS["overdue"], (AT,)),
    ("own CDRs to price", REPRICING["own_cdrs"], ([1, 2],)),
    ("received CDRs to price", REPRICING["received_cdrs"], ([1, 2],)),
    ("places of CDRs", REPRICING["own_places"], ([0], [PARTY], ["L1"])),
    ("partners' places of CDRs", REPRICING["partners_places"], ([0], [1], ["E1"])),
    ("what was agreed on of CDRs", REPRICING["agreed"], ([0], ["o-1"], [1], ["E1"])),
    ("what is to be priced", REPRICING["claim"], (200,)),
    ("what a price takes the place of", REPRICING["lock_before"], ([1, -1],)),
    ("a price", REPRICING["write"], ([1], *([value] for value in _PRICED))),
    ("a repricing", REPRICING["one"], (1, [PARTY])),
    ("what a repricing was", REPRICING["history"], (1,)),
    ("a webhook", LISTENERS["list"], ("webhook", "erp")),
    ("a driver abroad", PERMITS["prepare"], ("04AB", None, "BA04", 1, "p-1", "NL*CPO", "L1", "U1")),
    ("a contract abroad", PERMITS["prepare"], (None, "FREMSC12345678", None, 1, "p-1", None, None, None)),
    ("a stop abroad", PERMITS["to_stop"], (1, ["hub"], ["h-1"])),
    ("a token held up", PERMITS["held_up"], ("04AB", None)),
    ("permits by their ids", PERMITS["named"], (1, ["hub"], ["h-1"])),
    ("permits nearby", PERMITS["nearby"], (1, "NLCPOE1", ["04AB"], AT, later(-60), AT)),
    ("a permit", PERMITS["one"], ("p-1",)),
    ("a driver's tokens", TOKENS["lock_of_driver"], ("FR*EMS", "d-1", "FREMSC12345678")),
    ("tokens listed by uid", TOKENS["narrowed"], (None, "", "", "", 10, "04AB", None, None)),
    ("tokens listed by driver", TOKENS["narrowed"], (None, "", "", "", 10, None, None, "d-1")),
    ("tokens that changed", TOKENS["page_dated"], (None, AT, AT, True, 0, 0, 10)),
    ("an EVSE abroad", RECEIVED["evse_at"], (1, "NL*CPO", "L1", "U1")),
    ("an EVSE abroad by its id", RECEIVED["evse_called"], (1, "NLCPOE1")),
    ("what a charge began under", RECEIVED["begun_under"], (1, "NL*CPO", ["s-1"], 1)),
    ("a driver who came home", RECEIVED["driver_tokens"], (["04AB", "FREMSC12345678"],)),
    ("a session from abroad", RECEIVED["lock_session"], (1, "NL*CPO", "S-1")),
    ("a CDR's session", RECEIVED["session_called"], (1, ["S-1"], "NL*CPO")),
    ("sessions nearby", RECEIVED["sessions_nearby"], (1, "NLCPOE1", ["u:04AB"], AT, AT)),
    ("CDRs before their session", RECEIVED["waiting_cdrs"], (1, "NL*CPO", ["S-1"], 1)),
    ("versions of a CDR", RECEIVED["versions"], (1, "NL*CPO", "C-1")),
    ("CDRs of a session", RECEIVED["other_cdrs"], (1, 1, 1, "NL*CPO", "C-1", 9)),
    ("CDRs of a charge", RECEIVED["overlapping_cdrs"], ("NLCPOE1", AT, AT, ["u:04AB"], 1, "NL*CPO", "C-1", 9)),
    ("a CDR that is credited", RECEIVED["credited"], (1, "NL*CPO", "C-1")),
    ("the CDR of a session", RECEIVED["next_bill"], (1,)),
    ("ways to an EVSE", SENT["ways_by_id"], ("NLCPOE1",)),
    ("an EVSE of a connection", SENT["ways_by_location"], (1, "L1", "NL*CPO", "U1")),
    ("a driver's token", SENT["token"], ("FR*EMS", "RFID", "04AB")),
    ("a driver's tokens by uid", SENT["tokens_by_uid"], ("FR*EMS", "04AB", None)),
    ("a driver's tokens by contract", SENT["tokens_by_contract"], ("FR*EMS", "FREMSC12345678")),
    ("what a permit is for", SENT["charge_of_permit"], ("p-1", "FR*EMS")),
    ("a request", SENT["requested"], ("FR*EMS", "r-1")),
    ("a sent command", SENT["lock"], ("c" * 32,)),
    ("sent commands overdue", SENT["overdue"], (AT,)),
    ("tariffs known", VERSIONS["known"], ([0, 1], [0, 1], ["NL*CPO"] * 2, ["T1"] * 2, [AT] * 2, [AT] * 2)),
    ("a quote", BY_ID, (AT, "FR*EMS", "RFID", "04AB", "NLCPOE1")),
    ("a quote by a partner's location", BY_LOCATION, (AT, None, None, None, "h", None, "L1", "U1")),
    ("a quote by an own location", BY_OWN_LOCATION, (AT, None, None, None, "NL*CPO", "L1", "U1")),
]

_LAST = 2**63 - 1
FILTERS: list[tuple[str, str, tuple[Any, ...]]] = [
    ("permit_driver_token", PERMITS["page"], (None, None, None, None, None, "d-1", _LAST, 10)),
    ("permit_party", PERMITS["page"], (["FR*ZZZ"], *[None] * 5, _LAST, 10)),
    ("received_session_party", RECEIVED["sessions"], (_LAST, ["FR*ZZZ"], *[None] * 9, 10)),
    ("received_session_review", RECEIVED["sessions"], (_LAST, *[None] * 4, "DENIED", *[None] * 5, 10)),
    ("received_session_status", RECEIVED["sessions"], (_LAST, *[None] * 8, "ACTIVE", None, 10)),
    ("received_cdr_party", RECEIVED["cdrs"], (_LAST, ["FR*ZZZ"], *[None] * 9, 10)),
    ("received_cdr_doubted", RECEIVED["cdrs"], (_LAST, *[None] * 4, "DENIED", *[None] * 5, 10)),
    ("received_cdr_rejected", RECEIVED["cdrs"], (_LAST, *[None] * 9, "rejected", 10)),
    ("repricing_party", REPRICING["list"], (_LAST, ["FR*ZZZ"], *[None] * 9, 10)),
    ("repricing_differs", REPRICING["list"], (_LAST, None, None, "differs", *[None] * 7, 10)),
    ("repricing_open", REPRICING["list"], (_LAST, *[None] * 3, "open", *[None] * 6, 10)),
    ("repricing_disputed", REPRICING["list"], (_LAST, *[None] * 3, "disputed", *[None] * 6, 10)),
    ("repricing_cdr", REPRICING["list"], (_LAST, *[None] * 9, "c-7", 10)),
    ("repricing_lacking", REPRICING["ask_lacking"], (timedelta(1), timedelta(hours=1), 10, timedelta(seconds=10))),
]
"""Lists, each narrowed by a filter, with the index that the filter has."""


@pytest.fixture
async def grown(store: Store) -> Store:
    """A store like a gateway's that has run for a year, most of it settled."""
    await store.execute(
        "INSERT INTO connection (name, hub, mode, state, scope, settings)"
        " VALUES ('h', 'h', 'live', 'ready', '{}', '{}')"
    )
    await store.execute(
        "INSERT INTO hook (name, kind, url, secret, types, parties)"
        " VALUES ('erp', 'webhook', 'https://x', '', '{}', '{}')"
    )
    for table, columns, values in (
        (
            "authorisation",
            "id, origin, party, location_id, evse_uid, identity, connection_id, allowed, detail, expires_at",
            (
                "'a-' || n, CASE WHEN n % 20 = 0 THEN 'reserve' ELSE 'tap' END, 'FR*ABC', 'L' || n % 500, 'U1', 'X', 1,"
                " true, '{}', timestamptz '2020-01-01' + n * interval '1 min'"
            ),
        ),
        (
            "session",
            "party, session_id, body, place, digest, status, authorisation_no, connection_id, ended_at, last_updated",
            "'FR*ABC', 's-' || n, '{}', '{}', '', 'COMPLETED', n, 1, now(), now() - n * interval '1 min'",
        ),
        ("session_ref", "connection_id, kind, value, authorisation_no", "1, 'reference', 'r-' || n, n"),
        (
            "cdr",
            "party, cdr_id, body, digest, session_no, connection_id, leg, energy, last_updated",
            "'FR*ABC', 'c-' || n, '{}', '', n, 1, '{}', 1, now()",
        ),
        (
            "command",
            "id, connection_id, kind, party, body, dedup, result, deadline",
            "md5(n::text), 1, 'START_SESSION', 'FR*ABC', '{}', n::text, 'ACCEPTED', now()",
        ),
        (
            "token",
            "connection_id, party, type, uid, uid_key, contract_key, listed, body, last_updated",
            "1, 'FR-XYZ', 'RFID', 'U' || n, 'U' || n, 'C' || n, true, '{}', now()",
        ),
        (
            "driver_token",
            "party, type, uid, uid_key, contract_key, driver, valid, body, digest, last_updated",
            (
                "'FR*EMS', 'RFID', 'U' || n, 'U' || n, 'C' || n, 'd-' || n / 2, true, '{}', '',"
                " now() - n * interval '1 min'"
            ),
        ),
        (
            "permit",
            "id, connection_id, origin, party, evse_key, identity, allowed, leg, detail, at, received_session_no",
            "'p-' || n, 1, 'asked', 'FR*EMS', 'E' || n % 500, 'X', true, '{}', '{}', now() - n * interval '1 min', n",
        ),
        ("permit_ref", "connection_id, kind, value, permit_no", "1, 'hub', 'h-' || n, n"),
        (
            "received_session",
            (
                "connection_id, cpo, session_id, session_key, evse_key, driver_keys, permit_no, status, started_at,"
                " ended_at, cdr_no, last_updated"
            ),
            (
                "1, 'NL*CPO', 's-' || n, 'S-' || n, 'E' || n % 500, ARRAY['u:X'], n, 'COMPLETED',"
                " now() - n * interval '1 min', now(), n, now()"
            ),
        ),
        (
            "received_cdr",
            (
                "connection_id, cpo, cdr_id, cdr_key, body, digest, session_keys, evse_key, driver_keys, permit_no,"
                " received_session_no, energy, started_at, ended_at, credit"
            ),
            (
                "1, 'NL*CPO', 'c-' || n, 'C-' || n, '{}', '', ARRAY['S-' || n], 'E' || n % 500, ARRAY['u:X'], n, n, 1,"
                " now() - n * interval '1 min', now(), false"
            ),
        ),
        (
            "sent_command",
            "id, connection_id, kind, party, cpo, request_id, body, wish, permit_no, result, deadline",
            "md5(n::text), 1, 'START_SESSION', 'FR*EMS', 'NL*CPO', 'r-' || n, '{}', '{}', n, 'ACCEPTED', now()",
        ),
        (
            "catalogue_location",
            "connection_id, party, location_id, body, digest, words, last_updated",
            "1, 'NL*CPO', 'L' || n, '{}', '', '', now()",
        ),
        (
            "catalogue_tariff",
            "connection_id, party, tariff_id, body, digest, last_updated",
            "1, 'NL*CPO', 'T' || n, '{}', '', now()",
        ),
        (
            "catalogue_evse",
            (
                "location_no, connection_id, party, uid, evse_key, longitude, latitude, cell, standards, power, status,"
                " status_at, preferred, last_updated"
            ),
            "n, 1, 'NL*CPO', 'U1', 'E' || n, 0, 0, n, '{}', 22000, 'AVAILABLE', now(), true, now()",
        ),
        (
            "repricing",
            "subject, cpo, cdr_id, connection_id, started_at, currency, outcome, result, state, queue_no",
            "n, 'FR*ABC', 'c-' || n, 1, now(), 'EUR', 'matches', '{}', 'clear', n",
        ),
        ("repricing_history", "repricing_no, body", "n, '{}'"),
        ("evse_group", "id, party, name", "'g-' || n, 'NL*CPO', ''"),
        ("evse_group_member", "group_id, evse_key, evse_id", "'g-' || 1 + n % 50, 'E' || n, ''"),
        (
            "delivery",
            "connection_id, operation, kind, lane, key, party, payload, state, cdr_no",
            "1, 'cdrs', 'POST', n::text, n::text, 'FR*ABC', '{}', 'delivered', n",
        ),
    ):
        await store.execute(f"INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, 20000) n")
    await store.execute("UPDATE authorisation SET session_no = no")
    await store.execute("ANALYZE")
    return store


async def test_no_hot_statement_of_a_charge_reads_a_whole_table(grown: Store) -> None:
    found: list[str] = []
    async with grown.transaction() as tx:
        # Which plan PostgreSQL takes for a statement that it has prepared is its own affair: both have to do.
        await tx.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        for what, sql, args in STATEMENTS:
            for kind, plan in (
                ("custom", await _custom(tx, sql, args)),
                ("generic", await _generic(tx, sql, len(args))),
            ):
                found += [f"{what}, {kind}: {node['Relation Name']}" for node in _whole(plan)]
    assert not found, "\n".join(found)


async def test_what_narrows_a_list_has_its_index(grown: Store) -> None:
    async with grown.transaction() as tx:
        for index, sql, args in FILTERS:
            used = set(_indexes(await _custom(tx, sql, args)))
            assert index in used, used


def _indexes(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", ()):
        yield from _indexes(part)


async def _custom(tx: Transaction, sql: str, args: tuple[Any, ...]) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(await tx.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *args))[0]["Plan"]
    return plan


async def _generic(tx: Transaction, sql: str, count: int) -> dict[str, Any]:
    await tx.execute(f"PREPARE hot AS {sql}")
    told = await tx.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE hot({', '.join(['NULL'] * count)})")
    await tx.execute("DEALLOCATE hot")
    plan: dict[str, Any] = json.loads(told)[0]["Plan"]
    return plan


def _whole(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Gives the nodes of a plan that read a growing table from one end to the other."""
    grows = plan.get("Relation Name") in GROWING and plan.get("Index Name") not in SMALL
    if grows and plan["Node Type"] not in {"Bitmap Heap Scan", "ModifyTable"} and "Index Cond" not in plan:
        yield plan
    for part in plan.get("Plans", ()):
        yield from _whole(part)
