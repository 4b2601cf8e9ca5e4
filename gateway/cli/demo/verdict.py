"""What came of a demo: per hub and operation the counts, the latencies, and whether the hub has what it should."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from gateway.app import App
from gateway.cli.demo.stage import HUBS, Stage
from gateway.cli.percentiles import percentile
from gateway.outbox.equality import Equality, compare


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one operation at one hub.

    Attributes:
        counts: Projections settled by outcome, as the gateway's process counted them.
        requests: Requests to the hub by outcome, likewise.
        equality: The hub's memory, the acknowledged and the wanted projection compared.
        seconds: Latencies of status changes, sorted; empty for operations that carry none.
    """

    hub: str
    operation: str
    counts: dict[str, int]
    requests: dict[str, int]
    equality: Equality
    seconds: Sequence[float]

    def percentile(self, share: float) -> float | None:
        """A latency that this share of the changes stays under; None without any."""
        return percentile(self.seconds, share)


_CARRIES_STATUS = {"gireve": "locations", "hubject": "evse_status"}


async def judge(stage: Stage, app: App, latencies: dict[str, list[float]]) -> list[Verdict]:
    """Compares and counts, hub by hub."""
    settled, requests = await _figures(stage)
    verdicts: list[Verdict] = []
    for hub in HUBS:
        await app.links.refresh()
        link = app.links.by_name(hub)
        if link is None:
            raise LookupError(f"there is no connection {hub}")
        for operation in link.adapter.profile.operations:
            equality = await compare(app.outbox, link, operation, _memory(stage, hub, operation))
            seconds = sorted(latencies.get(hub, ())) if _CARRIES_STATUS[hub] == operation else []
            place = (hub, operation)
            verdicts.append(Verdict(*place, settled.get(place, {}), requests.get(place, {}), equality, seconds))
    return verdicts


async def refusals(stage: Stage) -> Counter[tuple[str, str, str]]:
    """Counts dead letters by connection, operation and reason."""
    counted: Counter[tuple[str, str, str]] = Counter()
    after = ""
    while True:
        page = await stage.call("GET", f"/v1/dead-letters?limit=1000{f'&after={after}' if after else ''}")
        for letter in page["items"]:
            said = (
                f"{code} {letter['text']}" if (code := letter.get("code")) else f"{letter['field']}: {letter['text']}"
            )
            counted[letter["connection"], letter["operation"], said] += 1
        after = page.get("next")
        if not after:
            return counted


async def _memory(stage: Stage, hub: str, kind: str) -> AsyncIterator[tuple[str, Any]]:
    async for entry in stage.memory(hub, kind):
        yield entry["key"], entry["record"]


_Counts = dict[tuple[str, str], dict[str, int]]


async def _figures(stage: Stage) -> tuple[_Counts, _Counts]:
    """Reads what the gateway's process counted of projections and of requests to hubs."""
    async with stage.http.get(f"{stage.url}/metrics") as answer:
        text = await answer.text()
    settled: _Counts = {}
    requests: _Counts = {}
    read = {"roamgate_projections_settled_total": settled, "roamgate_hub_requests_total": requests}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if (counts := read.get(sample.name)) is not None:
                place = (sample.labels["connection"], sample.labels["operation"])
                counts.setdefault(place, {})[sample.labels["outcome"]] = int(sample.value)
    return settled, requests
