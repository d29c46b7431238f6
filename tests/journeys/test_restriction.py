"""Whose data may only be stored: a real call of theirs is told so in one sentence, and nobody hears a word of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.runner.rights_case import Right
from gateway.values import Private
from tests.journeys.house import CALLER, kinds, living_in, short_policies, text_of

pytestmark = pytest.mark.timeout(300)


async def test_a_restricted_persons_call_is_noted_told_and_not_heard(tmp_path: Path) -> None:
    """The first call is found by the number; restricted, the second hears a sentence, and dialling them is refused."""
    async with living_in(tmp_path, policies=short_policies(tmp_path)) as house:
        desk, persons = house.gateway.desks.righting.desk, house.gateway.desks.righting.persons
        async with house.dial() as caller:
            await caller.announcement_over()
        first = await house.receipt()
        subject = desk.subject_of("demo", Private(CALLER))
        assert first.entries[0].draft.body["subject"] == subject
        assert first.entries[0].draft.body["retention"]
        assert await persons.calls(first.entries[0].draft.tenant, subject) == [first.entries[0].draft.call]

        case = await desk.open("demo", Right.RESTRICT, Private(CALLER), by="Kim")
        await desk.do("demo", case.id, by="Kim")
        async with house.dial() as caller:
            await caller.wait_closed(60)
        second = await house.receipt()
        assert kinds(second) == ["call.started", "call.restricted", "call.ended"]
        assert CALLER.removeprefix("+") not in text_of(second)
        report = await house.gateway.desks.governing.dial.check("demo", Private(CALLER))
        assert any("restricted" in reason for reason in report.answer.reasons)
        assert house.model_bodies() == ""
