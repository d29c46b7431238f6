"""A child on a running call: every way out shuts at that moment, and what was kept goes, whoever dies over it."""

from __future__ import annotations

from typing import cast

import pytest

from gateway.adapters.stores.children import RedisChildCalls
from gateway.adapters.stores.redis import Store
from gateway.call.child import Sign
from gateway.errors import PolicyRefused, StoreUnavailable
from gateway.policy.children import Children
from gateway.policy.egress import Grant
from gateway.ports import Masker
from gateway.redaction.mask import Masked
from gateway.runner.children import ChildCalls, Childhood, minding_children, shut_for_children
from gateway.values import CallId, DataCategory, Hop, MaskedText, Private, ProcessorId, TenantId

ACME, OTHER, CALL = TenantId("acme"), TenantId("other"), CallId("call_1")
CATEGORIES = frozenset({DataCategory.MASKED_TRANSCRIPT})


class Mask:
    """Masks nothing, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        self.given.append(text.reveal())
        return Masked(MaskedText(text.reveal()), {}, {})

    async def ahead(self, text: Private[str], *, previous: str = "") -> None:
        self.given.append(text.reveal())

    def current(self, text: MaskedText) -> MaskedText:
        return text


def watched(mask: Mask, childhood: Childhood) -> Masker:
    return minding_children(cast(Masker, mask), childhood)


class Door:
    """Gives no Grant, and counts who asks; ``then`` happens while one is being written down."""

    def __init__(self, childhood: Childhood | None = None) -> None:
        self.asked = 0
        self.childhood = childhood

    async def grant(
        self,
        hop: Hop,
        categories: frozenset[DataCategory],
        *,
        purpose: str = "conversation",
        excluding: frozenset[ProcessorId] = frozenset(),
        model: str = "",
        about: frozenset[DataCategory] = frozenset(),
    ) -> Grant:
        self.asked += 1
        if self.childhood is not None:
            self.childhood.signal(Sign.AGENT)
        return Grant.__new__(Grant)


def minded(terms: Children = Children()) -> tuple[Childhood, list[str]]:  # noqa: B008 - unchangeable
    """A call's watch, and what it told to whom in which order."""
    told: list[str] = []
    childhood = Childhood(terms)
    childhood.bind(
        lambda event: told.append(f"call: {event.sign}"),
        (lambda: told.append("recorder"), lambda: told.append("scribe")),
    )
    return childhood, told


async def test_the_turn_that_tells_is_masked_by_nobody_and_everybody_stops_before_the_call_is_told() -> None:
    childhood, told = minded()
    mask = Mask()
    masker = watched(mask, childhood)
    assert (await masker.mask(Private("Do you have pizza?"))).text == "Do you have pizza?"
    assert (await masker.mask(Private("I am nine years old."))).text == ""
    assert mask.given == ["Do you have pizza?"]
    assert told == ["recorder", "scribe", "call: age"]


async def test_whatever_comes_after_it_goes_nowhere_and_tells_nothing_new() -> None:
    childhood, told = minded()
    mask = Mask()
    masker = watched(mask, childhood)
    childhood.told_by_agent()
    for from_model, said in ((False, True), (True, True), (False, False)):
        assert (await masker.mask(Private("I am nine."), from_model=from_model, said=said)).text == ""
    await masker.ahead(Private("My name is"))
    assert (mask.given, told) == ([], ["recorder", "scribe", "call: agent"])


async def test_an_age_is_understood_by_the_question_for_it() -> None:
    childhood, told = minded()
    masker = watched(Mask(), childhood)
    await masker.mask(Private("Nine."), previous="How many people?")
    assert not childhood.signalled
    await masker.mask(Private("Nine."), previous="How old are you?")
    assert told[-1] == "call: age"


@pytest.mark.parametrize(("from_model", "said"), [(True, True), (False, False)], ids=["the agent", "a tool"])
async def test_only_the_caller_can_say_that_they_are_a_child(from_model: bool, said: bool) -> None:
    childhood, _ = minded()
    masker = watched(Mask(), childhood)
    assert (await masker.mask(Private("I am nine."), from_model=from_model, said=said)).text == "I am nine."
    assert not childhood.signalled


async def test_where_the_policy_looks_for_no_children_nobody_stops() -> None:
    childhood, told = minded(Children(off="only lawyers call"))
    masker = watched(Mask(), childhood)
    assert (await masker.mask(Private("I am nine."))).text == "I am nine."
    childhood.told_by_agent()
    assert told == []


async def test_no_grant_is_given_out_any_more() -> None:
    childhood, _ = minded()
    door = Door()
    childhood.signal(Sign.SAID)
    with pytest.raises(PolicyRefused, match="a child was heard"):
        await shut_for_children(door, childhood).grant(Hop.LLM, CATEGORIES)
    assert door.asked == 0


async def test_a_grant_that_was_just_being_written_down_is_not_handed_out() -> None:
    childhood, _ = minded()
    door = Door(childhood)
    with pytest.raises(PolicyRefused, match="a child was heard"):
        await shut_for_children(door, childhood).grant(Hop.LLM, CATEGORIES)
    assert door.asked == 1


async def test_before_the_turn_is_dropped_the_store_knows_that_the_call_is_to_be_deleted(store: Store) -> None:
    """So a gateway that is killed while it says goodbye is followed by another."""
    log = RedisChildCalls(store)
    calls = ChildCalls(log, Data().delete)
    childhood = Childhood(Children())
    childhood.bind(lambda event: None, remember=lambda: calls.begin(ACME, CALL))
    masker = watched(Mask(), childhood)
    await masker.mask(Private("Hello."))
    assert await log.all(ACME) == []
    await masker.mask(Private("I am nine."))
    assert await log.all(ACME) == [CALL]


class Data:
    """What is kept of calls; its store may be away."""

    def __init__(self) -> None:
        self.gone: list[tuple[str, str]] = []
        self.away = False

    async def delete(self, tenant: TenantId, call: CallId, *, again: bool) -> bool:
        if self.away:
            raise StoreUnavailable("gone")
        self.gone.append((tenant, call))
        return True


async def test_what_was_kept_is_deleted_and_nothing_is_left_to_do(store: Store) -> None:
    data, log = Data(), RedisChildCalls(store)
    await ChildCalls(log, data.delete).over(ACME, CALL)
    assert (data.gone, await log.all(ACME)) == ([(ACME, CALL)], [])


async def test_what_cannot_be_deleted_now_is_deleted_by_whichever_gateway_looks_next(store: Store) -> None:
    data, log = Data(), RedisChildCalls(store)
    data.away = True
    await ChildCalls(log, data.delete).over(ACME, CALL)
    assert await log.all(ACME) == [CALL]
    other = ChildCalls(RedisChildCalls(store), data.delete)
    assert await other.resume([OTHER, ACME]) == 0
    data.away = False
    assert await other.resume([OTHER, ACME]) == 1
    assert (data.gone, await log.all(ACME)) == ([(ACME, CALL)], [])
