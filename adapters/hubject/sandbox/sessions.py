"""The sessions that the sandbox Hubject keeps, each under the SessionID that it gave."""

from typing import Any, Final
from uuid import uuid4

from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.state import SESSIONS, HubjectSandbox
from mappings.canonical.ids import ContractId

OPEN, STOPPED, BILLED, CANCELLED = "open", "stopped", "billed", "cancelled"
"""States of a session."""
PARTNER_IDS: Final = ("CPOPartnerSessionID", "EMPPartnerSessionID")


def new_session(sandbox: HubjectSandbox, about: dict[str, Any], session: str | None = None) -> str:
    """Remembers a session under a new SessionID, or a given one, and gives that."""
    session = session or str(uuid4())
    sandbox.memory[SESSIONS][session] = {"SessionID": session, **about, "State": OPEN}
    sandbox.received(SESSIONS, session, about["Origin"])
    return session


def session_of(sandbox: HubjectSandbox, operator: str, session_id: str) -> dict[str, Any] | Refusal:
    """Finds a session of an operator that may go on."""
    session = sandbox.memory[SESSIONS].get(session_id)
    if session is None or session["OperatorID"] != operator:
        return Refusal("400", "no such session of this operator")
    if session["State"] == BILLED:
        return Refusal("400", "the session has its CDR")
    found: dict[str, Any] = session
    return found


def ids(session: str | None, told: dict[str, Any]) -> dict[str, Any]:
    """Gives the ids of a session, as answers have them."""
    return {"SessionID": session, **{name: told.get(name) for name in PARTNER_IDS}}


def same_medium(shown: dict[str, Any], began: dict[str, Any]) -> bool:
    """Tells whether two media are one."""
    if "UID" in shown or "UID" in began:
        return shown.get("UID") == began.get("UID")
    return ContractId(shown["EvcoID"]) == ContractId(began["EvcoID"])
