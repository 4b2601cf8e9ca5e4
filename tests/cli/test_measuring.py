"""`bench` and `demo`: a tiny measurement to its end, what keeps either from going on, and how figures are kept."""

import json

from gateway.cli.bench.figures import Figure, write
from gateway.cli.demo.statuses import Named, Sent, _match
from gateway.cli.percentiles import percentile


async def test_a_tiny_measurement_tells_both_ways_of_a_status_and_keeps_other_figures(bare):
    kept = Figure("of another run", 1.0, "s")
    write([kept], bare.folder / "figures.json")
    sizes = ("--locations", "20", "--seconds", "0.5", "--changes", "20", "--singles", "20")
    done = await bare("bench", *sizes, "--json", "--out", "figures.json")
    assert done.code == 0, done.err
    found = {figure["name"]: figure for figure in done.json}
    for hub in ("gireve", "hubject"):
        assert 0 < found[f"changes: {hub}, accepted → in its memory, p99"]["value"] < 60
    assert found["changes: differences at the end"]["ok"]
    assert found["statuses: EVSEs known"]["value"] > 20
    assert found["statuses: single, p99"]["value"] > 0
    written = json.loads((bare.folder / "figures.json").read_text())
    assert [figure["name"] for figure in written] == ["of another run", *found]


async def test_what_keeps_the_demo_from_going_on_is_said_without_a_traceback(bare):
    file = bare.folder / "no network & more.json"
    file.write_text('{"nothing": "known"}')
    done = await bare("demo", str(file), "--seconds", "1")
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "import: the content" in done.err


def test_a_figure_is_held_against_its_goal_from_the_right_side():
    assert Figure.of("rate", 10, "1/s", 9, better="more").ok
    assert Figure.of("rate", 10, "s", 9, better="less").ok is False
    assert Figure.of("told", 10, "", better="more").ok is None
    assert Figure.of("nothing came", None, "s", 9, better="less").ok is False


def test_a_percentile_of_nothing_is_none():
    assert percentile([], 0.5) is None
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert percentile([1.0], 0.99) == 1.0


def test_a_report_of_the_status_that_an_evse_has_is_no_change_to_be_timed():
    evse = Named("FR*ABC", "L", "1", "FR*ABC*E1", "AVAILABLE")
    sent = Sent([(evse, "AVAILABLE", 1.0), (evse, "CHARGING", 2.0), (evse, "CHARGING", 3.0), (evse, "AVAILABLE", 9.0)])
    receipts = {"FR*ABC*E1": [2.5, 9.25]}
    assert list(_match("hubject", sent, receipts)) == [0.5, 0.25]
