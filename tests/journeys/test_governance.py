"""What is decided beside calls holds on calls: an opt-out by key, an objection, and whose law it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.caller.call import Caller
from gateway.values import Private
from tests.journeys.house import AUTH_TOKEN, CALLED, House, kinds, living_in, short_policies, text_of

pytestmark = pytest.mark.timeout(300)
NUMBER = "+15125550100"


def from_austin(house: House) -> Caller:
    return Caller.dial(house.gateway.url, to=CALLED, from_=NUMBER, auth_token=Private(AUTH_TOKEN))


async def test_an_opt_out_and_an_objection_hold_from_the_moment_they_are_made(tmp_path: Path) -> None:
    """A caller presses 9: they are not called again. The tenant objects to its recogniser: the next call refuses it."""
    async with living_in(tmp_path, policies=short_policies(tmp_path)) as house:
        async with from_austin(house) as caller:
            await caller.announcement_over()
            await caller.press("9")
        receipt = await house.receipt()
        assert "opt_out" in kinds(receipt)
        started = receipt.entries[0].draft.body["jurisdiction"]
        assert isinstance(started, dict)
        assert started["caller"] == ["us/tx"]
        assert started["reasons"][0] == "caller: its area code belongs to us/tx"
        assert NUMBER.removeprefix("+1") not in text_of(receipt)
        report = await house.gateway.desks.governing.dial.check("demo", Private(NUMBER))
        assert any("not to be called" in reason for reason in report.answer.reasons)

        await house.gateway.desks.governing.notices.object("local-moonshine", "demo", "another recogniser, please")
        async with from_austin(house) as caller:
            await caller.wait_closed(60)
        refused = await house.receipt()
        assert refused.code == "no_permitted_route"
        assert "the tenant objected to it on" in text_of(refused)
