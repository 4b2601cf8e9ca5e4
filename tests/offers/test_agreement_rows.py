"""Files of agreements as people export them: separators, quotes, days, and rows that make no sense."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.services.agreement_files.rows import COLUMNS, read
from gateway.services.ports import Invalid
from mappings.canonical.agreements import EVERY_SERVICE, GroupPrice, PriceSource, Service, SubscriptionState
from tests.project.files import read as read_doc


def one(text: str):
    [row] = read(text.encode()).agreements
    return row


def refused(text: str | bytes) -> list[tuple[int, str]]:
    content = text if isinstance(text, bytes) else text.encode()
    return [(each.row, each.field) for each in read(content).refused]


def test_two_columns_are_enough():
    row = one("cpo,emsp\nFR*ABC,DE-XYZ\n")
    assert (row.row, row.network, row.emsp.normal, row.title) == (1, "FR*ABC", "DE*XYZ", "FR*ABC for DE*XYZ")
    assert (row.state, row.starts, row.ends) == (SubscriptionState.ACTIVE, None, None)
    assert (row.terms.services, row.terms.price_source, row.terms.rank) == (
        EVERY_SERVICE,
        PriceSource.EVSE_TARIFFS,
        100,
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_separators_marks_and_line_ends_are_all_read(delimiter, bom, newline):
    lines = [["CPO", "EMSP ", "Title"], ["FR*ABC", "DE*XYZ", 'Says ""yes""'], ["", "", ""], ["FR*ABC", "NL*ABC", "x"]]
    quoted = [[f'"{cell}"' for cell in line] for line in lines]
    content = bom + newline.join(delimiter.join(line) for line in quoted).encode()
    found = read(content)
    assert found.refused == []
    assert [row.title for row in found.agreements] == ['Says "yes"', "x"]


def test_a_json_list_says_the_same_by_the_same_names():
    said = [
        {
            "network_group": "G",
            "members": ["FR*ABC", "FR*DEF"],
            "emsp": "DE*XYZ",
            "services": ["poi", "cdr"],
            "rank": 7,
            "title": None,
        }
    ]
    row = one(json.dumps(said))
    assert [str(party) for party in row.members] == ["FR*ABC", "FR*DEF"]
    assert (row.terms.services, row.terms.rank) == ({Service.POI, Service.CDR}, 7)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("31/01/2027", datetime(2027, 1, 31, tzinfo=UTC)),
        ("31.1.2027", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00+01:00", datetime(2027, 1, 31, 11, tzinfo=UTC)),
    ],
)
def test_a_start_is_the_beginning_of_its_day_or_its_moment(text, at):
    assert one(f"cpo;emsp;starts\nFR*ABC;DE*XYZ;{text}").starts == at


def test_the_last_day_is_part_of_an_agreement_and_a_moment_is_not():
    assert one("cpo;emsp;ends\nFR*ABC;DE*XYZ;31/12/2027").ends == datetime(2028, 1, 1, tzinfo=UTC)
    assert one("cpo;emsp;ends\nFR*ABC;DE*XYZ;2027-12-31T00:00:00Z").ends == datetime(2027, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("", SubscriptionState.ACTIVE),
        ("Active", SubscriptionState.ACTIVE),
        ("SIGNED", SubscriptionState.ACTIVE),
        ("Under Review", SubscriptionState.UNDER_REVIEW),
        ("under-review", SubscriptionState.UNDER_REVIEW),
        ("requested", SubscriptionState.REQUESTED),
        ("Expired", SubscriptionState.ENDED),
        ("refused", SubscriptionState.REFUSED),
        ("terminated", SubscriptionState.CANCELLED),
    ],
)
def test_states_are_known_by_several_words(word, state):
    assert one(f"cpo;emsp;state;ends\nFR*ABC;DE*XYZ;{word};2027-01-01").state is state


def test_prices_are_tariffs_by_evse_group_and_of_all_others():
    row = one("cpo;emsp;prices\nFR*ABC;DE*XYZ;fast=T1+T2|slow=T3, T4")
    assert row.terms.prices == (
        GroupPrice(evse_group="fast", tariff_ids=("T1", "T2")),
        GroupPrice(evse_group="slow", tariff_ids=("T3",)),
        GroupPrice(tariff_ids=("T4",)),
    )


def test_a_row_with_a_group_and_a_cpo_and_no_emsp_is_a_member():
    found = read(b"network_group;cpo;emsp;starts\nG;FR*ABC;;2027-01-01\nG;;DE*XYZ;\n")
    [member], [agreement] = found.members, found.agreements
    assert (member.row, member.network_group, str(member.cpo)) == (1, "G", "FR*ABC")
    assert agreement.network == "G"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("FR*ABC;;", "emsp"),
        (";DE*XYZ;", "cpo"),
        ("FR*ABCD;DE*XYZ;", "cpo"),
        ("FR*ABC;nobody;", "emsp"),
        ("FR*ABC;FR*ABC;", "emsp"),
        ("FR*ABC;DE*XYZ;services=driving", "services"),
        ("FR*ABC;DE*XYZ;starts=yesterday", "starts"),
        ("FR*ABC;DE*XYZ;starts=2027-02-30", "starts"),
        ("FR*ABC;DE*XYZ;starts=2027-01-01T12:00:00", "starts"),
        ("FR*ABC;DE*XYZ;starts=2027-02-01,ends=2027-01-01", "ends"),
        ("FR*ABC;DE*XYZ;ends=9999-12-31", "ends"),
        ("FR*ABC;DE*XYZ;state=maybe", "state"),
        ("FR*ABC;DE*XYZ;state=cancelled", "ends"),
        ("FR*ABC;DE*XYZ;rank=first", "rank"),
        ("FR*ABC;DE*XYZ;rank=99999", "rank"),
        ("FR*ABC;DE*XYZ;prices=a=b=c", "prices"),
        ("FR*ABC;DE*XYZ;prices=T1|T2", "prices"),
        ("FR*ABC;DE*XYZ;evse_groups=fast,prices=slow=T1", "prices"),
        ("FR*ABC;DE*XYZ;network_group=G", "cpo"),
        ("FR*ABC;DE*XYZ;members=FR*ABC", "members"),
        ("FR*ABC;DE*XYZ;id=not an id", "id"),
        ("FR*ABC;DE*XYZ;title=" + "x" * 256, "title"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_by_its_field_and_the_next_is_taken(row, field):
    cpo, emsp, rest = row.split(";")
    more = dict(each.split("=", 1) for each in rest.split(",") if each)
    names = ["cpo", "emsp", *more]
    content = [names, [cpo, emsp, *more.values()], ["NL*ABC", "NL*XYZ", *("" for _ in more)]]
    found = read("\n".join(";".join(line) for line in content).encode())
    assert [(each.row, each.field) for each in found.refused] == [(1, field)]
    assert [each.row for each in found.agreements] == [2]


def test_rows_that_cannot_be_cut_or_read_cost_themselves_alone():
    bad = b"FR*ABC;DE*XYZ;\xe9t\xe9\nFR*ABC;DE*XYZ;a;b\nFR*ABC;DE*XYZ;\x00\n"
    content = b"cpo;emsp;title\n" + bad + b"FR*ABC;DE*XYZ;\xc3\xa9t\xc3\xa9"
    assert refused(content) == [(1, ""), (2, ""), (3, "")]
    [row] = read(content).agreements
    assert (row.row, row.title) == (4, "été")


def test_what_stands_there_twice_is_refused_the_second_time():
    assert refused("cpo;emsp\nFR*ABC;DE*XYZ\nFRABC;de*xyz\n") == [(2, "emsp")]


def test_two_that_hold_at_once_need_an_order():
    both = "cpo;emsp;title;rank;starts;ends\nFR*ABC;DE*XYZ;a;{0};2027-01-01;2027-06-30\nFR*ABC;DE*XYZ;b;{1};{2};\n"
    assert refused(both.format("", "", "2027-06-30")) == [(2, "rank")]
    assert refused(both.format("", "50", "2027-06-30")) == []
    assert refused(both.format("", "", "2027-07-01")) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"a;b;c\n1;2;3\n",
        b"cpo;emsp;end\nFR*ABC;DE*XYZ;2027-01-01\n",  # `ends` was meant, and would be unlimited
        b"cpo;emsp;cpo\nFR*ABC;DE*XYZ;x\n",
        b"{}",
        b"[1",
        b"[" * 100_000,
        "cpo;emsp\nFR*ABC;DE*XYZ\n".encode("utf-16"),
    ],
)
def test_what_is_no_such_file_is_refused_whole(content):
    with pytest.raises(Invalid):
        read(content)


def test_a_row_of_json_that_is_no_object_or_says_what_is_not_known_is_refused():
    content = json.dumps([1, {"emsp": "DE*XYZ", "ends ": "x"}, {"cpo": {"a": 1}, "emsp": "DE*XYZ"}, {"cpo": True}])
    assert refused(content) == [(1, ""), (2, "ends "), (3, "cpo"), (4, "cpo")]


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, st.text() | st.none() | st.integers()))))
def test_whatever_a_list_holds_each_row_is_taken_or_refused(rows):
    found = read(json.dumps(rows).encode())
    numbers = [each.row for each in (*found.agreements, *found.members, *found.refused)]
    assert sorted(numbers) == list(range(1, len(rows) + 1))


def test_the_example_of_the_guide_is_taken_whole():
    guide = read_doc("docs/offers.md")
    example = guide.split("```\ncpo;", 1)[1].split("```", 1)[0]
    found = read(b"cpo;" + example.encode())
    assert (len(found.agreements), len(found.members), found.refused) == (2, 1, [])
    for column in COLUMNS:
        assert f"`{column}`" in guide
