import pytest

from docs.generate import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_its_tables_say(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "make docs"


def test_no_page_stands_there_that_no_table_writes() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)
