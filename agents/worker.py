"""The same conversation in a LiveKit room: WebRTC, and telephones through LiveKit SIP. ``python -m agents.worker start`` runs it.

One job is one room is one call. Each job has a Gateway of its own that serves no HTTP, in the job's own event loop; that is true
of jobs in processes and of jobs in threads. All share one store: ``SORDINO_REDIS_URL``, or an embedded Valkey. The folder of
that can be opened once only, so the worker's main process holds it open, and jobs get the address of its socket together with
the settings.

livekit-agents would like to know more of a call than it may. So the room is never given to an AgentSession (no transcript on
the data channel), the session does not know that it runs inside a job (no report, no recording, no telemetry of LiveKit's), the
server is asked for a token that cannot send data at all, and a job that wishes for a recording is refused: its logs would be
uploaded.

When it is told to stop, it takes no more jobs, and the calls that go on have some time to end by themselves; those that do not
are ended, and get their receipts.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from contextvars import Context
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
from livekit import api
from livekit.agents import AgentServer, AutoSubscribe, JobContext, JobExecutorType, JobProcess, JobRequest
from livekit.agents.worker import WorkerPermissions
from livekit.protocol.models import TrackSource

from agents.dispatch import ends_of, tenant_of
from gateway.adapters.conversation import silence_livekit
from gateway.adapters.conversation.encryption import room_encryption
from gateway.adapters.conversation.room import RoomLeg, wait_for_caller
from gateway.adapters.keys.files import read_or_create_key
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.telemetry.logs import LogFilter, install_log_filter
from gateway.app import Gateway
from gateway.errors import Misconfigured, PolicyInvalid, PolicyUnavailable, SordinoError
from gateway.governing import Ends, law_of_call
from gateway.policy.announcing import AnnouncementMode
from gateway.policy.model import TenantPolicy
from gateway.settings import Settings
from gateway.tasks import TaskOwner

CALLER_WITHIN_S = 60.0
SEND_AWAY_WITHIN_S = 5.0
JOB_READY_WITHIN_S = 60.0
JOB_CLOSED_WITHIN_S = 30.0
DRAIN_S = 60
"""How long calls may go on after the worker was told to stop. What stops it (docker, Kubernetes) must wait longer than this and
``JOB_CLOSED_WITHIN_S`` together."""
HEALTH_PORT = 8081
HOUSE = "house"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

log = logging.getLogger("gateway.worker")
"""Below ``gateway``: the log filter keeps the words of nobody else."""


def build(
    settings: Settings | None = None, *, health_port: int = HEALTH_PORT, agent_name: str = "", tenant: str | None = None
) -> AgentServer:
    """The worker. Jobs run with ``settings`` (from the environment when None), which name a store that all of them can open.

    ``health_port``: where 127.0.0.1 answers whether the worker is connected; 0 for any free one. ``agent_name``: LiveKit then
    gives it only the jobs that are dispatched to that name. ``tenant``: it takes only this one's calls.

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
    policies = PolicyFolder.open(settings.policies)
    if tenant is not None and tenant not in policies.policies.tenants:
        raise Misconfigured(
            f"there is no tenant {tenant!r} that this worker could serve", hint=f"look into {settings.policies}/tenants"
        )
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
    on_request = partial(answer, policies, serves=tenant)
    taking = partial(take, settings=settings, serves=tenant)
    server.rtc_session(taking, agent_name=agent_name, on_request=on_request, on_session_end=finish)
    return server


# --- which jobs are taken -----------------------------------------------------------------------------------------------


async def answer(policies: PolicyFolder, request: JobRequest, *, serves: str | None = None) -> None:
    """Take the job, or refuse it. Without a name in any metadata the called number decides, once the caller is in the room."""
    await asyncio.to_thread(policies.reload_if_changed)
    if request.job.enable_recording:
        log.warning("a job was refused: it wishes for a recording, which would be uploaded to the LiveKit server")
        return await request.reject()
    try:
        tenant_of(request.job, policies, serves=serves)
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


async def take(job: JobContext, *, settings: Settings, serves: str | None = None) -> None:
    """The job's entrypoint: returns when its call has begun. The call goes on until it is over, or ``finish`` ends it."""
    house = job.proc.userdata[HOUSE] = AsyncExitStack()
    try:
        await _begin(job, settings, serves, house)
    except SordinoError as error:
        log.warning("a job ended before its call began: %s", error)
        job.shutdown("no call")


async def finish(job: JobContext) -> None:
    """Before the job leaves its room: a call that still goes on is ended and gets its receipt."""
    house = job.proc.userdata.pop(HOUSE, None)
    if house is not None:
        await house.aclose()


async def _begin(job: JobContext, settings: Settings, serves: str | None, house: AsyncExitStack) -> None:
    tasks = await house.enter_async_context(TaskOwner("job", on_failure=_report))
    gateway = await house.enter_async_context(Gateway(settings, listen=False))
    known = tenant_of(job.job, gateway.policies, serves=serves)
    account = known.carrier.livekit if known else None
    encryption = room_encryption(gateway.secrets.read(account.room_key)) if account else None
    await job.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE, encryption=encryption)
    caller = await wait_for_caller(job.room, within_s=CALLER_WITHIN_S)
    tenant = tenant_of(job.job, gateway.policies, caller, serves=serves)
    if tenant is None:
        raise PolicyUnavailable("nobody's call", hint="name the tenant in the job's metadata, or its number in its file")
    if tenant.carrier.livekit and encryption is None:
        hint = "name it in the job's metadata: the called number is known only after the room was joined"
        raise PolicyUnavailable("the tenant's rooms are encrypted, and this one was joined without its key", hint=hint)
    ends = ends_of(caller)
    leg = RoomLeg(
        job.room,
        caller,
        send_away=partial(_send_away, job.api, job.room.name, caller.identity),
        each_asked=_asks(gateway, tenant, ends),
        encrypted=encryption is not None,
    )
    house.push_async_callback(leg.close)
    await leg.open()
    # In an empty context livekit's session finds no job, and so nothing to record, to report or to upload.
    Context().run(tasks.start, _call(job, gateway, leg, tenant, ends), name="call")


def _asks(gateway: Gateway, tenant: TenantPolicy, ends: Ends) -> bool:
    """Whether anything is asked of who takes part in such a call."""
    _, first = law_of_call(gateway.policies.policies, tenant, ends)
    return any(each.mode is not AnnouncementMode.NOTIFY for each in first.announcements)


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
            server = partial(build, health_port=given.health_port, agent_name=given.agent_name, tenant=given.tenant)
            return runner.run(_serve(settings, server, given.drain_seconds, given.health_port))
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
    parser.add_argument("--agent-name", default="", metavar="NAME", help="take only jobs that are dispatched to this name")
    parser.add_argument("--tenant", metavar="T", help="take only this tenant's calls")
    parser.add_argument(
        "--drain-seconds",
        type=_seconds,
        default=DRAIN_S,
        metavar="S",
        help=f"how long calls may go on after SIGTERM; a second one ends them ({DRAIN_S})",
    )
    parser.add_argument("--log-level", default="INFO", choices=LEVELS, help="how much to log (INFO)")
    return parser


def _seconds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return int(text)


def _require_livekit(env: Mapping[str, str]) -> None:
    missing = [name for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET") if not env.get(name)]
    if missing:
        raise Misconfigured(
            f"{', '.join(missing)} not set", hint="they name the LiveKit server and the key under which this worker registers"
        )


async def _serve(settings: Settings, make: Callable[[Settings], AgentServer], drain_s: int, health_port: int) -> int:
    stop, at_once = asyncio.Event(), asyncio.Event()

    def told_to_stop() -> None:
        (at_once if stop.is_set() else stop).set()

    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, told_to_stop)
    async with AsyncExitStack() as running:
        server = make(await _with_store(settings, running))
        tasks = await running.enter_async_context(TaskOwner("worker", on_failure=_report))
        run = tasks.start(server.run(), name="run")
        await asyncio.wait({run, tasks.start(stop.wait(), name="stop")}, return_when=asyncio.FIRST_COMPLETED)
        failure = run.exception() if run.done() else None
        if failure is None:
            await drain(server, within_s=drain_s, unless=at_once.wait())
        await server.aclose()
    if isinstance(failure, OSError):
        raise Misconfigured(f"port {health_port} cannot be used: {failure.strerror}", hint="choose another with --health-port")
    if failure is not None:
        raise Misconfigured("the LiveKit server does not answer, or does not know the key", hint="look at LIVEKIT_*")
    return 0


async def drain(server: AgentServer, *, within_s: int, unless: Awaitable[object]) -> None:
    """Take no more jobs, and wait for the calls that go on: so long, or until ``unless`` returns. Ends no call by itself."""
    log.info("no more jobs are taken; %d go on", len(server.active_jobs))
    async with TaskOwner("drain", on_failure=_report) as tasks:
        ended = tasks.start(_ended(server), name="calls")
        enough = tasks.start(_awaited(unless), name="enough")
        await asyncio.wait({ended, enough}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    if server.active_jobs:
        log.warning("%d calls go on and are ended now", len(server.active_jobs))


async def _ended(server: AgentServer) -> None:
    await server.drain(timeout=None)


async def _awaited(event: Awaitable[object]) -> None:
    await event


async def _with_store(settings: Settings, running: AsyncExitStack) -> Settings:
    if settings.redis_url is not None:
        return settings
    valkey = await running.enter_async_context(EmbeddedValkey(settings.data))
    if settings.master_key or settings.master_key_url:
        return replace(settings, redis_url=valkey.url)
    key = settings.master_key_file or settings.data / "keys" / "master.key"
    read_or_create_key(key)
    return replace(settings, redis_url=valkey.url, master_key_file=key)


if __name__ == "__main__":
    # Jobs in processes of their own find the entrypoint by the name of its module, so it must not be __main__'s.
    from agents import worker

    sys.exit(worker.main())
