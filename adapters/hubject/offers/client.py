"""Makes the requests that tell Hubject of offers, and looks back where the outcome of an earlier one is in doubt.

| in doubt | then |
| --- | --- |
| a network | is told once more: its name is unique. Refused, its ids are lost: no call tells them |
| a document | is told once more: what nobody names does no harm |
| an offer | is looked for by its title. One to all is else told once more, since Hubject takes one at a time |
| a bilateral one | is looked for alike, and else left to a person: Hubject may list it no earlier than it begins |
| prices | are looked for: the offer before names what follows it. Else they are told once more |
| members | are told once more: an EVSE that is in its group already stays there |
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

import aiohttp
from pydantic import JsonValue

from adapters.core.adapter import Call
from adapters.core.http import Answer, Reply, compact_json
from adapters.core.offers import OfferStep
from adapters.core.outcomes import Delivered, Outcome, OutcomeUnknown, RefusedByHub, Throttled
from adapters.core.secured import SecuredClient
from adapters.hubject.offers.answers import judge
from adapters.hubject.offers.rendering import MEDIA_TYPE, Rendering
from mappings.canonical.ids import EvseId
from mappings.oicp.ngp import wire, wire_in

LOOK_BACK: Final = "offers_info"
_SET_IDS: Final = "look in Hubject's portal what became of it, and set the offer's ids at the hub here"
_NOT_LISTED: Final = (
    "Hubject may have taken the offer, and does not list it, be it that it has not begun. Look in Hubject's portal:"
    " where the offer is there, set its id at the hub here, or replay this once it has begun; where it is not, set the"
    " ids without one, and it is told again"
)
_MADE_ONCE: Final = frozenset({OfferStep.NETWORK, OfferStep.OFFER, OfferStep.PRICES})
"""What is there a second time, or refused, where it is told twice."""
_METHODS: Final = {OfferStep.MEMBERS: "PUT", OfferStep.PRICES: "PUT"}
_OVER: Final = frozenset({"CANCELLED", "CANCELED", "EXPIRED", "INACTIVE"})

Answered = Callable[[Any], Outcome]


class OffersClient:
    """Tells of one operator's offers.

    Args:
        client: To Hubject.
        base: What paths stand behind.
    """

    def __init__(self, client: SecuredClient, base: str, paths: Rendering) -> None:
        self._client, self._base, self._paths = client, base, paths

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:
        """See `adapters.core.charging.ChargingAdapter.tell`."""
        step = OfferStep(call.action)
        if doubtful and step in {OfferStep.OFFER, OfferStep.PRICES}:
            found = await self._look_back(step, call)
            if found is not None:
                return found
        outcome = await self._told(step, call)
        if doubtful and isinstance(outcome, RefusedByHub) and step in _MADE_ONCE:
            said = f"{outcome.text}; an earlier try may have been taken, and its answer was lost: {_SET_IDS}"
            return RefusedByHub(outcome.code, said)
        return outcome

    async def _told(self, step: OfferStep, call: Call) -> Outcome:
        path, _, noted = call.path.partition("#")
        if step is OfferStep.DOCUMENT:
            body, headers = await _form(call.body)
        else:
            body, headers = compact_json(call.body), {}
        read = _reading(step, call.body, noted)
        method = _METHODS.get(step, "POST")
        operation = f"{call.operation}_{step.value}"
        return (await self._request(operation, method, path, read, body, headers)).outcome

    async def _request(
        self,
        operation: str,
        method: str,
        path: str,
        read: Answered,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        def judged(answer: Answer) -> Outcome:
            return judge(answer, read)

        url = f"{self._base}{path}"
        return await self._client.request(operation, method, url, judge=judged, body=body, headers=headers)

    async def _look_back(self, step: OfferStep, call: Call) -> Outcome | None:
        """Finds what an earlier try made; None where it is to be told once more."""

        def read(body: Any) -> Outcome:
            listed = wire_in.OffersInfo.model_validate(body).offers_info or ()
            return Delivered([_shortly(each) for each in listed])

        outcome = (await self._request(LOOK_BACK, "GET", f"{self._paths.offers}/info", read)).outcome
        if not isinstance(outcome, Delivered):
            if isinstance(outcome, Throttled):
                return outcome
            return OutcomeUnknown("an earlier try may have been taken, and Hubject's offers cannot be read back now")
        held: Any = outcome.answer
        if step is OfferStep.PRICES:
            found = _follower(held, unquote(call.path.rsplit("/", 1)[-1]))
            return None if found is None else Delivered({"offer": found})
        body: Any = call.body
        found = _of_title(held, body["partnerInternalId"])
        if found is not None:
            return Delivered({"offer": found})
        if body["offerToAll"]:
            return None
        # A second bilateral offer would stand beside the first. Hubject's list is of active offers, it is written; so
        # that it names none which has not begun is no sign. No other call finds an offer whose id is not known.
        return RefusedByHub("IN_DOUBT", _NOT_LISTED)


def _reading(step: OfferStep, sent: JsonValue, noted: str) -> Answered:
    """Gives what judges the answer to a step."""

    def network(body: Any) -> Outcome:
        made = wire_in.NetworkCreated.model_validate(body)
        asked: Any = sent
        by_name = {group.group_name: group for group in made.evse_groups}
        ids: dict[str, JsonValue] = {}
        for ours, group in zip(noted.split(","), asked["evseGroups"], strict=True):
            theirs = by_name.get(group["groupName"])
            if theirs is None:
                return OutcomeUnknown(f"the network was made without the group {group['groupName']}")
            ids[ours] = theirs.id
        return Delivered({"network": made.id, "network_name": asked["evseNetworkName"], "groups": ids})

    def members(body: Any) -> Outcome:
        there = {
            group.group_name: {*map(_normal, group.evses)}
            for group in wire.AssignEvses.model_validate(body).groups_assignments
        }
        asked: Any = sent
        for group in asked["GroupsAssignments"]:
            left = [evse for evse in group["Evses"] if _normal(evse) not in there.get(group["GroupName"], ())]
            if left:
                return RefusedByHub("NOT_ASSIGNED", f"{len(left)} EVSEs did not come to their group, as {left[0]}")
        return Delivered()

    def document(body: Any) -> Outcome:
        return Delivered({"document": wire_in.AttachmentUploaded.model_validate(body).uploaded_attachment_id})

    def offer(body: Any) -> Outcome:
        # The id alone is needed: whatever else stands there is read back later.
        given = body.get("id") if isinstance(body, dict) else None
        if not isinstance(given, str) or not given:
            raise ValueError("no id")
        return Delivered({"offer": given})

    return {
        OfferStep.NETWORK: network,
        OfferStep.MEMBERS: members,
        OfferStep.DOCUMENT: document,
        OfferStep.OFFER: offer,
        OfferStep.PRICES: offer,
    }[step]


async def _form(body: JsonValue) -> tuple[bytes, dict[str, str]]:
    """Writes a document as a form; its type stands in the query too, as the OpenAPI has it."""
    given: Any = body
    with aiohttp.MultipartWriter("form-data") as form:
        file = form.append(base64.b64decode(given["file"]), {"Content-Type": MEDIA_TYPE})
        file.set_content_disposition("form-data", quote_fields=False, name="file", filename=given["name"])
        kind = form.append("pdf")
        kind.set_content_disposition("form-data", name="attachmentType")
        return await form.as_bytes(), {"Content-Type": form.headers["Content-Type"]}


def _normal(text: str) -> str:
    return EvseId(text).normal


def _shortly(info: Any) -> JsonValue:
    """Keeps of an offer what it is known by."""
    said = info.get("serviceOffer") if isinstance(info, dict) else None
    names = ("id", "partnerInternalId", "status", "cancellationTo", "previousServiceOfferId", "nextServiceOfferId")
    return {name: said.get(name) for name in names} if isinstance(said, dict) else {}


def _of_title(held: list[dict[str, Any]], title: str) -> str | None:
    """Finds an offer of ours by its title: unique, but for those that are over; of several versions the first."""
    for each in held:
        over = each.get("status") in _OVER or each.get("cancellationTo") is not None
        if each.get("partnerInternalId") == title and not over and not each.get("previousServiceOfferId"):
            return each.get("id")
    return None


def _follower(held: list[dict[str, Any]], offer_id: str) -> str | None:
    """Finds what came after a version."""
    for each in held:
        if each.get("id") == offer_id and each.get("nextServiceOfferId") is not None:
            return str(each["nextServiceOfferId"])
        if str(each.get("previousServiceOfferId")) == offer_id:
            return each.get("id")
    return None
