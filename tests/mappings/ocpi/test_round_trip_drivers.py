"""What an EMSP tells of its drivers comes back with no more lost than the tables list."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.commands import Command, ReserveNow, StartSession
from mappings.canonical.parties import ClientInfo, ClientStatus, Role
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import AllowedType, Token, TokenType
from mappings.ocpi.dialects import gireve_drivers, gireve_tables, gireve_tariffs
from mappings.ocpi.v2_2_1 import authorisations, commands, hub_client_info, locations, pages, tables, tokens
from mappings.ocpi.v2_2_1.tokens import Authorisation, LocationReferences
from mappings.report import IssueKind, Refused
from tests import strategies
from tests.mappings.ocpi.test_round_trip import attempt, check, lossy, relaxed

places = st.builds(LocationReferences, strategies.ids, st.lists(strategies.ids, max_size=3, unique=True).map(tuple))
answers = st.builds(
    Authorisation,
    allowed=st.sampled_from(AllowedType),
    token=strategies.tokens,
    location=strategies.maybe(places),
    reference=strategies.maybe(strategies.ids),
    info=strategies.maybe(strategies.words),
)
clients = st.builds(
    ClientInfo,
    party=strategies.parties,
    role=st.sampled_from(Role),
    status=st.sampled_from(ClientStatus),
    last_updated=strategies.instants,
)


@relaxed
@given(answers)
def test_an_answer_about_a_driver_loses_only_what_its_token_may_lose(answer: Authorisation) -> None:
    wire, issues = authorisations.from_canonical(answer)
    back, _ = tokens.authorisation_to_canonical(locations.dump(wire))
    assert (back.allowed, back.reference) == (answer.allowed, answer.reference)
    assert back.info == (answer.info or None)
    assert back.location == (answer.location if answer.allowed is AllowedType.ALLOWED else None)
    assert answer.token is not None
    assert back.token is not None
    check(answer.token, back.token, issues, lossy(tables.FIELDS))


@relaxed
@given(strategies.tokens)
def test_a_token_at_gireve_loses_only_what_its_table_lists_or_is_a_card_of_another_form(token: Token) -> None:
    said = attempt(gireve_drivers.token_from_canonical, token)
    if isinstance(said, Refused):
        assert token.type is TokenType.RFID
        return
    wire, issues = said
    back, _ = tokens.to_canonical(locations.dump(wire))
    if token.type is TokenType.RFID:
        assert back.uid == token.uid.upper()
        token = token.model_copy(update={"uid": back.uid})
    check(token, back, issues, lossy(gireve_tables.FIELDS))


@relaxed
@given(strategies.commands)
def test_a_command_at_gireve_says_what_the_plain_one_says_or_is_about_a_card_of_another_form(command: Command) -> None:
    said = attempt(gireve_drivers.command_from_canonical, command, "https://example.com/1")
    if isinstance(said, Refused):
        assert isinstance(command, StartSession | ReserveNow)
        assert command.token is not None
        assert command.token.type is TokenType.RFID
        return
    plain, issues = commands.from_canonical(command, "https://example.com/1")
    assert said[1] == issues
    for wire in (plain, said[0]):
        if "token" in wire:
            wire["token"]["uid"] = wire["token"]["uid"].casefold()
    assert said[0] == plain


@relaxed
@given(clients)
def test_a_party_behind_a_hub_loses_only_what_the_table_lists(info: ClientInfo) -> None:
    wire, _ = hub_client_info.from_canonical(info)
    back, issues = hub_client_info.to_canonical(locations.dump(wire))
    assert issues == []
    assert "ClientInfo.last_updated" in lossy(tables.FIELDS)
    assert back == info.model_copy(update={"last_updated": back.last_updated})
    assert pages.by_role(wire) == (info.party.normal, info.role.value)


@relaxed
@given(strategies.tariffs)
def test_a_tariff_has_the_key_of_what_is_read(tariff: Tariff) -> None:
    wire, _ = gireve_tariffs.from_canonical(tariff)
    (entry,) = pages.take_apart([wire], gireve_tariffs.key, gireve_tariffs.to_canonical).entries
    back, _ = entry.read()
    assert entry.key == (back.party.normal, back.id, "" if back.target is None else back.target.normal)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
spoiling: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["id", "_id", "country_code", "party_id", "last_updated", "evses", "coordinates"]), junk, max_size=3
)


@relaxed
@given(strategies.locations(), st.lists(spoiling | junk, max_size=4))
def test_whatever_stands_beside_a_record_it_is_read(location: Any, others: list[Any]) -> None:
    said: Any = attempt(locations.from_canonical, location)
    if isinstance(said, Refused):
        return
    wire = {**said[0], "id": "the one"}
    data = [wire, *({**wire, **other} if isinstance(other, dict) else other for other in others)]
    data = [each for each in data if each is wire or not isinstance(each, dict) or each.get("id") != "the one"]
    read: Callable[..., Any] = locations.to_canonical
    page = pages.take_apart(data, pages.by_id, read)
    assert len(page.entries) + len(page.unreadable) + page.repeated == len(data)
    assert page.entries[0].read()[0].id == "the one"
    for entry in page.entries[1:]:
        back = attempt(entry.read)
        if isinstance(back, Refused):
            assert back.reason.kind is IssueKind.REFUSED
        else:
            assert entry.key == (back[0].party.normal, back[0].id)
