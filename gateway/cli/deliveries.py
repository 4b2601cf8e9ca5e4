"""`deliveries`: what is under way to hubs and webhooks, and what they refused."""

from typing import Annotated

import typer

from gateway.cli.asking import (
    URL,
    After,
    ConnectionOption,
    Json,
    Key,
    Limit,
    Url,
    ask,
    say_more,
    when,
    write_json,
    write_table,
)
from gateway.cli.client import Client
from gateway.cli.exits import Exit, end
from gateway.services.ports import (
    DeadLetter,
    DeliveryState,
    DeliveryView,
    Letters,
    MessageFilter,
    MessageState,
    MessageView,
    Page,
)

app = typer.Typer(help="What is under way to hubs and webhooks, and what they refused.")

WebhookOption = Annotated[str | None, typer.Option("--webhook", help="Only this webhook.")]
Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Dead letters by their numbers.")]


@app.callback(invoke_without_command=True)
def deliveries(
    context: typer.Context,
    url: Url = URL,
    key: Key = "",
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    connection: ConnectionOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List what every hub should know, and how far each has come; or see to what they refused."""
    if context.invoked_subcommand is not None:
        return
    page = ask(url, key, lambda client: client.deliveries.list(connection, state, after, limit))
    if as_json:
        write_json(page, Page[DeliveryView])
        return
    write_table(
        ("connection", "operation", "key", "state", "wanted", "acked", "tries", "since", "error"),
        [
            (
                one.connection,
                one.operation,
                one.key,
                one.state,
                one.wanted,
                one.acked,
                one.attempts,
                when(one.since),
                one.error,
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command()
def messages(
    url: Url = URL,
    key: Key = "",
    state: Annotated[MessageState | None, typer.Option(help="Only those in this state.")] = None,
    connection: ConnectionOption = None,
    webhook: WebhookOption = None,
    of: Annotated[str | None, typer.Option(help="Only those of this session, CDR or event.")] = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List what hubs are told of charges, and webhooks of events, the newest first."""
    which = MessageFilter(connection, webhook, state, of)
    page = ask(url, key, lambda client: client.deliveries.messages(which, after, limit))
    if as_json:
        write_json(page, Page[MessageView])
        return
    write_table(
        ("id", "to", "operation", "kind", "key", "state", "tries", "since", "error"),
        [
            (
                one.id,
                one.connection or one.webhook,
                one.operation,
                one.kind,
                one.key,
                one.state,
                one.attempts,
                when(one.since),
                one.error,
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command("dead-letters")
def dead_letters(
    url: Url = URL,
    key: Key = "",
    connection: ConnectionOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List what a hub, a webhook or a translation refused, the oldest first."""
    page = ask(url, key, lambda client: client.deliveries.dead_letters(connection, after, limit))
    if as_json:
        write_json(page, Page[DeadLetter])
        return
    write_table(
        ("id", "to", "operation", "key", "code", "reason", "field", "at"),
        [
            (
                one.id,
                one.connection or one.webhook,
                one.operation,
                one.key,
                one.code,
                one.text,
                one.field,
                when(one.at),
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command()
def replay(
    ids: Ids = None,
    url: Url = URL,
    key: Key = "",
    connection: Annotated[str | None, typer.Option("--connection", help="All of this connection.")] = None,
    webhook: Annotated[str | None, typer.Option("--webhook", help="All of this webhook.")] = None,
    as_json: Json = False,
) -> None:
    """Try dead letters again, rendered anew: those named, or all of a connection or of a webhook."""
    if [bool(ids), connection is not None, webhook is not None].count(True) != 1:
        end(Exit.USAGE, "name either dead letters, a connection or a webhook")
    letters = Letters(ids or (), connection, webhook)
    count = ask(url, key, lambda client: client.deliveries.replay(letters))
    _told(count, "tried again", ids, as_json=as_json)


@app.command()
def discard(
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Dead letters by their numbers.")],
    why: Annotated[str, typer.Option(help="Why, for the audit log.")],
    url: Url = URL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Give dead letters up; a later change of an object is tried all the same, a message never again."""

    async def work(client: Client) -> int:
        return await client.deliveries.discard(ids, why)

    _told(ask(url, key, work), "given up", ids, as_json=as_json)


def _told(count: int, what: str, ids: list[int] | None, *, as_json: bool) -> None:
    if as_json:
        write_json({"count": count}, dict)
    else:
        typer.echo(f"{count} {what}")
    missing = len(set(ids or ())) - count
    if missing > 0:
        end(Exit.FAILED, f"not among the dead letters, or not any more: {missing} of those named")
