"""The EMPs behind the sandbox Hubject, as far as their drivers are set by `POST /_sandbox/drivers`.

Hubject derives the EMP from an EvcoID and asks that one; for a card it asks every EMP that is under contract with the
CPO, and one yes is enough (OICP 2.3, eRoamingAuthorizeStart).
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.hubject.sandbox.rules_charging import Uid, medium
from mappings.canonical.ids import ContractId, PartyId

ANY: Final = "*"
"""As a `uid`: whatever card is held up."""

_NO: Final = {
    "RFIDMifareFamilyIdentification": "102",
    "QRCodeIdentification": "101",
    "PlugAndChargeIdentification": "105",
    "RemoteIdentification": "105",
}
NO_CONTRACT, NO_YES, NO_PARTNER, NO_ANSWER, WRONG_TOKEN = "210", "106", "300", "310", "602"


class Says(StrEnum):
    """What an EMP answers."""

    AUTHORISED = "authorised"
    NOT_AUTHORISED = "not_authorised"
    SILENT = "silent"


class Driver(BaseModel):
    """A driver as an EMP knows them; by card, by contract, or by both.

    Attributes:
        provider: The EMP.
        uid: The card's; `*` for every card.
        contract: The EvcoID.
        pin: Of the contract's QR code; without one, any is right.
        answer: What the EMP says.
        code: Its code for a no; without one, OICP's for the medium.
        late: Seconds after which it says so.
        agreed: Whether the EMP has a contract with the CPO.
        offline: Whether Hubject answers for the EMP out of authentication data that was uploaded.
        partner_session: The EMP's EMPPartnerSessionID.
        stop_with: UIDs and EvcoIDs of media that may stop the session too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: PartyId
    uid: Uid | Annotated[str, Field(pattern=r"^\*$")] | None = None
    contract: ContractId | None = None
    pin: str | None = None
    answer: Says = Says.AUTHORISED
    code: Annotated[str, Field(pattern="^[0-9]{3}$")] | None = None
    late: Annotated[float, Field(ge=0, le=3600)] = 0.0
    agreed: bool = True
    offline: bool = False
    partner_session: Annotated[str, Field(max_length=250)] | None = None
    stop_with: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.uid is None and self.contract is None:
            raise ValueError("uid or contract is needed")
        return self

    def has(self, kind: str, shown: dict[str, Any]) -> bool:
        """Tells whether a medium is the driver's."""
        if kind == "RFIDMifareFamilyIdentification":
            return self.uid in {ANY, shown["UID"]}
        return self.contract is not None and self.contract == ContractId(shown["EvcoID"])

    def stops(self, shown: dict[str, Any]) -> bool:
        """Tells whether a medium may stop what another one of the driver's started."""
        given = shown.get("UID", shown.get("EvcoID", ""))
        return any(given == each or ContractId(given) == ContractId(each) for each in self.stop_with)


def no_code(kind: str) -> str:
    """Gives OICP's code for a no to an identification of a kind."""
    return _NO.get(kind, NO_YES)


class Verdict(NamedTuple):
    """What came of asking: the driver of the EMP that said yes, or the code of the no."""

    driver: Driver | None
    code: str


class Emps:
    """All EMPs.

    Args:
        patience: Seconds after which Hubject waits for an EMP no longer.
    """

    def __init__(self, patience: float) -> None:
        self.drivers: list[Driver] = []
        self._patience = patience

    def agreed(self, provider: PartyId) -> bool:
        """Tells whether an EMP has a contract with the CPO; one that nothing was said of has."""
        theirs = [driver.agreed for driver in self.drivers if driver.provider == provider]
        return not theirs or any(theirs)

    async def ask(
        self, identification: dict[str, Any], subscribed: Callable[[PartyId], bool] = lambda _: True
    ) -> Verdict:
        """Asks for whoever holds a medium up.

        Args:
            subscribed: Tells whether an EMP has a contract with the CPO beside what was said of its drivers.
        """
        kind, shown = medium(identification)
        if kind == "RFIDMifareFamilyIdentification":
            return await self._broadcast(kind, shown, subscribed)
        owner = ContractId(shown["EvcoID"]).party
        theirs = [driver for driver in self.drivers if driver.provider == owner]
        if not theirs:
            return Verdict(None, NO_PARTNER)
        if not any(driver.agreed and subscribed(driver.provider) for driver in theirs):
            return Verdict(None, NO_CONTRACT)
        driver = next((each for each in theirs if each.agreed and each.has(kind, shown)), None)
        # OICP 2.3, Pin Security: of a hash Hubject makes the hash once more, which nobody has.
        if driver is None or (kind == "QRCodeIdentification" and driver.pin not in {None, shown.get("PIN")}):
            return Verdict(None, _NO[kind])
        if kind == "QRCodeIdentification" and "PIN" not in shown:
            return Verdict(None, _NO[kind])
        code = await self._answer(driver, kind)
        return Verdict(driver if code == "000" else None, code or NO_ANSWER)

    async def _broadcast(self, kind: str, shown: dict[str, Any], subscribed: Callable[[PartyId], bool]) -> Verdict:
        agreed = [driver for driver in self.drivers if driver.agreed and subscribed(driver.provider)]
        if self.drivers and not agreed:
            return Verdict(None, NO_CONTRACT)
        knowing = [driver for driver in agreed if driver.has(kind, shown)]
        # A card that is set by its number beats one that is set by a star.
        knowing = [driver for driver in knowing if driver.uid != ANY] or knowing
        if not knowing:
            return Verdict(None, _NO[kind])
        return await self._first_yes(knowing, kind)

    async def _first_yes(self, drivers: Sequence[Driver], kind: str) -> Verdict:
        told: list[str] = []
        # Of answers that come on the same turn of the loop, the one that is less late came first.
        in_turn = sorted(drivers, key=lambda driver: driver.late)
        asked = {asyncio.create_task(self._answer(driver, kind)): driver for driver in in_turn}
        waiting = set(asked)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in (each for each in asked if each in done):
                    if task.result() == "000":
                        return Verdict(asked[task], "000")
                    told += [task.result() or NO_YES]
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return Verdict(None, next((code for code in told if code != NO_YES), NO_YES))

    async def _answer(self, driver: Driver, kind: str) -> str | None:
        """Gives an EMP's code, None where it says nothing in time."""
        if driver.offline:
            return "000"
        wait = self._patience if driver.answer is Says.SILENT else min(driver.late, self._patience)
        if wait:
            await asyncio.sleep(wait)
        if driver.answer is Says.SILENT or driver.late > self._patience:
            return None
        return "000" if driver.answer is Says.AUTHORISED else driver.code or _NO[kind]

    def set(self, drivers: Iterable[Driver]) -> None:
        """Sets drivers; one with the same EMP, card and contract takes the place of the earlier one."""
        for driver in drivers:
            key = (driver.provider, driver.uid, driver.contract)
            self.drivers = [each for each in self.drivers if (each.provider, each.uid, each.contract) != key]
            self.drivers.append(driver)
