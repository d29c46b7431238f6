"""What happened since a backup is done again in the restored store; what cannot be understood ends the restore with its place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.transcripts import CallTranscript, RedisTranscripts, TranscriptFacts, TurnKept
from gateway.errors import BackupInvalid
from gateway.evidence.chain import CallChain, seal
from gateway.evidence.entries import Entry
from gateway.policy.consent import ANY_PURPOSE, Answer, ConsentRecord, How, consent_for
from gateway.runner.backup_replay import Replay
from gateway.runner.backup_since import Since
from gateway.runner.places import ConsentsHolding
from gateway.values import CallId, MaskedText, Placeholder, Private
from tests.evidence.samples import ACME, NOON
from tests.runner.desks import ACME as DIALLING
from tests.runner.desks import START, Desks

CALL, ANNA, BEN = CallId("call_1"), "a" * 64, "b" * 64
NAME, PLACE = Placeholder("<PERSON_1>"), Placeholder("<PLACE_1>")
LATER = "2026-11-01T13:00:00+00:00"
Said = tuple[str, Mapping[str, Any]]


async def entries(*said: Said) -> AsyncIterator[Entry]:
    """What stands behind the backup's head, an hour between two of them."""
    for number, (kind, body) in enumerate(said):
        yield seal(CallChain(ACME, CALL).draft(kind, NOON + timedelta(hours=number), body), 7 + number, "sha256:" + "0" * 64)


def replay(store: Store) -> Replay:
    return Replay(store, [ConsentsHolding(store)], shelf(store))


def shelf(store: Store) -> RedisKeyShelf:
    return RedisKeyShelf(store, MasterKeys.fixed(bytes(range(32))))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("offboarding.announced", {"offboarding": "o", "reason": "r", "by": "b", "ends": "2026-12-01"}),
        ("consent.recorded", {"records": [{"subject": "s"}]}),
        ("consent.recorded", {"count": 1, "records": [{"subject": "s", "answer": "given", "how": "written", "at": "noon"}]}),
        ("transcript.rectified", {"before": "0", "after": "1", "key_id": "k"}),
        ("rights.rectified", {"case": "c", "subject": ANNA, "by": "Kim"}),
    ],
)
async def test_an_entry_of_another_version_ends_the_restore_with_its_place(
    store: Store, kind: str, body: Mapping[str, Any]
) -> None:
    """Never a traceback, and never a store that lacks what happened."""
    with pytest.raises(BackupInvalid, match=rf"entry 7 \({kind}\) of acme does not say"):
        await replay(store).run(entries((kind, body)), Since())


# --- consents -----------------------------------------------------------------------------------------------------------------


def recorded(answer: str, at: str = "2026-11-01T12:00:00+00:00", **more: str) -> Said:
    row = {"subject": ANNA, "answer": answer, "purpose": "reminder", "how": "written", "proof": "form 1", "at": at, **more}
    return "consent.recorded", {"count": 1, "records": [{name: value for name, value in row.items() if value}]}


async def holds(store: Store, subject: str = ANNA) -> bool:
    """Whether they agree a year from now."""
    return consent_for(await RedisConsents(store).of(ACME, subject), "reminder", NOON + timedelta(days=365)).holds


@pytest.mark.parametrize(
    ("since", "agrees", "counts"),
    [
        ([recorded("withdrawn")], False, (1, 0, 0)),
        ([recorded("withdrawn", at="")], False, (1, 0, 0)),
        ([recorded("withdrawn"), recorded("given", at=LATER)], True, (1, 1, 0)),
        ([recorded("withdrawn"), recorded("given", at="")], False, (1, 0, 1)),
        (
            [recorded("withdrawn"), recorded("given", at=LATER, until="2026-12-01T00:00:00Z")],
            False,
            (1, 1, 0),
        ),
        ([recorded("given"), recorded("withdrawn", at=LATER)], False, (1, 1, 0)),
        ([("consent.recorded", {"count": 500, "named": 100, "part": 1, "records": []})], True, (0, 0, 400)),
    ],
    ids=["taken back", "of an earlier version", "agreed anew", "agreed, time unknown", "agreed for a time", "both", "not named"],
)
async def test_a_persons_last_word_since_the_backup_counts(
    store: Store, since: Sequence[Said], agrees: bool, counts: tuple[int, int, int]
) -> None:
    """Who took an agreement back is never taken for one who agrees; who agreed anew need not be asked, where it is known when."""
    before = ConsentRecord(Answer.GIVEN, "reminder", How.WRITTEN, NOON - timedelta(days=9), "form 0")
    await RedisConsents(store).add(ACME, [(ANNA, before)])
    done = await replay(store).run(entries(*since), Since())
    assert await holds(store) is agrees
    assert (done.objections, done.consents, done.consents_unknown) == counts


async def test_a_record_that_the_backup_had_is_not_there_twice(store: Store) -> None:
    """Data is read behind the head: what was recorded in between is in both."""
    done = Since()
    for _ in range(2):
        await replay(store).run(entries(recorded("given", until="2026-12-01T00:00:00+00:00")), done)
    assert len(await RedisConsents(store).of(ACME, ANNA)) == 1


async def test_who_takes_consents_back_in_a_large_import_is_named_one_by_one(store: Store) -> None:
    """However many at once: the evidence names each, and a store of before the import believes each of them."""
    people = [Private(f"+1512555{number:04d}") for number in range(230)]
    consents = RedisConsents(store)
    async with Desks(store) as desks:
        agreed = [(who, ConsentRecord(Answer.GIVEN, "reminder", How.IMPORTED, START, "form 1")) for who in people]
        await desks.dial.import_consents("acme", agreed)
        took_back = [(who, ConsentRecord(Answer.WITHDRAWN, ANY_PURPOSE, How.IMPORTED, START, "file 2")) for who in people]
        await desks.dial.import_consents("acme", took_back)
        said = await desks.evidence("consent.")
        assert [len(entry.draft.body["records"]) for entry in said] == [100, 100, 100, 30]  # type: ignore[arg-type]
        subjects = [each["subject"] async for each in consents.everybody(DIALLING)][::2]
        assert len(set(subjects)) == 230
        await store.ask("DEL", *(f"sordino:{{acme}}:consents:{subject}" for subject in subjects))
        await consents.add(DIALLING, [(who, agreed[0][1]) for who in subjects])
        done = await replay(store).run(desks.real.entries(DIALLING), Since())
    assert (done.objections, done.consents, done.consents_unknown) == (230, 100, 130)
    assert not any([await holds(store, subject) for subject in subjects])


async def test_who_was_erased_and_agreed_anew_is_no_data_that_came_back(store: Store) -> None:
    """Also where the file that says so is older than the erasure."""
    named = dict.fromkeys(("certificate", "class", "key_id", "why", "by", "decided"), "x")
    gone = {**named, "where": [], "holding": "consents", "of": ANNA, "gone": "2026-11-01T12:30:00+00:00"}
    since = [("deletion.certified", gone), recorded("withdrawn", at="2026-10-01T12:00:00+00:00")]
    to_do, done = replay(store), Since()
    await RedisConsents(store).add(ACME, [(ANNA, ConsentRecord(Answer.GIVEN, "reminder", How.WRITTEN, NOON, "form 0"))])
    await to_do.run(entries(*since), done)
    await to_do.prove(entries(*since), done)
    assert (done.deleted_again, done.came_back) == (1, [])
    assert [each.answer for each in await RedisConsents(store).of(ACME, ANNA)] == [Answer.WITHDRAWN]

    again = await to_do.run(entries(since[1], since[0]), Since())
    await RedisConsents(store).add(ACME, [(ANNA, ConsentRecord(Answer.GIVEN, "reminder", How.WRITTEN, NOON, "form 0"))])
    await to_do.prove(entries(since[1], since[0]), again)
    assert again.came_back == [f"consents {ANNA}"], "what was erased last must not be there"


# --- words that were put right ----------------------------------------------------------------------------------------------


async def written(store: Store, **values: str) -> CallTranscript:
    """A transcript as the backup has it."""
    facts = TranscriptFacts(CALL, NOON.isoformat(), "sha256:c", "recording", keep_s=3_600)
    sheet = await RedisTranscripts(store, shelf(store)).begin(ACME, facts)
    turn = TurnKept("caller", NOON.isoformat(), MaskedText("I am <PERSON_1> of <PLACE_1>."))
    kept = {NAME: Private(values["person"]), PLACE: Private("Berlin")}
    await sheet.write({0: turn}, kept)
    await sheet.finish(1)
    return sheet


def put_right(sheet: CallTranscript, before: str, after: str) -> Said:
    hashes = {"before": sheet.digest(Private(before)), "after": sheet.digest(Private(after))}
    return "transcript.rectified", {"placeholder": str(NAME), **hashes, "key_id": "k", "by": "rights"}


@pytest.mark.parametrize(
    ("had", "steps", "left"),
    [
        ("Mayer", [("Mayer", "Maier")], None),
        ("Maier", [("Mayer", "Maier")], "Maier"),
        ("Mayer", [("Mayer", "Maier"), ("Maier", "Meier")], None),
        ("Maier", [("Mayer", "Maier"), ("Maier", "Meier")], None),
        ("Meier", [("Mayer", "Maier"), ("Maier", "Meier")], "Meier"),
        ("Mayer", [("Mayer", "Maier"), ("Maier", "Mayer")], "Mayer"),
    ],
)
async def test_a_value_that_was_put_right_since_is_not_read_again(
    store: Store, had: str, steps: Sequence[tuple[str, str]], left: str | None
) -> None:
    """What the backup has is there only if it is the newest right value; the rest of the transcript stays."""
    sheet = await written(store, person=had)
    done = await replay(store).run(entries(*(put_right(sheet, *each) for each in steps)), Since())
    _, values = await sheet.all()
    assert {name: value.reveal() for name, value in values.items()} == {PLACE: "Berlin"} | ({NAME: left} if left else {})
    assert (done.rectified, done.came_back) == ([] if left else [CALL], [])


async def test_words_of_a_transcript_that_is_gone_need_not_be_taken_out(store: Store) -> None:
    sheet = await written(store, person="Mayer")
    await RedisTranscripts(store, shelf(store)).delete(ACME, CALL)
    done = await replay(store).run(entries(put_right(sheet, "Mayer", "Maier")), Since())
    assert done.rectified == []


@pytest.mark.parametrize("places", [{"consent": 1}, {}], ids=["there", "not known"])
async def test_what_proves_consents_gives_way_to_the_entry_that_says_it_was_put_right(
    store: Store, places: dict[str, int]
) -> None:
    """Of that person, and of before: the agreement itself stays, and a proof of after that stays too. Others are untouched."""
    consents = RedisConsents(store)
    old = ConsentRecord(Answer.GIVEN, "reminder", How.WRITTEN, NOON - timedelta(days=9), "letter of Mayer")
    new = ConsentRecord(Answer.GIVEN, "reminder", How.WRITTEN, NOON + timedelta(days=9), "form 2")
    await consents.add(ACME, [(ANNA, old), (ANNA, new), (BEN, old)])
    vault_only = ("rights.rectified", {"case": "c", "subject": BEN, "by": "Kim", "places": {"vault": 1}})
    since = ("rights.rectified", {"case": "c", "subject": ANNA, "by": "Kim", "places": places})
    done = await replay(store).run(entries(since, vault_only), Since())
    assert [each.proof for each in await consents.of(ACME, ANNA)] == [f"put right since the backup: {CALL}", "form 2"]
    assert await holds(store)
    assert await consents.of(ACME, BEN) == (old,)
    assert done.rectified == [ANNA]
