"""The command line, beside a gateway that serves on loopback."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.app import running
from gateway.cli.main import app
from gateway.settings import Settings
from gateway.store.secrets import Cipher
from tests.ports import free_port
from tests.project.files import ROOT

ADMIN = "an-administrator-from-the-environment"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell lets what it runs in the background ignore it, and whatever that starts inherits it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Cli:
    environment: dict[str, str]
    folder: Path
    url: str = ""
    children: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        """Starts `roamgate`."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway",
            *map(str, arguments),
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self.environment, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.children.append(child)
        return child

    async def __call__(self, *arguments: str, **environment: str) -> Result:
        """Runs `roamgate` to its end, in a process of its own."""
        child = await self.start(*arguments, **environment)
        out, err = await child.communicate()
        assert child.returncode is not None
        return Result(child.returncode, out.decode(), err.decode())

    async def here(self, *arguments: object, **environment: str) -> Result:
        """Runs a command of `roamgate` to its end in a thread of this process, which spares it its imports."""
        given = {**self.environment, **environment}
        done = await asyncio.to_thread(CliRunner(env=given).invoke, app, [str(one) for one in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Result(done.exit_code, done.stdout, done.stderr)

    async def end(self) -> None:
        for child in self.children:
            if child.returncode is None:
                child.kill()
                await child.communicate()


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Cli]:
    """The command line with nothing set."""
    made = Cli({}, tmp_path)
    yield made
    await made.end()


@pytest.fixture
async def cli(database_url: str, tmp_path: Path) -> AsyncIterator[Cli]:
    """The command line with a gateway to ask, whose database it also knows."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        host="127.0.0.1",
        port=port,
        public_url=url,
        database_url=database_url,
        secret_key=Cipher.new_key(),
        admin_key=ADMIN,
    )
    async with running(settings):
        environment = {"ROAMGATE_URL": url, "ROAMGATE_KEY": ADMIN, "DATABASE_URL": database_url}
        made = Cli(environment, tmp_path, url)
        yield made
        await made.end()
