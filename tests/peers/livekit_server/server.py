"""A LiveKit server for tests, on one loopback port: the workers' socket and an SFU, with the real protocol messages.

async with LiveKitServer() as server:
    room = server.room("call-1")
    caller = room.caller(phone="+4915112345678")
    async with running_worker(server, agent_server):
        job = await server.agents.dispatch(room)
        await caller.speak(tone(440, 1.0))
        heard = await (await room.heard(job.identity)).until(ms=500)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from unittest.mock import patch

from aiohttp import web
from livekit.agents import AgentServer, JobExecutorType

from gateway.tasks import TaskOwner
from tests.peers.livekit_server.agent_socket import AgentSocket
from tests.peers.livekit_server.api import ServerApi
from tests.peers.livekit_server.room import SfuRoom
from tests.peers.livekit_server.sfu import SignalSession, member_from, read_join
from tests.peers.livekit_server.tokens import API_KEY, API_SECRET, check, make_token

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Upload:
    path: str
    body: bytes


class LiveKitServer:
    """Listens from ``async with`` on. Whatever went wrong inside is raised at the end: a fault here must not pass a test."""

    def __init__(self) -> None:
        self.agents = AgentSocket(self)
        self.api = ServerApi(self)
        self.rooms: dict[str, SfuRoom] = {}
        self.url = ""
        self.uploads: list[Upload] = []
        """Whatever else a worker sends here: with ``LIVEKIT_OBSERVABILITY_URL=server.http_url`` its telemetry and recordings."""
        self._failures: list[BaseException] = []
        self._stack = contextlib.AsyncExitStack()
        self._tasks = TaskOwner("livekit", on_failure=lambda _, error: self._failures.append(error))

    @property
    def http_url(self) -> str:
        return self.url.replace("ws:", "http:", 1)

    def room(self, name: str) -> SfuRoom:
        """The room of that name; it is made when it is first asked for."""
        if name not in self.rooms:
            self.rooms[name] = SfuRoom(name, self._tasks)
        return self.rooms[name]

    def token(self, room: str, identity: str) -> str:
        """A token for an ordinary client: ``await rtc.Room().connect(server.url, server.token("call-1", "ann"))``."""
        return make_token(room, identity)

    async def __aenter__(self) -> LiveKitServer:
        # aioice leaves loopback out and has no setting for it; nothing of a test leaves the machine.
        self._stack.enter_context(patch("aioice.ice.get_host_addresses", lambda **_: [LOOPBACK]))
        app = web.Application()
        app.router.add_get("/agent", self._agent)
        app.router.add_get("/rtc/v1", self._signal)
        app.router.add_get("/rtc/v1/validate", self._validate)
        app.router.add_post("/twirp/livekit.{service}/{method}", self.api.handle)
        app.router.add_route("*", "/{path:.*}", self._upload)
        runner = web.AppRunner(app, shutdown_timeout=5)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, LOOPBACK, 0).start()
        self.url = f"ws://{LOOPBACK}:{runner.addresses[0][1]}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for room in self.rooms.values():
            room.close()
        await self._stack.aclose()
        await self._tasks.aclose()
        if self._failures and error is None:
            raise ExceptionGroup("the fake LiveKit server failed", [f for f in self._failures if isinstance(f, Exception)])

    async def _validate(self, request: web.Request) -> web.Response:
        check(request)
        return web.Response(text="success")

    async def _upload(self, request: web.Request) -> web.Response:
        # aiohttp inflates the body by its Content-Encoding.
        self.uploads.append(Upload(request.path, await request.read()))
        return web.Response()

    async def _signal(self, request: web.Request) -> web.StreamResponse:
        claims = check(request)
        if claims.video is None or not claims.video.room_join:
            raise web.HTTPUnauthorized(text="the token is not for a room")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        room = self.room(claims.video.room)
        session = SignalSession(room, member_from(claims, room), read_join(request.query["join_request"]))
        await self._watched(session.run(socket), f"signal {claims.identity}")
        return socket

    async def _agent(self, request: web.Request) -> web.StreamResponse:
        claims = check(request)
        if claims.video is None or not claims.video.agent:
            raise web.HTTPUnauthorized(text="the token is not a worker's")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await self._watched(self.agents.serve(socket), "agent")
        return socket

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """aiohttp would log a failure and go on: here it fails the test."""
        await asyncio.wait([self._tasks.start(work, name=name)])


@contextlib.asynccontextmanager
async def running_worker(
    server: LiveKitServer, worker: AgentServer, *, executor: JobExecutorType = JobExecutorType.THREAD
) -> AsyncIterator[AgentServer]:
    """Point a product's AgentServer at the fake server, run it until it is registered, and close it at the end.

    With ``THREAD`` a job's entrypoint runs in this process (no forkserver; breakpoints and planted secrets can be looked
    for); with ``PROCESS`` as in production: then the entrypoint must be importable by name.

    Raises:
        TimeoutError: it did not register. Whatever ``run()`` raised comes out at the end.
    """
    worker.update_options(
        ws_url=server.url, api_key=API_KEY, api_secret=API_SECRET, job_executor_type=executor, num_idle_processes=0
    )
    # Both have no public setter after construction. Load is the machine's, and others work on it too.
    worker._host, worker._port = LOOPBACK, 0
    worker.load_fnc = lambda: 0.0
    failures: list[BaseException] = []
    with _environment_kept():
        async with TaskOwner("worker", on_failure=lambda _, error: failures.append(error)) as tasks:
            run = tasks.start(worker.run(devmode=True), name="run")
            try:
                await server.agents.registered()
                yield worker
            finally:
                await worker.aclose()
                run.cancel()
    if failures:
        raise failures[0]


@contextlib.contextmanager
def _environment_kept() -> Iterator[None]:
    """``AgentServer.run`` writes the URL, the key and the secret into the environment."""
    before = {name: os.environ.get(name) for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")}
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
