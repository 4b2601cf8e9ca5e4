import asyncio
import re
import shutil
import subprocess
from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.core.charging import Denial
from adapters.core.connection import Mode, State
from gateway.metrics import Exposition, Metrics, StoreFigures
from gateway.services.ports import CdrSample, ChargeSample, LaneSample, MessageSample, Sample, StatusOutcome
from mappings.canonical.locations import EvseStatus
from mappings.report import Issue, IssueKind
from tests.project.files import read


class OneLane:
    async def sample(self) -> Sample:
        lane = LaneSample(
            "gireve", "prod", "locations", pending=3, oldest=1.5, held=1, dead_letters=2, leased=1, resting=0
        )
        connections = [("gireve", "prod", next(iter(Mode)), next(iter(State)))]
        message = MessageSample("hubject", "prod", "cdrs", pending=3, oldest=1.5, dead_letters=1)
        charges = ChargeSample(1, 1, 1, 1, [CdrSample("hubject", "prod", pending=2, late=1, oldest=90_000)])
        return Sample([lane], [message], connections, dict.fromkeys(EvseStatus, 7), charges, 10, 4)


async def everything() -> str:
    metrics = Metrics()
    metrics.request("hubject", "prod", "evse_data", "delivered", 0.2)
    metrics.served("gireve", "prod", "locations", 200, 0.01)
    metrics.api("PUT /v1/locations/{id}", 201, 0.002)
    metrics.settled("hubject", "prod", "evse_data", "coalesced", 5)
    metrics.message_settled("hubject", "prod", "cdrs", "delivered")
    metrics.acknowledged("hubject", "prod", "evse_status", 0.3)
    metrics.statuses(next(iter(StatusOutcome)), 100)
    metrics.authorised("hubject", None, 0.2)
    metrics.asked("hubject", "prod", "allowed", 0.2)
    metrics.late_yes("hubject", "prod", released=True)
    metrics.drift("hubject", "prod", "HUB_SAID_YES")
    metrics.stop_authorised("", Denial.OTHER_MEDIUM)
    metrics.cdrs("hubject", "prod", "delivered", 1, Decimal("12.5"))
    metrics.command("hubject", "prod", "START_SESSION", "ACCEPTED")
    metrics.call_out("START_SESSION", "answered", 0.1)
    metrics.issue("oicp", Issue(next(iter(IssueKind)), 'Location."name"[3]', "a text", "lost"))
    exposition = Exposition(metrics, StoreFigures(OneLane(), lambda: 0.0))
    return (await exposition.render()).decode()


async def test_the_linter_of_prometheus_finds_nothing_in_the_metrics() -> None:
    linter = shutil.which("promtool")
    if linter is None:
        pytest.skip("promtool is not here (Debian: apt-get install prometheus)")
    text = await everything()
    checked = await asyncio.to_thread(
        subprocess.run, [linter, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (checked.stdout + checked.stderr).strip() == ""
    assert checked.returncode == 0


async def test_the_page_for_operators_lists_every_metric_and_no_other() -> None:
    families = text_string_to_metric_families(await everything())
    suffixes = re.compile(r"_info$")
    shown = {suffixes.sub("", family.name) for family in families}
    _, _, section = read("docs/operations.md").partition("## Metrics")
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `roamgate_")]
    assert {name for row in rows for name in re.findall(r"roamgate_\w+", row)} == shown


async def test_no_series_is_there_only_to_say_when_another_began() -> None:
    assert "_created" not in await everything()
