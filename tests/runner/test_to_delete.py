"""What a caller no longer agrees to goes, and a child's call goes: whatever does not answer, whoever dies, whatever is held."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.adapters.recordings.folder import Folder
from gateway.adapters.recordings.format import CLASS, new_header
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.marks import Marks
from gateway.adapters.stores.recordings import RecordingFacts, RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.transcripts import RedisTranscripts, TranscriptFacts, TurnKept
from gateway.adapters.stores.withdrawn import RedisWithdrawn
from gateway.adapters.system import SystemClock
from gateway.children import open_children
from gateway.errors import NotFound, StoreUnavailable
from gateway.policy.retention import HoldScope
from gateway.recording import FileSink, RecordingNeeds
from gateway.runner.account import CallAccount
from gateway.runner.to_delete import Deleting, Noted
from gateway.settings import Settings
from gateway.values import CallId, DataClass, MaskedText, Placeholder, Private, TenantId
from tests.adapters.recordings.samples import PIECES, RATE
from tests.runner.lived import ACME, BEGAN, Lived, lived, write_policies

CALL = CallId("call_9")
ORDER: dict[str, Any] = {"reason": "case 7", "approver": "A. Judge", "review": date(2127, 1, 1), "by": "operator"}


class Away:
    """The store's list while the store does not answer."""

    def __init__(self, log: RedisWithdrawn) -> None:
        self.log = log
        self.away = True

    async def add(self, tenant: TenantId, call: CallId) -> None:
        await self._answers().add(tenant, call)

    async def remove(self, tenant: TenantId, call: CallId) -> None:
        await self._answers().remove(tenant, call)

    async def all(self, tenant: TenantId) -> list[CallId]:
        return await self._answers().all(tenant)

    def _answers(self) -> RedisWithdrawn:
        if self.away:
            raise StoreUnavailable("the store does not answer")
        return self.log


@dataclass
class House:
    """A gateway on a real store whose call_9 is being recorded and written down."""

    lived: Lived
    folder: Folder
    away: Away
    sound: Deleting
    words: Deleting

    async def recorded(self) -> FileSink:
        index, keys = RedisRecordings(self.lived.store), self.lived.keys.shelf
        key = await keys.key(ACME, CALL, CLASS, create=True)
        assert key is not None
        header = new_header(key, ACME, CALL, started=BEGAN.isoformat(), consent="sha256:c", rate=RATE, redacted="none")
        file = await self.folder.create(header, key)
        for piece in PIECES[:-1]:
            await file.write(piece)
        facts = RecordingFacts(CALL, BEGAN.isoformat(), "disk", "folder", header.key_id, "sha256:c", "none", RATE, keep_s=10**9)
        facts = replace(facts, folder=self.folder.name, on_shelf=True)
        await index.put(ACME, facts)
        needs = RecordingNeeds(self.folder, index, keys, SystemClock(), lambda: None, self.sound)
        account: Any = SimpleNamespace(tenant=ACME, call=CALL)
        grant: Any = SimpleNamespace(dialect="folder")
        return FileSink(needs, account, grant, file, facts)

    async def written(self) -> None:
        shelf = self.lived.keys.shelf
        facts = TranscriptFacts(CALL, BEGAN.isoformat(), "sha256:c", "recording", keep_s=10**9)
        sheet = await RedisTranscripts(self.lived.store, shelf).begin(ACME, facts)
        await sheet.write({0: TurnKept("caller", "t", MaskedText("<PERSON_1>"))}, {Placeholder("<PERSON_1>"): Private("Ada")})

    @property
    def recordings(self) -> Any:
        return self.lived.desk.holdings[0]._desk  # type: ignore[attr-defined]

    @property
    def transcripts(self) -> Any:
        return next(each for each in self.lived.desk.holdings if each.name == "transcripts")._desk  # type: ignore[attr-defined]

    async def readable(self) -> bool:
        try:
            async with self.recordings.export(ACME, CALL, reason="curious") as found:
                return len([piece async for piece in found.wav]) > 0
        except NotFound:
            return False

    async def kinds(self) -> list[str]:
        return [entry.draft.kind async for entry in self.lived.ledger.entries(ACME)]


@pytest.fixture
async def house(tmp_path: Path, valkey: EmbeddedValkey, store: Store) -> AsyncIterator[House]:
    write_policies(tmp_path / "policies")
    settings = Settings.from_env({"SORDINO_DATA": str(tmp_path / "data")}, policies=tmp_path / "policies")
    async with lived(replace(settings, redis_url=valkey.url)) as gateway:
        recordings: Any = gateway.desk.holdings[0]
        transcripts: Any = next(each for each in gateway.desk.holdings if each.name == "transcripts")
        sound, words = recordings._desk._p.deleting, transcripts._desk._deleting
        gateway.desk.delete_for(sound, words)
        away = Away(RedisWithdrawn(gateway.store, DataClass.AUDIO))
        sound.noted = Noted(away, Marks(settings.data / "to-delete" / "audio"))
        yield House(gateway, Folder(settings.data / "recordings"), away, sound, words)


async def test_taken_back_while_the_store_is_away_it_is_nobodys_to_read_and_goes_when_the_store_is_back(house: House) -> None:
    sink = await house.recorded()
    delete, house.sound.by = house.sound.by, _away
    with pytest.raises(StoreUnavailable):
        await sink.delete()

    house.away.away = False
    assert await house.recordings.mend() == ()
    assert not await house.readable()
    assert await house.sound.resume([ACME]) == 0
    house.sound.by = delete
    assert await house.sound.resume([ACME]) == 1

    assert house.folder.calls(ACME) == []
    (certificate,) = await house.lived.desk.certificates.of(ACME, CALL)
    assert certificate.document["why"] == "the agreement was taken back"
    assert await house.sound.noted.all(ACME) == []  # type: ignore[union-attr]
    assert await house.sound.resume([ACME]) == 0


async def test_taken_back_before_a_gateway_died_it_is_not_mended_but_goes(house: House) -> None:
    """The evidence has it: nothing else could be noted any more."""
    house.away.away = False
    sink = await house.recorded()
    account = CallAccount(ACME, CALL, house.lived.ledger, SystemClock())
    await account.write("consent.withdrawn", {"purpose": "recording", "how": "spoken", "then": "continue-unrecorded"})
    sink._file.release()

    assert await house.recordings.mend() == ()
    assert not await house.readable()
    assert await house.sound.resume([ACME]) == 1
    assert await house.recordings.find(ACME, CALL) is None


async def test_taken_back_what_a_hold_keeps_stays_readable_and_goes_when_it_is_lifted(house: House) -> None:
    house.away.away = False
    placed = await house.lived.desk.holds.place(ACME, HoldScope(call=CALL), **ORDER)
    assert not await (await house.recorded()).delete()
    assert await house.recordings.mend() == (CALL,)
    assert await house.readable()
    for _ in range(3):
        assert await house.sound.resume([ACME]) == 0
    assert (await house.kinds()).count("hold.blocked") == 1, "told once, not at every look"

    await house.lived.desk.holds.lift(ACME, placed.hold.id, reason="case closed", by="operator")
    assert await house.sound.resume([ACME]) == 1
    assert await house.recordings.find(ACME, CALL) is None


async def test_words_that_could_not_be_deleted_are_nobodys_to_read_and_go_later(house: House) -> None:
    await house.written()
    delete, house.words.by = house.words.by, _away
    with pytest.raises(StoreUnavailable):
        await house.words.done(ACME, CALL)
    with pytest.raises(NotFound, match="taken back"):
        await house.transcripts.read_in_clear(ACME, CALL, reason="curious", by="operator")
    house.words.by = delete
    assert await house.words.resume([ACME]) == 1
    assert await house.transcripts.find(ACME, CALL) is None


async def test_a_childs_call_that_a_hold_keeps_is_deleted_when_it_is_lifted(house: House) -> None:
    await house.lived.live()
    call, desk = CallId("call_1"), house.lived.desk
    children = open_children(house.lived.store, desk)
    placed = await desk.holds.place(ACME, HoldScope(call=call, data_class=DataClass.AUDIO), **ORDER)
    await children.over(ACME, call)
    assert (await house.lived.readable(ACME))[call] == {"recordings", "receipts"}
    for _ in range(2):
        assert await children.resume([ACME]) == 0
    assert (await house.kinds()).count("hold.blocked") == 1

    await desk.holds.lift(ACME, placed.hold.id, reason="case closed", by="operator")
    assert await children.resume([ACME]) == 1
    assert (await house.lived.readable(ACME))[call] == {"receipts"}
    assert await children.resume([ACME]) == 0


async def test_what_is_noted_nowhere_is_an_error(tmp_path: Path, house: House) -> None:
    (tmp_path / "file").write_text("")
    noted = Noted(house.away, Marks(tmp_path / "file"))
    with pytest.raises(StoreUnavailable, match="disk"):
        await noted.add(ACME, CALL)


async def _away(tenant: TenantId, call: CallId, *, why: str, by: str) -> object:
    raise StoreUnavailable("the store does not answer")
