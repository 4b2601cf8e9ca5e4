"""What the sandbox remembers of each operator, and what the four actions do to it.

Hubject describes the actions at PushAuthenticationData and says that the pushes of EVSEs work alike: `fullLoad`
replaces everything without looking at it, `insert` is refused whole if a record is there already, `update` if one is
not, `delete` takes away. Whether a delete of something unknown is refused is written nowhere; here it is not.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Records = Mapping[str, Mapping[str, Any]]
"""Records by wire key: the EvseID's normal form."""


class Refusal(NamedTuple):
    """Why a push is refused whole: Hubject's code, and the text for AdditionalInfo."""

    code: str
    text: str


class Book:
    """Records of one kind, each with the operator that pushed it.

    Args:
        shown: The sandbox's memory of the kind, which this keeps in step.
    """

    def __init__(self, shown: dict[str, Any]) -> None:
        self._shown = shown
        self._of: dict[str, dict[str, Mapping[str, Any]]] = {}

    def has(self, operator: str, key: str) -> bool:
        """Tells whether the operator has a record under the key."""
        return key in self._of.get(operator, {})

    def any_of(self, operator: str) -> bool:
        """Tells whether the operator has any record."""
        return bool(self._of.get(operator))

    def keys_of(self, operator: str) -> frozenset[str]:
        """Gives the keys of an operator's records."""
        return frozenset(self._of.get(operator, ()))

    def act(self, action: str, operator: str, records: Records) -> Refusal | None:
        """Performs an action, or says why not; a refused one changes nothing."""
        own = self._of.setdefault(operator, {})
        if refusal := self._refusal(action, own, records):
            return refusal
        if action == "fullLoad":
            for key in own.keys() - records.keys():
                del self._shown[key]
            own.clear()
        if action == "delete":
            for key in own.keys() & records.keys():
                del own[key], self._shown[key]
        else:
            own.update(records)
            self._shown.update(records)
        return None

    def _refusal(self, action: str, own: Mapping[str, Any], records: Records) -> Refusal | None:
        if others := [key for key in records if key in self._shown and key not in own]:
            return Refusal("018", f"belongs to another operator: {named(others)}")
        if action == "insert" and (there := records.keys() & own.keys()):
            return Refusal("022", f"exists already: {named(there)}")
        if action == "update" and (absent := records.keys() - own.keys()):
            return Refusal("603", f"does not exist: {named(absent)}")
        return None

    def forget(self) -> None:
        """Forgets who pushed what."""
        self._of.clear()


def named(keys: Iterable[str]) -> str:
    """Names the first few of many."""
    some = sorted(keys)
    return ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
