"""The same conversation in a LiveKit room: WebRTC, and telephones through LiveKit SIP. ``python -m agents.worker start`` runs it.

One job is one room is one call. Each job has a Gateway of its own that serves no HTTP, in the job's own event loop; that is true
of jobs in processes and of jobs in threads. All share one store: ``SORDINO_REDIS_URL``, or an embedded Valkey. The folder of
that can be opened once only, so the worker's main process holds it open, and jobs get the address of its socket together with
the settings.

livekit-agents would like to know more of a call than it may. So the room is never given to an AgentSession (no transcript on
the data channel), the session does not know that it runs inside a job (no report, no recording, no telemetry of LiveKit's), the
server is asked for a token that cannot send data at all, and a job that wishes for a recording is refused: its logs would be
uploaded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from contextvars import Context
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
from livekit import api, rtc
from livekit.agents import AgentServer, AutoSubscribe, JobContext, JobExecutorType, JobProcess, JobRequest
from livekit.agents.worker import WorkerPermissions
from livekit.protocol.agent import Job
from livekit.protocol.models import TrackSource

from gateway.adapters.conversation import silence_livekit
from gateway.adapters.conversation.room import RoomLeg, wait_for_caller
from gateway.adapters.keys.files import read_or_create_key
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.telemetry.logs import LogFilter, install_log_filter
from gateway.app import Gateway
from gateway.errors import Misconfigured, PolicyInvalid, PolicyUnavailable, SordinoError
from gateway.governing import Ends
from gateway.policy.model import TenantPolicy
from gateway.settings import Settings
from gateway.tasks import TaskOwner
from gateway.values import Private

CALLER_WITHIN_S = 60.0
SEND_AWAY_WITHIN_S = 5.0
JOB_READY_WITHIN_S = 60.0
JOB_CLOSED_WITHIN_S = 30.0
HEALTH_PORT = 8081
HOUSE = "house"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

log = logging.getLogger("gateway.worker")
"""Below ``gateway``: the log filter keeps the words of nobody else."""


def build(settings: Settings | None = None, *, health_port: int = HEALTH_PORT) -> AgentServer:
    """The worker. Jobs run with ``settings`` (from the environment when None), which name a store that all of them can open.

    ``health_port``: where 127.0.0.1 answers whether the worker is connected; 0 for any free one.

    Raises:
        PolicyInvalid: with every fault of the policies.
        Misconfigured: no shared store, or a switch is set under which livekit-agents writes down or uploads what callers say.
    """
    settings = settings or Settings.from_env(os.environ)
    if settings.redis_url is None:
        raise Misconfigured(
            "jobs in processes of their own need one store that all of them can open",
            hint="set SORDINO_REDIS_URL, or run `python -m agents.worker start`, which brings a Valkey of its own",
        )
    silence_livekit(os.environ)
    server = AgentServer(
        host="127.0.0.1",
        port=health_port,
        setup_fnc=prepare,
        # Imported once, in the server that job processes are forked from: a job then begins in a second, not in ten.
        preload_modules=["gateway.app", "gateway.adapters.conversation.room"],
        permissions=WorkerPermissions(
            can_publish=True,
            can_subscribe=True,
            can_publish_data=False,
            can_update_metadata=False,
            can_publish_sources=[TrackSource.MICROPHONE],
        ),
        initialize_process_timeout=JOB_READY_WITHIN_S,
        shutdown_process_timeout=JOB_CLOSED_WITHIN_S,
        session_end_timeout=JOB_CLOSED_WITHIN_S,
    )
    on_request = partial(answer, PolicyFolder.open(settings.policies))
    server.rtc_session(partial(take, settings=settings), on_request=on_request, on_session_end=finish)
    return server


# --- whose call it is --------------------------------------------------------------------------------------------------


def tenant_of(job: Job, policies: PolicyFolder, caller: rtc.RemoteParticipant | None = None) -> TenantPolicy | None:
    """The tenant that the job's metadata, the room's metadata or the called number name; None when none of them names any.

    Metadata names one as JSON: ``{"tenant": "acme"}``. A number counts only from a caller that LiveKit SIP brought: other
    participants may write their own attributes.

    Raises:
        PolicyUnavailable: one is named that does not exist, or they do not agree.
    """
    names = {_named(job.metadata), _named(job.room.metadata)}
    if caller is not None and caller.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        called = policies.tenant_for_number(caller.attributes.get("sip.trunkPhoneNumber", ""))
        names.add(called.tenant if called else None)
    names.discard(None)
    if len(names) > 1:
        raise PolicyUnavailable("the job and the called number belong to different tenants")
    return policies.tenant(str(names.pop())) if names else None


def ends_of(caller: rtc.RemoteParticipant) -> Ends:
    """Both numbers of a caller that LiveKit SIP brought; none of anybody else, who may write their own attributes."""
    if caller.kind != rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return Ends()
    told = caller.attributes
    return Ends(Private(told.get("sip.phoneNumber", "")), Private(told.get("sip.trunkPhoneNumber", "")))


def _named(metadata: str) -> str | None:
    try:
        found = json.loads(metadata)
    except ValueError:
        return None
    name = found.get("tenant") if isinstance(found, dict) else None
    return str(name) if name is not None else None


async def answer(policies: PolicyFolder, request: JobRequest) -> None:
    """Take the job, or refuse it. Without a name in any metadata the called number decides, once the caller is in the room."""
    await asyncio.to_thread(policies.reload_if_changed)
    if request.job.enable_recording:
        log.warning("a job was refused: it wishes for a recording, which would be uploaded to the LiveKit server")
        return await request.reject()
    try:
        tenant_of(request.job, policies)
    except SordinoError as error:
        log.warning("a job was refused: %s", error)
        return await request.reject()
    return await request.accept()


# --- one job -----------------------------------------------------------------------------------------------------------


def prepare(process: JobProcess) -> None:
    """Before a job: its process keeps callers' words out of what it hands to the main process to log, and out of spans."""
    silence_livekit(os.environ)
    if process.executor_type is JobExecutorType.PROCESS:
        LogFilter(logging.NullHandler(), logging.getLogger().level)


async def take(job: JobContext, *, settings: Settings) -> None:
    """The job's entrypoint: returns when its call has begun. The call goes on until it is over, or ``finish`` ends it."""
    house = job.proc.userdata[HOUSE] = AsyncExitStack()
    try:
        await _begin(job, settings, house)
    except SordinoError as error:
        log.warning("a job ended before its call began: %s", error)
        job.shutdown("no call")


async def finish(job: JobContext) -> None:
    """Before the job leaves its room: a call that still goes on is ended and gets its receipt."""
    house = job.proc.userdata.pop(HOUSE, None)
    if house is not None:
        await house.aclose()


async def _begin(job: JobContext, settings: Settings, house: AsyncExitStack) -> None:
    tasks = await house.enter_async_context(TaskOwner("job", on_failure=_report))
    gateway = await house.enter_async_context(Gateway(settings, listen=False))
    await job.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
    caller = await wait_for_caller(job.room, within_s=CALLER_WITHIN_S)
    tenant = tenant_of(job.job, gateway.policies, caller)
    if tenant is None:
        raise PolicyUnavailable("nobody's call", hint="name the tenant in the job's metadata, or its number in its file")
    leg = RoomLeg(job.room, caller, send_away=partial(_send_away, job.api, job.room.name, caller.identity))
    house.push_async_callback(leg.close)
    await leg.open()
    # In an empty context livekit's session finds no job, and so nothing to record, to report or to upload.
    Context().run(tasks.start, _call(job, gateway, leg, tenant, ends_of(caller)), name="call")


async def _call(job: JobContext, gateway: Gateway, leg: RoomLeg, tenant: TenantPolicy, ends: Ends) -> None:
    try:
        await gateway.run_call(leg, tenant, carrier="livekit", ends=ends)
    except SordinoError as error:
        log.warning("a call could not begin: %s", error)
    finally:
        job.shutdown("the call is over")


async def _send_away(livekit: api.LiveKitAPI, room: str, identity: str) -> None:
    """Hang up on the caller: by LiveKit's server, since a participant cannot end another one's call."""
    try:
        async with asyncio.timeout(SEND_AWAY_WITHIN_S):
            await livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))
    except (api.TwirpError, aiohttp.ClientError, TimeoutError) as error:
        log.warning("the caller could not be sent away and is left alone in the room: %s", error)


def _report(name: str, failure: BaseException) -> None:
    log.error("the task %s ended with %s", name, failure)


# --- the command -------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m agents.worker start``. 0 good, 1 failure, 2 wrong usage; a mistake is told on stderr, without a traceback."""
    given = _parser().parse_args(arguments)
    try:
        _require_livekit(os.environ)
        settings = Settings.from_env(os.environ, policies=given.policies)
        with install_log_filter(given.log_level, sys.stderr) as logs, asyncio.Runner() as runner:
            logs.watch(runner.get_loop())
            return runner.run(_serve(settings, given.health_port))
    except PolicyInvalid as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is a command
    except SordinoError as error:
        mend = f"\n  to mend it: {error.hint}" if error.hint else ""
        print(f"worker: {error.message}{mend}", file=sys.stderr)  # noqa: T201
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m agents.worker",
        description="Take calls from LiveKit rooms: LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET name the server.",
        epilog="example: LIVEKIT_URL=wss://livekit.example.com python -m agents.worker start --policies policies",
    )
    parser.add_argument("command", choices=["start"], help="run until stopped; calls that still go on then get their receipts")
    parser.add_argument("--policies", type=Path, metavar="DIR", help="the folder of policies (SORDINO_POLICIES)")
    parser.add_argument(
        "--health-port", type=int, default=HEALTH_PORT, metavar="P", help=f"health at 127.0.0.1:P; 0: any ({HEALTH_PORT})"
    )
    parser.add_argument("--log-level", default="INFO", choices=LEVELS, help="how much to log (INFO)")
    return parser


def _require_livekit(env: Mapping[str, str]) -> None:
    missing = [name for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET") if not env.get(name)]
    if missing:
        raise Misconfigured(
            f"{', '.join(missing)} not set", hint="they name the LiveKit server and the key under which this worker registers"
        )


async def _serve(settings: Settings, health_port: int) -> int:
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with AsyncExitStack() as running:
        server = build(await _with_store(settings, running), health_port=health_port)
        tasks = await running.enter_async_context(TaskOwner("worker", on_failure=_report))
        run = tasks.start(server.run(), name="run")
        await asyncio.wait({run, tasks.start(stop.wait(), name="stop")}, return_when=asyncio.FIRST_COMPLETED)
        failure = run.exception() if run.done() else None
        await server.aclose()
    if isinstance(failure, OSError):
        raise Misconfigured(f"port {health_port} cannot be used: {failure.strerror}", hint="choose another with --health-port")
    if failure is not None:
        raise Misconfigured("the LiveKit server does not answer, or does not know the key", hint="look at LIVEKIT_*")
    return 0


async def _with_store(settings: Settings, running: AsyncExitStack) -> Settings:
    if settings.redis_url is not None:
        return settings
    valkey = await running.enter_async_context(EmbeddedValkey(settings.data))
    key = settings.master_key_file or settings.data / "keys" / "master.key"
    read_or_create_key(key)
    return replace(settings, redis_url=valkey.url, master_key_file=key)


if __name__ == "__main__":
    # Jobs in processes of their own find the entrypoint by the name of its module, so it must not be __main__'s.
    from agents import worker

    sys.exit(worker.main())
