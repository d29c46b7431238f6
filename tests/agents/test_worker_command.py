"""``python -m agents.worker start`` runs until it is stopped, and says what is wrong in words."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from agents import worker
from gateway.adapters.stores.embedded import EmbeddedValkey
from tests.journeys.house import ROOT
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


@pytest.mark.timeout(160)
async def test_it_brings_its_own_store_registers_and_ends_in_order_when_it_is_told_to(
    env: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing of it stays behind: whoever starts it again finds the folder free."""
    async with LiveKitServer() as server:
        started = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "agents.worker", "start", "--health-port", "0"),
            cwd=ROOT,
            env={**os.environ, **LIVEKIT, "LIVEKIT_URL": server.url},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            may = (await server.agents.registered(within=100)).allowed_permissions
            assert (may.can_publish, may.can_publish_data, may.can_update_metadata) == (True, False, False)
            started.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                _, said = await started.communicate()
        finally:
            if started.returncode is None:
                started.kill()
    assert started.returncode == 0
    assert b"Traceback" not in said
    async with EmbeddedValkey(tmp_path / "data"):
        pass
