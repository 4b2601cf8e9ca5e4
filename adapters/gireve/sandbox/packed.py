"""A memory for a great many records: each is kept as compact JSON, a tenth of what it would take as objects."""

import hashlib
import json
from typing import Any

from pydantic_core import from_json, to_json


class Packed(dict[str, Any]):
    """A mapping whose records are packed when they are written and unpacked when they are read."""

    def __setitem__(self, key: str, record: Any) -> None:
        super().__setitem__(key, to_json(record))

    def __getitem__(self, key: str) -> Any:
        return from_json(super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        """Gives a record, or the default."""
        packed = super().get(key)
        return default if packed is None else from_json(packed)

    def items(self) -> Any:
        """Gives keys with records."""
        return ((key, from_json(packed)) for key, packed in super().items())

    def values(self) -> Any:
        """Gives the records."""
        return (record for _, record in self.items())


def content(wire: Any) -> str:
    """Gives a digest of a record, whatever the order of its fields."""
    return hashlib.sha256(json.dumps(wire, sort_keys=True).encode()).hexdigest()
