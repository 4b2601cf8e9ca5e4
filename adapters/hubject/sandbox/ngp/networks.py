"""EVSE networks: making them, and putting EVSEs into their groups (EVSE Network API, EVSE Assignment API)."""

from collections import Counter
from collections.abc import Iterator, Sequence

from adapters.hubject.sandbox.ngp.model import Group, Network, new_id
from adapters.hubject.sandbox.ngp.refusals import invalid, not_found
from adapters.hubject.sandbox.ngp.shapes import Assignment, NewNetwork
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.rules import EVSE_ID, Wrong
from adapters.hubject.sandbox.state import EVSE_DATA, HubjectSandbox
from mappings.canonical.ids import EvseId

Named = Sequence[tuple[str, Sequence[str]]]
"""The field in which EvseIDs stand, and these."""


def create(sandbox: HubjectSandbox, partner: Partner, asked: NewNetwork) -> Network:
    """Makes a network, which is a draft until an offer needs it.

    Raises:
        Refused: Its name or a group's is taken, or an EVSE may not be in it.
    """
    now, operator, market = sandbox.wall(), partner.operator.normal, sandbox.market
    wrong = []
    if any(each.name == asked.evse_network_name for each in market.networks_of(operator)):
        wrong.append(Wrong("evseNetworkName", "must be unique"))
    names = Counter(group.group_name for group in asked.evse_groups)
    wrong += [
        Wrong(f"evseGroups[{index}].groupName", "another group of the network has this name")
        for index, group in enumerate(asked.evse_groups)
        if names[group.group_name] > 1
    ]
    named = [(f"evseGroups[{index}].evseIds", group.evse_ids) for index, group in enumerate(asked.evse_groups)]
    wrong += _evses(sandbox, partner, named)
    if not wrong:
        wrong += _elsewhere(sandbox, operator, None, named)
    if wrong:
        raise invalid(wrong)
    groups = [
        Group(new_id(), each.group_name, each.group_description, {EvseId(text).normal: text for text in each.evse_ids})
        for each in asked.evse_groups
    ]
    made = Network(new_id(), operator, asked.evse_network_name, asked.evse_network_description, groups, now)
    market.networks[made.id] = made
    return made


def assign(sandbox: HubjectSandbox, partner: Partner, asked: Assignment) -> tuple[Network, list[Group], bool]:
    """Puts EVSEs into groups that are there: out of others while the network is a draft, and only new ones after.

    Returns:
        The network, the groups that were named, and whether anything changed.

    Raises:
        Refused: There is no such network or group, or an EVSE may not be in it.
    """
    now, operator, market = sandbox.wall(), partner.operator.normal, sandbox.market
    network = next((each for each in market.networks_of(operator) if each.name == asked.network_name), None)
    if network is None:
        raise not_found(f"network {asked.network_name!r}")
    groups = {group.name: group for group in network.groups}
    if missing := next((each for each in asked.groups_assignments if each.group_name not in groups), None):
        raise not_found(f"group {missing.group_name!r}")
    named = [(f"GroupsAssignments[{index}].Evses", each.evses) for index, each in enumerate(asked.groups_assignments)]
    wrong = _evses(sandbox, partner, named)
    active = market.is_active(network, now)
    if not wrong:
        wrong += _elsewhere(sandbox, operator, network, named)
        wrong += _moved(network, asked) if active else ()
    if wrong:
        raise invalid(wrong)
    changed = False
    for each in asked.groups_assignments:
        group = groups[each.group_name]
        for text in each.evses:
            key = EvseId(text).normal
            if (before := network.group_of(key)) is not group:
                changed = True
                if before is not None:
                    del before.evses[key]
                group.evses[key] = text
    return network, [groups[each.group_name] for each in asked.groups_assignments], changed


def in_active_networks(sandbox: HubjectSandbox, network: Network) -> dict[str, Network]:
    """Gives the EVSEs of a network that are in another one already that is no draft, with that."""
    others = _active_others(sandbox, network.operator, network)
    return {
        key: other
        for group in network.groups
        for key in group.evses
        for other in others
        if other.group_of(key) is not None
    }


def _active_others(sandbox: HubjectSandbox, operator: str, network: Network | None) -> list[Network]:
    """Gives the CPO's other networks in which an EVSE may not be as well."""
    if not sandbox.offer_rules.one_network:
        return []
    market, now = sandbox.market, sandbox.wall()
    return [each for each in market.networks_of(operator) if each is not network and market.is_active(each, now)]


def _evses(sandbox: HubjectSandbox, partner: Partner, named: Named) -> list[Wrong]:
    """Says which EvseIDs are none, are another operator's, were not uploaded, or stand there twice."""
    wrong, seen = [], set()
    data = sandbox.books[EVSE_DATA]
    for field, texts in named:
        for index, text in enumerate(texts):
            path = f"{field}[{index}]"
            if not EVSE_ID.fullmatch(text):
                wrong.append(Wrong(path, f"{text!r} is no EvseID"))
                continue
            evse_id = EvseId(text)
            if not partner.may_push(evse_id):
                wrong.append(Wrong(path, f"{text} is not of {partner.operator} or a sub-operator"))
            elif not data.has(partner.operator.normal, evse_id.normal):
                wrong.append(Wrong(path, f"{text} was not uploaded"))
            elif evse_id.normal in seen:
                wrong.append(Wrong(path, f"{text} stands there twice: an EVSE is in one group"))
            seen.add(evse_id.normal)
    return wrong


def _elsewhere(sandbox: HubjectSandbox, operator: str, network: Network | None, named: Named) -> Iterator[Wrong]:
    others = _active_others(sandbox, operator, network)
    for field, texts in named:
        for index, text in enumerate(texts):
            key = EvseId(text).normal
            if (other := next((each for each in others if each.group_of(key)), None)) is not None:
                yield Wrong(f"{field}[{index}]", f"{text} is in the active network {other.name!r}")


def _moved(network: Network, asked: Assignment) -> Iterator[Wrong]:
    for number, each in enumerate(asked.groups_assignments):
        for index, text in enumerate(each.evses):
            before = network.group_of(EvseId(text).normal)
            if before is not None and before.name != each.group_name:
                path = f"GroupsAssignments[{number}].Evses[{index}]"
                yield Wrong(path, f"{text} stays in group {before.name!r}, since the network is active")
