"""Driver tokens at the hubs themselves: told, blocked, withdrawn and loaded whole."""

import random

from gateway.services.ports.driver_tokens import Whose
from mappings.canonical.tokens import TokenType
from tests.harness import WHO, Rig, rig
from tests.services.driving import EMSP, token

HUBS = ("hubject-emp", "gireve")
UIDS = [f"04{number:012X}" for number in range(6)]


async def put(gateway: Rig, *tokens) -> None:
    await gateway.app.services.driver_tokens.put([(one, ()) for one in tokens], WHO)


async def switch(gateway: Rig, driver: str, *, valid: bool) -> None:
    await gateway.app.services.driver_tokens.switch(Whose(EMSP, driver=driver), WHO, valid=valid)


async def withdraw(gateway: Rig, uid: str) -> None:
    await gateway.app.services.driver_tokens.withdraw(EMSP, TokenType.RFID, uid, WHO)


def admitted(gateway: Rig) -> set[str]:
    """The uids of whom Hubject answers for itself."""
    return {
        record["Identification"]["RFIDMifareFamilyIdentification"]["UID"]
        for record in gateway.memory("authentication_data").values()
    }


def listed(gateway: Rig) -> dict[str, bool]:
    """The tokens that Gireve has, and whether they are valid there."""
    told = (record["token"] for record in gateway.gireve.memory["tokens"].values())
    return {one["uid"]: one["valid"] for one in told}


async def test_tokens_are_told_and_a_blocked_driver_s_are_taken_back_everywhere(database_url: str) -> None:
    async with rig(database_url, *HUBS, emsp=EMSP) as gateway:
        await put(gateway, *(token(uid, driver="d-1") for uid in UIDS[:3]), token(UIDS[3], driver="d-2"))
        await gateway.quiet()
        assert admitted(gateway) == set(UIDS[:4])
        assert listed(gateway) == dict.fromkeys(UIDS[:4], True)
        await switch(gateway, "d-1", valid=False)
        await withdraw(gateway, UIDS[3])
        await gateway.quiet()
        assert admitted(gateway) == set()
        assert listed(gateway) == dict.fromkeys(UIDS[:4], False)
        await switch(gateway, "d-1", valid=True)
        await gateway.quiet()
        assert admitted(gateway) == set(UIDS[:3])
        assert listed(gateway) == dict.fromkeys(UIDS[:3], True) | {UIDS[3]: False}
        assert await gateway.letters() == {}


async def test_a_full_load_replaces_whatever_the_hub_had(database_url: str) -> None:
    async with rig(database_url, "hubject-emp", emsp=EMSP) as gateway:
        await put(gateway, *(token(uid, driver="d-1") for uid in UIDS[:3]))
        await gateway.quiet()
        gateway.hubject.forget()
        gateway.hubject.requests.clear()
        assert admitted(gateway) == set()
        await withdraw(gateway, UIDS[0])
        await gateway.app.services.connections.resync("hubject-emp", WHO)
        await gateway.quiet()
        assert admitted(gateway) == set(UIDS[1:3])


async def test_whatever_happens_to_tokens_hubs_have_those_that_are_valid(database_url: str) -> None:
    dice = random.Random(7)
    async with rig(database_url, *HUBS, emsp=EMSP) as gateway:
        valid: dict[str, tuple[str, bool]] = {}
        for _ in range(30):
            uid, driver = dice.choice(UIDS), dice.choice(("d-1", "d-2"))
            match dice.randrange(4):
                case 0 | 1:
                    is_valid = dice.random() < 0.7
                    await put(gateway, token(uid, driver=driver, valid=is_valid))
                    valid[uid] = driver, is_valid
                case 2 if driver in {whose for whose, _ in valid.values()}:
                    is_valid = dice.random() < 0.5
                    await switch(gateway, driver, valid=is_valid)
                    valid = {one: (w, is_valid if w == driver else v) for one, (w, v) in valid.items()}
                case 3:
                    await withdraw(gateway, uid)
                    valid.pop(uid, None)
        await gateway.quiet()
        expected = {uid for uid, (_, is_valid) in valid.items() if is_valid}
        assert admitted(gateway) == expected
        assert {uid for uid, there in listed(gateway).items() if there} == expected
        assert await gateway.letters() == {}
