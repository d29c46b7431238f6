"""Callers without a number: found by what they said, of which nothing is kept but keyed hashes, and believed by nobody."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.keys.spoken import PREFIX, SpokenHash
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.errors import InvalidRequest, NoPermittedRoute, NotFound, PolicyRefused, StoreUnavailable
from gateway.policy.cases import Case
from gateway.policy.egress import Grant
from gateway.policy.model import TenantPolicy
from gateway.policy.retention import HoldScope
from gateway.redaction.mask import Masked
from gateway.runner.rights import Correction, RightsDesk, collected
from gateway.runner.rights_acts import ONLY_WHEN_SAID
from gateway.runner.rights_case import CLAIMED, Right, Via
from gateway.runner.rights_spoken import Spoken, SpokenOnCall, SpokenPersons, noting
from gateway.values import CallId, DataCategory, EntityType, Hop, MaskedText, Placeholder, Private
from tests.journeys.persons import ACME, ANNE, BETA, House, names_in, open_house, seed
from tests.policy.samples import TENANT, loaded
from tests.runner.desks import MovedClock

CALL, OTHER = CallId("call_1"), CallId("call_2")
MAIL, NUMBER, PHONE, PERSON = (Placeholder(f"<{kind}_1>") for kind in ("EMAIL_ADDRESS", "ID_NUMBER", "PHONE_NUMBER", "PERSON"))
SAYS = "language: en\norigins: [de]\nrights: {spoken_identity: [EMAIL_ADDRESS, ID_NUMBER, PHONE_NUMBER]}\n"
ADDRESS, HEARD = "ada.lovelace@example.org", "ada dot lovelace at example dot org"


@pytest.fixture
def tenant() -> TenantPolicy:
    return loaded(TENANT + SAYS).tenant("acme")


@pytest.fixture
def index(store: Store) -> RedisSubjects:
    return RedisSubjects(store)


@pytest.fixture
def persons(index: RedisSubjects) -> SpokenPersons:
    return SpokenPersons(index, SpokenHash(Private(b"k" * 32)), MovedClock())


def turn(text: str, *new: Placeholder) -> Masked:
    return Masked(MaskedText(text), {name: Private("") for name in new}, {})


async def heard(on_call: SpokenOnCall, text: str, values: Mapping[Placeholder, str], *new: Placeholder) -> None:
    known = {name: Private(value) for name, value in values.items()}
    on_call.hear(turn(text, *new), known.get)
    await on_call.note()


# --- what is noted ------------------------------------------------------------------------------------------------------------


async def test_what_was_heard_is_found_by_what_is_typed(
    tenant: TenantPolicy, persons: SpokenPersons, index: RedisSubjects, store: Store
) -> None:
    """And what was said stands nowhere."""
    await heard(persons.on_call(tenant, CALL), f"write to {MAIL}", {MAIL: HEARD}, MAIL)
    await heard(persons.on_call(tenant, OTHER), f"write to {MAIL}", {MAIL: "ben at example dot org"}, MAIL)
    subject = await persons.subject(tenant, Spoken("EMAIL_ADDRESS", Private("Ada.Lovelace@Example.org")))
    assert subject.startswith(PREFIX)
    assert await index.calls(ACME, subject) == [CALL]
    async with store.answers() as client:
        names: Any = await client.keys("*")
        everything = b" ".join([name + bytes(await client.dump(name) or b"") for name in names]).lower()
    assert [word for word in (b"lovelace", b"example", b"email") if word in everything] == []


async def test_half_of_a_number_gives_way_to_the_whole(
    tenant: TenantPolicy, persons: SpokenPersons, index: RedisSubjects
) -> None:
    """Said over three turns: found by all of it, and by nothing less, which may be somebody else's."""
    on_call = persons.on_call(tenant, CALL)
    for said in ("four seven one one", "four seven one one two two", "four seven one one two two three three"):
        await heard(on_call, f"it is {NUMBER}", {NUMBER: said}, NUMBER)
    for typed, found in (("47112233", [CALL]), ("471122", []), ("4711-22-33", [CALL])):
        assert await index.calls(ACME, persons.hashed(tenant, "ID_NUMBER", Private(typed))) == found
    assert len(await index.spoken_of(ACME, CALL)) == 1


async def test_what_two_placeholders_stand_for_stays_while_one_of_them_does(
    tenant: TenantPolicy, persons: SpokenPersons, index: RedisSubjects
) -> None:
    """The same number, once whole and once as the beginning of a longer one."""
    on_call, second = persons.on_call(tenant, CALL), Placeholder("<ID_NUMBER_2>")
    await heard(on_call, f"{NUMBER} and {second}", {NUMBER: "47112", second: "4711 2"}, NUMBER, second)
    await heard(on_call, f"{second}", {NUMBER: "47112", second: "4711 2233"}, second)
    for typed in ("47112", "47112233"):
        assert await index.calls(ACME, persons.hashed(tenant, "ID_NUMBER", Private(typed))) == [CALL]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (f"I am {PERSON}", {PERSON: "Ada Lovelace"}),
        (f"it is {NUMBER}", {NUMBER: "4711"}),
        (f"it is {MAIL}", {MAIL: "ada gmail"}),
        ("it is <EMAIL_ADDRESS>", {}),
        ("nothing of the kind", {}),
    ],
)
async def test_what_names_nobody_is_not_noted(
    tenant: TenantPolicy, persons: SpokenPersons, index: RedisSubjects, text: str, values: dict[Placeholder, str]
) -> None:
    await heard(persons.on_call(tenant, CALL), text, values, *values)
    assert await index.spoken_of(ACME, CALL) == []


async def test_a_telephone_number_is_one_in_every_usual_form(tenant: TenantPolicy, persons: SpokenPersons) -> None:
    """Said in the national form, asked for with the country's code."""
    one, two, three = (
        persons.hashed(tenant, "PHONE_NUMBER", Private(text))
        for text in ("zero one five one one two three four five six seven eight", "+49 151 12345678", "0049 (151) 12345678")
    )
    assert one == two == three


async def test_without_a_word_in_the_policy_nothing_is_heard(persons: SpokenPersons, index: RedisSubjects) -> None:
    """No hash is made, nothing is asked of the store, and the call's mask and door are as they were."""
    on_call = persons.on_call(loaded(TENANT).tenant("acme"), CALL)
    masker, door = object(), Door()
    assert noting(masker, on_call) is masker  # type: ignore[arg-type]
    assert on_call.heeding(door) is door
    await heard(on_call, f"{MAIL}", {MAIL: HEARD}, MAIL)
    assert await index.spoken_of(ACME, CALL) == []


class Telling:
    """Masks nothing: it tells what the test says."""

    def __init__(self, values: dict[Placeholder, Private[str]]) -> None:
        self.values = values
        self.language = "en"

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        return turn(" ".join(self.values))

    def restore(self, name: Placeholder) -> Private[str] | None:
        return self.values.get(name)


@pytest.mark.parametrize(("how", "noted"), [({}, 1), ({"from_model": True}, 0), ({"said": False}, 0)])
async def test_only_a_callers_words_name_a_caller(
    tenant: TenantPolicy, persons: SpokenPersons, index: RedisSubjects, how: dict[str, bool], noted: int
) -> None:
    """What a model wrote or a tool gave back may be anybody's. It is in the store before anybody has the masked text."""
    masker = noting(Telling({MAIL: Private(HEARD)}), persons.on_call(tenant, CALL))  # type: ignore[arg-type]
    assert str((await masker.mask(Private("…"), **how)).text) == MAIL  # type: ignore[arg-type]
    assert len(await index.spoken_of(ACME, CALL)) == noted
    assert masker.language == "en"  # type: ignore[attr-defined]


async def test_what_a_store_did_not_take_is_tried_again(tenant: TenantPolicy, index: RedisSubjects) -> None:
    """The turn fails, as it does without its vault; the next one has both noted."""

    class Flaky:
        fails = True

        async def spoken(self, *args: Any, **how: Any) -> None:
            if self.fails:
                raise StoreUnavailable("gone")
            await index.spoken(*args, **how)

    flaky = Flaky()
    on_call = SpokenPersons(flaky, SpokenHash(Private(b"k" * 32)), MovedClock()).on_call(tenant, CALL)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable):
        await heard(on_call, f"{MAIL}", {MAIL: HEARD}, MAIL)
    flaky.fails = False
    await heard(on_call, f"{NUMBER}", {NUMBER: "471122"}, NUMBER)
    assert len(await index.spoken_of(ACME, CALL)) == 2


async def test_a_conversation_that_began_elsewhere_knows_what_is_noted_of_it(
    tenant: TenantPolicy, persons: SpokenPersons, index: RedisSubjects
) -> None:
    """Another gateway heard the first half: the whole takes its place, and what nobody noted is heard when it is said again."""
    await heard(persons.on_call(tenant, CALL), f"{NUMBER}", {NUMBER: "471122"}, NUMBER)
    values = {NUMBER: Private("471122"), MAIL: Private(HEARD)}
    taken_over = persons.on_call(tenant, CALL, values)
    await heard(taken_over, f"{NUMBER}", {NUMBER: "471122 33"}, NUMBER)
    assert await index.calls(ACME, persons.hashed(tenant, "ID_NUMBER", Private("471122"))) == []
    assert await index.calls(ACME, persons.hashed(tenant, "ID_NUMBER", Private("47112233"))) == [CALL]
    assert await index.calls(ACME, persons.hashed(tenant, "EMAIL_ADDRESS", Private(ADDRESS))) == []
    await heard(taken_over, f"{MAIL}", {MAIL: HEARD})
    assert await index.calls(ACME, persons.hashed(tenant, "EMAIL_ADDRESS", Private(ADDRESS))) == [CALL]


async def test_a_conversation_that_goes_on_in_another_call_is_found_there_too(
    tenant: TenantPolicy, persons: SpokenPersons, index: RedisSubjects
) -> None:
    on_call = persons.on_call(tenant, CALL)
    await heard(on_call, f"{MAIL}", {MAIL: HEARD}, MAIL)
    await on_call.moved_to(OTHER).note()
    assert await index.calls(ACME, persons.hashed(tenant, "EMAIL_ADDRESS", Private(ADDRESS))) == [CALL, OTHER]


class Door:
    def __init__(self) -> None:
        self.asked = 0

    async def grant(self, hop: Hop, categories: frozenset[DataCategory], **_: object) -> Grant:
        self.asked += 1
        raise NoPermittedRoute("it was asked")


async def test_who_restricted_their_data_is_heard_by_no_model_once_they_have_said_who_they_are(
    tenant: TenantPolicy, persons: SpokenPersons, index: RedisSubjects
) -> None:
    """Not before: nobody can know. Somebody else's call is not touched, nor is theirs when the restriction is lifted."""
    subject = persons.hashed(tenant, "EMAIL_ADDRESS", Private(ADDRESS))
    await index.restrict(ACME, subject, MovedClock().now())
    on_call, door = persons.on_call(tenant, CALL), Door()
    heeding = on_call.heeding(door)
    text = frozenset({DataCategory.MASKED_TRANSCRIPT})
    with pytest.raises(NoPermittedRoute):
        await heeding.grant(Hop.LLM, text)
    await heard(on_call, f"{MAIL}", {MAIL: HEARD}, MAIL)
    with pytest.raises(PolicyRefused, match="restricted"):
        await heeding.grant(Hop.LLM, text)
    with pytest.raises(NoPermittedRoute):
        await persons.on_call(tenant, OTHER).heeding(door).grant(Hop.LLM, text)
    await index.lift(ACME, subject)
    with pytest.raises(NoPermittedRoute):
        await heeding.grant(Hop.LLM, text)
    assert door.asked == 3


# --- what may be asked for ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    """Anne called from her number; on her second call, and on one without a number, her address was said; Ben's on a third."""
    async with AsyncExitStack() as running:
        house = await open_house(store, tmp_path, running)
        for name in (ACME, BETA):
            file = tmp_path / "policies" / "tenants" / f"{name}.yaml"
            file.write_text(file.read_text() + "rights: {spoken_identity: [EMAIL_ADDRESS, ID_NUMBER]}\n")
        house.policies.reload_if_changed()
        assert house.policies.findings == ()
        house.calls = await seed(store, house.hashes, calls=12, annes=2)
        for tenant in (ACME, BETA):
            for call, said in ((house.calls[tenant][1], HEARD), (WITHHELD, HEARD), (BENS, "ben at example dot org")):
                policy = house.policies.policies.tenant(tenant)
                await heard(house.governing.spoken.on_call(policy, call), f"{MAIL}", {MAIL: said}, MAIL)
                await house.remember(tenant, call, email_address=said)
        yield house


WITHHELD, BENS = CallId(f"call_{'x' * 26}"), CallId(f"call_{'y' * 26}")
HERS = Spoken("EMAIL_ADDRESS", Private(ADDRESS))


@pytest.fixture
def desk(house: House) -> RightsDesk:
    return house.righting.desk


async def asked(desk: RightsDesk, right: Right, who: Spoken = HERS, *, checked: bool = True, **how: Any) -> Case:
    case = await desk.open(ACME, right, who, by="Kim", **how)
    return await desk.identify(ACME, case.id, method="passport at the counter", by="Kim") if checked else case


async def handed_out(desk: RightsDesk, case: Case) -> dict[str, Any]:
    found = await desk.hand_out(ACME, case.id, by="Kim")
    with zipfile.ZipFile(io.BytesIO(await collected(found.pieces))) as file:
        data: dict[str, Any] = json.loads(file.read("data.json"))
        return data


async def test_what_was_said_is_no_proof_for_any_right(desk: RightsDesk) -> None:
    """Who knows an address can say it: nothing goes on before somebody checked who asks, whatever is asked for."""
    assert "claim" in CLAIMED
    for right in Right:
        case = await asked(desk, right, checked=False)
        with pytest.raises(PolicyRefused) as refused:
            await (desk.hand_out(ACME, case.id, by="Kim") if right.hands_out else desk.do(ACME, case.id, by="Kim"))
        assert refused.value.reasons == (CLAIMED,), right


async def test_access_gives_the_calls_on_which_it_was_said(house: House, desk: RightsDesk) -> None:
    """Her two, with her number and without; not the call of hers on which she did not say it, and not Ben's."""
    case = await asked(desk, Right.ACCESS)
    assert await desk.found(case) == [house.calls[ACME][1], WITHHELD]
    data = await handed_out(desk, case)
    assert [each["call"] for each in data["calls"]] == [house.calls[ACME][1]]
    assert data["calls_without_evidence"] == [WITHHELD]
    (entry,) = await house.evidence("rights.access")
    assert (entry.draft.body["calls"], entry.draft.body["spoken"]) == (2, "EMAIL_ADDRESS")


async def test_one_of_the_calls_may_be_meant(house: House, desk: RightsDesk) -> None:
    """Where one of the calls that were found is somebody else's. A call on which it was not said is not theirs."""
    case = await asked(desk, Right.KNOW, call=house.calls[ACME][1])
    assert await desk.found(case) == [house.calls[ACME][1]]
    assert len((await handed_out(desk, case))["calls"]) == 1
    for other in (BENS, house.calls[ACME][0]):
        with pytest.raises(NotFound):
            await asked(desk, Right.KNOW, call=other)


async def test_erased_are_the_calls_and_how_they_were_found(house: House, desk: RightsDesk) -> None:
    """Of those calls nothing is left, also by the number; her other call, Ben's, and another tenant's stay."""
    done = await desk.do(ACME, (await asked(desk, Right.ERASE)).id, by="Kim")
    assert done.finished
    assert done.facts["calls"] == 2
    persons, mine = house.righting.persons, house.calls[ACME]
    for call in (mine[1], WITHHELD):
        assert await house.recalled(ACME, call) == {}
        assert await persons.spoken_of(ACME, call) == []
        assert await persons.of_call(ACME, call) is None
    assert await persons.calls(ACME, house.anne()) == [mine[0]]
    assert await house.recalled(ACME, BENS) != {}
    assert len(await persons.spoken_of(ACME, BENS)) == 1
    assert await house.recalled(BETA, WITHHELD) != {}
    assert await desk.found(await asked(desk, Right.ACCESS)) == []


async def test_a_number_goes_with_who_is_erased_by_what_they_said_where_no_other_call_came_from_it(
    house: House, desk: RightsDesk
) -> None:
    """Certified as contact. Of a number with other calls the hash stays, and so it does while one call alone is erased."""
    persons, number = house.righting.persons, "c" * 64
    await persons.note(ACME, number, WITHHELD, house.clock.now())
    await desk.do(ACME, (await asked(desk, Right.ERASE, call=WITHHELD)).id, by="Kim")
    assert await persons.seen(ACME, number) is not None
    await persons.note(ACME, number, WITHHELD, house.clock.now())
    await heard(house.governing.spoken.on_call(house.policies.policies.tenant(ACME), WITHHELD), MAIL, {MAIL: HEARD}, MAIL)
    await desk.do(ACME, (await asked(desk, Right.ERASE)).id, by="Kim")
    assert await persons.seen(ACME, number) is None
    assert await persons.seen(ACME, house.anne()) is not None
    found = [each async for each in house.data.certificates.all(ACME)]
    assert [each.of for each in found if each.holding == "persons" and each.of == number] == [number]


async def test_one_call_alone_is_erased(house: House, desk: RightsDesk) -> None:
    """What was said stays known of the other."""
    done = await desk.do(ACME, (await asked(desk, Right.ERASE, call=WITHHELD)).id, by="Kim")
    assert (done.finished, done.facts["calls"]) == (True, 1)
    assert await desk.found(await asked(desk, Right.ACCESS)) == [house.calls[ACME][1]]


async def test_who_is_erased_by_number_is_found_by_nothing_they_said(house: House, desk: RightsDesk) -> None:
    """The hash of what was said goes with the call; where it was said on another one, it still leads there."""
    case = await desk.open(ACME, Right.ERASE, Private(ANNE), by="Kim")
    case = await desk.identify(ACME, case.id, method="called back", by="Kim")
    done = await desk.do(ACME, case.id, by="Kim")
    assert (done.finished, done.facts["calls"]) == (True, 2)
    assert await house.righting.persons.spoken_of(ACME, house.calls[ACME][1]) == []
    assert await desk.found(await asked(desk, Right.ACCESS)) == [WITHHELD]


async def test_a_hold_keeps_its_call_and_how_it_is_found(house: House, desk: RightsDesk) -> None:
    """The rest is erased; the case stays open, and the hold is named."""
    at = house.clock.now().date().replace(year=2027)
    await house.data.holds.place(ACME, HoldScope(call=WITHHELD), reason="lawsuit 7", approver="Lee", review=at, by="Kim")
    case = await asked(desk, Right.ERASE)
    done = await desk.do(ACME, case.id, by="Kim")
    assert not done.finished
    assert {each.item.id for each in done.held} >= {WITHHELD}
    assert await desk.found(case) == [WITHHELD]
    assert await house.recalled(ACME, WITHHELD) != {}


async def test_an_address_that_is_put_right_finds_the_calls_from_then_on(house: House, desk: RightsDesk) -> None:
    """In the vaults and in the index at once; by the wrong one nothing is found any more."""
    case = await asked(desk, Right.RECTIFY)
    right = "ada@lovelace.example"
    done = await desk.do(ACME, case.id, by="Kim", correction=Correction(Private(HEARD), Private(right)))
    assert done.facts["places"] == {"vault": 2, "spoken": 2}
    assert await house.recalled(ACME, WITHHELD) == {MAIL: right}
    assert await desk.found(case) == []
    mended = await asked(desk, Right.ACCESS, Spoken("EMAIL_ADDRESS", Private(right)))
    assert await desk.found(mended) == [house.calls[ACME][1], WITHHELD]


async def test_a_restriction_says_what_it_cannot_do(house: House, desk: RightsDesk) -> None:
    """Her data is only stored; nobody knows a number that is not to be dialled, and hers by number stays as it is."""
    done = await desk.do(ACME, (await asked(desk, Right.RESTRICT)).id, by="Kim")
    assert done.facts["limits"] == ONLY_WHEN_SAID
    assert "dialled" in ONLY_WHEN_SAID
    subject = await desk.person(ACME, HERS)
    assert await house.righting.persons.restricted(ACME, subject) == house.clock.now()
    assert await house.righting.persons.restricted(ACME, house.anne()) is None
    lifted = await desk.do(ACME, (await asked(desk, Right.LIFT)).id, by="Kim")
    assert "limits" not in lifted.facts
    assert await house.righting.persons.restricted(ACME, subject) is None


FINDS_NOBODY = (
    ("PERSON", "Ada Lovelace", "many people share one"),
    ("CUSTOMER_NUMBER", "SECRET-4711", "not a kind of data that we find"),
    ("ID_NUMBER", "4711", "no ID_NUMBER by which somebody could be found"),
    ("EMAIL_ADDRESS", "Ada Lovelace", "no EMAIL_ADDRESS by which"),
    ("USERNAME", "lovelace1815", "calls of acme are not noted by USERNAME"),
)


async def test_by_what_nobody_is_found_no_request_is_taken(desk: RightsDesk) -> None:
    """Each with its reason, and without what was sent."""
    for kind, value, why in FINDS_NOBODY:
        with pytest.raises(InvalidRequest, match=why) as refused:
            await desk.open(ACME, Right.ACCESS, Spoken(kind, Private(value)), by="Kim")
        assert value not in str(refused.value) + refused.value.hint
    assert await desk.list(ACME) == []


async def test_who_was_noted_before_the_policy_changed_its_mind_is_found(house: House, desk: RightsDesk) -> None:
    """The hash is kept, so it answers; who was never noted is told why."""
    file = house.folder / "policies" / "tenants" / "acme.yaml"
    file.write_text(file.read_text().replace("[EMAIL_ADDRESS, ID_NUMBER]", "[ID_NUMBER]"))
    house.policies.reload_if_changed()
    assert len(await desk.found(await asked(desk, Right.ACCESS))) == 2
    with pytest.raises(InvalidRequest, match="not noted by EMAIL_ADDRESS"):
        await asked(desk, Right.ACCESS, Spoken("EMAIL_ADDRESS", Private("nobody@example.org")))


async def test_a_request_that_came_to_us_is_passed_on_without_what_was_said(house: House, desk: RightsDesk) -> None:
    case = await asked(desk, Right.ERASE, via=Via.DIRECT)
    (letter,) = house.channel.got
    assert "keyed hash of the EMAIL_ADDRESS" in letter.text
    assert "lovelace" not in (letter.text + str(letter.data)).lower()
    assert letter.data["subject"] == case.about


async def test_nothing_of_it_stands_anywhere(house: House, desk: RightsDesk, caplog: pytest.LogCaptureFixture) -> None:
    """The store, the chain and the logs, after every right was asked for."""
    caplog.set_level(logging.DEBUG)
    await handed_out(desk, await asked(desk, Right.ACCESS))
    for right in (Right.RESTRICT, Right.LIFT, Right.ERASE):
        await desk.do(ACME, (await asked(desk, right)).id, by="Kim")
    said = names_in([*await house.evidence(""), *await house.evidence("", BETA)]) + caplog.text
    async with house.store.answers() as client:
        names: Any = await client.keys("sordino:*")
        dumps = [name + bytes(await client.dump(name) or b"") for name in names]
    everything = said.lower().encode() + b" ".join(dumps).lower()
    assert [word for word in (b"lovelace", b"example dot org", b"ada.l") if word in everything] == []


def test_a_request_says_of_which_kind_it_was_and_hides_the_rest() -> None:
    assert ADDRESS not in repr(HERS)
    assert EntityType("EMAIL_ADDRESS") == HERS.kind
