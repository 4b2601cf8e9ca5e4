"""Named SQL statements from files that lie beside the code that runs them."""

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class Queries:
    """The statements of one `.sql` file, each under a line `-- name: upsert_locations`.

    Args:
        package: The package in whose folder the file lies.
        file: The file's name.

    Raises:
        KeyError: When a statement is asked for that the file does not have.
    """

    def __init__(self, package: str, file: str) -> None:
        parts = _NAME.split((files(package) / file).read_text())
        self._file = file
        self._sql = dict(zip(parts[1::2], parts[2::2], strict=True))

    def __getitem__(self, name: str) -> str:
        try:
            return self._sql[name]
        except KeyError:
            raise KeyError(f"{self._file} has no statement {name}") from None
