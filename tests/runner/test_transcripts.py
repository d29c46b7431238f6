"""Transcripts after their calls: in clear with a reason on record, corrected with hashes, deleted and copied as a holding."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.transcripts import RedisTranscripts, TranscriptFacts, TurnKept
from gateway.adapters.system import SystemClock
from gateway.errors import InvalidRequest, NotFound
from gateway.evidence.facts import check_body
from gateway.transcribing import TranscriptsKept, open_transcripts
from gateway.values import CallId, DataClass, MaskedText, Placeholder, Private, TenantId

ACME, CALL = TenantId("acme"), CallId("call_1")
FACTS = TranscriptFacts(CALL, "2026-11-22T08:00:00+00:00", "sha256:consent", "recording", keep_s=3_600)
TURNS = {
    0: TurnKept("caller", "2026-11-22T08:00:01+00:00", MaskedText("I am <PERSON_1>, my card is <CREDIT_CARD_1>.")),
    1: TurnKept("agent", "2026-11-22T08:00:03+00:00", MaskedText("Hello, <PERSON_1>.")),
}
PERSON = Placeholder("<PERSON_1>")


@pytest.fixture
async def kept(store: Store) -> AsyncIterator[TranscriptsKept]:
    """One transcript of acme's, and the desk."""
    shelf = RedisKeyShelf(store, MasterKeys.fixed(bytes(range(32))))
    async with RedisLedger(store) as ledger:
        found = open_transcripts(store, shelf, ledger, SystemClock())
        sheet = await RedisTranscripts(store, shelf).begin(ACME, FACTS)
        await sheet.write(TURNS, {PERSON: Private("Ada Lovelace")})
        await sheet.finish(2)
        yield found


async def entries(store: Store) -> list[tuple[str, dict[str, Any]]]:
    async with RedisLedger(store) as ledger:
        found = [(entry.draft.kind, dict(entry.draft.body)) async for entry in ledger.entries(ACME)]
    for kind, body in found:
        check_body(kind, body)
    return found


async def test_masked_turns_are_read_without_any_entry(kept: TranscriptsKept, store: Store) -> None:
    found = await kept.desk.read(ACME, CALL)
    assert [turn.text for turn in found.turns] == [TURNS[0].text, TURNS[1].text]
    assert await entries(store) == []


async def test_in_clear_they_are_read_once_it_is_on_record_why_and_card_data_never(kept: TranscriptsKept, store: Store) -> None:
    clear = await kept.desk.read_in_clear(ACME, CALL, reason=" a  complaint ", by="operator-key")
    said = [text.reveal() for _, text in clear.turns]
    assert said[1] == "Hello, Ada Lovelace."
    assert said[0].startswith("I am Ada Lovelace, my card is ")
    assert "card number" in said[0]
    ((kind, body),) = await entries(store)
    assert (kind, body["reason"], body["by"]) == ("transcript.revealed", "a complaint", "operator-key")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "asked by +15550301"])
async def test_without_a_reason_nothing_is_shown(kept: TranscriptsKept, reason: str) -> None:
    with pytest.raises(InvalidRequest, match="reason"):
        await kept.desk.read_in_clear(ACME, CALL, reason=reason, by="me")


@pytest.mark.parametrize("wrong", [PERSON, Private("ada  lovelace")], ids=["by its placeholder", "by the value"])
async def test_a_wrong_value_is_put_right_everywhere_in_it_with_hashes_on_record(
    kept: TranscriptsKept, store: Store, wrong: Placeholder | Private[str]
) -> None:
    (done,) = await kept.desk.rectify(ACME, CALL, wrong, Private("Ada Byron"), by="rights")
    found = await kept.desk.read(ACME, CALL)
    assert found.values[PERSON] == Private("Ada Byron")
    ((kind, body),) = await entries(store)
    assert (kind, body["before"], body["after"]) == ("transcript.rectified", done.before, done.after)
    assert len({done.before, done.after}) == 2
    assert "Ada" not in json.dumps(body)


async def test_asked_a_second_time_there_is_nothing_left_to_put_right(kept: TranscriptsKept, store: Store) -> None:
    await kept.desk.rectify(ACME, CALL, PERSON, Private("Ada Byron"), by="rights")
    assert await kept.desk.rectify(ACME, CALL, PERSON, Private("Ada Byron"), by="rights") == ()
    assert len(await entries(store)) == 1
    with pytest.raises(NotFound):
        await kept.desk.rectify(ACME, CALL, Private("Ada Lovelace"), Private("Ada Byron"), by="rights")


@pytest.mark.parametrize("right", ["", "  ", "x" * 1_001])
async def test_nothing_is_put_right_by_no_value(kept: TranscriptsKept, right: str) -> None:
    with pytest.raises(InvalidRequest, match="no value"):
        await kept.desk.rectify(ACME, CALL, PERSON, Private(right), by="rights")


async def test_as_a_holding_it_is_found_copied_in_clear_and_deleted(kept: TranscriptsKept) -> None:
    holding = kept.holding
    (item,) = [item async for item in holding.items(ACME)]
    assert item == await holding.of_call(ACME, CALL)
    assert (item.data_class, item.id, item.keep is not None, bool(item.key_id)) == (DataClass.TRANSCRIPT, CALL, True, True)
    copies = {copy.name: copy.content.reveal().decode() async for copy in holding.copies(item)}
    assert set(copies) == {"transcripts/call_1.txt", "transcripts/call_1.json"}
    assert "agent: Hello, Ada Lovelace." in copies["transcripts/call_1.txt"]
    assert json.loads(copies["transcripts/call_1.json"])["turns"][1]["text"] == "Hello, Ada Lovelace."
    assert (await holding.delete(item)).key_id == item.key_id
    assert (await holding.delete(item)).key_id == item.key_id
    assert [item async for item in holding.items(ACME)] == []
    assert [copy async for copy in holding.copies(item)] == []


async def test_nothing_is_of_a_person_and_nothing_of_another_tenant(kept: TranscriptsKept) -> None:
    assert await kept.holding.of_person(ACME, "0" * 64) is None
    assert await kept.holding.of_call(TenantId("other"), CALL) is None
    with pytest.raises(NotFound):
        await kept.desk.read(TenantId("other"), CALL)
