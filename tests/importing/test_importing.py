"""Importing files of every format into the store, with everything that is wrong in them."""

import asyncio
import gzip
import json
import random
import tracemalloc
from collections import Counter

import pytest

from gateway.services.ports import EndedEarly, Invalid
from mappings.report import IssueKind
from tests.importing.records import STAMP, canonical, evse_data, irve, lines, location, table, tariff

LOCATIONS = [("NL*ABC", "L1", 1), ("NL*ABC", "L2", 1)]


def reasons(report):
    return {(one.field, one.detail): one.count for one in report.reasons}


# --- Formats ----------------------------------------------------------------------------------------------------------

BOTH = [location("L1"), location("L2")]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (lines(*BOTH), "ndjson"),
        (lines(*BOTH) + b"\n", "ndjson"),
        (b"\xef\xbb\xbf" + lines(*BOTH), "ndjson"),
        (json.dumps(BOTH).encode(), "json"),
        (json.dumps(BOTH, indent=2).encode(), "json"),
        (json.dumps({"status_code": 1000, "timestamp": STAMP, "data": BOTH}).encode(), "json"),
        (json.dumps({"status_code": 1000, "data": BOTH}, indent=1).encode(), "json"),
    ],
    ids=["lines", "ended lines", "byte order mark", "list", "indented list", "envelope", "indented envelope"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_ocpi_locations_are_imported_in_every_layout(importer, content, form, pack):
    report = await importer(pack(content))
    assert (report.format, report.read, report.locations, report.evses, report.created, report.refused) == (
        f"ocpi-locations-{form}", 2, 2, 2, 2, 0,
    )  # fmt: skip
    assert await importer.stored() == LOCATIONS
    assert (await importer(content)).unchanged == 2


@pytest.mark.parametrize("content", [location("L1"), {"data": location("L1"), "status_code": 1000}])
async def test_a_single_object_is_imported(importer, content):
    assert (await importer(json.dumps(content, indent=2).encode())).locations == 1
    assert await importer.stored() == LOCATIONS[:1]


async def test_tariffs_and_locations_may_be_mixed(importer):
    report = await importer(lines(tariff("T1"), location("L1"), tariff("T2"), canonical("C1")))
    assert (report.tariffs, report.locations, report.refused) == (2, 2, 0)
    assert report.format == "ocpi-tariffs+ocpi-locations+canonical-locations-ndjson"


async def test_bytes_may_arrive_one_by_one(importer):
    assert (await importer(gzip.compress(lines(*BOTH)), step=1)).created == 2


async def test_a_gzip_of_several_members_is_one_file(importer):
    packed = gzip.compress(lines(BOTH[0]) + b"\n") + gzip.compress(lines(BOTH[1])) + b"\0" * 512
    assert (await importer(packed)).created == 2


async def test_records_of_one_oicp_station_become_one_location(importer):
    records = [evse_data("CH*ABC*E1"), evse_data("CH*XYZ*E9"), evse_data("CH*ABC*E2")]
    dump = {"EVSEData": [{"OperatorID": "CH*ABC", "OperatorName": "A", "EVSEDataRecord": records}]}
    report = await importer(json.dumps(dump).encode())
    assert (report.format, report.read, report.locations, report.evses) == ("oicp-evse-data-json", 3, 2, 3)
    assert await importer.stored() == [("CH*ABC", "S1", 2), ("CH*XYZ", "S1", 1)]


async def test_an_oicp_push_is_read_too_and_statuses_follow(importer):
    pushed = {"OperatorID": "CH*ABC", "EvseDataRecord": [evse_data("CH*ABC*E1")]}
    push = {"ActionType": "fullLoad", "OperatorEvseData": pushed}
    await importer(json.dumps(push).encode())
    said = [{"EvseID": "CH*ABC*E1", "EVSEStatus": "Occupied"}, {"EvseID": "CH*ABC*E7", "EVSEStatus": "Available"}]
    report = await importer(json.dumps({"EVSEStatuses": [{"EVSEStatusRecord": said}]}).encode())
    assert (report.format, report.read, report.statuses, report.updated) == ("oicp-evse-status-json", 2, 1, 1)
    assert reasons(report) == {("evse_id", "names no EVSE that is stored"): 1}
    assert report.refusals[0].line == 2
    assert await importer.statuses() == {"CH*ABC*E1": "CHARGING"}


IRVE = [irve("FRABCP1", "FRABCE11"), irve("FRABCP2", "FRABCE21"), irve("FRABCP1", "FRABCE12")]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (table(IRVE), "csv"),
        (table(IRVE, ";"), "csv"),
        (table(IRVE).replace(b"coordonneesXY", b"coordonneesxy").replace(b"\r\n", b"\n"), "csv"),
        (lines(*IRVE), "ndjson"),
        (json.dumps(IRVE).encode(), "json"),
    ],
    ids=["comma", "semicolon", "other spelling", "lines", "list"],
)
async def test_rows_of_a_french_station_need_not_be_neighbours(importer, content, form):
    report = await importer(content)
    assert (report.format, report.read, report.locations, report.evses) == (f"irve-static-{form}", 3, 2, 3)
    assert await importer.stored() == [("FR*ABC", "FRABCP1", 2), ("FR*ABC", "FRABCP2", 1)]


async def test_french_dynamic_rows_are_statuses(importer):
    await importer(table(IRVE))
    names = ("id_pdc_itinerance", "etat_pdc", "occupation_pdc", "horodatage")
    said = [
        ("FRABCE11", "en_service", "occupe", "2026-03-02T10:00:00+01:00"),
        ("FRABCE11", "en_service", "libre", "2026-03-02 10:05:00+01:00"),
        ("FRABCE12", "hors_service", "libre", "2026-03-02T10:00:00Z"),
        ("FRABCE12", "en_service", "libre", "yesterday"),
        ("", "en_service", "libre", "2026-03-02T10:00:00Z"),
    ]
    report = await importer(table([dict(zip(names, row, strict=True)) for row in said]))
    assert (report.format, report.statuses, report.refused) == ("irve-dynamic-csv", 3, 2)
    assert {(one.line, one.field) for one in report.refusals} == {(5, "horodatage"), (6, "id_pdc_itinerance")}
    assert await importer.statuses() == {
        "FRABCE11": "AVAILABLE", "FRABCE12": "OUTOFORDER", "FRABCE21": "UNKNOWN",
    }  # fmt: skip


# --- What is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"PK\x03\x04rest", "zip"),
        (b"%PDF-1.7\n", "'%PDF-1.7'"),
        (b"\x00\x01\x02\n", "binary"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "gzip inside a gzip"),
        ("ï»¿a;b".encode("utf-16"), "UTF-16"),
        (b"<html></html>", "XML or HTML"),
        (b"name,power\nA,22\n", "CSV with the columns name, power"),
        (b'{"hello": 1}', "fields hello"),
        (b'[{"hello": 1}, 7]', "fields hello"),
        (b"[1, 2, 3]", "is not a JSON object"),
        (b"{nope", "{nope"),
    ],
)
async def test_unknown_content_is_refused_by_what_was_seen(importer, content, seen):
    with pytest.raises(Invalid, match=r"known are OCPI|empty|ends early") as refused:
        await importer(content)
    assert seen in str(refused.value) or content == b"{nope"


async def test_a_long_file_of_unknown_objects_is_given_up_early(importer):
    given = 0

    def endless():
        nonlocal given
        while True:
            given += 1
            yield b'{"hello": 1}\n' * 1000

    with pytest.raises(Invalid, match="fields hello"):
        await importer.chunks(endless())
    assert given < 10


async def test_a_list_of_nothing_is_nothing(importer):
    report = await importer(b'{"data": [], "status_code": 1000}')
    assert (report.format, report.read) == ("json", 0)


async def test_each_faulty_record_is_told_by_line_and_field_and_harms_no_other(importer):
    deep = b'{"evses":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    no_place = location("L8")
    del no_place["coordinates"]
    content = [
        lines(location("L1")),
        b'{"evses": [}',
        b"",
        deep,
        lines(no_place),
        lines(location("L9", name="a\0b")),
        lines(location("L9")).replace(b"Utrecht", b"Utr\xe9cht"),
        b'{"country_code": "NL"',
        b'{"hello": "world"}',
        b"[]",
        lines(location("L9", evses=[location()["evses"][0] | {"last_updated": "never"}])),
        b'{"evses": [], "pad": "' + b"x" * 9_000_000 + b'"}',
        lines(location("L2")),
    ]
    report = await importer(b"\n".join(content), step=65536)
    assert await importer.stored() == [("NL*ABC", "L1", 1), ("NL*ABC", "L2", 1)]
    assert (report.read, report.created, report.refused) == (12, 2, 10)
    by_line = {one.line: (one.field, one.detail) for one in report.refusals}
    assert by_line.keys() == {2, 4, 5, 6, 7, 8, 9, 10, 11, 12}
    assert by_line[5][0] == "coordinates"
    assert by_line[6] == ("name", "holds a NUL character")
    assert by_line[11][0] == "evses[0].last_updated"
    assert by_line[12] == ("", "is over 8388608 bytes")
    assert sum(reasons(report).values()) == 10


async def test_one_broken_record_in_a_list_is_one_broken_record(importer):
    content = b'[%s, {"evses": nope}, 12, %s]' % (lines(location("L1")), lines(location("L2")))
    report = await importer(content)
    assert (report.created, report.refused) == (2, 2)
    assert [one.line for one in report.refusals] == [2, 3]


async def test_what_the_store_cannot_hold_costs_one_record(importer):
    noise = random.Random(1).randbytes(6_000).hex()
    unholdable = location("L9")
    unholdable["evses"][0]["evse_id"] = noise
    report = await importer(lines(location("L1"), unholdable, location("L2")))
    assert await importer.stored() == LOCATIONS
    assert (report.created, report.refused, report.refusals[0].line) == (2, 1, 2)
    assert report.refusals[0].detail.startswith("the store cannot hold it")


async def test_rows_of_another_width_or_without_a_point_are_told_by_line(importer):
    rows = [*IRVE, irve("FRABCP3", "FRABCE31", coordonneesXY="None None"), irve("", "", nom_station="?")]
    content = table(rows) + b"1,2,3\r\n" + b'"open,' + b"\r\n\xff\xfe\r\n"
    report = await importer(content)
    assert (report.locations, report.evses, report.refused) == (2, 3, 5)
    fields = {one.line: one.field for one in report.refusals}
    assert fields == {5: "coordonneesXY", 6: "id_pdc_itinerance", 7: "", 8: "", 9: ""}


@pytest.mark.parametrize("keep", [0.5, 0.95])
async def test_of_a_truncated_gzip_what_came_before_is_stored(importer, keep):
    dice = random.Random(1)
    content = lines(*(location(f"L{n}", name=dice.randbytes(40).hex()) for n in range(60)))
    packed = gzip.compress(content)
    with pytest.raises(EndedEarly, match="the gzip ends early") as ended:
        await importer(packed[: int(len(packed) * keep)])
    assert 0 < ended.value.report.created < 60
    assert len(await importer.stored()) == ended.value.report.created


async def test_a_gzip_that_is_cut_before_its_first_record_ended_early(importer):
    with pytest.raises(EndedEarly):
        await importer(gzip.compress(lines(location()))[:12])


async def test_a_broken_gzip_ends_the_import(importer):
    packed = bytearray(gzip.compress(lines(*(location(f"L{n}") for n in range(50)))))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(EndedEarly, match="gzip"):
        await importer(bytes(packed))


async def test_of_a_truncated_french_file_no_station_is_stored_since_half_a_station_would_withdraw_the_other(importer):
    await importer(table(IRVE))
    before = await importer.statuses()
    packed = gzip.compress(table(IRVE), 0)
    with pytest.raises(EndedEarly, match="no station was stored") as ended:
        await importer(packed[:-300])
    assert ended.value.report.locations == 0
    assert await importer.statuses() == before


async def test_a_json_list_that_ends_early_keeps_what_it_held(importer):
    with pytest.raises(EndedEarly, match="the JSON ends early"):
        await importer(json.dumps(BOTH).encode()[:-40])
    assert await importer.stored() == LOCATIONS[:1]


async def test_when_the_sender_breaks_off_what_came_is_stored_and_its_error_raised(importer):
    def breaking():
        yield lines(*BOTH) + b"\n"
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        await importer.chunks(breaking())
    assert await importer.stored() == LOCATIONS


async def test_a_cancelled_import_leaves_nothing_running(importer):
    started = asyncio.Event()

    def endless():
        while True:
            yield lines(location("L1"))[:-1] + b"}\n"
            started.set()

    running = asyncio.create_task(importer.chunks(endless()))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == {asyncio.current_task()}


# --- Parties, issues, bounds ------------------------------------------------------------------------------------------


async def test_only_the_party_asked_for_is_taken(importer):
    content = lines(location("L1"), location("L2", party_id="XYZ"), tariff("T1", party_id="XYZ"))
    report = await importer(content, party="NL*ABC")
    assert (report.locations, report.tariffs, report.skipped, report.refused) == (1, 0, 2, 0)
    assert await importer.stored() == LOCATIONS[:1]


async def test_statuses_of_other_parties_are_skipped(importer):
    await importer(lines(location("L1")))
    said = lines(*({"EvseID": f"NL*{party}*EL1*1", "EvseStatus": "Occupied"} for party in ("ABC", "XYZ")))
    report = await importer(said, party="NL*ABC")
    assert (report.statuses, report.skipped, report.refused) == (1, 1, 0)


async def test_issues_are_counted_by_field_without_indices(importer):
    lower = location("L1")
    lower["evses"][0]["connectors"][0]["standard"] = "iec_62196_t2"
    other = location("L2")
    other["evses"][0]["connectors"][0]["standard"] = "iec_62196_t2"
    report = await importer(lines(lower, other))
    assert [(one.field, one.kind, one.count) for one in report.issues] == [
        ("evses[].connectors[].standard", IssueKind.MENDED, 2)
    ]
    counted = {
        (sample.labels["protocol"], sample.labels["field"]): sample.value
        for metric in importer.app.services.metrics.registry.collect()
        for sample in metric.samples
        if sample.name.startswith("roamgate_") and "issues_total" in sample.name
    }
    assert counted["ocpi", "evses[].connectors[].standard"] == 2


async def test_progress_counts_the_bytes_that_came(importer):
    content = gzip.compress(lines(*(location(f"L{n}") for n in range(30)), {"hello": 1}))
    await importer(content, step=100)
    assert importer.progress[-1] == (len(content), 31, 1)
    assert [one.bytes_read for one in importer.progress] == sorted(one.bytes_read for one in importer.progress)


async def test_memory_does_not_grow_with_the_file(importer):
    def content(records):
        # The same few locations again and again, so that the store does not set the pace.
        written = [lines(location(f"L{n % 50}")) + b"\n" for n in range(500)]
        yield from (b"".join(written) for _ in range(records // 500))

    await importer.chunks(content(1_000))
    tracemalloc.start()
    try:
        peaks = []
        for records in (2_000, 8_000):
            tracemalloc.reset_peak()
            await importer.chunks(content(records))
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3


async def test_a_gzip_of_zeros_is_not_unpacked_at_once(importer):
    bomb = gzip.compress(b'{"evses":"' + b"0" * 200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises((Invalid, EndedEarly)):
            await importer(bomb, step=65536)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


async def test_others_get_their_turn_while_a_file_is_read(importer):
    turns = Counter()

    async def other():
        while True:
            turns["other"] += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await importer(lines(*({"EvseID": f"NL*ABC*E{n}", "EvseStatus": "Occupied"} for n in range(5_000))), step=10**7)
    task.cancel()
    assert turns["other"] > 10
