"""Whose law holds for a call is decided by both its ends: what callers then hear first, and what the receipt says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.caller.call import Caller
from gateway.cli.main import main
from gateway.evidence.receipt import Receipt
from gateway.values import Private
from tests.journeys.house import AUTH_TOKEN, CALLED, House, living_in, short_policies

pytestmark = pytest.mark.timeout(300)


async def called_from(house: House, number: str) -> Receipt:
    async with Caller.dial(house.gateway.url, to=CALLED, from_=number, auth_token=Private(AUTH_TOKEN)) as caller:
        await caller.announcement_over()
    return await house.receipt()


def law(receipt: Receipt) -> dict[str, Any]:
    found = receipt.entries[0].draft.body["jurisdiction"]
    assert isinstance(found, dict)
    return found


def heard(receipt: Receipt) -> list[tuple[str, str, bool]]:
    told = receipt.document["announcements"]
    assert isinstance(told, list)
    return [(each["id"], each["rule"], each["played_ms"] == each["total_ms"]) for each in told]


async def test_callers_from_california_and_germany_hear_what_their_law_wants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tenant sits in Texas and tells nothing of the assistant itself; a caller from Texas hears only its own words."""
    policies = short_policies(tmp_path)
    demo = policies / "tenants" / "demo.yaml"
    text = demo.read_text(encoding="utf-8").replace("    says: [ai, privacy]\n", "").replace("origins: [us]", "origins: [us/tx]")
    demo.write_text(text, encoding="utf-8")
    async with living_in(tmp_path, policies=policies) as house:
        california = await called_from(house, "+14155550123")
        assert heard(california) == [("standard-ai", "pack:ca-ai-disclosure", True), ("short", "tenant:demo", True)]
        assert law(california)["caller"] == ["us/ca"]
        assert law(california)["packs"] == ["ca-ai-disclosure", "us-all-party", "us-one-party"]
        assert law(california)["all_party"] is True
        assert law(california)["untold"] == ["caller"]
        assert "caller: its area code belongs to us/ca" in law(california)["reasons"]
        assert "the stricter end wins: everybody must agree before anything is recorded" in law(california)["reasons"]

        file = str(house.watcher.of("sealed")[-1].facts["receipt"])
        assert main(["policy", "explain", "--policies", str(policies), "--receipt", file]) == 0
        said = capsys.readouterr().out
        assert "ca-ai-disclosure wants callers told `ai`, and no announcement of the tenant says so: ours does" in said
        assert "heard first: standard-ai (pack:ca-ai-disclosure)" in said

        germany = await called_from(house, "+4915123456789")
        assert heard(germany)[0] == ("standard-ai", "pack:eu-ai-act", True)
        assert law(germany)["laws"] == ["de", "us"]
        assert (
            "caller: it is a mobile number of de, which is no proof of place: every part of de counts" in law(germany)["reasons"]
        )

        texas = await called_from(house, "+15125550100")
        assert heard(texas) == [("short", "tenant:demo", True)]
