"""Settings of connections, validated once for as long as they stay the same: that takes longer than most requests."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from adapters.core.connection import Connection

M = TypeVar("M", bound=BaseModel)


class Validated(Generic[M]):
    """Reads the settings of connections.

    Args:
        model: What they are validated by.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._known: dict[str, tuple[Mapping[str, Any], M]] = {}

    def of(self, connection: Connection) -> M:
        """Gives a connection's settings.

        Raises:
            pydantic.ValidationError: They are no such settings.
        """
        known = self._known.get(connection.name)
        if known is None or (known[0] is not connection.settings and known[0] != connection.settings):
            known = connection.settings, self._model.model_validate(connection.settings)
            self._known[connection.name] = known
        return known[1]
