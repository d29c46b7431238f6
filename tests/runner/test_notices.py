"""Notice and objection change routing by themselves: a pending sub-processor comes into use with time; a no holds at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceUnavailable, InvalidRequest, NotFound, PolicyUnavailable, StoreUnavailable
from gateway.evidence.chain import verify_chain
from gateway.evidence.entries import Draft, Entry
from gateway.policy.notice import Outcome
from gateway.values import ProcessorId, TenantId
from tests.policy.samples import ask, loaded
from tests.runner.desks import ACME, PENDING, START, TENANT, Desks

EU_LLM = ProcessorId("eu-llm")


@pytest.fixture
async def desks(store: Store) -> AsyncIterator[Desks]:
    async with Desks(store) as desks:
        yield desks


async def route(desks: Desks) -> list[str]:
    """Whom a call would reach now, asked as a call asks."""
    barred, noticed = await desks.watch(ACME, desks.clock.now())
    decision = desks.policies.decide(ask(at=desks.clock.now(), barred=barred, noticed=noticed, grant_id="g"))
    return [verdict.processor for verdict in decision.verdicts if verdict.permitted]


async def test_a_new_sub_processor_comes_into_use_when_the_strictest_clock_ends(desks: Desks) -> None:
    """Announced and delivered on 1 December: refused to the end of the 31st, in use from 1 January, by itself."""
    assert await route(desks) == ["home-llm"]
    (standing,) = await desks.notices.announce("eu-llm")
    assert standing.takes_effect == "2027-01-01"
    assert standing.why == (
        "it is pending: 30 days from its notice of 2026-12-01 end before 2027-01-01; "
        "10 business days in de from its notice of 2026-12-01 end before 2026-12-16"
    )
    desks.clock.move(days=20)
    assert await route(desks) == ["home-llm"]
    assert "10 business" not in (await desks.notices.standings("eu-llm"))[0].why
    desks.clock.move(days=10, hours=5, minutes=59)
    assert await route(desks) == ["home-llm"]
    desks.clock.move(minutes=1)
    assert await route(desks) == ["eu-llm", "home-llm"]


async def test_every_channel_gets_the_notice_and_the_proof_is_kept(desks: Desks) -> None:
    """Tenant, channel, sent, delivered, takes effect: in the log and in the evidence, which verifies."""
    (standing,) = await desks.notices.announce("eu-llm")
    assert [message.id for message in desks.webhook.got] == [message.id for message in desks.mail.got]
    assert standing.notice is not None
    assert {name: (each.attempts, each.delivered_at, each.proof) for name, each in standing.notice.deliveries.items()} == {
        "webhook": (1, START, "taken"),
        "mail": (1, START, "taken"),
    }
    entries = await desks.evidence("subprocessor.")
    assert [entry.draft.kind.removeprefix("subprocessor.") for entry in entries] == ["announced", "delivered", "delivered"]
    assert entries[0].draft.body["registry_digest"] == desks.policies.registry.digest
    verify_chain(await desks.evidence(), tenant=ACME)


async def test_announced_twice_it_is_one_notice(desks: Desks) -> None:
    """The clocks run on; nobody is told twice."""
    await desks.notices.announce("eu-llm")
    desks.clock.move(days=29)
    (standing,) = await desks.notices.announce("eu-llm")
    assert standing.takes_effect == "2027-01-01"
    assert len(desks.webhook.got) == 1


async def test_a_channel_that_fails_is_tried_again_later(desks: Desks) -> None:
    """After 5 seconds, 5 minutes…; the clock starts when it arrives, and the other channel is not troubled again."""
    desks.webhook.delivers = desks.mail.delivers = False
    (standing,) = await desks.notices.announce("eu-llm")
    assert standing.takes_effect == ""
    assert "reached nobody" in standing.why
    assert await desks.notices.deliver_due("acme") == 0
    assert len(desks.webhook.got) == 1
    desks.clock.move(seconds=5)
    desks.mail.delivers = True
    assert await desks.notices.deliver_due("acme") == 1
    desks.clock.move(days=3)
    desks.webhook.delivers = True
    assert await desks.notices.deliver_due("acme") == 1
    assert (len(desks.webhook.got), len(desks.mail.got)) == (3, 2)
    assert (await desks.notices.standings("eu-llm"))[0].takes_effect == "2027-01-01"


async def test_who_has_no_contacts_is_told_by_letter(store: Store) -> None:
    """Without a channel the clock never starts; a letter with its proof starts it on the day that it was given."""
    tenant = "\n".join(line for line in TENANT.splitlines() if "contacts" not in line)
    async with Desks(store, tenant=tenant) as desks:
        (standing,) = await desks.notices.announce("eu-llm")
        assert "reached nobody" in standing.why
        with pytest.raises(InvalidRequest, match="still to come"):
            await desks.notices.given("eu-llm", "acme", on=START.replace(day=2), reference="letter 7")
        standing = await desks.notices.given("eu-llm", "acme", on=START.replace(month=10), reference="letter 7")
        assert standing.why == ""
        assert await route(desks) == ["eu-llm", "home-llm"]
        assert (await desks.evidence("subprocessor.delivered"))[0].draft.body["proof"] == "letter 7"


async def test_a_changed_entry_waits_for_a_new_notice(desks: Desks) -> None:
    """It moved to another place after it was announced."""
    await desks.notices.announce("eu-llm")
    desks.clock.move(days=40)
    assert await route(desks) == ["eu-llm", "home-llm"]
    desks.policies = loaded(TENANT, registry=PENDING.replace("region: eu", "region: de"))
    assert await route(desks) == ["home-llm"]
    (standing,) = await desks.notices.announce("eu-llm")
    assert standing.takes_effect == "2027-02-10"


async def test_an_objection_holds_at_once_with_the_route_before_and_after(desks: Desks) -> None:
    """The old route stays; a timer runs; the outcome ends it."""
    await desks.notices.announce("eu-llm")
    desks.clock.move(days=40)
    standing = await desks.notices.object("eu-llm", "acme", "no processing there")
    assert standing.objected == "open until 2027-01-28"
    assert await route(desks) == ["home-llm"]
    (objected,) = await desks.evidence("subprocessor.objected")
    assert objected.draft.body["route_before"] == {"llm": ["eu-llm", "home-llm"]}
    assert objected.draft.body["route_after"] == {"llm": ["home-llm"]}
    with pytest.raises(InvalidRequest, match="already"):
        await desks.notices.object("eu-llm", "acme", "again")
    await desks.notices.settle("eu-llm", "acme", Outcome.ACCEPTED)
    assert await route(desks) == ["eu-llm", "home-llm"]
    (settled,) = await desks.evidence("subprocessor.settled")
    assert (settled.draft.body["outcome"], settled.draft.body["route_after"]) == ("accepted", {"llm": ["eu-llm", "home-llm"]})
    with pytest.raises(NotFound, match="no open objection"):
        await desks.notices.settle("eu-llm", "acme", Outcome.AVOIDED)


async def test_one_tenants_no_is_nobody_elses(store: Store) -> None:
    """Each has a log of its own."""
    async with Desks(store) as desks:
        await desks.notices.object("home-llm", "acme", "none of ours")
        assert await route(desks) == []
        assert (await desks.notices.state(ACME)).objections.keys() == {"home-llm"}
        assert (await desks.notices.state(TenantId("other"))).objections == {}


async def test_two_gateways_at_once_record_one_objection(store: Store) -> None:
    """The second one is told that it is there already."""
    async with Desks(store) as one, Desks(store) as other:
        told = await asyncio.gather(
            *(desks.notices.object("eu-llm", "acme", "no") for desks in (one, other, one, other)), return_exceptions=True
        )
        assert sum(isinstance(each, InvalidRequest) for each in told) == 3
        assert len(await one.evidence("subprocessor.objected")) == 1


@pytest.mark.parametrize("name", ["announce", "object", "settle"])
async def test_what_does_not_exist_is_said_so(desks: Desks, name: str) -> None:
    """A sub-processor or a tenant."""
    calls: dict[str, Callable[[str, str], Awaitable[object]]] = {
        "announce": lambda who, tenant: desks.notices.announce(who, [tenant]),
        "object": lambda who, tenant: desks.notices.object(who, tenant, "no"),
        "settle": lambda who, tenant: desks.notices.settle(who, tenant, Outcome.AVOIDED),
    }
    with pytest.raises(NotFound):
        await calls[name]("nobody", "acme")
    with pytest.raises(PolicyUnavailable):
        await calls[name]("eu-llm", "nobody")


class NoEvidence:
    async def append(self, draft: Draft) -> Entry:
        raise EvidenceUnavailable("the ledger did not confirm an entry")


async def test_an_objection_holds_also_where_its_proof_is_missing(store: Store) -> None:
    """Who objects is told that it could not be proven, and gets what they asked for."""
    async with Desks(store, ledger=NoEvidence()) as desks:
        with pytest.raises(EvidenceUnavailable):
            await desks.notices.object("home-llm", "acme", "none of ours")
        assert await route(desks) == []


async def test_without_the_store_nobody_is_granted_anything(own_valkey: EmbeddedValkey) -> None:
    """Nobody knows then who objected."""
    async with Store(own_valkey.url) as store, Desks(store) as desks:
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await desks.watch(ACME, START)


async def test_a_log_that_contradicts_itself_permits_nothing(store: Store) -> None:
    """A delivery of what was never announced."""
    async with store.answers() as client:
        await client.rpush("sordino:{acme}:notices", '["delivered","2026-12-01T00:00:00+00:00","eu-llm",{"channel":"mail"}]')
    async with Desks(store) as desks:
        with pytest.raises(StoreUnavailable, match="contradicts itself"):
            await desks.watch(ACME, START)
