"""A tenant that asks for it is told of each change of its policy: once, over restarts and beside other gateways, on record."""

from __future__ import annotations

import pytest

from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds
from gateway.errors import EvidenceUnavailable
from gateway.evidence.entries import Draft, Entry
from gateway.policy.model import TenantPolicy
from gateway.ports import Ledger
from gateway.runner.policy_notices import PolicyNotices
from tests.policy.samples import loaded
from tests.runner.desks import ACME, START, TENANT, Channel, Desks

ON = TENANT + "notify_policy_changes: true\n"


def policy(text: str = ON) -> TenantPolicy:
    return loaded(text).tenant("acme")


STRICTER = policy(ON.replace("attempts_per_day: 2", "attempts_per_day: 1"))


def gateway(store: Store, desks: Desks, *, webhook: Channel | None = None) -> PolicyNotices:
    """As one that has just been started."""
    senders = {"webhook": webhook or desks.webhook, "mail": desks.mail}
    return PolicyNotices(RedisNoticeLog(store), desks.real, senders, desks.clock, RandomIds())


async def test_a_change_is_told_on_every_channel_and_stands_in_log_and_evidence(store: Store) -> None:
    """The first policy is nobody's change; a reload with another one is told at once, and looking again tells nothing more."""
    async with Desks(store, tenant=ON) as desks:
        running = gateway(store, desks)
        assert await running.look(policy()) == 0
        desks.clock.move(hours=1)
        assert await running.look(STRICTER) == 2
        assert await running.look(STRICTER) == 0
        assert [message.id for message in desks.webhook.got] == [message.id for message in desks.mail.got]
        (message,) = desks.webhook.got
        assert (message.data["settings"], message.data["new_digest"]) == (["outbound"], STRICTER.digest)
        entries = await desks.evidence("policy.")
        kinds = ["policy.changed", "policy.changed.delivered", "policy.changed.delivered"]
        assert [entry.draft.kind for entry in entries] == kinds
        changed, delivered, _ = (entry.draft.body for entry in entries)
        assert changed["old_digest"] == policy().digest
        assert changed["new_digest"] == STRICTER.digest
        assert changed["settings"] == ["outbound"]
        assert (delivered["proof"], delivered["notice"]) == ("taken", changed["notice"])
        for entry in entries:
            assert entry.draft.tenant == ACME
        state = await desks.notices.state(ACME)
        assert [bool(each.delivered_at) for each in state.notices.values()] == [False, True]


async def test_what_changed_while_no_gateway_ran_is_told_at_the_next_start(store: Store) -> None:
    """And a start with the policy that was told last tells nothing."""
    async with Desks(store, tenant=ON) as desks:
        await gateway(store, desks).look(policy())
        assert await gateway(store, desks).look(policy()) == 0
        assert await gateway(store, desks).look(STRICTER) == 2
        assert await gateway(store, desks).look(STRICTER) == 0


async def test_two_gateways_with_different_files_do_not_contradict_each_other_without_end(store: Store) -> None:
    """While files are rolled out, each change is told once, however often both look."""
    async with Desks(store, tenant=ON) as desks:
        old, new = gateway(store, desks), gateway(store, desks)
        for _ in range(3):
            await old.look(policy())
            await new.look(STRICTER)
        await old.look(STRICTER)
        assert len(desks.webhook.got) == 1


async def test_what_did_not_arrive_is_tried_again_when_it_is_due(store: Store) -> None:
    """With the same id, on the channel that failed alone; the failure is on record too."""
    async with Desks(store, tenant=ON) as desks:
        down = Channel(delivers=False)
        running = gateway(store, desks, webhook=down)
        await running.look(policy())
        assert await running.look(STRICTER) == 1
        assert await running.look(STRICTER) == 0
        assert len(down.got) == 1
        down.delivers = True
        desks.clock.move(seconds=5)
        assert await running.look(STRICTER) == 1
        assert len({message.id for message in down.got}) == 1
        assert len(desks.mail.got) == 1
        assert [e.draft.body["proof"] for e in await desks.evidence("policy.changed.failed")] == ["HTTP 503"]


class DownOnce:
    """A ledger that does not take the first entry."""

    def __init__(self, real: Ledger) -> None:
        self._real = real
        self._down = True

    async def append(self, draft: Draft) -> Entry:
        if self._down:
            self._down = False
            raise EvidenceUnavailable("the ledger did not confirm an entry")
        return await self._real.append(draft)


async def test_what_the_ledger_did_not_take_is_proven_at_the_next_look(store: Store) -> None:
    """Nobody is told before it is proven, and then once."""
    async with Desks(store, tenant=ON) as desks:
        senders = {"webhook": desks.webhook, "mail": desks.mail}
        ledger = DownOnce(desks.real)
        running = PolicyNotices(RedisNoticeLog(store), ledger, senders, desks.clock, RandomIds())
        await running.look(policy())
        with pytest.raises(EvidenceUnavailable):
            await running.look(STRICTER)
        assert not desks.webhook.got
        assert await running.look(STRICTER) == 2
        assert len(await desks.evidence("policy.changed")) == 3
        assert len(desks.webhook.got) == 1


@pytest.mark.parametrize("text", [TENANT, TENANT.replace("contacts:", "# contacts:") + "notify_policy_changes: true\n"])
async def test_nobody_is_told_without_the_switch_or_without_contacts(store: Store, text: str) -> None:
    """Nothing is put down either."""
    async with Desks(store) as desks:
        running = gateway(store, desks)
        for each in (text, text + "breach_hours: 1\n"):
            assert await running.look(policy(each)) == 0
        assert await RedisNoticeLog(store).events(ACME) == ()


async def test_notices_of_policies_and_of_sub_processors_do_not_disturb_each_other(store: Store) -> None:
    """One log, and each desk delivers its own."""
    async with Desks(store, tenant=ON) as desks:
        running = gateway(store, desks)
        await running.look(policy())
        desks.webhook.delivers = desks.mail.delivers = False
        await desks.notices.announce("eu-llm")
        await running.look(STRICTER)
        desks.webhook.delivers = desks.mail.delivers = True
        desks.clock.move(seconds=5)
        desks.webhook.got.clear()
        assert await desks.notices.deliver_due("acme") == 2
        assert await running.look(STRICTER) == 2
        assert [message.kind for message in desks.webhook.got] == ["subprocessor.announced", "policy.changed"]
        (standing,) = await desks.notices.standings()
        assert (standing.processor, standing.notice is not None) == ("eu-llm", True)
        assert standing.notice is not None
        assert (standing.notice.announced_at, standing.notice.delivered_at is not None) == (START, True)
