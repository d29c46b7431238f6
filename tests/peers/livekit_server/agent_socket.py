"""The workers' side of the fake server: LiveKit's ``/agent`` WebSocket.

A worker registers, is asked whether it takes a job, gets it with a token for the room, and reports how it goes
(livekit-protocol's ``livekit_agent.proto``; the worker's side is ``livekit/agents/worker.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web
from livekit.protocol.agent import (
    AvailabilityRequest,
    AvailabilityResponse,
    Job,
    JobAssignment,
    JobStatus,
    JobTermination,
    JobType,
    RegisterWorkerRequest,
    RegisterWorkerResponse,
    ServerMessage,
    UpdateWorkerStatus,
    WorkerMessage,
)
from livekit.protocol.models import ServerInfo

from tests.peers.livekit_server.room import SfuRoom
from tests.peers.livekit_server.tokens import make_token

if TYPE_CHECKING:
    from tests.peers.livekit_server.server import LiveKitServer

WITHIN = 20.0


@dataclass(slots=True)
class DispatchedJob:
    """A job as the server sees it: the worker's answer and every status that it reported."""

    job: Job
    answer: AvailabilityResponse | None = None
    statuses: list[JobStatus] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def accepted(self) -> bool:
        return self.answer is not None and self.answer.available

    @property
    def identity(self) -> str:
        """Under which identity the agent joins the room."""
        return self.answer.participant_identity if self.answer else ""

    @property
    def ended(self) -> bool:
        return bool({JobStatus.JS_SUCCESS, JobStatus.JS_FAILED} & set(self.statuses))


class AgentSocket:
    """One worker at a time. All waiting is bounded and raises TimeoutError."""

    def __init__(self, server: LiveKitServer) -> None:
        self.registration: RegisterWorkerRequest | None = None
        self.worker_status: UpdateWorkerStatus | None = None
        self.jobs: dict[str, DispatchedJob] = {}
        self._server = server
        self._socket: web.WebSocketResponse | None = None
        self._numbers = count(1)
        self._changed = asyncio.Event()

    async def registered(self, *, within: float = WITHIN) -> RegisterWorkerRequest:
        """What the worker said when it registered: its ``agent_name``, type and permissions."""
        await self._until(lambda: self.registration is not None, within)
        assert self.registration is not None
        return self.registration

    async def dispatch(
        self,
        room: SfuRoom,
        *,
        metadata: str = "",
        attributes: Mapping[str, str] | None = None,
        enable_recording: bool = False,
        within: float = WITHIN,
    ) -> DispatchedJob:
        """Offer a job for ``room``; when the worker takes it, assign it. See ``accepted`` of what comes back.

        ``enable_recording`` is the server's wish that the worker uploads what it hears, says and logs.
        """
        registration = await self.registered(within=within)
        job = Job(id=f"AJ_{next(self._numbers):04}", type=JobType.JT_ROOM, room=room.info, metadata=metadata)
        job.enable_recording = enable_recording
        job.agent_name = registration.agent_name
        job.attributes.update(attributes or {})
        dispatched = self.jobs[job.id] = DispatchedJob(job)
        await self._send(ServerMessage(availability=AvailabilityRequest(job=job)))
        await self._until(lambda: dispatched.answer is not None, within)
        if dispatched.accepted and (answer := dispatched.answer):
            token = make_token(
                room.name,
                answer.participant_identity,
                kind="agent",
                name=answer.participant_name,
                metadata=answer.participant_metadata,
                attributes=answer.participant_attributes,
            )
            await self._send(ServerMessage(assignment=JobAssignment(job=job, url=self._server.url, token=token)))
        return dispatched

    async def reached(self, job: DispatchedJob, status: JobStatus, *, within: float = WITHIN) -> None:
        """Wait until the worker has reported this status of the job."""
        await self._until(lambda: status in job.statuses, within)

    async def ended(self, job: DispatchedJob, *, within: float = WITHIN) -> JobStatus:
        """Wait until the job is over; how it ended."""
        await self._until(lambda: job.ended, within)
        return job.statuses[-1]

    async def terminate(self, job: DispatchedJob) -> None:
        """The server takes the job back, as it does when a room is deleted."""
        await self._send(ServerMessage(termination=JobTermination(job_id=job.id)))

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """One worker's connection, until it closes."""
        self._socket = socket
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await self._handle(WorkerMessage.FromString(message.data))
        self._socket = self.registration = None
        self._changed.set()

    async def _handle(self, message: WorkerMessage) -> None:
        match message.WhichOneof("message"):
            case "register":
                welcome = RegisterWorkerResponse(worker_id="AW_test", server_info=ServerInfo(version="1.9.0", protocol=16))
                await self._send(ServerMessage(register=welcome))
                self.registration = message.register
            case "availability":
                self.jobs[message.availability.job_id].answer = message.availability
            case "update_worker":
                self.worker_status = message.update_worker
            case "update_job":
                self.jobs[message.update_job.job_id].statuses.append(message.update_job.status)
            case _:
                pass  # ping and migrate_job: nothing here depends on them
        self._changed.set()

    async def _send(self, message: ServerMessage) -> None:
        if self._socket is None:
            raise ConnectionError("no worker is connected")
        await self._socket.send_bytes(message.SerializeToString())

    async def until(self, ready: Callable[[AgentSocket], bool], *, within: float = WITHIN) -> None:
        """Wait until the worker has said what is asked. Raises TimeoutError."""
        await self._until(lambda: ready(self), within)

    async def _until(self, ready: Callable[[], bool], within: float) -> None:
        async with asyncio.timeout(within):
            while not ready():
                self._changed.clear()
                await self._changed.wait()
