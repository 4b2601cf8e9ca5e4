"""Whether an object is the one that its URL names (OCPI 2.2.1, transport_and_format, Client Owned Object Push).

Ids are compared as OCPI's CiString, without regard to case. An id that differs in case alone names the same object; it
is stored as the object spells it, which is how it is named everywhere else.
"""

from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Connector, Evse, Location
from mappings.canonical.parties import ClientInfo
from mappings.canonical.sessions import Session
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token, TokenType
from mappings.report import Refused

_ANOTHER = "is another in the URL"


def of_location(location: Location, party: PartyId, location_id: str) -> None:
    """Makes sure that a location is the one that its URL names.

    Raises:
        Refused: It is of another party, or has another id.
    """
    _owned(location, party)
    _named("id", location.id, location_id)


def of_evse(evse: Evse, uid: str) -> None:
    """Makes sure of an EVSE; as `of_location`."""
    _named("uid", evse.uid, uid)


def of_connector(connector: Connector, connector_id: str) -> None:
    """Makes sure of a connector; as `of_location`."""
    _named("id", connector.id, connector_id)


def of_tariff(tariff: Tariff, party: PartyId, tariff_id: str) -> None:
    """Makes sure of a tariff; as `of_location`."""
    _owned(tariff, party)
    _named("id", tariff.id, tariff_id)


def of_session(session: Session, party: PartyId, session_id: str) -> None:
    """Makes sure of a session; as `of_location`."""
    _owned(session, party)
    _named("id", session.id, session_id)


def of_token(token: Token, party: PartyId, uid: str, type_: TokenType) -> None:
    """Makes sure of a token; as `of_location`, and no error shows its uid."""
    _owned(token, party)
    if token.uid.casefold() != uid.casefold():
        raise Refused("uid", _ANOTHER)
    if token.type is not type_:
        raise Refused("type", _ANOTHER, token.type)


def of_client_info(info: ClientInfo, party: PartyId) -> None:
    """Makes sure of what a hub says of a party; as `of_location`."""
    _owned(info, party)


def _owned(thing: Location | Tariff | Session | Token | ClientInfo, party: PartyId) -> None:
    if thing.party != party:
        raise Refused("party_id", _ANOTHER, thing.party)


def _named(field: str, said: str, named: str) -> None:
    if said.casefold() != named.casefold():
        raise Refused(field, _ANOTHER, said)
