"""Cutting content into records: JSON, lines and CSV, in pieces of any size."""

import json

import pytest

from gateway.services.formats.elements import Elements
from gateway.services.formats.lines import Lines
from gateway.services.formats.records import MAX_RECORD, Damaged, Raw
from gateway.services.formats.tables import Row, Table

STEPS = (1, 2, 3, 7, 10_000)


def cut(cutter, content, step=10_000):
    found = []
    for start in range(0, len(content), step):
        found += cutter.feed(content[start : start + step])
    return found + list(cutter.end())


def bodies(raws):
    return [raw.body or raw.fault for raw in raws]


NO_OBJECT = "is not a JSON object"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b'[{"a":1}, {"b":[{"data":[1]}]}]', [b'{"a":1}', b'{"b":[{"data":[1]}]}']),
        (
            b'{"data":[{"id":"x\\"}]"},{"id":2}],"status_code":1000,"x":{"y":[1]}}',
            [b'{"id":"x\\"}]"}', b'{"id":2}'],
        ),
        (b'{"status_code":1000,"x":{"data":[1]},"data" : {"id":1}}', [b'{"id":1}']),
        (b'{"id":"1","elements":[{"data":[]}]}', [b'{"id":"1","elements":[{"data":[]}]}']),
        (b'\xef\xbb\xbf{"a":1}\n{"a":2}', [b'{"a":1}', b'{"a":2}']),
        (b'[1,2,{"a":nope},"x",{"a":2},[3]]', [NO_OBJECT, b'{"a":nope}', NO_OBJECT, b'{"a":2}', NO_OBJECT]),
        (b"[]", []),
        (b"]", ["is a bracket that nothing opened"]),
        (b'[{"a":1}] and then', [b'{"a":1}', NO_OBJECT]),
    ],
)
def test_records_are_found_in_lists_envelopes_and_beside_rubbish(content, records, step):
    raws = cut(Elements(), content, step)
    assert bodies(raws) == records
    assert [raw.number for raw in raws] == list(range(1, len(records) + 1))


@pytest.mark.parametrize("step", STEPS)
def test_an_oicp_dump_names_the_operator_of_its_records(step):
    group = {"OperatorID": "CH*ABC", "OperatorName": "A", "EVSEDataRecord": [{"EvseID": "1"}, {"EvseID": "2"}]}
    raws = cut(Elements(), json.dumps({"EVSEData": [group, {"EvseDataRecord": [{"EvseID": "3"}]}]}).encode(), step)
    assert [raw.under for raw in raws] == [("CH*ABC", "A"), ("CH*ABC", "A"), (None, None)]


@pytest.mark.parametrize("content", [b"[", b'[{"a":1}', b'{"data":[],"meta":"', b'{"a":', b'[{"a":"\\'])
def test_json_that_ends_inside_something_is_damaged(content):
    with pytest.raises(Damaged):
        cut(Elements(), content)


def test_what_is_nested_ten_thousand_deep_costs_one_record():
    content = b"[" + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b',{"b":1}]'
    assert bodies(cut(Elements(), content)) == ["is nested deeper than 64 levels", b'{"b":1}']


@pytest.mark.parametrize("filling", [b'"' + b"x" * 100 + b'",', b"[" * 3 + b"]" * 3 + b","])
def test_a_record_over_the_bound_is_refused_without_being_held(filling):
    elements, held, raws = Elements(), 0, list[Raw]()
    raws += elements.feed(b'[{"a":1},{"long":[')
    piece = filling * (65536 // len(filling))
    for _ in range(2 * MAX_RECORD // len(piece)):
        raws += elements.feed(piece)
        held = max(held, len(elements._buffer))
    raws += elements.feed(b'0]},{"b":1}]')
    assert bodies([*raws, *elements.end()]) == [b'{"a":1}', f"is over {MAX_RECORD} bytes", b'{"b":1}']
    assert held <= MAX_RECORD + 65536


@pytest.mark.parametrize("step", STEPS)
def test_lines_are_numbered_as_an_editor_does(step):
    raws = cut(Lines(), b"\xef\xbb\xbfa\n\n \r\nb\r\nc", step)
    assert [(raw.number, raw.body) for raw in raws] == [(1, b"a"), (4, b"b\r"), (5, b"c")]


def test_a_line_of_a_hundred_megabytes_is_refused_without_being_held():
    lines, held, raws = Lines(), 0, list[Raw]()
    raws += lines.feed(b"a\n")
    for _ in range(1600):
        raws += lines.feed(b"x" * 65536)
        held = max(held, len(lines._rest))
    raws += lines.feed(b"x\nb\n")
    assert bodies(raws) == [b"a", f"is over {MAX_RECORD} bytes", b"b"]
    assert held <= MAX_RECORD


@pytest.mark.parametrize("step", STEPS)
def test_a_row_of_csv_may_go_over_lines_and_a_faulty_one_costs_itself(step):
    content = b'a;b\r\n1;"x\n\ny ""q"" z"\n\n12" screen;2\n3;"open\n4;5\n\xff;1\n6;\0\n"7";8'
    assert cut(Table(";"), content, step) == [
        Row(1, ["a", "b"]),
        Row(2, ["1", 'x\n\ny "q" z']),
        Row(6, ['12" screen', "2"]),
        Row(7, (), "has a quote that is not closed"),
        Row(8, ["4", "5"]),
        Row(9, (), "is not UTF-8"),
        Row(10, (), "holds a NUL byte"),
        Row(11, ["7", "8"]),
    ]


def test_a_quote_that_nothing_closes_does_not_take_the_rest_of_the_file():
    content = b'a,b\n1,"x\n' + b"".join(b"%d,y\n" % n for n in range(2, 1000))
    rows = cut(Table(","), content)
    assert [row.fault for row in rows if row.fault] == ["has a quote that is not closed"]
    assert [row.cells[0] for row in rows[2:]] == [str(n) for n in range(2, 1000)]
