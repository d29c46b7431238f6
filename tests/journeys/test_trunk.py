"""Debian's sipp calls over the SIP trunk as a border controller does: announced, understood, answered, sealed."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from gateway.adapters.carriers import g711
from gateway.audio import resample
from gateway.values import Pcm
from tests.journeys.house import CALLED, kinds, living_in, short_policies, speech, text_of

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed: apt-get install sip-tester"),
]

SCENARIO = Path(__file__).with_name("trunk.xml")
QUIET_MS = 9_000
"""The announcement and the greeting are over by then."""
WHOLE_MS = 19_000


async def test_a_caller_behind_a_border_controller_is_announced_understood_and_answered(tmp_path: Path) -> None:
    policies = short_policies(tmp_path)
    tenant = policies / "tenants" / "demo.yaml"
    tenant.write_text(tenant.read_text(encoding="utf-8").replace("carrier:\n", "carrier:\n  sip: {network: private}\n"), "utf-8")
    said = resample(speech("phone-number"), 8_000)
    quiet = bytes(QUIET_MS * 16)
    whole = (quiet + said.samples).ljust(WHOLE_MS * 16, b"\0")
    (tmp_path / "said.ulaw").write_bytes(g711.encode(Pcm(whole, 8_000)))
    env = {"SORDINO_SIP_LISTEN": "127.0.0.1:0", "SORDINO_SIP_PEERS": "127.0.0.1"}
    async with living_in(tmp_path, policies=policies, env=env) as house:
        command = (
            "sipp",
            f"127.0.0.1:{house.gateway.sip_port}",
            "-sf",
            str(SCENARIO),
            "-s",
            CALLED,
            "-m",
            "1",
            "-i",
            "127.0.0.1",
        )
        sipp = await asyncio.create_subprocess_exec(
            *command, "-nostdin", cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(120):
                assert await sipp.wait() == 0
        finally:
            if sipp.returncode is None:
                sipp.kill()
        receipt = await house.receipt()
    assert receipt.outcome == "completed"
    assert {"announcement.played", "listening.started", "masked", "hop"} <= set(kinds(receipt)), kinds(receipt)
    assert dict(receipt.document["masked"]) == {"PHONE_NUMBER": 1}  # type: ignore[arg-type]
    assert "RTP, not encrypted" in text_of(receipt)
    assert "+15550199" not in text_of(receipt)
    assert "five five five" not in house.model_bodies()
