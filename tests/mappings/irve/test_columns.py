import gzip
import json
from pathlib import Path

from mappings.irve.columns import DYNAMIC, STATIC, page
from mappings.irve.wire import STATIC_COLUMNS
from tests.shared import shared_path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "mappings" / "irve.md"


def test_the_page_in_docs_is_the_one_written_from_the_tables() -> None:
    assert PAGE.read_text() == page()


def test_every_column_has_one_rule() -> None:
    assert len(STATIC.rules) == 40
    assert len(DYNAMIC.rules) == 8


def test_the_forty_columns_are_those_of_the_published_file() -> None:
    with gzip.open(shared_path("data/fr/irve-static-2025-07.json.gz"), "rt") as lines:
        assert set(json.loads(next(lines))) == set(STATIC_COLUMNS) == {rule.column for rule in STATIC.rules}
