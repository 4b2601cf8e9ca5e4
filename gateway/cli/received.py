"""`received-sessions` and `received-cdrs`: what came home of our drivers, and what waits for a person."""

from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.cli.asking import (
    OUTPUT,
    URL,
    After,
    ConnectionOption,
    Json,
    Key,
    Limit,
    Moment,
    PartyOption,
    Url,
    ask,
    say_more,
    utc,
    when,
    write_fields,
    write_json,
    write_table,
)
from gateway.cli.filtering import Wanted, filtered
from gateway.cli.words import cost_of, driver_of
from gateway.services.ports import Page
from gateway.services.ports.received import (
    CdrStanding,
    Doubt,
    ReceivedCdrView,
    ReceivedSessionView,
    Review,
    Verdict,
)

sessions = typer.Typer(no_args_is_help=True, help="Sessions of our drivers at partners' stations.")
cdrs = typer.Typer(no_args_is_help=True, help="CDRs of our drivers at partners' stations.")

No = Annotated[int, typer.Argument(metavar="ID", min=1, help="Our number of it.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why, for the audit log.")]


def _filters(
    review: Annotated[bool, typer.Option("--review", help="Only those that wait for a person.")] = False,
    reason: Annotated[Review | None, typer.Option(help="Only those with this reason for a review.")] = None,
    connection: ConnectionOption = None,
    party: PartyOption = None,
    cpo: Annotated[str | None, typer.Option(help="NL*ABC; only those at this CPO's stations.")] = None,
    permit: Annotated[str | None, typer.Option(help="Only those under the permit of this id.")] = None,
    since: Moment = None,
    until: Moment = None,
) -> Wanted:
    return {
        "review": review or None,
        "reason": reason,
        "connection": connection,
        "party": party,
        "cpo": cpo,
        "permit": permit,
        "since": utc(since),
        "until": utc(until),
    }


@sessions.command("list")
@filtered(_filters)
def list_sessions(
    wanted: Wanted,
    url: Url = URL,
    key: Key = "",
    without_cdr: Annotated[
        bool, typer.Option("--without-cdr", help="Only those that are over and have no CDR.")
    ] = False,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List sessions, the newest first; --since and --until count from their beginning."""
    more = {"without_cdr": without_cdr or None, "after": after, "limit": limit}
    page = ask(url, key, lambda client: client.received_sessions.list(**wanted, **more))
    if as_json:
        write_json(page, Page[ReceivedSessionView])
        return
    write_table(
        ("id", "party", "cpo", "session", "status", "start", "end", "kWh", "evse", "over", "cdr", "review"),
        [
            (
                one.id,
                one.party,
                one.cpo,
                one.session_id,
                one.status,
                when(one.started),
                when(one.ended),
                one.energy,
                one.evse,
                one.connection,
                one.cdr or ("waived" if one.waived else None),
                ", ".join(one.review),
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@sessions.command("show")
def show_session(no: No, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show one session and what is doubted of it. --json has it as it was told."""
    _show_session(ask(url, key, lambda client: client.received_sessions.get(no)), as_json=as_json)


@sessions.command("check")
def check_session(no: No, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Have a session that waits for a person judged anew, by what is known by now."""
    _show_session(ask(url, key, lambda client: client.received_sessions.check(no)), as_json=as_json)


@sessions.command("accept")
def accept_session(
    no: No,
    why: WhyOption,
    url: Url = URL,
    key: Key = "",
    permit: Annotated[str | None, typer.Option(help="Under which permit it began, by our id.")] = None,
    as_json: Json = False,
) -> None:
    """Take a session that waits for a person as it is."""
    _show_session(ask(url, key, lambda client: client.received_sessions.accept(no, why, permit)), as_json=as_json)


@sessions.command("waive-cdr")
def waive_cdr(no: No, why: WhyOption, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Say that a session will have no CDR, so that nobody waits for it any more."""
    _show_session(ask(url, key, lambda client: client.received_sessions.waive_cdr(no, why)), as_json=as_json)


@cdrs.command("list")
@filtered(_filters)
def list_cdrs(
    wanted: Wanted,
    url: Url = URL,
    key: Key = "",
    standing: Annotated[CdrStanding | None, typer.Option(help="Only those that are so far.")] = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List CDRs, the newest first; --since and --until count from the charge's beginning."""
    more = {"standing": standing, "after": after, "limit": limit}
    page = ask(url, key, lambda client: client.received_cdrs.list(**wanted, **more))
    if as_json:
        write_json(page, Page[ReceivedCdrView])
        return
    write_table(
        ("id", "party", "cpo", "cdr", "version", "standing", "start", "kWh", "cost", "price of", "over", "review"),
        [
            (
                one.id,
                one.party,
                one.cdr.party,
                one.cdr.id,
                one.version,
                one.standing,
                when(one.cdr.start),
                one.cdr.energy,
                cost_of(one.cdr),
                one.price_source,
                one.connection,
                ", ".join(one.review),
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@cdrs.command("show")
def show_cdr(no: No, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show one CDR and what is doubted of it. --json has it whole."""
    _show_cdr(ask(url, key, lambda client: client.received_cdrs.get(no)), as_json=as_json)


@cdrs.command("check")
def check_cdr(no: No, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Have a CDR that waits for a person judged anew, by what is known by now."""
    _show_cdr(ask(url, key, lambda client: client.received_cdrs.check(no)), as_json=as_json)


@cdrs.command("accept")
def accept_cdr(no: No, why: WhyOption, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Accept a CDR that waits for a person."""
    _show_cdr(ask(url, key, lambda client: client.received_cdrs.decide(no, Verdict.ACCEPTED, why)), as_json=as_json)


@cdrs.command("reject")
def reject_cdr(no: No, why: WhyOption, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Reject a CDR that waits for a person. The hub is not told."""
    _show_cdr(ask(url, key, lambda client: client.received_cdrs.decide(no, Verdict.REJECTED, why)), as_json=as_json)


def _show_session(view: ReceivedSessionView, *, as_json: bool) -> None:
    if as_json:
        write_json(view, ReceivedSessionView)
        return
    told = view.session.identification if view.session else view.news.leg.identification if view.news else None
    write_fields(
        {
            "id": view.id,
            "party": view.party,
            "cpo": view.cpo,
            "session": view.session_id,
            "status": view.status,
            "over": view.connection,
            "permit": view.permit,
            "evse": view.evse,
            "driver": driver_of(told) if told is not None else None,
            "start": when(view.started),
            "end": when(view.ended),
            "kWh": view.energy,
            "cdr": view.cdr,
            "no cdr": view.waived,
            "decided": f"{view.decided.verdict} by {view.decided.who}: {view.decided.why}" if view.decided else None,
            "told": when(view.last_updated),
            "changed here": when(view.updated),
        }
    )
    _show_doubts(view.doubts)


def _show_cdr(view: ReceivedCdrView, *, as_json: bool) -> None:
    if as_json:
        write_json(view, ReceivedCdrView)
        return
    cdr = view.cdr
    write_fields(
        {
            "id": view.id,
            "party": view.party,
            "cpo": cdr.party,
            "cdr": cdr.id,
            "version": view.version,
            "standing": view.standing,
            "over": view.connection,
            "session": view.session,
            "permit": view.permit,
            "evse": view.evse,
            "driver": driver_of(cdr.identification),
            "start": when(cdr.start),
            "end": when(cdr.end),
            "kWh": cdr.energy,
            "cost": cost_of(cdr),
            "price of": view.price_source,
            "credited by": view.credited_by,
            "decided": f"{view.decided.verdict} by {view.decided.who}: {view.decided.why}" if view.decided else None,
            "received": when(view.received),
        }
    )
    _show_doubts(view.doubts)


def _show_doubts(doubts: Sequence[Doubt]) -> None:
    if doubts:
        OUTPUT.print()
        write_table(("reason", "field", "detail"), [(one.reason, one.field, one.detail) for one in doubts])
