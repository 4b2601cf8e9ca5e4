"""Turns projections of our drivers' tokens into OCPI requests; pure.

All that IOP takes of a token is a PUT (guide, EMSP side, tokens). OCPI has no way to delete one: what was withdrawn is
PUT as no longer valid.
"""

from collections.abc import Iterator, Sequence

from adapters.core import ocpi
from adapters.core.adapter import Call, Item, Plan, Rendered, WireKey
from adapters.gireve import fingerprints
from adapters.gireve.fingerprints import GONE
from adapters.gireve.settings import TOKENS
from mappings.canonical.tokens import Token
from mappings.ocpi.dialects import gireve_drivers
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Refused


def token_keys(token: Token) -> Iterator[WireKey]:
    """Names a token, in a lane of its own. Uids that differ in case alone are one (OCPI, CiString)."""
    key = f"{token.party}/{token.type}/{token.uid.casefold()}"
    yield WireKey(TOKENS, key, key)


def plan_tokens(items: Sequence[Item]) -> Plan:
    """Plans tokens: each is PUT, whole; one that is gone as not valid."""
    plan = Plan()
    for item in items:
        never_there = item.sent_as is None and not item.attempts
        if not isinstance(item.subject, Token) or (item.gone and never_there):
            _plan_nothing(item, plan, never_there=never_there)
            continue
        token = item.subject.model_copy(update={"valid": False}) if item.gone else item.subject
        try:
            path, wire, issues = _written(token)
        except Refused as refused:
            plan.refused.append((item, refused))
            continue
        if item.gone:
            rendered = Rendered(item, GONE, None, tuple(issues))
        else:
            rendered = Rendered(item, fingerprints.of_token(wire), path, tuple(issues))
        if rendered.fingerprint == item.accepted:
            plan.unchanged.append(rendered)
        else:
            plan.calls.append(Call(TOKENS, "PUT", path, wire, (rendered,)))
    return plan


def _plan_nothing(item: Item, plan: Plan, *, never_there: bool) -> None:
    if never_there:
        plan.unchanged.append(Rendered(item, GONE, None))
    else:
        plan.refused.append((item, Refused("", "a token is PUT whole, as not valid, and nothing of it is left")))


def _written(token: Token) -> tuple[str, Wire, list[Issue]]:
    wire, issues = gireve_drivers.token_from_canonical(token)
    path = ocpi.path(wire["country_code"], wire["party_id"], wire["uid"])
    return f"{path}?type={wire['type']}", wire, issues
