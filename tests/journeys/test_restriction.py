"""Whose data may only be stored: a real call of theirs is told so in one sentence, and nobody hears a word of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.runner.rights_case import Right
from gateway.values import Private
from tests.journeys.house import CALLER, kinds, living_in, short_policies, text_of

pytestmark = pytest.mark.timeout(300)


async def test_a_restricted_persons_call_is_noted_told_and_not_heard(tmp_path: Path) -> None:
    """They hear a sentence instead of the announcement; the call is found by their number, and dialling them is refused."""
    async with living_in(tmp_path, policies=short_policies(tmp_path)) as house:
        desks = house.gateway.desks
        subject = desks.righting.desk.subject_of("demo", Private(CALLER))
        case = await desks.righting.desk.open("demo", Right.RESTRICT, Private(CALLER), by="Kim")
        await desks.righting.desk.do("demo", case.id, by="Kim")
        async with house.dial() as caller:
            await caller.wait_closed(60)
        receipt = await house.receipt()
        assert kinds(receipt) == ["call.started", "call.restricted", "call.ended"]
        started = receipt.entries[0].draft
        assert started.body["subject"] == subject
        assert started.body["retention"]
        assert await desks.righting.persons.calls(started.tenant, subject) == [started.call]
        assert CALLER.removeprefix("+") not in text_of(receipt)
        report = await desks.governing.dial.check("demo", Private(CALLER))
        assert any("restricted" in reason for reason in report.answer.reasons)
        assert house.model_bodies() == ""
