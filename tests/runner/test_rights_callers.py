"""Who calls is noted under a keyed hash before anything of the call is kept, and is refused where they have asked for it."""

from __future__ import annotations

import pytest

from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.errors import InvalidRequest, NoPermittedRoute, PolicyRefused, StoreUnavailable
from gateway.policy.egress import Grant
from gateway.policy.model import TenantPolicy
from gateway.runner.rights_callers import RESTRICTED, Arrived, Callers, home_of, homes, promised
from gateway.values import CallId, DataCategory, Hop, Private, TenantId
from tests.policy.samples import loaded
from tests.runner.desks import START, MovedClock

ACME, CALL = TenantId("acme"), CallId("call_1")
POLICY = "tenant: acme\nregions: [eu]\norigins: [eu, de]\nretention: {audio: 2d}\n"
NUMBER, NATIONAL = Private("+4915112345678"), Private("0151 12345678")


@pytest.fixture
def tenant() -> TenantPolicy:
    return loaded(POLICY).tenant("acme")


@pytest.fixture
def persons(store: Store) -> RedisSubjects:
    return RedisSubjects(store)


@pytest.fixture
def callers(persons: RedisSubjects) -> Callers:
    subject = SubjectHash(Private(b"k" * 32), homes(lambda: loaded(POLICY).tenants))
    return Callers(persons, subject, MovedClock())


async def test_a_call_is_found_by_the_number_in_whatever_form_it_came(
    tenant: TenantPolicy, callers: Callers, persons: RedisSubjects
) -> None:
    """The carrier writes it one way, a trunk in the national form: it is the same person."""
    first = await callers.calling(tenant, CALL, NUMBER)
    second = await callers.calling(tenant, CallId("call_2"), NATIONAL)
    assert first == second == Arrived(callers.subject(tenant, NUMBER))
    assert first.facts == {"subject": first.subject}
    assert await persons.calls(ACME, first.subject) == ["call_1", "call_2"]
    assert await callers.of_call(ACME, CALL) == first.subject


@pytest.mark.parametrize("withheld", ["", "anonymous", "unavailable", "7", "sip:alice@example.org"])
async def test_a_withheld_number_is_nobody(tenant: TenantPolicy, callers: Callers, withheld: str) -> None:
    """There is no person to find by it, and none to refuse; the call goes on."""
    assert await callers.calling(tenant, CALL, Private(withheld)) == Arrived()
    assert await callers.of_call(ACME, CALL) == ""


async def test_who_restricted_their_data_is_barred(tenant: TenantPolicy, callers: Callers, persons: RedisSubjects) -> None:
    """A call, and a program that speaks for them; until they lift it."""
    subject = callers.subject(tenant, NUMBER)
    await persons.restrict(ACME, subject, START)
    assert await callers.calling(tenant, CALL, NUMBER) == Arrived(subject, RESTRICTED)
    with pytest.raises(PolicyRefused, match="restricted"):
        await callers.speaking(ACME, CALL, subject)
    await persons.lift(ACME, subject)
    assert await callers.calling(tenant, CALL, NUMBER) == Arrived(subject)
    await callers.speaking(ACME, CALL, subject)


async def test_where_nobody_can_tell_the_call_is_barred(tenant: TenantPolicy) -> None:
    """Fail closed: the store is gone, and the caller may be one whose data is only stored."""

    class Gone:
        async def arrive(self, *_: object) -> None:
            raise StoreUnavailable("gone")

        async def of_call(self, *_: object) -> None:
            raise StoreUnavailable("gone")

        async def restricted(self, *_: object) -> None:
            raise StoreUnavailable("gone")

    callers = Callers(Gone(), SubjectHash(Private(b"k" * 32)), MovedClock())
    assert (await callers.calling(tenant, CALL, NUMBER)).barred == "store_unavailable"
    with pytest.raises(StoreUnavailable):
        await callers.speaking(ACME, CALL, "a" * 64)


async def test_a_restriction_holds_in_a_call_that_goes_on(tenant: TenantPolicy, callers: Callers, persons: RedisSubjects) -> None:
    """From the next Grant on nobody hears them; who is not known has the door as it is."""
    door = Door()
    subject = callers.subject(tenant, NUMBER)
    heeding = callers.heeding(door, ACME, subject)
    with pytest.raises(NoPermittedRoute, match="asked"):
        await heeding.grant(Hop.LLM, frozenset({DataCategory.MASKED_TRANSCRIPT}))
    await persons.restrict(ACME, subject, START)
    with pytest.raises(PolicyRefused, match="restricted"):
        await heeding.grant(Hop.LLM, frozenset({DataCategory.MASKED_TRANSCRIPT}))
    assert door.asked == [Hop.LLM]
    assert callers.heeding(door, ACME, "") is door


class Door:
    """Counts who asks, and lets nobody out."""

    def __init__(self) -> None:
        self.asked: list[Hop] = []

    async def grant(self, hop: Hop, categories: frozenset[DataCategory], **_: object) -> Grant:
        self.asked.append(hop)
        raise NoPermittedRoute("it was asked")


def test_no_number_is_repeated(tenant: TenantPolicy, callers: Callers) -> None:
    with pytest.raises(InvalidRequest) as refused:
        callers.subject(tenant, Private("0151 SECRET"))
    assert "151" not in str(refused.value)


def test_what_is_promised_to_a_call_is_named_in_seconds(tenant: TenantPolicy) -> None:
    """So that years later the evidence says how long it was to be kept, whatever the policy says then."""
    kept = promised(tenant)["retention"]
    assert isinstance(kept, dict)
    assert kept["audio"] == 172_800
    assert home_of(tenant) == "de"
