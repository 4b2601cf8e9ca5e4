"""Offers as JSON, and keys of both sides, for tests of the HTTP face."""

from typing import Any

from gateway.services.keys import KeyRole

CPO, OTHER, EMSP, RIVAL = "FR*ABC", "FR*OTH", "DE*XYZ", "DE*RIV"
LATER = "2027-01-01T00:00:00Z"
SUBSCRIBE = {"offer": "o-1", "emsp": EMSP}


def offer(id_: str = "o-1", **changes: Any) -> dict[str, Any]:
    """A draft by the own network, without terms of its own."""
    made = {"id": id_, "connection": "home", "cpo": CPO, "title": f"Offer {id_}", "starts": LATER} | changes
    return {name: value for name, value in made.items() if value is not None}


def given(id_: str = "o-1", terms: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """What a PUT takes."""
    return {"offer": offer(id_, **changes), "terms": terms or {"services": ["poi", "remote"]}}


async def put(face: Any, id_: str = "o-1", **changes: Any) -> None:
    """Writes a draft with the administrator's key."""
    status, said, _ = await face.call("PUT", f"/v1/offers/{id_}", json=given(id_, **changes))
    assert status in (200, 201), said


async def published(face: Any, id_: str = "o-1", **changes: Any) -> None:
    """Writes and publishes an offer."""
    await put(face, id_, **changes)
    assert (await face.call("POST", f"/v1/offers/{id_}/publish"))[0] == 200


async def keys(face: Any, *parties: str, role: KeyRole = KeyRole.PUBLISH) -> list[str]:
    """Makes a key for each party."""
    return [await face.key(role, parties=(party,)) for party in parties]


async def group(face: Any, *members: str, id_: str = "alps", until: str | None = None) -> None:
    """Writes a network group; `until` is when the last member leaves."""
    rows: list[dict[str, Any]] = [{"party": member, "since": "2025-01-01T00:00:00Z"} for member in members]
    if until is not None:
        rows[-1]["until"] = until
    body = {"id": id_, "name": "The Alps", "members": rows}
    status, said, _ = await face.call("PUT", f"/v1/network-groups/{id_}", json=body)
    assert status in (200, 201), said
