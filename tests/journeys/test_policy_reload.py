"""Somebody edits the policies of a running gateway: a good file is in force soon, a bad one never, and both are said."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import aiohttp
import pytest

from gateway.errors import PolicyUnavailable
from tests.journeys.house import House, living_in, short_policies


class Heard(logging.Handler):
    """What the gateway says about its policies."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.more = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.more.set()

    async def until(self, words: str) -> str:
        async with asyncio.timeout(60):
            while not (said := [line for line in self.lines if words in line]):
                self.more.clear()
                await self.more.wait()
        return said[-1]


async def readiness(house: House) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(f"{house.gateway.url}/readyz") as answer:
        return answer.status, await answer.text()


async def test_a_bad_file_is_spoken_of_and_the_last_good_one_stays_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies = short_policies(tmp_path)
    demo = policies / "tenants" / "demo.yaml"
    good = demo.read_text(encoding="utf-8")
    heard = Heard()
    log = logging.getLogger("gateway.app")
    monkeypatch.setattr(log, "level", logging.INFO)
    monkeypatch.setattr(log, "handlers", [heard])
    async with living_in(tmp_path / "house", policies=policies) as house:
        before = house.gateway.policies.tenant("demo").digest
        assert (await readiness(house))[0] == 200

        demo.write_text(good.replace("training: prohibited", "trainig: prohibited"), encoding="utf-8")
        assert "demo.yaml:10:1: unknown key `trainig`" in await heard.until("trainig")
        assert any("1 fault(s), so the last valid ones stay in force" in line for line in heard.lines)
        status, why = await readiness(house)
        assert status == 200
        assert "the newest policy files have 1 fault(s); the last valid ones are in force" in why
        assert house.gateway.policies.tenant("demo").digest == before

        demo.write_text(good.replace("regions: [local]", "regions: [local, eu]"), encoding="utf-8")
        await heard.until("the changed policy files are in force")
        assert (await readiness(house))[0] == 200
        assert house.gateway.policies.tenant("demo").regions == ("eu", "local")

        heard.lines.clear()
        demo.unlink()
        await heard.until("the changed policy files are in force")
        with pytest.raises(PolicyUnavailable):
            house.gateway.policies.tenant("demo")
