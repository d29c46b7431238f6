"""The door of a call: it asks the policy, writes the answer down, and only then hands out the Grant (law 1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.adapters.system import RandomIds
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import EvidenceUnavailable, NoPermittedRoute, PolicyUnavailable
from gateway.evidence.chain import seal
from gateway.evidence.entries import Draft, Entry
from gateway.policy.egress import Ask, Decision, Grant, Verdict
from gateway.ports import TurnShown
from gateway.runner.account import CallAccount
from gateway.runner.egress import CallEgress
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TEXT = frozenset({DataCategory.MASKED_TRANSCRIPT})
FAR = Verdict(ProcessorId("far"), "us", ("its region us is not in the tenant's regions (eu)",))


class Noon:
    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0


class Book:
    def __init__(self) -> None:
        self.written: list[Draft] = []
        self.down = False

    async def append(self, draft: Draft) -> Entry:
        if self.down:
            raise EvidenceUnavailable("not confirmed")
        self.written.append(draft)
        return seal(draft, len(self.written), "")

    @property
    def last(self) -> tuple[str, Mapping[str, Any]]:
        return self.written[-1].kind, self.written[-1].body


class Rules:
    """A policy that grants to ``near`` and refuses ``far``; or to nobody."""

    def __init__(self, *, permits: bool = True) -> None:
        self.permits = permits
        self.asked: list[Ask] = []

    def decide(self, ask: Ask) -> Decision:
        self.asked.append(ask)
        if not self.permits:
            return Decision(None, (FAR,))
        return Decision(_grant(ask), (FAR, Verdict(ProcessorId("near"), "eu", ())))


def _grant(ask: Ask) -> Grant:
    return Grant(
        id=ask.grant_id,
        tenant=ask.tenant,
        call=ask.call,
        hop=ask.hop,
        processor=ProcessorId("near"),
        processor_name="Near SA",
        dialect="openai",
        base_url="https://near.example/v1",
        host="near.example",
        region="eu",
        model="m-1",
        purpose=ask.purpose,
        categories=ask.categories,
        masked=True,
        about=ask.about,
        send={"store": False},
        secret="NEAR_KEY",
        issued_at=ask.at,
    )


class Counted(NullTelemetry):
    def __init__(self) -> None:
        self.counts: list[tuple[str, dict[str, str]]] = []

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self.counts.append((name, labels))


class House:
    def __init__(self, *, permits: bool = True) -> None:
        self.rules, self.book, self.telemetry = Rules(permits=permits), Book(), Counted()
        self.shown: list[TurnShown] = []
        account = CallAccount(TenantId("acme"), CallId("call_1"), self.book, Noon())
        self.door = CallEgress(self.rules, account, Noon(), RandomIds(), self.telemetry, self.shown.append, origin="de")


async def test_a_grant_is_on_record_when_it_is_handed_out() -> None:
    house = House()
    grant = await house.door.grant(Hop.LLM, TEXT)
    kind, body = house.book.last
    assert (kind, body["grant"]["id"], body["grant"]["processor"]) == ("hop", grant.id, "near")
    assert body["grant"]["sent"] == {"store": False}
    assert body["refused"] == [{"processor": "far", "region": "us", "reasons": list(FAR.reasons)}]


async def test_neither_the_key_nor_its_name_nor_the_address_path_is_on_record() -> None:
    house = House()
    await house.door.grant(Hop.LLM, TEXT)
    assert not {"NEAR_KEY", "https://near.example/v1"} & set(_strings(house.book.last[1]))


async def test_the_policy_is_asked_for_this_call_and_this_moment() -> None:
    house = House()
    await house.door.grant(Hop.TTS, TEXT, purpose="notice", excluding=frozenset({ProcessorId("far")}))
    [ask] = house.rules.asked
    assert (ask.tenant, ask.call, ask.hop, ask.categories, ask.purpose, ask.at, ask.origin, ask.excluding) == (
        "acme",
        "call_1",
        Hop.TTS,
        TEXT,
        "notice",
        NOON,
        "de",
        frozenset({"far"}),
    )


async def test_what_the_turn_is_about_is_asked_and_on_record() -> None:
    house = House()
    await house.door.grant(Hop.LLM, TEXT, about=frozenset({DataCategory.PAYMENT}))
    await house.door.grant(Hop.LLM, TEXT)
    assert [ask.about for ask in house.rules.asked] == [{DataCategory.PAYMENT}, frozenset()]
    first, second = (draft.body["grant"] for draft in house.book.written)
    assert first["about"] == ["payment"]  # type: ignore[index,call-overload]
    assert "about" not in second  # type: ignore[operator]


async def test_every_question_is_a_new_one() -> None:
    house = House()
    first, second = await house.door.grant(Hop.LLM, TEXT), await house.door.grant(Hop.LLM, TEXT)
    assert first.id != second.id
    assert [draft.kind for draft in house.book.written] == ["hop", "hop"]


async def test_a_refusal_is_on_record_with_every_reason_and_so_is_the_error() -> None:
    house = House(permits=False)
    with pytest.raises(NoPermittedRoute) as caught:
        await house.door.grant(Hop.LLM, TEXT)
    kind, body = house.book.last
    reasons = ("far: its region us is not in the tenant's regions (eu)",)
    assert (kind, body["hop"], tuple(body["reasons"])) == ("refused", "llm", reasons)
    assert caught.value.reasons == reasons
    assert house.telemetry.counts == [("sordino_refusals_total", {"reason": "no_permitted_route"})]


@pytest.mark.parametrize("permits", [True, False])
async def test_without_the_ledger_there_is_no_grant(permits: bool) -> None:
    """Nor is anything counted or shown as sent."""
    house = House(permits=permits)
    house.book.down = True
    with pytest.raises(EvidenceUnavailable):
        await house.door.grant(Hop.LLM, TEXT)
    assert [name for name, _ in house.telemetry.counts if name == "sordino_egress_total"] == []
    assert house.shown == []


async def test_without_a_valid_policy_there_is_no_grant() -> None:
    house = House()

    def nobody(ask: Ask) -> Decision:
        raise PolicyUnavailable("there is no valid policy")

    house.rules.decide = nobody  # type: ignore[method-assign]
    with pytest.raises(PolicyUnavailable):
        await house.door.grant(Hop.LLM, TEXT)
    assert house.book.written == []


async def test_who_was_asked_and_who_was_refused_is_counted_and_shown() -> None:
    house = House()
    await house.door.grant(Hop.LLM, TEXT)
    assert house.telemetry.counts == [("sordino_egress_total", {"processor": "near", "region": "eu"})]
    [shown] = house.shown
    assert (shown.kind, shown.facts["processor"], shown.text) == ("routed", "near", None)
    assert "far: its region us" in str(shown.facts["refused"])


def _strings(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _strings(item)]
    return [str(value)]
