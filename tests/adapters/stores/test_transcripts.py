"""What was said comes back to its tenant alone; the store never holds it in clear; destroyed is destroyed everywhere."""

from __future__ import annotations

import pytest

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.transcripts import RedisTranscripts, TranscriptFacts, TurnKept
from gateway.errors import NotFound, StoreUnavailable
from gateway.values import CallId, MaskedText, Placeholder, Private, TenantId

ACME, OTHER, CALL = TenantId("acme"), TenantId("other"), CallId("call_1")
PERSON = Placeholder("<PERSON_1>")
MASTERS = MasterKeys.fixed(bytes(range(32)))
FACTS = TranscriptFacts(CALL, "2026-11-22T08:00:00+00:00", "sha256:consent", "recording", keep_s=60)
TURNS = {
    0: TurnKept("caller", "2026-11-22T08:00:01+00:00", MaskedText("My name is <PERSON_1> from Walbrook.")),
    1: TurnKept("agent", "2026-11-22T08:00:03+00:00", MaskedText("Hello, <PERSON_1>."), cut=True),
}
VALUES = {PERSON: Private("Barnaby Thistlewood")}


def transcripts(store: Store) -> RedisTranscripts:
    return RedisTranscripts(store, RedisKeyShelf(store, MASTERS))


async def test_turns_and_values_are_read_back_in_their_order(store: Store) -> None:
    kept = transcripts(store)
    sheet = await kept.begin(ACME, FACTS)
    await sheet.write({1: TURNS[1]}, {})
    await sheet.write({0: TURNS[0]}, VALUES)
    await sheet.finish(2)
    found = await transcripts(store).read(ACME, CALL)
    assert found is not None
    assert (found.turns, dict(found.values)) == ((TURNS[0], TURNS[1]), VALUES)
    assert (found.facts.turns, found.facts.state) == (2, "kept")
    assert [facts.call for facts in await kept.list(ACME)] == [CALL]


async def test_a_turn_that_is_masked_later_takes_the_place_of_the_old_one(store: Store) -> None:
    sheet = await transcripts(store).begin(ACME, FACTS)
    await sheet.write(TURNS, VALUES)
    masked = TurnKept(TURNS[0].speaker, TURNS[0].at, MaskedText("My name is <PERSON_1> from <LOCATION_1>."))
    await sheet.write({0: masked}, {Placeholder("<LOCATION_1>"): Private("Walbrook")})
    found = await transcripts(store).read(ACME, CALL)
    assert found is not None
    assert found.turns == (masked, TURNS[1])


async def test_another_tenant_and_another_call_see_nothing(store: Store) -> None:
    kept = transcripts(store)
    await (await kept.begin(ACME, FACTS)).write(TURNS, VALUES)
    assert await kept.read(OTHER, CALL) is None
    assert await kept.read(ACME, CallId("call_2")) is None
    assert await kept.list(OTHER) == []
    with pytest.raises(NotFound):
        await kept.opened(OTHER, CALL)


async def test_a_turn_moved_to_another_place_does_not_open(store: Store) -> None:
    kept = transcripts(store)
    await (await kept.begin(ACME, FACTS)).write(TURNS, VALUES)
    name = f"sordino:{{{ACME}}}:transcript:{CALL}:turns"
    await store.ask("HSET", name, "0", await store.ask("HGET", name, "1"))
    with pytest.raises(StoreUnavailable, match="altered or moved"):
        await kept.read(ACME, CALL)


async def test_deleted_means_its_key_and_nothing_is_written_to_it_any_more(store: Store) -> None:
    kept = transcripts(store)
    sheet = await kept.begin(ACME, FACTS)
    await sheet.write(TURNS, VALUES)
    assert await kept.delete(ACME, CALL) == sheet.facts.key_id
    assert await store.ask("KEYS", "*transcript*") == []
    for late in (sheet.write(TURNS, VALUES), sheet.finish(2)):
        with pytest.raises(StoreUnavailable, match="destroyed"):
            await late
    assert await kept.read(ACME, CALL) is None
    assert await kept.delete(ACME, CALL) == ""


async def test_without_its_key_what_a_backup_holds_is_unreadable(store: Store) -> None:
    """Everything but the key is put back after the deletion, as a copy of the server's files would."""
    kept = transcripts(store)
    await (await kept.begin(ACME, FACTS)).write(TURNS, VALUES)
    copies = {
        name: await store.ask("DUMP", name) for name in await store.ask("KEYS", "*transcript*") if not name.endswith(b":key")
    }
    assert len(copies) == 3
    await kept.delete(ACME, CALL)
    for name, copy in copies.items():
        await store.ask("RESTORE", name, "0", copy)
    assert await kept.read(ACME, CALL) is None
    with pytest.raises(NotFound):
        await kept.opened(ACME, CALL)


async def test_no_word_is_on_the_servers_disk(own_valkey: EmbeddedValkey) -> None:
    """The call's id, which is no secret, is found: so the search would find a word."""
    async with Store(own_valkey.url, timeout_s=20) as store:
        sheet = await transcripts(store).begin(ACME, FACTS)
        await sheet.write(TURNS, VALUES)
        await sheet.finish(2)
    raw = b"".join(path.read_bytes() for path in own_valkey.log.parent.rglob("*") if path.is_file())
    assert CALL.encode() in raw
    for word in (b"Barnaby", b"Thistlewood", b"Walbrook", b"Hello", b"My name"):
        assert word not in raw
