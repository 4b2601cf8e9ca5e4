"""The CPOs that the sandbox plays: how they answer commands.

| request | what it does |
| --- | --- |
| `GET`, `POST`, `DELETE /_sandbox/cpos` | how played CPOs answer; sets some (`PlayedCpo`); all say yes again |
"""

import asyncio
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from mappings.canonical.ids import PartyId

ANY: Final = "*"


class Answers(StrEnum):
    """What a CPO answers to a command."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    SILENT = "silent"


class PlayedCpo(BaseModel):
    """How a played CPO answers.

    Attributes:
        operator: The CPO; `*` for all of whom nothing is said.
        answer: What it answers.
        code: OICP's code of a refusal.
        late: Seconds after which it answers.
        partner_session: Its CPOPartnerSessionID.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operator: PartyId | Annotated[str, Field(pattern=r"^\*$")] = ANY
    answer: Answers = Answers.ACCEPT
    code: Annotated[str, Field(pattern="^[0-9]{3}$")] = "602"
    late: Annotated[float, Field(ge=0, le=3600)] = 0.0
    partner_session: Annotated[str, Field(max_length=250)] | None = None


class PlayedCpos:
    """All of them.

    Args:
        patience: Seconds for which Hubject waits for an answer.
    """

    def __init__(self, patience: float) -> None:
        self.said: dict[str, PlayedCpo] = {}
        self._patience = patience

    def set(self, cpos: Iterable[PlayedCpo]) -> None:
        """Sets how some answer."""
        for cpo in cpos:
            self.said[cpo.operator.normal if isinstance(cpo.operator, PartyId) else cpo.operator] = cpo

    def knows(self, operator: str) -> bool:
        """Tells whether anything was said of a CPO itself."""
        return operator in self.said

    async def answer(self, operator: str, body: dict[str, Any]) -> Any:
        """Gives a CPO's eRoamingAcknowledgment, or says in a text why there is none."""
        cpo = self.said.get(operator) or self.said.get(ANY) or PlayedCpo()
        silent = cpo.answer is Answers.SILENT or cpo.late > self._patience
        if wait := self._patience if silent else cpo.late:
            await asyncio.sleep(wait)
        if silent:
            return "TimeoutError: the played CPO says nothing"
        accepted = cpo.answer is Answers.ACCEPT
        answer = {
            "Result": accepted,
            "StatusCode": {"Code": "000" if accepted else cpo.code},
            "SessionID": body.get("SessionID"),
            "CPOPartnerSessionID": cpo.partner_session,
            "EMPPartnerSessionID": body.get("EMPPartnerSessionID"),
        }
        return {field: value for field, value in answer.items() if value is not None}
