"""``python -m agents.worker start`` runs until it is stopped, and says what is wrong in words."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import cast

import pytest
from livekit.agents import AgentServer
from livekit.protocol.agent import UpdateWorkerStatus, WorkerStatus

from agents import worker
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.tasks import TaskOwner
from tests.agents.policies import CALLED, FIRST_MS, PHONE, policies_in, receipts_in
from tests.journeys.house import ROOT, kinds
from tests.peers.livekit_server.server import LiveKitServer
from tests.peers.livekit_server.tokens import API_KEY, API_SECRET

LIVEKIT = {"LIVEKIT_URL": "ws://127.0.0.1:9", "LIVEKIT_API_KEY": API_KEY, "LIVEKIT_API_SECRET": API_SECRET}


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in (*LIVEKIT, "SORDINO_REDIS_URL", "SORDINO_MASTER_KEY_FILE", "SORDINO_POLICIES", "LIVEKIT_OBSERVABILITY_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    return monkeypatch


def test_it_names_what_is_missing(env: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    env.setenv("LIVEKIT_URL", LIVEKIT["LIVEKIT_URL"])
    assert worker.main(["start"]) == 1
    said = capsys.readouterr().err
    assert "LIVEKIT_API_KEY, LIVEKIT_API_SECRET not set" in said
    assert "to mend it" in said


def test_it_says_that_its_port_is_taken(env: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in LIVEKIT.items():
        env.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert worker.main(["start", "--health-port", str(port)]) == 1
    said = capsys.readouterr().err
    assert f"port {port} cannot be used" in said
    assert "Traceback" not in said


@pytest.mark.timeout(600)
async def test_told_to_stop_it_takes_no_more_calls_and_ends_those_that_go_on_only_when_told_again(
    env: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each call in a process of its own, with a store of the worker's own. The one that was ended has its receipt, and nothing
    stays behind: whoever starts the worker again finds the folder free."""
    async with LiveKitServer() as server:
        started = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "agents.worker", "start", "--health-port", "0", "--agent-name", "front", "--drain-seconds", "100"),
            *("--policies", str(policies_in(tmp_path))),
            cwd=ROOT,
            env={**os.environ, **LIVEKIT, "LIVEKIT_URL": server.url},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            registered = await server.agents.registered(within=100)
            may = registered.allowed_permissions
            assert (may.can_publish, may.can_publish_data, may.can_update_metadata) == (True, False, False)
            assert registered.agent_name == "front"
            room = server.room("first")
            caller = room.caller(phone=PHONE, trunk_phone=CALLED)
            job = await server.agents.dispatch(room)
            heard = await room.heard(job.identity, within=150)
            await heard.until(ms=FIRST_MS / 2, within=150)
            started.send_signal(signal.SIGTERM)
            await server.agents.until(lambda agents: _full(agents.worker_status), within=60)
            assert not (await server.agents.dispatch(server.room("second"))).accepted
            assert not job.ended
            assert caller.identity in room.members
            started.send_signal(signal.SIGTERM)
            async with asyncio.timeout(100):
                _, said = await started.communicate()
        finally:
            if started.returncode is None:
                started.kill()
    assert started.returncode == 0
    assert b"Traceback" not in said
    assert b"no more jobs are taken; 1 go on" in said
    assert caller.identity in room.left, "who is still on the line is hung up on"
    assert (room.data.packets, server.uploads) == ([], [])
    [receipt] = receipts_in(tmp_path / "data")
    assert kinds(receipt)[-1] == "call.ended"
    # The announcement was being played, or just over.
    assert (receipt.outcome, receipt.document["gate"]) in (("never_listened", "not_reached"), ("completed", "kept"))
    async with EmbeddedValkey(tmp_path / "data"):
        pass


def _full(status: UpdateWorkerStatus | None) -> bool:
    return status is not None and status.status == WorkerStatus.WS_FULL


class Busy:
    """A server with a call that goes on until it is let go."""

    def __init__(self) -> None:
        self.active_jobs = ["a call"]
        self.ended = asyncio.Event()
        self.draining = asyncio.Event()

    async def drain(self, **_: object) -> None:
        self.draining.set()
        await self.ended.wait()


async def drained(server: Busy, *, within_s: int, unless: asyncio.Event) -> None:
    async with asyncio.timeout(30):
        await worker.drain(cast(AgentServer, server), within_s=within_s, unless=unless.wait())


@pytest.mark.parametrize("ends", ["the call", "somebody who will not wait"])
async def test_it_waits_until_calls_have_ended_or_somebody_will_not_wait_any_more(ends: str) -> None:
    server, enough = Busy(), asyncio.Event()
    async with TaskOwner("test", on_failure=lambda *_: None) as tasks:
        waiting = tasks.start(drained(server, within_s=1_000, unless=enough), name="drain")
        await server.draining.wait()
        assert not waiting.done()
        (server.ended if ends == "the call" else enough).set()
        await waiting


async def test_it_waits_no_longer_than_it_was_given() -> None:
    await drained(Busy(), within_s=0, unless=asyncio.Event())


def test_a_number_of_seconds_is_one(env: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        worker.main(["start", "--drain-seconds", "a while"])
    assert "'a while' is no number of seconds" in capsys.readouterr().err
