"""A gateway whose hubs are the tests, the commands that they give, and the backend that it asks."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from gateway.app import assembled
from gateway.settings import Settings
from mappings.canonical.commands import (
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
)
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from tests.backend import Backend, says
from tests.harness import KEY, NOWHERE, WHO, Services

EMSP = PartyId("DE-XYZ")
DRIVER = Identification(type=TokenType.APP_USER, uid="driver-1", party=EMSP)
AT = EvseRef(evse_id=EvseId("NL*ABC*EL1"))
BY_UID = EvseRef(location_id="L1", evse_uid="U1")
REPLY = {"response_url": "http://127.0.0.1:9/result/1"}
ACCEPTED, TIMEOUT, REJECTED = CommandResult.ACCEPTED, CommandResult.TIMEOUT, CommandResult.REJECTED


class Desk(Services):
    """A gateway whose hubs are these tests, and the backend that it asks."""

    def __init__(self, app, listener: Backend) -> None:
        super().__init__(app)
        self.listener = listener

    @property
    def commands(self):
        return self.app.ears.commands

    def hub(self, name):
        return self.app.links.by_name(name).connection

    async def perform(self, command):
        return await self.commands.perform(self.hub("hubject"), command)

    async def take(self, command, reply_to=REPLY):
        return await self.commands.take(self.hub("gireve"), command, reply_to)

    async def hurry(self):
        """Gives the backend a second for each command."""
        connections = self.app.services.connections
        await connections.set_settings("hubject", NOWHERE["hubject"] | {"command_seconds": 1.0}, WHO)
        hasty = {"command_seconds": 2.0, "margin_seconds": 1.0}
        await connections.set_settings("gireve", NOWHERE["gireve"] | hasty, WHO)

    async def carried(self):
        """Waits for what was taken."""
        await asyncio.gather(*self.commands._carrying)

    async def results(self):
        """The results that Gireve is to be told, in order."""
        rows = await self.app.store.fetch(
            "SELECT payload FROM delivery WHERE operation = 'command_results' ORDER BY no"
        )
        return [json.loads(row["payload"])["result"] for row in rows]

    async def events(self):
        rows = await self.app.store.fetch("SELECT type, subject, data FROM event ORDER BY no")
        return [(row["type"], json.loads(row["data"])) for row in rows]

    async def charge(self, reference, status="ACTIVE", session_id="s-1", ended=False):
        """Has the backend tell of a session under an authorisation, as far as commands look at it."""
        sql = """
            WITH made AS (
                INSERT INTO session (party, session_id, body, place, digest, status, authorisation_no, connection_id,
                    ended_at, last_updated)
                SELECT a.party, $2, '{}', '{}', '', $3, a.no, a.connection_id, CASE WHEN $4 THEN now() END, now()
                FROM authorisation a WHERE a.id = $1 RETURNING no, authorisation_no
            ) UPDATE authorisation a SET session_no = m.no FROM made m WHERE a.no = m.authorisation_no"""
        assert await self.app.store.execute(sql, reference, session_id, status, ended) == 1


def start(session="h-1", at=AT, **changes):
    leg = Leg(hub_session=session, emsp=EMSP, identification=DRIVER)
    return StartSession.model_validate({"at": at, "emsp": EMSP, "leg": leg} | changes)


def reserve(reservation="h-r", minutes=30, at=AT, **changes):
    leg = Leg(hub_session=reservation, emsp=EMSP, identification=DRIVER)
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=minutes)
    return ReserveNow.model_validate(
        {"at": at, "emsp": EMSP, "leg": leg, "reservation": reservation, "expires": expires} | changes
    )


@asynccontextmanager
async def replica(database_url):
    """Another gateway on the same database."""
    async with assembled(Settings(database_url=database_url, secret_key=KEY)) as app:
        await app.links.refresh()
        yield app


@asynccontextmanager
async def silent(listener):
    """A backend that never answers, until the block ends."""
    over = asyncio.Event()

    async def wait(_heard):
        await over.wait()
        return await says({"result": "ACCEPTED"})(_heard)

    listener.always = wait
    try:
        yield over
    finally:
        over.set()
