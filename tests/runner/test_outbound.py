"""Calls that go out are checked first; opt-outs, lists and consents hold at once, and no number stands anywhere in clear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.errors import InvalidRequest, PolicyUnavailable, StoreUnavailable
from gateway.governing import answers_on_call, opt_out_on_call
from gateway.policy.consent import ANY_PURPOSE, Answer, ConsentRecord, How
from gateway.runner.account import CallAccount
from gateway.values import CallId, Private
from tests.runner.desks import ACME, START, TENANT, Desks

DIGITS = "5125550100"
ANNA, BEN = Private(f"+1{DIGITS}"), Private("+15125550101")
AGREED = ConsentRecord(Answer.GIVEN, "conversation", How.WRITTEN, START - timedelta(days=9), "form 17")


@pytest.fixture
async def desks(store: Store) -> AsyncIterator[Desks]:
    """Anna agreed, and the list is fresh."""
    async with Desks(store) as desks:
        await desks.dial.import_list("acme", "ftc", [BEN], as_of=date(2026, 11, 20))
        await desks.dial.consent("acme", ANNA, AGREED)
        yield desks


async def test_who_may_be_called_may_be_called(desks: Desks) -> None:
    """With the consent that the call rests on in the evidence."""
    report = await desks.dial.check("acme", ANNA)
    assert (report.answer.reasons, report.where.places) == ((), ("us/tx",))
    (entry,) = await desks.evidence("outbound.permitted")
    assert entry.draft.call == report.evidence
    assert entry.draft.body["consent"] == {
        "purpose": "conversation",
        "how": "written",
        "at": AGREED.at.isoformat(),
        "proof": "form 17",
    }


async def test_who_may_not_is_refused_with_every_reason(desks: Desks) -> None:
    """On the list, never asked."""
    report = await desks.dial.check("acme", BEN)
    assert report.answer.reasons == (
        "the number stands on the do-not-call list ftc",
        "no consent to conversation is on record",
    )
    (entry,) = await desks.evidence("outbound.refused")
    assert entry.draft.body["reasons"] == list(report.answer.reasons)


async def test_an_opt_out_is_in_force_when_it_returns(desks: Desks) -> None:
    """From the next check on, for every purpose, and consent given before does not help."""
    await desks.dial.opt_out("acme", ANNA, how=How.SPOKEN, proof="call_1")
    assert (await desks.dial.check("acme", ANNA)).answer.reasons == (
        "they asked on 2026-12-01 not to be called",
        "consent to conversation was withdrawn on 2026-12-01",
    )
    assert [each.purpose for each in await desks.dial.consents_of("acme", ANNA)] == ["conversation", ANY_PURPOSE]


async def test_they_may_change_their_mind(desks: Desks) -> None:
    """Lifted by their own word, and only with a new consent."""
    await desks.dial.opt_out("acme", ANNA, how=How.REQUEST, proof="letter 1")
    desks.clock.move(minutes=5)
    await desks.dial.lift("acme", ANNA, proof="letter 2")
    assert len((await desks.dial.check("acme", ANNA)).answer.reasons) == 1
    await desks.dial.consent(
        "acme", ANNA, ConsentRecord(Answer.GIVEN, "conversation", How.WRITTEN, desks.clock.now(), "letter 2")
    )
    assert (await desks.dial.check("acme", ANNA)).answer.permitted
    with pytest.raises(InvalidRequest, match="not opted out"):
        await desks.dial.lift("acme", BEN, proof="letter 3")


async def test_a_list_goes_stale_by_itself(desks: Desks) -> None:
    """31 days after its own date, not after its import."""
    desks.clock.at = START.replace(day=21)
    assert (await desks.dial.check("acme", ANNA)).answer.permitted
    desks.clock.move(days=1)
    assert (await desks.dial.check("acme", ANNA)).answer.reasons == (
        "the do-not-call list ftc is of 2026-11-20, older than 31 days",
    )


async def test_calls_of_a_day_are_counted_when_they_are_placed(desks: Desks) -> None:
    """Asking costs nothing; of many that dial at once only as many go through as the day allows."""
    for _ in range(3):
        assert (await desks.dial.check("acme", ANNA)).answer.permitted
    placed = await asyncio.gather(*(desks.dial.check("acme", ANNA, dialling=True) for _ in range(6)))
    assert sum(report.answer.permitted for report in placed) == 2
    assert (await desks.dial.check("acme", ANNA)).answer.reasons == (
        "they were called 2 times in 24 hours, and 2 a day are allowed",
    )
    desks.clock.move(hours=24)
    assert (await desks.dial.check("acme", ANNA)).answer.permitted


async def test_one_may_ask_about_another_time(desks: Desks) -> None:
    """Tomorrow at five it is too early; but a call is placed now or not at all."""
    early = (START + timedelta(days=1)).replace(hour=11)
    assert (await desks.dial.check("acme", ANNA, at=early)).answer.reasons[0].startswith("it is 05:00 on Wednesday")
    with pytest.raises(InvalidRequest, match="now only"):
        await desks.dial.check("acme", ANNA, at=early, dialling=True)


async def test_consents_come_in_by_the_list(desks: Desks) -> None:
    """Many at once; one about tomorrow spoils them all."""
    await desks.dial.import_consents("acme", [(ANNA, AGREED), (BEN, AGREED)])
    assert len(await desks.dial.consents_of("acme", BEN)) == 1
    tomorrow = ConsentRecord(Answer.GIVEN, "conversation", How.IMPORTED, START + timedelta(days=1), "file 1")
    with pytest.raises(InvalidRequest, match="still to come"):
        await desks.dial.import_consents("acme", [(BEN, AGREED), (BEN, tomorrow)])
    assert len(await desks.dial.consents_of("acme", BEN)) == 1


async def test_no_number_stands_in_the_store_or_the_evidence(desks: Desks, store: Store) -> None:
    """Not in a key, not in a value, not in an entry: only keyed hashes."""
    await desks.dial.check("acme", ANNA, dialling=True)
    await desks.dial.opt_out("acme", ANNA, how=How.SPOKEN, proof="call_1")
    await desks.dial.lift("acme", ANNA, proof="letter")
    await desks.dial.opt_out("acme", ANNA, how=How.KEY_PRESS, proof="call_2")
    async with store.answers() as client:
        keys = await client.keys("*")
        kept = repr([(key, await everything(client, key)) for key in keys])
        entries = await client.xrange("sordino:{acme}:evidence")
    assert len(keys) > 4
    assert DIGITS not in kept
    assert DIGITS not in repr(entries)
    assert "subject" in repr(entries)


async def everything(client: Any, key: object) -> object:
    """What a key holds, whatever it is."""
    kind = (await client.type(key)).decode()
    read = {
        "hash": client.hgetall,
        "set": client.smembers,
        "string": client.get,
        "list": lambda name: client.lrange(name, 0, -1),
        "zset": lambda name: client.zrange(name, 0, -1),
        "stream": client.xrange,
    }
    return await read[kind](key)


@pytest.mark.parametrize("number", ["", "5125550100", "anonymous"])
async def test_what_is_no_number_is_refused(desks: Desks, number: str) -> None:
    with pytest.raises(InvalidRequest, match="not a telephone number"):
        await desks.dial.check("acme", Private(number))


async def test_a_list_of_the_future_and_a_tenant_of_nobody(desks: Desks) -> None:
    with pytest.raises(InvalidRequest, match="still to come"):
        await desks.dial.import_list("acme", "ftc", [], as_of=date(2026, 12, 9))
    with pytest.raises(PolicyUnavailable):
        await desks.dial.check("nobody", ANNA)


async def test_without_the_store_nobody_is_dialled(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, Desks(store) as desks:
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await desks.dial.check("acme", ANNA)


@pytest.mark.parametrize("spelling", ["01512345678", "+4901512345678", "+491512345678"])
async def test_who_opts_out_on_a_call_is_found_in_every_spelling(store: Store, spelling: str) -> None:
    """A trunk gives the caller's number in national form; they are dialled in E.164 later, and are the same person."""
    async with Desks(store, tenant=f"{TENANT}origins: [de]\n") as desks:
        account = CallAccount(ACME, CallId("call_1"), desks.real, desks.clock)
        await answers_on_call(desks.dial, account, Private(spelling), desks.clock)("reminder", Answer.GIVEN, How.SPOKEN)
        opting = opt_out_on_call(desks.dial, account, Private(spelling))
        await opting.heard(How.SPOKEN)
        report = await desks.dial.check("acme", Private("+491512345678"))
        assert [entry.draft.body["recorded"] for entry in await desks.evidence("opt_out")] == [True]
        assert any("not to be called" in reason for reason in report.answer.reasons)
        consents = await desks.dial.consents_of("acme", Private("+49 1512345678"))
        assert [each.purpose for each in consents] == ["reminder", ANY_PURPOSE]


async def test_a_number_to_dial_names_its_country(desks: Desks) -> None:
    """A carrier may be at home elsewhere: then somebody else would be called than was asked about."""
    with pytest.raises(InvalidRequest, match="not a telephone number"):
        await desks.dial.check("acme", Private(DIGITS))
