"""Requests of persons: by when, in which order, by whom; nothing handed out too early, nothing reported done before it is."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.transcripts import RedisTranscripts, TranscriptFacts, TurnKept
from gateway.adapters.system import RandomIds
from gateway.errors import (
    EvidenceUnavailable,
    Forbidden,
    InvalidRequest,
    NotFound,
    PolicyRefused,
    PolicyUnavailable,
    StoreUnavailable,
)
from gateway.evidence.certificate import Certificate
from gateway.policy.cases import Case
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.policy.offboarding import Offboarding, Step, Times
from gateway.policy.retention import HoldScope
from gateway.runner.account import CallAccount
from gateway.runner.holdings import Holding
from gateway.runner.places import VaultHolding
from gateway.runner.rights import Correction, RightsDesk, collected
from gateway.runner.rights_acts import EVIDENCE_STAYS, EXPORT_STAYS, RESTRICTION_STAYS, Acts
from gateway.runner.rights_case import Right, Via
from gateway.values import CallId, DataClass, MaskedText, Placeholder, Private, TenantId
from tests.journeys.persons import ACME, ANNE, BETA, NOW, House, names_in, open_house, seed

KIM, SAM = "Kim", "Sam"
ORDER: dict[str, Any] = {"reason": "lawsuit", "approver": SAM, "review": date(2027, 1, 31), "by": SAM}
CORRECTED = (DataClass.VAULT, DataClass.TRANSCRIPT, DataClass.CONSENT)
"""The classes of what a correction reaches."""
CALLS = 12


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    """A dozen calls of three tenants; two of them are Anne's, at each tenant."""
    async with AsyncExitStack() as running:
        house = await open_house(store, tmp_path, running)
        house.calls = await seed(store, house.hashes, calls=CALLS, annes=2)
        yield house


@pytest.fixture
def desk(house: House) -> RightsDesk:
    return house.righting.desk


async def opened(desk: RightsDesk, right: Right = Right.ACCESS, **how: Any) -> Case:
    return await desk.open(ACME, right, Private(how.pop("number", ANNE)), by=KIM, **how)


async def checked(desk: RightsDesk, right: Right = Right.ACCESS, **how: Any) -> Case:
    case = await opened(desk, right, **how)
    return await desk.identify(ACME, case.id, method="called back", by=KIM)


# --- by when ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "deadlines"),
    [
        ({}, {"answer": timedelta(days=30)}),
        ({"account": True}, {"answer": timedelta(days=15)}),
        ({"via": Via.DIRECT}, {"answer": timedelta(days=30), "forward": timedelta(hours=24)}),
        ({"via": Via.REGULATOR}, {"answer": timedelta(days=30), "notify": timedelta(hours=24)}),
    ],
)
async def test_each_request_has_its_deadlines(desk: RightsDesk, how: dict[str, Any], deadlines: dict[str, timedelta]) -> None:
    """A month to answer, 15 days for an account, a day to pass on what came to us and not to the tenant."""
    case = await opened(desk, **how)
    assert {name: each.at - NOW for name, each in case.deadlines.items()} == deadlines


async def test_what_a_person_asks_of_us_is_passed_on_at_once_with_proof(house: House, desk: RightsDesk) -> None:
    """The tenant is told which right, about whom as a keyed hash, and until when; the deadline is kept by the delivery."""
    case = await opened(desk, Right.ERASE, via=Via.DIRECT)
    (letter,) = house.channel.got
    assert letter.data["right"] == "erase"
    assert letter.data["subject"] == house.anne()
    assert ANNE not in letter.text + str(letter.data)
    assert case.deadlines["forward"].met_at == NOW
    assert "forward" not in [each.name for each in case.running]


async def test_what_does_not_arrive_is_not_passed_on(house: House, desk: RightsDesk) -> None:
    """Its deadline runs on, until it was delivered or somebody says where else it was told."""
    house.channel.delivers = False
    case = await opened(desk, via=Via.DIRECT)
    assert case.deadlines["forward"].met_at is None
    told = await desk.notified(ACME, case.id, by=KIM, proof="registered letter of 21 November")
    assert told.deadlines["forward"].met_at == NOW


# --- in which order ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [Right.ACCESS, Right.EXPORT, Right.KNOW])
async def test_nothing_is_handed_out_before_the_identity_was_checked(desk: RightsDesk, right: Right) -> None:
    case = await opened(desk, right)
    with pytest.raises(PolicyRefused) as refused:
        await desk.hand_out(ACME, case.id, by=KIM)
    assert len(refused.value.reasons) == 1


@pytest.mark.parametrize("right", [Right.ERASE, Right.RECTIFY, Right.LIFT])
@pytest.mark.parametrize("via", list(Via))
async def test_nothing_is_taken_away_or_changed_before_the_identity_was_checked(
    house: House, desk: RightsDesk, right: Right, via: Via
) -> None:
    """Who knows a number cannot have another's data destroyed, whoever brings the request; nor is an erasure gone on with."""
    first = house.calls[ACME][0]
    await house.remember(ACME, first, person="Anne Mayer")
    await house.righting.persons.restrict(ACME, house.anne(), NOW)
    case = await opened(desk, right, via=via)
    with pytest.raises(PolicyRefused) as refused:
        await desk.do(ACME, case.id, by=KIM, correction=Correction(Private("Anne Mayer"), Private("Eve")))
    assert "identity" in refused.value.reasons[0]
    assert f"sordino rights identify --tenant {ACME} --case {case.id}" in refused.value.hint
    house.clock.move(days=1)
    assert await desk.resume(ACME, begun_before=house.clock.now()) == 0
    assert await house.recalled(ACME, first) == {"<PERSON_1>": "Anne Mayer"}
    assert await house.righting.persons.restricted(ACME, house.anne()) == NOW
    assert await house.righting.persons.calls(ACME, house.anne()) == house.calls[ACME]
    assert len((await desk.show(ACME, case.id)).events) == len(case.events)


async def test_a_restriction_protects_at_once_and_ends_only_after_a_check(house: House, desk: RightsDesk) -> None:
    """It takes nothing away and can be ended, so it does not wait; ending it does."""
    await desk.do(ACME, (await opened(desk, Right.RESTRICT)).id, by=KIM)
    assert await house.righting.persons.restricted(ACME, house.anne()) == NOW
    lift = await opened(desk, Right.LIFT)
    with pytest.raises(PolicyRefused):
        await desk.do(ACME, lift.id, by=KIM)
    await desk.identify(ACME, lift.id, method="called back", by=KIM)
    assert (await desk.do(ACME, lift.id, by=KIM)).finished


async def test_a_regulators_erasure_needs_its_own_gates_too(house: House, desk: RightsDesk) -> None:
    """The check of who asks is not enough: the tenant was told and a second person has released it; the refusal says who next."""
    case = await checked(desk, Right.ERASE, via=Via.REGULATOR)
    with pytest.raises(PolicyRefused) as refused:
        await desk.do(ACME, case.id, by=KIM)
    assert refused.value.hint.startswith(f"sordino rights release --tenant {ACME} --case {case.id} ")
    await desk.release(ACME, case.id, by=SAM, authorisation="order 7 of 2026")
    assert (await desk.do(ACME, case.id, by=KIM)).finished


async def test_a_regulator_gets_nothing_before_a_second_person_released_it(house: House, desk: RightsDesk) -> None:
    """The tenant is told first; who took it or checked it cannot release it, under whatever spelling of their name."""
    house.channel.delivers = False
    case = await checked(desk, via=Via.REGULATOR)
    with pytest.raises(PolicyRefused) as refused:
        await desk.hand_out(ACME, case.id, by=KIM)
    assert [reason.split()[0] for reason in refused.value.reasons] == ["the", "nobody"]
    for name in (KIM, " kim ", "KIM"):
        with pytest.raises(Forbidden):
            await desk.release(ACME, case.id, by=name, authorisation="order 7 of 2026")
    await desk.release(ACME, case.id, by=SAM, authorisation="order 7 of 2026")
    with pytest.raises(PolicyRefused):
        await desk.hand_out(ACME, case.id, by=KIM)
    await desk.notified(ACME, case.id, by=KIM, proof="letter")
    found = await desk.hand_out(ACME, case.id, by=KIM)
    assert await collected(found.pieces)
    (entry,) = await house.evidence("rights.")
    assert entry.draft.body["released"] == {"by": SAM, "authorisation": "order 7 of 2026", "at": "2026-11-21T08:00:00Z"}


async def test_only_a_regulators_request_is_released(desk: RightsDesk) -> None:
    case = await checked(desk)
    with pytest.raises(InvalidRequest):
        await desk.release(ACME, case.id, by=SAM, authorisation="order")


async def test_a_request_is_carried_out_once(desk: RightsDesk) -> None:
    """A closed case hands nothing out; another tenant's case is not there."""
    case = await checked(desk)
    found = await desk.hand_out(ACME, case.id, by=KIM)
    assert await collected(found.pieces)
    assert (await desk.show(ACME, case.id)).outcome == "done"
    with pytest.raises(PolicyRefused, match="cannot"):
        await desk.hand_out(ACME, case.id, by=KIM)
    with pytest.raises(NotFound):
        await desk.show(BETA, case.id)


async def test_a_hand_out_that_broke_off_is_still_open(desk: RightsDesk) -> None:
    """What was sent of it opens nowhere, and the case waits for the next try."""
    case = await checked(desk)
    found = await desk.hand_out(ACME, case.id, by=KIM)
    pieces = [await anext(found.pieces) for _ in range(2)]
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert (await desk.show(ACME, case.id)).open


@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "call +49 151 12345678", "0151-1234567", "anne@example.org", "a\nb\x07"])
async def test_what_stands_in_the_evidence_holds_no_number_and_no_address(house: House, desk: RightsDesk, text: str) -> None:
    """Whoever takes it down is told so, before anything is written."""
    case = await opened(desk)
    with pytest.raises(InvalidRequest):
        await desk.identify(ACME, case.id, method=text, by=KIM)
    with pytest.raises(InvalidRequest):
        await desk.identify(ACME, case.id, method="letter", by=text)
    assert len((await desk.show(ACME, case.id)).events) == 1


async def test_requests_are_listed_by_tenant_and_by_person(desk: RightsDesk) -> None:
    """Another person's, and other cases, are not among them."""
    mine = await opened(desk)
    other = await opened(desk, Right.RESTRICT, number="+4916000000001")
    assert [case.id for case in await desk.list(ACME)] == [mine.id, other.id]
    assert [case.id for case in await desk.list(ACME, number=Private("0151 12345678"))] == [mine.id]
    assert await desk.list(BETA) == []


async def test_what_was_asked_of_a_tenant_that_has_left_is_still_shown(desk: RightsDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is gone from the policies; a name that nobody has is told, not answered with an empty list."""
    case = await opened(desk)

    def gone(name: str) -> Any:
        raise PolicyUnavailable(f"there is no policy for tenant {name}")

    monkeypatch.setattr(desk, "_tenant", gone)
    assert [each.id for each in await desk.list(ACME)] == [case.id]
    assert (await desk.show(ACME, case.id)).id == case.id
    with pytest.raises(PolicyUnavailable):
        await desk.list("acmee")


# --- what is done ---------------------------------------------------------------------------------------------------------------


async def test_a_single_call_is_handed_out_alone(house: House, desk: RightsDesk) -> None:
    first = house.calls[ACME][0]
    case = await checked(desk, call=first)
    found = await desk.hand_out(ACME, case.id, by=KIM)
    with zipfile.ZipFile(io.BytesIO(await collected(found.pieces))) as file:
        assert [each["call"] for each in json.loads(file.read("data.json"))["calls"]] == [first]
    with pytest.raises(NotFound):
        await opened(desk, call=CallId("call_of_somebody_else"))


async def test_a_single_call_is_erased_and_the_others_stay(house: House, desk: RightsDesk) -> None:
    """The person is still known by the other one."""
    first, second = house.calls[ACME]
    for call in (first, second):
        await house.remember(ACME, call, person="Anne")
    case = await checked(desk, Right.ERASE, call=first)
    done = await desk.do(ACME, case.id, by=KIM)
    assert done.finished
    assert await house.recalled(ACME, first) == {}
    assert await house.recalled(ACME, second) != {}
    assert await house.righting.persons.calls(ACME, house.anne()) == [second]


async def test_what_a_hold_keeps_is_named_and_the_request_stays_open(house: House, desk: RightsDesk) -> None:
    """The rest is gone; when the hold is lifted the same request ends."""
    first, second = house.calls[ACME]
    for call in (first, second):
        await house.remember(ACME, call, person="Anne")
    placed = await house.data.holds.place(
        ACME, HoldScope(call=first), reason="lawsuit", approver=SAM, review=date(2027, 1, 31), by=SAM
    )
    hold = placed.hold
    case = await checked(desk, Right.ERASE)
    done = await desk.do(ACME, case.id, by=KIM)
    assert not done.finished
    assert {each.hold.id for each in done.held} == {hold.id}
    assert done.facts["holds"] == [hold.id]
    assert await house.recalled(ACME, first) != {}
    assert await house.recalled(ACME, second) == {}
    assert await house.righting.persons.calls(ACME, house.anne()) == [first]
    assert (await desk.show(ACME, case.id)).open

    await house.data.holds.lift(ACME, hold.id, reason="settled", by=SAM)
    assert (await desk.do(ACME, case.id, by=KIM)).finished
    assert await house.recalled(ACME, first) == {}
    assert await house.righting.persons.calls(ACME, house.anne()) == []


async def test_an_erasure_that_died_is_finished_by_another_gateway(
    house: House, desk: RightsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever place fails: it is not reported done, the index still finds what is left, and the next round ends it."""
    for call in house.calls[ACME]:
        await house.remember(ACME, call, person="Anne")
    case = await checked(desk, Right.ERASE)
    for holding in house.data.holdings:
        await _breaks_once(house, desk, case, holding, monkeypatch)
    assert (await desk.show(ACME, case.id)).open
    house.clock.move(minutes=10)
    assert await desk.resume(ACME, begun_before=house.clock.now() - timedelta(minutes=5)) == 1
    assert not (await desk.show(ACME, case.id)).open
    assert await house.righting.persons.calls(ACME, house.anne()) == []
    assert await desk.resume(ACME, begun_before=house.clock.now()) == 0


async def test_an_erasure_whose_place_does_not_answer_is_not_reported_done(
    house: House, desk: RightsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All the rest is gone, the index stays until that place is empty too; the same request ends it."""
    first, second = house.calls[ACME]
    await house.remember(ACME, first, person="Anne")
    await house.record(ACME, second)
    case = await checked(desk, Right.ERASE)

    async def broken(*_: object) -> None:
        raise StoreUnavailable("pulled the plug")

    with monkeypatch.context() as breaking:
        breaking.setattr(VaultHolding, "delete", broken)
        with pytest.raises(StoreUnavailable):
            await desk.do(ACME, case.id, by=KIM)
    assert (await desk.show(ACME, case.id)).open
    assert await house.righting.persons.calls(ACME, house.anne()) == [first, second]
    assert await house.evidence("rights.") == []
    assert (await desk.do(ACME, case.id, by=KIM)).finished
    assert await house.recalled(ACME, first) == {}
    assert await house.righting.persons.calls(ACME, house.anne()) == []


async def _breaks_once(house: House, desk: RightsDesk, case: Case, holding: Holding, patch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise StoreUnavailable("pulled the plug")

    with patch.context() as breaking:
        breaking.setattr(type(holding), "of_call", broken)
        with pytest.raises(StoreUnavailable):
            await desk.do(ACME, case.id, by=KIM)
        breaking.undo()
    assert await house.righting.persons.calls(ACME, house.anne()) == house.calls[ACME]


async def test_who_calls_during_an_erasure_is_erased_too(house: House, desk: RightsDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that came between the look and the deletion is found by the second look."""
    late, subject = CallId("call_late"), house.anne()
    delete, came = type(house.data.deletions).delete, False

    async def delete_slowly(self: Any, tenant: TenantId, items: Any, **how: Any) -> Any:
        nonlocal came
        if not came:
            came = True
            await house.righting.persons.note(ACME, subject, late, house.clock.now())
            await house.remember(ACME, late, person="Anne")
        return await delete(self, tenant, items, **how)

    monkeypatch.setattr(type(house.data.deletions), "delete", delete_slowly)
    case = await checked(desk, Right.ERASE)
    done = await desk.do(ACME, case.id, by=KIM)
    assert done.finished
    assert done.facts["calls"] == 3
    assert await house.recalled(ACME, late) == {}
    assert await house.righting.persons.of_call(ACME, late) is None


async def test_an_answer_says_what_stays_and_why(house: House, desk: RightsDesk) -> None:
    """A restriction outlives an erasure as a keyed hash; the evidence holds no word of theirs."""
    restricted = await opened(desk, Right.RESTRICT)
    await desk.do(ACME, restricted.id, by=KIM)
    case = await checked(desk, Right.ERASE)
    done = await desk.do(ACME, case.id, by=KIM)
    assert done.facts["kept"] == [RESTRICTION_STAYS, EVIDENCE_STAYS]
    assert await house.righting.persons.restricted(ACME, house.anne()) == NOW
    assert all(isinstance(each, Certificate) for each in done.certificates)


async def test_an_erasure_is_not_done_while_a_leaving_tenants_export_has_their_data(house: House, desk: RightsDesk) -> None:
    """The file was written before; when it has gone with the tenant's data, the erasure goes on by itself and ends."""
    times = Times.of(NOW, ends=NOW, contact=timedelta(days=20))
    leaving = Offboarding("offboarding_1", ACME, "contract ended", KIM, NOW, times)
    exported = leaving.begin(Step.EXPORTED, NOW).end(Step.EXPORTED, NOW, {"files": 3, "machine": "one"})
    ends = RedisOffboarding(house.store)
    assert await ends.save(exported, before=0)
    done = await desk.do(ACME, (await checked(desk, Right.ERASE)).id, by=KIM)
    assert not done.finished
    assert EXPORT_STAYS in str(done.facts["kept"])
    deleted = exported.begin(Step.DATA_DELETED, NOW)
    assert await ends.save(deleted, before=exported.version)
    assert await desk.resume(ACME, begun_before=NOW + timedelta(days=1)) == 1


async def test_a_wrong_value_is_put_right_in_every_place_at_once(house: House, desk: RightsDesk) -> None:
    """The evidence has keyed hashes before and after, never a value."""
    first = house.calls[ACME][0]
    await house.remember(ACME, first, person="Anne Mayer", place="Berlin")
    consents = RedisConsents(house.store)
    await consents.add(ACME, [(house.anne(), ConsentRecord(Answer.GIVEN, "recording", How.WRITTEN, NOW, "letter of Anne Mayer"))])
    case = await checked(desk, Right.RECTIFY)
    done = await desk.do(ACME, case.id, by=KIM, correction=Correction(Private("Anne Mayer"), Private("Anne Maier")))
    assert done.facts["places"] == {"vault": 1, "consent": 1}
    assert await house.recalled(ACME, first) == {"<PERSON_1>": "Anne Maier", "<PLACE_1>": "Berlin"}
    assert (await consents.of(ACME, house.anne()))[0].proof == "letter of Anne Maier"
    (entry,) = await house.evidence("rights.rectified")
    assert len({entry.draft.body["before"], entry.draft.body["after"]}) == 2
    assert "Anne" not in names_in([entry])


async def test_a_correction_reaches_what_was_said_too(house: House, desk: RightsDesk) -> None:
    """Transcripts are corrected in the same act, each with an entry of its own."""
    first = house.calls[ACME][0]
    facts = TranscriptFacts(first, "2026-11-01T08:00:00+00:00", "sha256:consent", "recording", keep_s=3_600)
    sheet = await RedisTranscripts(house.store, house.shelf).begin(ACME, facts)
    turn = TurnKept("caller", "2026-11-01T08:00:01+00:00", MaskedText("I am <PERSON_1>."))
    await sheet.write({0: turn}, {Placeholder("<PERSON_1>"): Private("Anne Mayer")})
    await sheet.finish(1)
    case = await checked(desk, Right.RECTIFY)
    done = await desk.do(ACME, case.id, by=KIM, correction=Correction(Private("Anne Mayer"), Private("Anne Maier")))
    assert done.facts["places"] == {"transcript": 1}
    found = await RedisTranscripts(house.store, house.shelf).read(ACME, first)
    assert found is not None
    assert found.values == {Placeholder("<PERSON_1>"): Private("Anne Maier")}


@pytest.mark.parametrize(
    "kept", [DataClass.VAULT, DataClass.TRANSCRIPT, DataClass.CONSENT, None], ids=lambda kept: kept or "everything"
)
async def test_a_hold_keeps_the_earlier_value_from_a_correction(house: House, desk: RightsDesk, kept: DataClass | None) -> None:
    """Whichever place it covers: nothing is altered in any, the hold is named, and when it is lifted the same request ends."""
    await says_mayer_everywhere(house)
    scope = HoldScope(subject=house.anne(), data_class=kept)
    hold = (await house.data.holds.place(ACME, scope, **ORDER)).hold
    case, wanted = await checked(desk, Right.RECTIFY), Correction(Private("Anne Mayer"), Private("Anne Maier"))
    done = await desk.do(ACME, case.id, by=KIM, correction=wanted)
    assert (done.finished, done.facts["places"], done.facts["holds"]) == (False, {}, [hold.id])
    assert {each.item.data_class for each in done.held} == ({kept} if kept else set(CORRECTED))
    assert await names_kept(house) == dict.fromkeys(CORRECTED, "Anne Mayer")
    assert [entry.draft.body["holds"] for entry in await house.evidence("rights.")] == [[hold.id]]
    assert (await desk.show(ACME, case.id)).open

    await house.data.holds.lift(ACME, hold.id, reason="settled", by=SAM)
    assert (await desk.do(ACME, case.id, by=KIM, correction=wanted)).finished
    assert await names_kept(house) == dict.fromkeys(CORRECTED, "Anne Maier")


@pytest.mark.parametrize("scope", ["another call", "another person", "the sound"])
async def test_a_hold_on_something_else_keeps_no_correction_away(house: House, desk: RightsDesk, scope: str) -> None:
    """Where the wrong value does not stand, nothing is altered, so nothing is kept from it."""
    await says_mayer_everywhere(house)
    scopes = {
        "another call": HoldScope(call=house.calls[ACME][1]),
        "another person": HoldScope(subject="f" * 64),
        "the sound": HoldScope(data_class=DataClass.AUDIO),
    }
    await house.record(ACME, house.calls[ACME][0])
    await house.remember(ACME, house.calls[ACME][1], person="Somebody else")
    await house.data.holds.place(ACME, scopes[scope], **ORDER)
    case = await checked(desk, Right.RECTIFY)
    done = await desk.do(ACME, case.id, by=KIM, correction=Correction(Private("Anne Mayer"), Private("Anne Maier")))
    assert done.facts["places"] == {"vault": 1, "transcript": 1, "consent": 1}


async def says_mayer_everywhere(house: House) -> None:
    """A misspelt name in the vault and the transcript of her first call, and in what proves her consent."""
    first = house.calls[ACME][0]
    await house.remember(ACME, first, person="Anne Mayer")
    record = ConsentRecord(Answer.GIVEN, "recording", How.WRITTEN, NOW, "Anne Mayer")
    await RedisConsents(house.store).add(ACME, [(house.anne(), record)])
    facts = TranscriptFacts(first, "2026-11-01T08:00:00+00:00", "sha256:consent", "recording", keep_s=3_600)
    sheet = await RedisTranscripts(house.store, house.shelf).begin(ACME, facts)
    turn = TurnKept("caller", "2026-11-01T08:00:01+00:00", MaskedText("I am <PERSON_1>."))
    await sheet.write({0: turn}, {Placeholder("<PERSON_1>"): Private("Anne Mayer")})
    await sheet.finish(1)


async def names_kept(house: House) -> dict[DataClass, str]:
    """What each place has for her name."""
    first = house.calls[ACME][0]
    transcript = await RedisTranscripts(house.store, house.shelf).read(ACME, first)
    assert transcript is not None
    return {
        DataClass.VAULT: (await house.recalled(ACME, first))["<PERSON_1>"],
        DataClass.TRANSCRIPT: transcript.values[Placeholder("<PERSON_1>")].reveal(),
        DataClass.CONSENT: (await RedisConsents(house.store).of(ACME, house.anne()))[0].proof,
    }


async def test_a_correction_whose_proof_failed_is_asked_once_more(
    house: House, desk: RightsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value was put right and the ledger did not answer: the second try proves it and ends the request."""
    await house.remember(ACME, house.calls[ACME][0], person="Anne Mayer")
    case, wanted = await checked(desk, Right.RECTIFY), Correction(Private("Anne Mayer"), Private("Anne Maier"))

    async def broken(*_: object) -> None:
        raise EvidenceUnavailable("no ledger")

    with monkeypatch.context() as breaking:
        breaking.setattr(Acts, "prove", broken)
        with pytest.raises(EvidenceUnavailable):
            await desk.do(ACME, case.id, by=KIM, correction=wanted)
    assert (await desk.show(ACME, case.id)).open
    assert (await desk.do(ACME, case.id, by=KIM, correction=wanted)).finished
    assert len(await house.evidence("rights.rectified")) == 1
    assert not (await desk.show(ACME, case.id)).open


@pytest.mark.parametrize(("old", "new"), [("", "x"), ("x", ""), ("x", "x"), ("x" * 501, "y"), ("x", "y" * 501)])
async def test_a_correction_needs_two_different_values(desk: RightsDesk, old: str, new: str) -> None:
    case = await checked(desk, Right.RECTIFY)
    with pytest.raises(InvalidRequest):
        await desk.do(ACME, case.id, by=KIM, correction=Correction(Private(old), Private(new)))
    with pytest.raises(InvalidRequest):
        await desk.do(ACME, case.id, by=KIM)
    assert (await desk.show(ACME, case.id)).open


async def test_a_value_that_stands_nowhere_is_told_so(desk: RightsDesk) -> None:
    case = await checked(desk, Right.RECTIFY)
    with pytest.raises(NotFound) as missing:
        await desk.do(ACME, case.id, by=KIM, correction=Correction(Private("Secretname"), Private("Other")))
    assert "Secretname" not in str(missing.value)
    with pytest.raises(NotFound):
        await desk.do(ACME, case.id, by=KIM, correction=Correction(Private("Secretname"), Private("Other")))


async def test_a_restriction_is_lifted_by_the_same_persons_word(house: House, desk: RightsDesk) -> None:
    """Not where there is none."""
    nothing = await checked(desk, Right.LIFT)
    with pytest.raises(InvalidRequest):
        await desk.do(ACME, nothing.id, by=KIM)
    await desk.do(ACME, (await opened(desk, Right.RESTRICT)).id, by=KIM)
    assert await house.righting.persons.restricted(BETA, house.anne(BETA)) is None
    lifted = await desk.do(ACME, nothing.id, by=KIM)
    assert lifted.what == "lift"
    assert await house.righting.persons.restricted(ACME, house.anne()) is None
    assert [entry.draft.kind for entry in await house.evidence("rights.")] == ["rights.restricted", "rights.lifted"]


async def test_evidence_without_its_index_is_still_found(house: House, desk: RightsDesk) -> None:
    """Thirty days after a call its index is gone: one pass over the chain finds what it says of all such calls."""
    async with house.store.answers() as client:
        for call in house.calls[ACME]:
            await client.delete(f"sordino:{{{ACME}}}:evidence:{call}")
    case = await checked(desk, Right.KNOW)
    found = await desk.hand_out(ACME, case.id, by=KIM)
    with zipfile.ZipFile(io.BytesIO(await collected(found.pieces))) as file:
        data = json.loads(file.read("data.json"))
    assert [each["call"] for each in data["calls"]] == house.calls[ACME]
    assert data["calls_without_evidence"] == []


async def test_a_request_that_hands_out_is_no_act_and_the_other_way_round(desk: RightsDesk) -> None:
    handing, acting = await checked(desk), await opened(desk, Right.RESTRICT)
    with pytest.raises(InvalidRequest):
        await desk.do(ACME, handing.id, by=KIM)
    with pytest.raises(InvalidRequest):
        await desk.hand_out(ACME, acting.id, by=KIM)


async def test_a_call_that_goes_on_is_erased_when_it_has_ended(house: House, desk: RightsDesk) -> None:
    """What it is going to leave behind could not be found any more: the request stays open, and the next round ends it."""
    subject, ids = house.anne(), RandomIds()
    living = CallId(ids.new("call"))
    house.clock.at = datetime.now(UTC)
    await house.righting.persons.note(ACME, subject, living, house.clock.now())
    account = CallAccount(ACME, living, house.ledger, house.clock)
    await account.write("call.started", {"carrier": "twilio", "subject": subject})
    await house.remember(ACME, living, person="Anne")
    case = await checked(desk, Right.ERASE)
    done = await desk.do(ACME, case.id, by=KIM)
    assert (done.finished, done.facts["going_on"], done.facts["calls"]) == (False, 1, 2)
    assert await house.recalled(ACME, living) != {}
    assert await house.righting.persons.calls(ACME, subject) == [living]
    await account.write("call.ended", {"outcome": "completed", "duration_ms": 1})
    assert await desk.resume(ACME, begun_before=house.clock.now() + timedelta(seconds=1)) == 1
    assert await house.recalled(ACME, living) == {}
    assert await house.righting.persons.calls(ACME, subject) == []
