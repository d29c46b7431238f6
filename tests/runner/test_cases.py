"""The case book: what happened, what is due, who was told, each on record; over gateways that die and others beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.adapters.stores.cases import RedisCases
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds
from gateway.errors import EvidenceUnavailable, InvalidRequest, NotFound, StoreUnavailable
from gateway.evidence.chain import verify_chain
from gateway.evidence.entries import Draft, Entry
from gateway.policy.cases import REMIND_BEFORE, Case
from gateway.policy.contacts import Contacts
from gateway.policy.notice_message import NoticeMessage, Tried
from gateway.ports import Ledger
from gateway.runner.cases import CLAIM_S, HOUSE, CaseBook
from gateway.values import TenantId
from tests.runner.desks import ACME, START, Channel, Desks

ANSWER = START + timedelta(days=30)
PERSON = "subject_0123abcd"


def book_of(store: Store, desks: Desks, *, ledger: Ledger | None = None, webhook: Channel | None = None) -> CaseBook:
    """As of a gateway that has just been started."""
    senders = {"webhook": webhook or desks.webhook, "mail": desks.mail}
    return CaseBook(RedisCases(store), ledger or desks.real, lambda: desks.policies, senders, desks.clock, RandomIds())


async def opened(book: CaseBook, **deadlines: datetime) -> Case:
    return await book.open(ACME, "access", about=PERSON, deadlines=deadlines or {"answer": ANSWER}, facts={"by": "mail"})


def letter(name: str = "letter_1") -> NoticeMessage:
    return NoticeMessage(name, "request.forwarded", START, "A person asked", "Somebody asked for their data.", {"case": "x"})


async def test_a_case_has_its_whole_life_on_record(store: Store) -> None:
    """Opened, something happened, closed: in the book, and in the evidence in one thread."""
    async with Desks(store) as desks:
        book = book_of(store, desks)
        case = await opened(book)
        desks.clock.move(days=1)
        await book.event(ACME, case.id, "identity.checked", {"method": "call-back"}, notes={"remark": "knew the date"})
        desks.clock.move(days=1)
        await book.event(ACME, case.id, "answered", {"files": 3}, meets=["answer"])
        done = await book.close(ACME, case.id, "done")
        assert done == await book.get(ACME, case.id)
        assert [event.what for event in done.events] == ["opened", "identity.checked", "answered", "closed"]
        assert (done.open, done.outcome, done.about, done.facts) == (False, "done", PERSON, {"by": "mail"})
        assert done.deadlines["answer"].met_at == START + timedelta(days=2)
        entries = await desks.evidence("case.")
        assert [entry.draft.kind for entry in entries] == ["case.opened", "case.event", "case.event", "case.closed"]
        assert [entry.draft.body["event"] for entry in entries] == [1, 2, 3, 4]
        assert entries[1].draft.body["facts"] == {"method": "call-back"}
        assert "knew the date" not in str([entry.draft.body for entry in entries])
        assert entries[1].draft.body["notes_sha256"]
        assert verify_chain([entry async for entry in desks.real.entries(ACME)], tenant=ACME).stray == ()
        assert [entry.hash async for entry in desks.real.entries(ACME, done.id)] == [entry.hash for entry in entries]  # type: ignore[arg-type]


async def test_the_same_name_opens_one_case(store: Store) -> None:
    """However many gateways do it at once."""
    async with Desks(store) as desks:
        books = [book_of(store, desks) for _ in range(5)]
        await asyncio.gather(
            *(book.open(ACME, "incident", about="chain", deadlines={}, case_id="incident_of_chain") for book in books)
        )
        assert len(await books[0].list(ACME)) == 1
        assert len(await desks.evidence("incident.opened")) == 1


async def test_what_two_gateways_do_at_once_is_done_one_by_one(store: Store) -> None:
    """No step is lost, and each is numbered."""
    async with Desks(store) as desks:
        books = [book_of(store, desks) for _ in range(3)]
        case = await opened(books[0])
        await asyncio.gather(*(book.event(ACME, case.id, "noted", {"n": n}) for n, book in enumerate(books * 3)))
        found = await books[0].get(ACME, case.id)
        assert sorted(event.facts["n"] for event in found.events[1:]) == list(range(9))
        assert [entry.draft.body["event"] for entry in await desks.evidence("case.")] == list(range(1, 11))
        assert verify_chain([entry async for entry in desks.real.entries(ACME)], tenant=ACME).stray == ()


async def test_what_is_due_is_told_the_most_urgent_first(store: Store) -> None:
    """Met and closed ones are not; the gateway's own cases are among them."""
    async with Desks(store) as desks:
        book, day = book_of(store, desks), timedelta(days=1)
        soon, late = await opened(book, answer=START + 3 * day), await opened(book, answer=START + 1 * day, later=ANSWER)
        met, closed = await opened(book, answer=START + 2 * day), await opened(book, answer=START + 2 * day)
        await book.event(ACME, met.id, "answered", meets=["answer"])
        await book.close(ACME, closed.id, "withdrawn")
        await book.open(HOUSE, "incident", about="x", deadlines={"look": START + 4 * day})
        desks.clock.move(days=2)
        due = await book.due()
        assert [(each.case.id, each.overdue) for each in due[:2]] == [(late.id, True), (soon.id, False)]
        assert due[2].case.tenant == HOUSE
        assert len(due) == 3
        assert (await book.get(ACME, late.id)).is_overdue(desks.clock.now())


async def test_contacts_are_reminded_once_at_each_distance(store: Store) -> None:
    """A week, two days, half a day, four hours, one hour, at the deadline, a day behind it: on each channel, with proof."""
    async with Desks(store) as desks:
        book = book_of(store, desks)
        case = await opened(book)
        for _ in range(32 * 24):
            await book.keep(ACME) if desks.clock.at >= ANSWER - timedelta(days=8) else None
            desks.clock.move(hours=1)
        assert len(desks.webhook.got) == len(desks.mail.got) == len(REMIND_BEFORE)
        assert len({message.id for message in desks.webhook.got}) == len(REMIND_BEFORE)
        first, last = desks.webhook.got[0], desks.webhook.got[-1]
        assert first.subject == f"Due: answer of case {case.id}"
        assert "is due in 7 days" in first.text
        assert last.data["overdue"] is True
        assert "was due 24 h ago" in last.text
        told = [entry.draft.body["facts"] for entry in await desks.evidence("case.notified")]
        assert len(told) == 2 * len(REMIND_BEFORE)
        assert {row["proof"] for row in told} == {"taken"}  # type: ignore[call-overload,index]


async def test_a_gateway_that_was_away_for_weeks_says_one_thing(store: Store) -> None:
    """The last distance that has passed, not all seven."""
    async with Desks(store) as desks:
        book = book_of(store, desks)
        await opened(book)
        desks.clock.move(days=60)
        for _ in range(3):
            await book.keep(ACME)
        assert [message.data["overdue"] for message in desks.webhook.got] == [True]


async def test_a_short_deadline_is_not_told_of_when_it_is_set(store: Store) -> None:
    """24 hours: half a day before is the first."""
    async with Desks(store) as desks:
        book = book_of(store, desks)
        await opened(book, forward=START + timedelta(hours=24))
        await book.keep(ACME)
        assert desks.webhook.got == []
        desks.clock.move(hours=12)
        await book.keep(ACME)
        assert len(desks.webhook.got) == 1


async def test_of_two_gateways_one_tells(store: Store) -> None:
    """And another one goes on when the first has died."""
    async with Desks(store) as desks:
        other = Channel()
        first, second = book_of(store, desks), book_of(store, desks, webhook=other)
        await opened(first)
        desks.clock.move(days=25)
        await asyncio.gather(*(each.keep(ACME) for each in (first, second) for _ in range(3)))
        assert len(desks.webhook.got) + len(other.got) == 1
        assert len(desks.mail.got) == 1
        desks.clock.move(days=4)
        await second.keep(ACME)
        assert len(desks.webhook.got) + len(other.got) == 2


async def test_a_letter_is_tried_until_it_arrives_and_keeps_its_deadline_then(store: Store) -> None:
    """Each attempt is on record, the words stay in the book; what arrived on one channel keeps the deadline, even if closed."""
    async with Desks(store) as desks:
        desks.webhook.delivers = desks.mail.delivers = False
        book = book_of(store, desks)
        case = await opened(book, forward=START + timedelta(hours=24))
        told = await book.tell(ACME, case.id, letter(), meets=["forward"])
        assert told == await book.tell(ACME, case.id, letter(), meets=["forward"])
        assert told.deadlines["forward"].met_at is None
        assert len(desks.webhook.got) == 1
        await book.close(ACME, case.id, "done")
        desks.webhook.delivers = True
        desks.clock.move(seconds=6)
        assert await book.keep(ACME) == ()
        found = await book.get(ACME, case.id)
        assert found.deadlines["forward"].met_at == desks.clock.now()
        assert found.letters["letter_1"].delivered_at == desks.clock.now()
        assert found.live, "the mail waits still"
        desks.mail.delivers = True
        desks.clock.move(hours=1)
        await book.keep(ACME)
        assert not (await book.get(ACME, case.id)).live
        kinds = [entry.draft.kind for entry in await desks.evidence("case.")]
        assert kinds.count("case.attempted") == 3
        assert kinds.count("case.notified") == 2
        assert "Somebody asked" not in str([entry.draft.body for entry in await desks.evidence()])


class Dying(Channel):
    """Dies in the middle of an attempt, as the process around it would."""

    async def deliver(self, contacts: Contacts, message: NoticeMessage) -> Tried:
        raise asyncio.CancelledError


async def test_a_gateway_that_died_while_it_delivered_is_replaced(store: Store) -> None:
    """Its attempt is its own until the claim has run out; then another one makes it, once."""
    async with Desks(store) as desks:
        dying, other = book_of(store, desks, webhook=Dying()), book_of(store, desks)
        case = await opened(dying)
        with pytest.raises(asyncio.CancelledError):
            await dying.tell(ACME, case.id, letter())
        await other.keep(ACME)
        assert desks.webhook.got == []
        async with store.answers() as client:
            claims: Any = await client.keys("sordino:{acme}:cases:claim:*")
            assert {0 < await client.ttl(claim) <= CLAIM_S for claim in claims} == {True}
            await client.delete(*claims)
        for _ in range(2):
            await other.keep(ACME)
        assert [message.id for message in desks.webhook.got] == ["letter_1"]
        assert [message.id for message in desks.mail.got] == ["letter_1"]


class Failing:
    """A ledger that takes nothing while the test says so."""

    def __init__(self, real: Ledger) -> None:
        self.real, self.down = real, True

    async def append(self, draft: Draft) -> Entry:
        if self.down:
            raise EvidenceUnavailable("not now")
        return await self.real.append(draft)

    def entries(self, *_: object) -> object:
        raise NotImplementedError


async def test_what_the_ledger_did_not_take_is_proven_later(store: Store) -> None:
    """The step holds, its caller is told, and another gateway writes the proof, once."""
    async with Desks(store) as desks:
        failing = Failing(desks.real)
        book = book_of(store, desks, ledger=failing)
        with pytest.raises(EvidenceUnavailable):
            await opened(book)
        (case,) = await book.list(ACME)
        assert await desks.evidence("case.") == []
        another = book_of(store, desks)
        for _ in range(2):
            await another.keep(ACME)
        assert [entry.draft.body["case"] for entry in await desks.evidence("case.opened")] == [case.id]
        assert await RedisCases(store).unproven(ACME) == ()


async def test_a_tenant_without_contacts_has_its_deadlines_all_the_same(store: Store) -> None:
    """Nobody is told, and nothing breaks; what is due is listed."""
    async with Desks(store, tenant="tenant: acme\nregions: [eu]\n") as desks:
        book = book_of(store, desks)
        await opened(book)
        desks.clock.move(days=40)
        (case,) = await book.keep(ACME)
        assert case.is_overdue(desks.clock.now())
        assert len(await book.due()) == 1


async def test_the_calendar_has_what_runs(store: Store) -> None:
    async with Desks(store) as desks:
        book = book_of(store, desks)
        case, done = await opened(book), await opened(book)
        await book.close(ACME, done.id, "done")
        file = (await book.calendar(ACME)).replace("\r\n ", "")
        assert file.count("BEGIN:VEVENT") == 1
        assert f"UID:{case.id}.answer@acme.sordino" in file


async def test_the_operators_calendar_has_what_runs_of_every_tenant(store: Store) -> None:
    """And of the gateway itself; each row says whose it is."""
    async with Desks(store) as desks:
        book = book_of(store, desks)
        mine, own = await opened(book), await book.open(HOUSE, "incident", about="incident_1", deadlines={"notify": START})
        file = (await book.calendar()).replace("\r\n ", "")
        assert {f"UID:{mine.id}.answer@acme.sordino", f"UID:{own.id}.notify@_house.sordino"} <= set(file.split("\r\n"))
        assert "answer (acme)" in file
        assert own.id not in await book.calendar(ACME)


async def test_one_tenant_sees_nothing_of_another(store: Store) -> None:
    async with Desks(store) as desks:
        book = book_of(store, desks)
        case = await opened(book)
        with pytest.raises(NotFound):
            await book.get(TenantId("other"), case.id)
        with pytest.raises(NotFound):
            await book.close(TenantId("other"), case.id, "done")
        assert await book.list(TenantId("other")) == ()


@pytest.mark.parametrize(
    ("what", "meets"),
    [("opened", ()), ("notified", ()), ("Wrong Word", ()), ("", ()), ("x" * 41, ()), ("answered", ("no-such",))],
)
async def test_what_cannot_be_is_refused_and_leaves_nothing(store: Store, what: str, meets: Sequence[str]) -> None:
    async with Desks(store) as desks:
        book = book_of(store, desks)
        case = await opened(book)
        with pytest.raises(InvalidRequest):
            await book.event(ACME, case.id, what, meets=meets)
        assert await book.get(ACME, case.id) == case


async def test_facts_that_evidence_cannot_hold_are_refused_before_anything_happens(store: Store) -> None:
    async with Desks(store) as desks:
        book = book_of(store, desks)
        for facts in ({"share": 0.5}, {"what": object()}):
            with pytest.raises(InvalidRequest):
                await book.open(ACME, "access", about=PERSON, deadlines={}, facts=facts)  # type: ignore[arg-type]
        case = await opened(book)
        with pytest.raises(InvalidRequest):
            await book.tell(ACME, case.id, replace(letter(), data={"share": 0.5}))
        await book.close(ACME, case.id, "done")
        with pytest.raises(InvalidRequest, match="time zone"):
            await book.open(ACME, "access", about=PERSON, deadlines={"answer": START.replace(tzinfo=None)})
        assert await book.list(ACME, open_only=True) == ()


async def test_a_book_that_was_written_into_is_not_believed(store: Store) -> None:
    async with Desks(store) as desks:
        book = book_of(store, desks)
        case = await opened(book)
        async with store.answers() as client:
            await client.rpush(f"sordino:{{acme}}:case:{case.id}", b'{"what":"closed"}')
        with pytest.raises(StoreUnavailable):
            await book.get(ACME, case.id)
