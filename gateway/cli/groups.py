"""`groups`: CPOs in network groups and EVSEs in EVSE groups, which offers speak of together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import (
    URL,
    After,
    Json,
    Key,
    Limit,
    PartyOption,
    Url,
    ask,
    say_more,
    when,
    write_fields,
    write_json,
    write_table,
)
from gateway.cli.client import Client
from gateway.cli.exits import Exit, end
from gateway.cli.given_files import ObjectFile, lines_of, object_of
from gateway.services.ports import Page
from gateway.services.ports.offers import EvseGroupView
from mappings.canonical.agreements import NetworkGroup
from mappings.canonical.ids import EvseId

app = typer.Typer(no_args_is_help=True, help="What offers speak of together.")
networks = typer.Typer(no_args_is_help=True, help="CPOs that offer their networks together.")
evses = typer.Typer(no_args_is_help=True, help="EVSEs of a CPO that offers speak of together.")
app.add_typer(networks, name="network")
app.add_typer(evses, name="evse")

GroupId = Annotated[str, typer.Argument(metavar="ID", help="The group's id.")]
EvseFile = Annotated[Path, typer.Argument(metavar="FILE", help="EvseIDs, one a line; - for standard input.")]


@networks.command("list")
def list_networks(
    url: Url = URL, key: Key = "", after: After = None, limit: Limit = 100, as_json: Json = False
) -> None:
    """List network groups."""
    page = ask(url, key, lambda client: client.network_groups.list(after, limit))
    if as_json:
        write_json(page, Page[NetworkGroup])
        return
    rows = [(one.id, one.name, ", ".join(str(member.party) for member in one.members)) for one in page.items]
    write_table(("id", "name", "members"), rows)
    say_more(page.next)


@networks.command("show")
def show_network(group: GroupId, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show a network group with who is in it since when."""
    _show_network(ask(url, key, lambda client: client.network_groups.get(group)), as_json=as_json)


@networks.command("put")
def put_network(file: ObjectFile, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Write a network group from a file: id, name, members with `party`, `since` and, where they leave, `until`."""
    body = object_of(file)
    group = body.get("id")
    if not isinstance(group, str) or not group:
        end(Exit.USAGE, f"{file}: id is required")
    _show_network(ask(url, key, lambda client: client.network_groups.put(group, body)), as_json=as_json)


@networks.command("remove")
def remove_network(group: GroupId, url: Url = URL, key: Key = "") -> None:
    """Forget a network group that no offer names."""
    ask(url, key, lambda client: client.network_groups.remove(group))


@evses.command("list")
def list_evse_groups(
    url: Url = URL,
    key: Key = "",
    party: PartyOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List EVSE groups."""
    page = ask(url, key, lambda client: client.evse_groups.list(party, after, limit))
    if as_json:
        write_json(page, Page[EvseGroupView])
        return
    rows = [(one.id, one.party, one.name, one.description, one.evses) for one in page.items]
    write_table(("id", "party", "name", "description", "EVSEs"), rows)
    say_more(page.next)


@evses.command("show")
def show_evse_group(group: GroupId, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show an EVSE group; `members` lists its EVSEs."""
    _show_evses(ask(url, key, lambda client: client.evse_groups.get(group)), as_json=as_json)


@evses.command("members")
def members(
    group: GroupId, url: Url = URL, key: Key = "", after: After = None, limit: Limit = 100, as_json: Json = False
) -> None:
    """List the EVSEs of a group, one a line, as `put` and `add` take them."""
    page = ask(url, key, lambda client: client.evse_groups.evses(group, after, limit))
    if as_json:
        write_json(page, Page[EvseId])
        return
    for evse in page.items:
        typer.echo(str(evse))
    say_more(page.next)


@evses.command("put")
def put_evse_group(
    group: GroupId,
    file: EvseFile,
    party: Annotated[str, typer.Option("--party", help="FR*ABC; whose EVSEs they are.")],
    name: Annotated[str, typer.Option("--name", help="For people.")],
    url: Url = URL,
    key: Key = "",
    description: Annotated[str, typer.Option("--description", help="For people.")] = "",
    as_json: Json = False,
) -> None:
    """Write an EVSE group from a file of EvseIDs; those that it had and the file has not leave it."""
    body = {"id": group, "party": party, "name": name, "description": description, "evse_ids": lines_of(file)}
    _show_evses(ask(url, key, lambda client: client.evse_groups.put(group, body)), as_json=as_json)


@evses.command("add")
def add_evses(group: GroupId, file: EvseFile, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Add the EVSEs of a file to a group."""
    _change(url, key, group, lines_of(file), (), as_json=as_json)


@evses.command("drop")
def drop_evses(group: GroupId, file: EvseFile, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Take the EVSEs of a file from a group."""
    _change(url, key, group, (), lines_of(file), as_json=as_json)


@evses.command("remove")
def remove_evse_group(group: GroupId, url: Url = URL, key: Key = "") -> None:
    """Forget an EVSE group that no version in force or to come names."""
    ask(url, key, lambda client: client.evse_groups.remove(group))


def _change(url: str, key: str, group: str, add: Sequence[str], drop: Sequence[str], *, as_json: bool) -> None:
    async def work(client: Client) -> EvseGroupView:
        return await client.evse_groups.change(group, add, drop)

    _show_evses(ask(url, key, work), as_json=as_json)


def _show_network(group: NetworkGroup, *, as_json: bool) -> None:
    if as_json:
        write_json(group, NetworkGroup)
        return
    write_fields({"id": group.id, "name": group.name})
    rows = [(member.party, when(member.since), when(member.until)) for member in group.members]
    write_table(("member", "since", "until"), rows)


def _show_evses(group: EvseGroupView, *, as_json: bool) -> None:
    if as_json:
        write_json(group, EvseGroupView)
        return
    write_fields(
        {
            "id": group.id,
            "party": group.party,
            "name": group.name,
            "description": group.description or None,
            "EVSEs": group.evses,
        }
    )
