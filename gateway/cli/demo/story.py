"""The demo's story, told step by step on the terminal."""

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from gateway.app import App, assembled
from gateway.cli.database import embedded_or_end
from gateway.cli.demo import abroad, costs, drivers, network, offers, prices, statuses
from gateway.cli.demo.backend import Backend, backend
from gateway.cli.demo.processes import Failed
from gateway.cli.demo.stage import HOME, HUBS, Refused, Stage, stage
from gateway.cli.demo.verdict import Verdict, judge, refusals

_COSTS = ("quoted", "told", "priced anew")
_CHARGED_SECONDS = 6.0
_ARRIVE_EVERY = 0.2
_SETTLED_SECONDS = 300.0
"""For which the sandbox Gireve is waited for at most."""

_REPLAYED = 2_000
"""EVSEs whose statuses change."""
_HERE = "at our own"


class NotQuiet(Failed):
    """Something was still to be told when the time was up."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the demo runs.

    Attributes:
        file: A network to import; None makes one up.
        seconds: How long statuses are replayed.
        rate: Status changes a second.
        charges: Foreign drivers who charge.
        patience: Seconds to wait for quiet at most.
    """

    file: Path | None = None
    seconds: float = 10.0
    rate: float = 200.0
    charges: int = 24
    seed: int = 1
    patience: float = 900.0
    json: bool = False


@dataclass(frozen=True, slots=True)
class Abroad:
    """What came of our own drivers, and what all charges cost.

    Attributes:
        catalogued: What the catalogue has of the partner's stations.
        home: What came home, by way.
        costs: What was quoted, and what the CDRs come to.
    """

    catalogued: abroad.Catalogued
    home: list[abroad.CameHome]
    costs: list[costs.Costs]

    @property
    def equal(self) -> bool:
        """Whether everything is where it should be."""
        home = all(one.equal for one in self.home)
        return self.catalogued.equal and home and all(one.equal for one in self.costs)


def tell(options: Options) -> int:
    """Runs the demo; 0 if every hub has what it should, 1 if not."""
    console = Console(stderr=options.json)
    with embedded_or_end() as url, tempfile.TemporaryDirectory(prefix="roamgate-demo-") as folder:
        return asyncio.run(_tell(options, console, url, Path(folder)))


async def _tell(options: Options, console: Console, url: str, folder: Path) -> int:
    async with AsyncExitStack() as stack:
        with step(console, "Starting both sandbox hubs and a gateway"):
            on_stage = await stack.enter_async_context(stage(url, folder))
        return await _act(options, console, on_stage)


async def _act(options: Options, console: Console, on_stage: Stage) -> int:
    async with assembled(on_stage.settings) as app:
        with step(console, "Connecting: registration with Gireve, mutual TLS with Hubject"):
            await on_stage.connect(prices=True)
        with step(console, f"Importing {options.file or 'a made-up network'}"):
            name = options.file.name if options.file else "network.ndjson"
            report = await bring_in(on_stage, content_of(options), name)
        _show_import(console, report)
        with step(console, "Waiting until both hubs have it"):
            await quiet(app, options.patience)
        named = await statuses.evses(app.store, _REPLAYED)
        with step(console, f"Replaying {options.rate:g} statuses a second for {options.seconds:g} s; the hubs fail"):
            failing = asyncio.create_task(fail_for_a_while(on_stage, options.seconds))
            sent = await statuses.replay(on_stage, named, rate=options.rate, seconds=options.seconds, seed=options.seed)
            await failing
        with step(console, "Waiting for quiet"):
            await quiet(app, options.patience)
        charged, abroad_, agreed = await charges(on_stage, app, console, options)
        with step(console, "Comparing what is wanted, what was acknowledged, and what the hubs remember"):
            took = {hub: await statuses.latencies(on_stage, hub, sent) for hub in HUBS}
            verdicts = await judge(on_stage, app, took)
            refused = await refusals(on_stage)
    told = all(one.equality.equal for one in verdicts) and all(one.equal for one in charged)
    equal = told and abroad_.equal and agreed.equal
    if options.json:
        print(json.dumps(_machine(report, sent, verdicts, charged, abroad_, agreed, refused, equal), default=str))  # noqa: T201
    else:
        _show(console, verdicts, refused, sent)
        _show_charges(console, charged)
        _show_abroad(console, abroad_)
        _show_costs(console, abroad_.costs)
        _show_agreed(console, agreed)
        console.print("[bold green]Equal.[/]" if equal else "[bold red]Not equal.[/]")
    return 0 if equal else 1


async def bring_in(on_stage: Stage, content: Iterable[bytes], name: str = "network.ndjson") -> Any:
    """Imports a file's content; gives the gateway's report."""

    async def chunks() -> AsyncIterator[bytes]:
        for chunk in content:
            yield chunk
            await asyncio.sleep(0)

    headers = {"Content-Type": "application/octet-stream"}
    url = f"{on_stage.url}/v1/imports"
    async with on_stage.http.post(url, params={"filename": name}, data=chunks(), headers=headers) as answer:
        report = await answer.json()
        if answer.status >= 400:
            raise Refused(f"import: {report.get('detail', report)}")
        return report


def content_of(options: Options) -> Iterator[bytes]:
    """Gives the content of the file to import, or of the made-up network."""
    if options.file is None:
        yield from network.network(seed=options.seed)
        return
    with options.file.open("rb") as source:
        while chunk := source.read(1 << 18):
            yield chunk


async def charges(
    on_stage: Stage, app: App, console: Console, options: Options
) -> tuple[list[drivers.Verdict], Abroad, offers.Agreed]:
    """Has foreign drivers charge at our stations, and ours abroad and at home, till every CDR is where it belongs.

    Last a network is offered at home, which shuts out whoever has no offer.
    """
    at = await drivers.spots(app.store, app.services.network, options.charges + abroad.HOME_SPOTS)
    here, home = at[: -abroad.HOME_SPOTS], at[-abroad.HOME_SPOTS :]
    # Of a network that was not made up here, the backend knows no prices of its own.
    known = prices.OWN if options.file is None else {}
    async with backend(on_stage, (spot.place for spot in at), known, options.seed) as cpo:
        with step(console, f"{len(here)} foreign drivers tap, and start from their apps; the hubs fail"):
            came = await _foreign(on_stage, app, cpo, here, options)
        with step(console, "A Dutch partner's stations, behind both hubs, are pulled into the catalogue"):
            stations, catalogued = await abroad.bring_in(on_stage, options.seed)
        ours = abroad.drivers(stations, home, options.seed)
        with step(console, f"{len(ours)} drivers of ours tap, and start from our app: there by each hub, and at home"):
            await abroad.enrol(on_stage, ours)
            await quiet(app, options.patience)
            # Gireve passes on what our own stations did, too: results of starts would stand in line behind that.
            await on_stage.drive("gireve", "settle", {"seconds": min(options.patience, _SETTLED_SECONDS)})
            there = [driver for driver in ours if driver.way != HOME]
            quotes = await asyncio.gather(*(abroad.ask_price(on_stage, driver) for driver in there))
            await asyncio.gather(*(abroad.charge(on_stage, cpo, driver) for driver in ours))
            await cpo.ended()
            await quiet(app, options.patience)
            back = await abroad.judge(on_stage, cpo, ours)
        with step(console, "Every CDR, out and in, is priced anew, and held against what was quoted before the charge"):
            came_home = await abroad.numbers(on_stage)
            asked: dict[str, dict[str, costs.Quoted | None]] = {
                _HERE: {f"CDR-{session}": quote for session, quote in cpo.quotes.items()}
            }
            for driver, quote in zip(there, quotes, strict=True):
                number = came_home.get((driver.way, driver.evse.normal), f"none of {driver.evse}")
                asked.setdefault(driver.way, {})[number] = quote
            unpriced = frozenset({_HERE} if options.file is not None else ())
            all_ = Abroad(catalogued, back, await costs.compare(on_stage, asked, unpriced))
        with step(console, "A CPO makes offers at home: one for a single EMSP, one to which another subscribes"):
            agreed = await offers.agree(on_stage, home[-1], known)
            await quiet(app, options.patience)
        return came, all_, agreed


async def _foreign(
    on_stage: Stage, app: App, cpo: Backend, at: Sequence[drivers.Spot], options: Options
) -> list[drivers.Verdict]:
    """Has drivers charge over both hubs while these fail, till every CDR is confirmed; tells what came of it."""
    many = drivers.drivers(at, options.seed)
    await drivers.enrol(on_stage, many)
    failing = asyncio.create_task(fail_for_a_while(on_stage, _CHARGED_SECONDS))
    await asyncio.gather(*(_arrive(on_stage, cpo, driver, number) for number, driver in enumerate(many)))
    await failing
    await cpo.ended()
    await quiet(app, options.patience)
    return await drivers.judge(on_stage, cpo, many)


async def _arrive(on_stage: Stage, cpo: Backend, driver: drivers.Driver, number: int) -> None:
    await asyncio.sleep(number * _ARRIVE_EVERY)
    await drivers.charge(on_stage, cpo, driver)


async def fail_for_a_while(on_stage: Stage, seconds: float) -> None:
    """Lets Hubject be away for a while, then Gireve act without answering, cut answers short and err."""
    await asyncio.sleep(seconds * 0.15)
    await on_stage.arm("hubject", [{"kind": "down", "seconds": seconds * 0.3}])
    await asyncio.sleep(seconds * 0.2)
    lasting: dict[str, JsonValue] = {"probability": 0.3, "duration": seconds * 0.3, "path": "/ocpi/"}
    kinds: list[dict[str, JsonValue]] = [{"kind": "drop"}, {"kind": "error", "status": 503}, {"kind": "truncate"}]
    await on_stage.arm("gireve", [{**kind, **lasting} for kind in kinds])


async def quiet(app: App, patience: float) -> None:
    """Waits until nothing is left to tell.

    Raises:
        NotQuiet: After `patience` seconds something was.
    """
    until = time.monotonic() + patience
    while not await app.outbox.quiet():
        if time.monotonic() > until:
            raise NotQuiet(f"still something to tell after {patience:g} s")
        await asyncio.sleep(0.25)


@contextmanager
def step(console: Console, text: str) -> Iterator[None]:
    """Shows that something is done, and how long it took."""
    begun = time.monotonic()
    with console.status(text):
        yield
    console.print(f"[green]✓[/] {text} [dim]({time.monotonic() - begun:.1f} s)[/]")


def _show_import(console: Console, report: Any) -> None:
    console.print(
        f"  {report['read']} records of {report['format']}: {report['locations']} locations, {report['evses']} EVSEs, "
        f"{report['tariffs']} tariffs; {report['refused']} refused"
    )
    for reason in report["reasons"]:
        console.print(f"  [yellow]refused[/] {reason['count']} × {reason['field']}: {reason['detail']}")


def _show(
    console: Console, verdicts: list[Verdict], refused: Counter[tuple[str, str, str]], sent: statuses.Sent
) -> None:
    console.print(f"Statuses: {', '.join(f'{count} {outcome}' for outcome, count in sorted(sent.outcomes.items()))}")
    has = _table("What each hub has", "wanted", "acknowledged", "in its memory", "equal")
    took = _table("What it took", "sent", "as is", "coalesced", "refused", "retried", "p50 s", "p95 s", "p99 s")
    for one in verdicts:
        place = f"{one.hub} {one.operation}"
        equality = one.equality
        equal = "[green]yes[/]" if equality.equal else f"[red]{equality.differences} differ[/]"
        has.add_row(place, str(equality.wanted), str(equality.acknowledged), str(equality.remembered), equal)
        # As the table below counts what was refused: nobody settles what a translation refuses.
        letters = sum(count for (hub, kind, _), count in refused.items() if (hub, kind) == (one.hub, one.operation))
        settled = one.counts | {"refused": letters}
        counts = [str(settled.get(name, 0)) for name in ("delivered", "unchanged", "coalesced", "refused", "failed")]
        times = [f"{value:.2f}" if (value := one.percentile(share)) is not None else "" for share in (0.5, 0.95, 0.99)]
        took.add_row(place, *counts, *times)
    console.print(has, took)
    if refused:
        reasons = Table("hub", "records", "reason", title="Refused", box=SIMPLE, pad_edge=False, title_justify="left")
        for (hub, operation, reason), count in refused.most_common(15):
            reasons.add_row(f"{hub} {operation}", str(count), reason)
        console.print(reasons)


def _show_charges(console: Console, charged: list[drivers.Verdict]) -> None:
    columns = ("taps", "app", "charges", "CDRs confirmed", "in its memory", "sent twice", "kWh", "equal")
    table = _table("What drivers charged", *columns)
    for one in charged:
        counts = (one.taps, one.starts, one.charges, one.confirmed, one.remembered, one.repeated)
        equal = "[green]yes[/]" if one.equal else "[red]no[/]"
        table.add_row(one.hub, *map(str, counts), f"{one.energy:.1f}", equal)
    console.print(table)


def _show_abroad(console: Console, came: Abroad) -> None:
    stations = came.catalogued
    console.print(
        f"The partner's {stations.evses} EVSEs: {stations.entries} entries of the catalogue, "
        f"{stations.two_ways} of them with two ways"
    )
    table = _table("What our own drivers charged", "taps", "app", "charges", "CDRs at home", "kWh", "equal")
    for one in came.home:
        equal = "[green]yes[/]" if one.equal else "[red]no[/]"
        counts = (one.taps, one.starts, one.charges, one.cdrs)
        table.add_row(one.way, *map(str, counts), f"{one.energy:.1f}", equal)
    console.print(table)


def _show_costs(console: Console, many: list[costs.Costs]) -> None:
    each = _table("Each charge: quoted before, billed, priced anew after, EUR net", "CDR", "tariff", *_COSTS, "equal")
    for one in many:
        for bill in one.bills:
            amounts = (_amount(bill.quoted), _amount(bill.told), _amount(bill.repriced, "not"))
            each.add_row(one.where, bill.cdr, bill.tariff, *amounts, "[green]yes[/]" if bill.same else "[red]no[/]")
    console.print(each)
    table = _table("What it cost, EUR net", "charges", *_COSTS, "as quoted", "equal")
    for one in many:
        equal = "[green]yes[/]" if one.equal else "[red]no[/]"
        amounts = (_amount(one.quoted), _amount(one.told), _amount(one.repriced))
        table.add_row(one.where, str(one.charges), *amounts, str(one.same), equal)
    console.print(table)


def _show_agreed(console: Console, agreed: offers.Agreed) -> None:
    table = Table(title="Offers at home: EUR net for 10 kWh", box=SIMPLE, pad_edge=False, title_justify="left")
    table.add_column("what happened", no_wrap=True)
    for emsp in offers.EMSPS:
        table.add_column(str(emsp), justify="right")
    table.add_column("equal", justify="right")
    for one in agreed.moments:
        held = [_held(one.has[emsp]) for emsp in offers.EMSPS]
        table.add_row(one.what, *held, "[green]yes[/]" if one.equal else "[red]no[/]")
    bill = agreed.bill
    said = f"billed {_amount(bill.told)}, priced anew {_amount(bill.repriced)}"
    table.add_row("its charge ends", "", said, "[green]yes[/]" if bill.equal else "[red]no[/]")
    console.print(table)


def _held(has: offers.Has) -> str:
    if not has.sees and not has.starts:
        return "shut out"
    return _amount(has.net, "may start") if has.sees and has.starts else "in part"


def _amount(amount: Decimal | None, lacking: str = "untold") -> str:
    return f"{amount:.2f}" if amount is not None else lacking


def _table(title: str, *columns: str) -> Table:
    """Makes a table that fits a terminal of 80 columns."""
    table = Table(title=title, box=SIMPLE, pad_edge=False, padding=0, title_justify="left")
    table.add_column("hub", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _machine(
    report: Any,
    sent: statuses.Sent,
    verdicts: list[Verdict],
    charged: list[drivers.Verdict],
    came: Abroad,
    agreed: offers.Agreed,
    refused: Counter[tuple[str, str, str]],
    equal: bool,
) -> dict[str, Any]:
    shares = (0.5, 0.95, 0.99)
    return {
        "equal": equal,
        "import": report,
        "statuses": sent.outcomes,
        "hubs": [
            {
                "hub": one.hub,
                "operation": one.operation,
                "equality": asdict(one.equality),
                "settled": one.counts,
                "requests": one.requests,
                "seconds": {f"p{share * 100:g}": one.percentile(share) for share in shares},
            }
            for one in verdicts
        ],
        "charges": [{**asdict(one), "equal": one.equal} for one in charged],
        "catalogue": asdict(came.catalogued),
        "abroad": [{**asdict(one), "equal": one.equal} for one in came.home],
        "costs": [{**asdict(one), "equal": one.equal} for one in came.costs],
        "offers": asdict(agreed) | {"equal": agreed.equal},
        "refused": [{"hub": hub, "operation": op, "reason": why, "count": n} for (hub, op, why), n in refused.items()],
    }
