"""An incident from its opening to its end: whom it touches, whose clock holds, what is sent with proof; over several tenants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds
from gateway.errors import InvalidRequest, Misconfigured, NotFound, PolicyUnavailable
from gateway.evidence.chain import CallChain
from gateway.evidence.entries import Json
from gateway.incident import IncidentDesks, alert_contacts, open_incidents
from gateway.policy.contacts import Contacts
from gateway.policy.load import PolicySet, load
from gateway.runner.cases import HOUSE
from gateway.runner.incidents_record import Incident, Report
from gateway.values import CallId, TenantId
from tests.evidence.test_scope import hop
from tests.policy.samples import REGISTRY
from tests.runner.desks import START, Channel, MovedClock

ACME, BANK, IDLE = TenantId("acme"), TenantId("bank"), TenantId("idle")
CONTACTS = 'contacts: {webhook: {url: "http://127.0.0.1:9/hooks", secret: HOOK}, mail: [privacy@acme.example]}\n'
FILES = {
    "subprocessors.yaml": REGISTRY,
    "tenants/acme.yaml": f"tenant: acme\nregions: [eu]\nbreach_hours: 72\n{CONTACTS}",
    "tenants/bank.yaml": f"tenant: bank\nregions: [eu]\nbreach_hours: 24\n{CONTACTS}",
    "tenants/idle.yaml": "tenant: idle\nregions: [eu]\nbreach_hours: 6\n",
}
HOURS = timedelta(hours=1)


class House:
    """Incident desks on a real store and ledger, with a clock that the test moves. ``async with`` it."""

    def __init__(self, store: Store, files: Mapping[str, str] = FILES) -> None:
        self.policies: PolicySet = load(dict(files))
        self.store, self.clock = store, MovedClock()
        self.webhook, self.mail = Channel(), Channel()
        self.ledger = RedisLedger(store, timeout_s=20)
        self.desks = self.gateway()

    def gateway(self, house: Contacts | None = None) -> IncidentDesks:
        """As one that has just been started on the same store."""
        senders: dict[str, Any] = {"webhook": self.webhook, "mail": self.mail}
        return open_incidents(self.store, self.ledger, lambda: self.policies, senders, self.clock, RandomIds(), house)

    async def call(self, tenant: TenantId, call: str, person: str, at: datetime, *hops: Mapping[str, Json]) -> None:
        """A call that began at ``at`` and sent something each second."""
        chain = CallChain(tenant, CallId(call))
        steps: Sequence[tuple[str, Mapping[str, Json]]] = [
            ("call.started", {"subject": person} if person else {}),
            *(("hop", body) for body in hops),
        ]
        for second, (kind, body) in enumerate(steps):
            chain.add(await self.ledger.append(chain.draft(kind, at + timedelta(seconds=second), body)))

    async def kinds(self, tenant: TenantId) -> list[str]:
        return [entry.draft.kind async for entry in self.ledger.entries(tenant) if entry.draft.kind.startswith("incident.")]

    async def __aenter__(self) -> House:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ledger.aclose()


def voice(processor: str = "eu-llm", region: str = "eu/de") -> dict[str, Json]:
    return hop(processor, region)


def words(processor: str = "eu-llm", region: str = "de", about: Sequence[str] = ()) -> dict[str, Json]:
    return hop(processor, region, categories=("masked_transcript",), about=about)


async def busy(house: House) -> None:
    """Two tenants with calls, one without."""
    await house.call(ACME, "call_a", "p1", START - 5 * HOURS, words(), words(about=["health"]))
    await house.call(ACME, "call_b", "p1", START - 3 * HOURS, words(), voice("home-llm", "local"))
    await house.call(ACME, "call_c", "", START - 3 * HOURS, voice("home-llm", "local"))
    await house.call(ACME, "call_d", "p2", START - HOURS, words())
    await house.call(BANK, "call_e", "p3", START - 3 * HOURS, words())


def leak(**more: Any) -> Report:
    return Report(START - 6 * HOURS, START - 2 * HOURS, "Keys of a vendor leaked", **more)


async def opened(house: House, **more: Any) -> Incident:
    return await house.desks.incidents.open(leak(**more), by="operator")


async def test_whom_it_touches_is_read_from_the_evidence_and_the_shortest_clock_holds_for_all(store: Store) -> None:
    """Calls, people, categories of each tenant; who has nothing in the window is not touched; reasons are named."""
    async with House(store) as house:
        await busy(house)
        incident = await opened(house, processor="eu-llm", aware=START - HOURS)
        assert set(incident.parts) == {ACME, BANK}
        scope = incident.scope(ACME)
        assert (scope["calls"], scope["people"], scope["hops"], scope["masked_hops"]) == (2, 1, 3, 3)
        assert (scope["categories"], scope["about"]) == ({"masked_transcript": 3}, {"health": 1})
        assert (scope["chain"], scope["calls_of_nobody"]) == ("whole", 0)
        due = START - HOURS + 24 * HOURS
        assert incident.due == due
        assert {case.deadlines["notice"].at for case in incident.parts.values()} == {due}
        assert incident.parts[ACME].facts["own_hours"] == 72
        (scoped,) = [event for event in incident.main.events if event.what == "scoped"]
        assert scoped.facts["why"] == ["the policy of bank asks for 24 h, counted from 2026-12-01T17:00:00Z"]
        assert await house.kinds(ACME) == ["incident.opened", "incident.scoped"]
        assert "bank" not in str([entry.draft.body async for entry in house.ledger.entries(ACME)])


async def test_it_touches_a_tenant_whose_file_was_taken_away_too(store: Store) -> None:
    """Their callers' data was there: that the tenant has gone since changes nothing for them."""
    gone = TenantId("gone")
    async with House(store) as house:
        await busy(house)
        await house.call(gone, "call_f", "p4", START - 3 * HOURS, words())
        incident = await opened(house, aware=START - HOURS)
        assert set(incident.parts) == {ACME, BANK, gone}
        assert incident.scope(gone)["calls"] == 1
        assert incident.parts[gone].facts["own_hours"] == 24


@pytest.mark.parametrize(
    ("narrowed", "calls"),
    [
        ({}, {"call_a", "call_b", "call_c"}),
        ({"processor": "home-llm"}, {"call_b", "call_c"}),
        ({"region": "eu"}, {"call_a", "call_b"}),
        ({"region": "de"}, {"call_a", "call_b"}),
        ({"region": "de/fra"}, set()),
        ({"region": "us"}, set()),
        ({"region": "local"}, {"call_b", "call_c"}),
        ({"processor": "home-llm", "region": "eu"}, set()),
    ],
)
async def test_it_can_be_narrowed_to_a_sub_processor_and_a_region(
    store: Store, narrowed: Mapping[str, str], calls: set[str]
) -> None:
    """A region holds what lies in it."""
    async with House(store) as house:
        await busy(house)
        incident = await opened(house, tenants=("acme",), **narrowed)
        assert (await house.desks.incidents.read(incident, ACME)).calls == calls


async def test_a_named_tenant_is_told_in_every_case(store: Store) -> None:
    """Touched or not; and the others are not looked at."""
    async with House(store) as house:
        await busy(house)
        incident = await opened(house, tenants=("idle",))
        assert set(incident.parts) == {IDLE}
        assert incident.due == START + 6 * HOURS


async def test_who_comes_to_it_later_only_ever_makes_the_clock_shorter(store: Store) -> None:
    """Evidence that comes late is read by the next look; the clock still counts from awareness."""
    async with House(store) as house:
        await house.call(ACME, "call_a", "p1", START - 5 * HOURS, words())
        incident = await opened(house)
        assert (set(incident.parts), incident.due) == ({ACME}, START + 72 * HOURS)
        await house.call(BANK, "call_e", "p3", START - 3 * HOURS, words())
        house.clock.move(hours=1)
        incident = await house.desks.incidents.scope(incident.id)
        assert incident.due == START + 24 * HOURS
        assert {case.deadlines["notice"].at for case in incident.parts.values()} == {START + 24 * HOURS}
        house.policies = load({**FILES, "tenants/bank.yaml": FILES["tenants/bank.yaml"].replace("24", "48")})
        assert (await house.desks.incidents.scope(incident.id)).due == START + 24 * HOURS


async def test_the_draft_has_what_is_known_and_blanks_for_the_rest(store: Store) -> None:
    async with House(store) as house:
        await busy(house)
        incident = await opened(house, processor="eu-llm")
        await house.desks.incidents.event(incident.id, "contained", by="operator", note="Keys were changed", tenants=["acme"])
        draft = await house.desks.incidents.draft(incident.id, ACME)
        assert draft.blanks
        for wanted in (
            "Keys of a vendor leaked",
            "A model in the EU",
            "about 1.",
            "3 transmissions, 3 of them masked",
            "contained: Keys were changed",
        ):
            assert wanted in draft.markdown
        assert "bank" not in draft.markdown + draft.html
        with pytest.raises(NotFound):
            await house.desks.incidents.draft(incident.id, IDLE)
        with pytest.raises(NotFound, match="no paper"):
            await house.desks.incidents.draft(incident.id, ACME, "poem")


async def test_a_notice_with_blanks_is_not_sent_by_mistake(store: Store) -> None:
    """It names them; as preliminary it goes, and says that the rest follows; filled in it goes again, as another letter."""
    async with House(store) as house:
        await busy(house)
        desk, incident = house.desks.incidents, await opened(house, processor="eu-llm")
        with pytest.raises(InvalidRequest, match="blank") as refused:
            await desk.notify(incident.id, ACME, by="operator")
        assert any("contact" in reason for reason in refused.value.reasons)
        assert house.mail.got == []
        house.clock.move(hours=2)
        incident = await desk.notify(incident.id, ACME, by="operator", preliminary=True)
        assert incident.parts[ACME].deadlines["notice"].met_at == START + 2 * HOURS
        assert incident.untold == (BANK,)
        (message,) = house.webhook.got
        assert "[fill in" not in message.text
        assert "it will follow" in message.text
        assert (message.data["people"], message.data["preliminary"], message.kind) == (1, True, "incident.notice")
        full = "\n".join(line for line in (await desk.draft(incident.id, ACME)).markdown.splitlines() if "[fill in" not in line)
        for _ in range(2):
            await desk.notify(incident.id, ACME, by="operator", text=full)
        assert [each.data["preliminary"] for each in house.webhook.got] == [True, False]
        assert len(house.mail.got) == 2


async def test_the_incidents_own_clock_stops_when_the_last_tenant_was_reached(store: Store) -> None:
    """A notice that arrives only later, by another gateway, counts from then; a letter counts by its proof."""
    async with House(store) as house:
        await busy(house)
        incident = await opened(house)
        house.webhook.delivers = house.mail.delivers = False
        incident = await house.desks.incidents.notify(incident.id, ACME, by="operator", preliminary=True)
        assert set(incident.untold) == {ACME, BANK}
        incident = await house.desks.incidents.given(incident.id, BANK, by="operator", proof="registered letter 7")
        assert incident.untold == (ACME,)
        house.mail.delivers = True
        house.clock.move(minutes=10)
        other, null = house.gateway(), Counts()
        for tenant in (HOUSE, ACME, BANK, HOUSE):
            await other.round(tenant, null)
        incident = await other.incidents.get(incident.id)
        assert incident.untold == ()
        assert incident.main.deadlines["notice"].met_at == house.clock.now()
        assert "incident.notified" in await house.kinds(ACME)
        assert "registered letter" not in str([entry.draft.body async for entry in house.ledger.entries(BANK)])


async def test_the_operators_own_people_are_alerted_and_reminded_instead_of_the_tenants(store: Store) -> None:
    """A tenant learns of an incident by its notice, not by a reminder of somebody else's duty."""
    async with House(store) as house:
        await busy(house)
        desks = house.gateway(alert_contacts({"SORDINO_ALERT_MAIL": "ops@gateway.example dpo@gateway.example"}))
        incident = await desks.incidents.open(leak(), by="operator")
        assert [message.kind for message in house.mail.got] == ["incident.opened"]
        assert house.mail.got[0].data["tenants"] == ["acme", "bank"]
        assert await desks.incidents.open(leak(), by="operator", incident_id=incident.id) == await desks.incidents.get(
            incident.id
        )
        house.clock.move(hours=13)
        for tenant in (ACME, BANK, HOUSE):
            await desks.book.keep(tenant)
        assert [message.kind for message in house.mail.got] == ["incident.opened", "case.deadline"]
        assert house.mail.got[1].data["tenant"] == HOUSE
        assert house.webhook.got == []


async def test_where_nobody_of_the_operator_is_named_the_tenants_are_reminded(store: Store) -> None:
    """Better them than nobody."""
    async with House(store) as house:
        await busy(house)
        await opened(house)
        house.clock.move(hours=13)
        for tenant in (ACME, BANK, HOUSE):
            await house.desks.book.keep(tenant)
        assert [message.data["tenant"] for message in house.mail.got] == [ACME, BANK]


def test_addresses_of_the_operators_people_are_read() -> None:
    found = alert_contacts({"SORDINO_ALERT_WEBHOOK": "https://ops.example/hook"})
    assert (found.channels, found.webhook and found.webhook.secret) == (("webhook",), "SORDINO_ALERT_WEBHOOK_SECRET")
    assert alert_contacts({}).channels == ()
    for wrong in ({"SORDINO_ALERT_MAIL": "nobody"}, {"SORDINO_ALERT_WEBHOOK": "http://ops.example/"}):
        with pytest.raises(Misconfigured):
            alert_contacts(wrong)


class Counts:
    """Telemetry that the test looks at."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, int, Mapping[str, str]]] = []

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self.counted.append((name, value, labels))

    def gauge(self, name: str, change: int, **labels: str) -> None:
        self.counted.append((name, change, labels))

    def span(self, *_: object, **__: object) -> Any:
        raise NotImplementedError

    begin = observe = span


async def test_it_cannot_be_closed_while_somebody_was_not_told(store: Store) -> None:
    """But with a reason, which goes on record in each tenant's case."""
    async with House(store) as house:
        await busy(house)
        desk, incident = house.desks.incidents, await opened(house)
        with pytest.raises(InvalidRequest, match="no notice has reached acme, bank"):
            await desk.close(incident.id, "resolved", by="operator")
        await desk.notify(incident.id, ACME, by="operator", preliminary=True)
        closed = await desk.close(incident.id, "false.alarm", by="operator", reason="the keys were never valid")
        assert not closed.main.open
        assert {case.outcome for case in closed.parts.values()} == {"false.alarm"}
        assert closed.parts[BANK].events[-2].notes == {"reason": "the keys were never valid"}
        assert (await house.kinds(BANK))[-1] == "incident.closed"
        for again in (desk.close(incident.id, "resolved", by="o", reason="x"), desk.scope(incident.id)):
            with pytest.raises(InvalidRequest, match="is closed"):
                await again
        assert await desk.list(open_only=True) == []
        assert [each.id for each in await desk.list()] == [incident.id]


async def test_an_incident_that_a_dying_gateway_left_half_open_is_gone_on_with(store: Store) -> None:
    """Its evidence is read by whoever lives, after some minutes."""
    async with House(store) as house:
        await busy(house)
        incident = await opened(house)
        async with store.answers() as client:
            key = f"sordino:{{_house}}:case:{incident.id}"
            await client.ltrim(key, 0, 0)
        left = await house.desks.incidents.get(incident.id)
        assert (left.parts, left.due) == ({}, None)
        await house.gateway().round(HOUSE, Counts())
        assert (await house.desks.incidents.get(incident.id)).parts == {}, "somebody may be at it"
        house.clock.move(minutes=6)
        await house.gateway().round(HOUSE, Counts())
        assert set((await house.desks.incidents.get(incident.id)).parts) == {ACME, BANK}


@pytest.mark.parametrize(
    ("report", "refused"),
    [
        (Report(START, START, "x"), InvalidRequest),
        (Report(START - HOURS, START, " "), InvalidRequest),
        (Report(START - HOURS, START, "x" * 2_001), InvalidRequest),
        (Report((START - HOURS).replace(tzinfo=None), START, "x"), InvalidRequest),
        (Report(START - HOURS, START, "x", aware=START + HOURS), InvalidRequest),
        (Report(START - HOURS, START, "x", processor="nobody"), NotFound),
        (Report(START - HOURS, START, "x", region="atlantis"), InvalidRequest),
        (Report(START - HOURS, START, "the call of +49 151 2345678 leaked"), InvalidRequest),
        (Report(START - HOURS, START, "the call of 0151/23456789 leaked"), InvalidRequest),
        (Report(START - HOURS, START, "ann@example.com complains"), InvalidRequest),
        (Report(START - HOURS, START, "x", tenants=("nobody",)), PolicyUnavailable),
    ],
)
async def test_what_makes_no_sense_is_refused_and_leaves_nothing(store: Store, report: Report, refused: type[Exception]) -> None:
    async with House(store) as house:
        with pytest.raises(refused):
            await house.desks.incidents.open(report, by="operator")
        assert await house.desks.incidents.list() == []


async def test_texts_with_times_and_addresses_of_machines_are_taken(store: Store) -> None:
    """Only what could be somebody's number or address is refused; in notes and reasons too."""
    async with House(store) as house:
        await busy(house)
        what = "From 2026-12-01 08:00:00 to 10:30 UTC, 10.20.30.40:6379 was open; 1,000,000 entries; see #4711 @ops"
        incident = await house.desks.incidents.open(Report(START - 6 * HOURS, START, what), by="operator")
        await house.desks.incidents.event(incident.id, "contained", by="operator", note="ticket 2026-000123, 99.5 %")
        with pytest.raises(InvalidRequest):
            await house.desks.incidents.event(incident.id, "told", by="operator", note="called +1 512 555 0100")
        with pytest.raises(InvalidRequest):
            await house.desks.incidents.close(incident.id, "resolved", by="operator", reason="ann@example.com knows")
        with pytest.raises(InvalidRequest):
            await house.desks.incidents.given(incident.id, ACME, by="operator", proof="letter to ann@example.com")


async def test_a_call_that_began_long_before_the_window_has_its_person(store: Store) -> None:
    """By the call's index, and where that is gone, by reading back."""
    async with House(store) as house:
        await house.call(ACME, "call_long", "p9", START - 12 * HOURS)
        await house.call(ACME, "call_other", "p8", START - 11 * HOURS, *[words()] * 3)
        chain = CallChain(
            ACME, CallId("call_long"), after=[e async for e in house.ledger.entries(ACME, CallId("call_long"))][-1].hash
        )
        await house.ledger.append(chain.draft("hop", START - 5 * HOURS, words()))
        incident = await opened(house, tenants=("acme",))
        assert (await house.desks.incidents.read(incident, ACME)).people == {"p9"}
        async with store.answers() as client:
            await client.delete("sordino:{acme}:evidence:call_long")
        assert (await house.desks.incidents.read(incident, ACME)).people == {"p9"}
