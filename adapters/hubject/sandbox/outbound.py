"""What the sandbox Hubject says by itself: to the gateways of CPOs and of EMPs."""

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any

import aiohttp
from aiohttp import web

from adapters.core.faults import FaultKind
from adapters.core.http import compact_json, read_json
from adapters.core.sandbox import Sandbox


class Outbound:
    """The client for that.

    It is none of the clients that the gateway has, since what is said here on purpose a gateway may never say.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._client: aiohttp.ClientSession | None = None
        self._left: set[asyncio.Task[Any]] = set()
        self.tls: ssl.SSLContext | None = None
        """What is shown, and who is trusted; None for the system's trust and nothing of ours."""

    async def post(self, url: str, body: dict[str, Any], patience: float) -> Any:
        """Gives the answer's JSON, or says in a text why there is none.

        Args:
            patience: Seconds until the answer has to be there.
        """
        if self._client is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self.tls if self.tls is not None else True)
            self._client = aiohttp.ClientSession(connector=connector)
        try:
            async with self._client.post(
                url,
                data=compact_json(body),
                headers={"Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=patience),
            ) as response:
                raw = await response.read()
                if response.status != 200:
                    return f"HTTP {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        try:
            return read_json(raw)
        except ValueError:
            return "the answer is not JSON"

    async def posts(self, url: str, body: dict[str, Any], patience: float, *, repeat: bool = False) -> list[Any]:
        """Sends something, twice at once where it is to be repeated, or where the fault `repeat` hits it."""
        times = 1 + (repeat or self._sandbox.faults.driving(FaultKind.REPEAT, "POST", url))
        return await asyncio.gather(*(self.post(url, body, patience) for _ in range(times)))

    def started(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Starts a task that is ended with the sandbox, whether anybody waits for it or not."""
        task = asyncio.create_task(work)
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        return task

    async def close(self, _app: web.Application) -> None:
        """Ends what is under way, and closes the sockets."""
        for task in self._left:
            task.cancel()
        await asyncio.gather(*self._left, return_exceptions=True)
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()
            await asyncio.sleep(0)  # transports close on the next turn of the loop
