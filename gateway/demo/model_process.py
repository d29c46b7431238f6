"""The scripted demo model as a process of its own, as a model server is."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from types import TracebackType

import aiohttp

from gateway.errors import UpstreamFailed

READY_WITHIN_S = 20.0
STOP_WITHIN_S = 5.0


class ScriptedModel:
    """``async with ScriptedModel() as model:`` it answers at ``model.url`` until the block is left."""

    def __init__(self, *, record: Path | None = None) -> None:
        """``record``: a file that gets every body that the model received, one JSON object a line."""
        self._record = record
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def __aenter__(self) -> ScriptedModel:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}/v1"
        more = ["--record", str(self._record)] if self._record else []
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.demo.scripted_model",
            "--port",
            str(port),
            *more,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await self._until_ready()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def stop(self) -> None:
        """End it, by force after a while. Safe to call twice."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _until_ready(self) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(int(READY_WITHIN_S / 0.05)):
                try:
                    async with session.get(f"{self.url}/models") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        await self.stop()
        raise UpstreamFailed("the scripted demo model did not start", hint="python -m gateway.demo.scripted_model --help")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
