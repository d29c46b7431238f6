"""Recordings after their calls: read with a reason, sent to their store encrypted, deleted with their key, and in time."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.recordings.format import CLASS, FileKey, Piece, Sound, open_recording
from gateway.adapters.stores.deletions import Intent, RedisDeletions
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.recordings import KEPT, WAITING, WRITING, RecordingFacts
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import EvidenceUnavailable, InvalidRequest, NoPermittedRoute, NotFound, RecordingAltered, UpstreamFailed
from gateway.evidence.chain import verify_chain
from gateway.recording import DeskNeeds, Recordings, open_recordings
from gateway.runner.account import CallAccount
from gateway.runner.places import RecordingsHolding
from gateway.values import CallId, DataClass, Private, ProcessorId, TenantId
from tests.adapters.recordings.bucket import Bucket, bucket
from tests.adapters.recordings.samples import CALL, PIECES, RATE, TENANT, header_and_key
from tests.conftest import PATIENCE_S

VOICE = b"\x11\x22\x33\x44"
REGISTRY = """\
- {{id: disk, name: Files, purpose: recordings, kind: storage, dialect: folder, region: local, training: prohibited,
   retention_days: 0, receives: [voice], status: active, source: invented, checked_on: 2026-11-01}}
- {{id: bucket, name: Bucket, purpose: recordings, kind: storage, dialect: s3, base_url: "{url}", secret: S3_KEY,
   send: {{region: eu-central-1}}, region: eu, training: prohibited, retention_days: 0, receives: [voice],
   dpa: {{reference: D, reviewed_on: 2026-10-01}}, status: active, source: invented, checked_on: 2026-11-01}}
"""
POLICY = """\
tenant: acme
regions: [{region}]
origins: [eu]
route: {{storage: [{{processor: bucket}}, {{processor: disk}}]}}
recording: {{enabled: true}}
retention: {{audio: 1d}}
announcements: [{{id: a, text: May we record?, mode: stay-on-line, says: [recording]}}]
"""


@dataclass
class House:
    recordings: Recordings
    ledger: RedisLedger
    policies: PolicyFolder
    folder: Path
    bucket: Bucket

    async def recorded(
        self, processor: str = "disk", *, finished: bool = True, pieces: tuple[Piece, ...] = PIECES[:-1], call: CallId = CALL
    ) -> Path:
        """A call that was recorded: its evidence, its file and its place in the index."""
        needs = self.recordings.needs
        account = CallAccount(TENANT, call, self.ledger, SystemClock())
        await account.write("call.started", {})
        kept = await needs.keys.key(TENANT, call, CLASS, create=True)
        assert kept is not None
        header, key = header_and_key(call=call, key=kept)
        file = await needs.folder.create(header, key)
        dialect = "folder" if processor == "disk" else "s3"
        started = datetime.now(UTC).isoformat()
        facts = RecordingFacts(
            call, started, processor, dialect, header.key_id, "sha256:c", "silence", RATE, keep_s=7 * 24 * 3600, state=WRITING
        )
        facts = replace(facts, folder=needs.folder.name)
        await needs.index.put(TENANT, facts)
        for piece in pieces:
            await file.write(piece)
        if finished:
            await file.finish(24_000)
            state = KEPT if dialect == "folder" else WAITING
            await needs.index.change(TENANT, call, state=state, ms=3_000, chunks=file.chunks, sha256=file.sha256)
        else:
            file.release()
        return file.path

    async def kinds(self, call: CallId = CALL) -> list[str]:
        return [entry.draft.kind async for entry in self.ledger.entries(TENANT, call)]

    async def exported(self, *, reason: str = "complaint 17") -> bytes:
        async with self.recordings.desk.export(TENANT, CALL, reason=reason) as found:
            return b"".join([piece async for piece in found.wav])

    async def state(self) -> str:
        facts = await self.recordings.needs.index.find(TENANT, CALL)
        return "" if facts is None else facts.state

    def region(self, region: str) -> None:
        (self.folder / "tenants" / "acme.yaml").write_text(POLICY.format(region=region), encoding="utf-8")
        assert self.policies.reload_if_changed()


@pytest.fixture
async def house(tmp_path: Path, store: Store) -> AsyncIterator[House]:
    async with bucket() as objects, RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        policies = tmp_path / "policies"
        (policies / "tenants").mkdir(parents=True)
        (policies / "subprocessors.yaml").write_text(REGISTRY.format(url=objects.url), encoding="utf-8")
        (policies / "tenants" / "acme.yaml").write_text(POLICY.format(region="eu"), encoding="utf-8")

        async def nobody(tenant: TenantId, at: datetime) -> tuple[dict[ProcessorId, str], frozenset[ProcessorId]]:
            return {}, frozenset()

        needs = DeskNeeds(
            data=tmp_path / "data",
            store=store,
            ledger=ledger,
            policies=(opened := PolicyFolder.open(policies)),
            secrets=Secrets(tmp_path / "secrets", {"S3_KEY": "KEYID:secret"}),
            keys=RedisKeyShelf(store, MasterKeys.fixed(bytes(range(32)))),
            telemetry=NullTelemetry(),
            clock=SystemClock(),
            ids=RandomIds(),
            notices=nobody,
        )
        yield House(open_recordings(needs), ledger, opened, policies, objects)


class TestReading:
    async def test_a_recording_comes_as_wav_and_the_evidence_says_why_it_was_read(self, house: House) -> None:
        await house.recorded()
        with wave.open(io.BytesIO(await house.exported())) as found:
            assert (found.getnchannels(), found.getframerate(), found.getnframes()) == (2, RATE, 24_000)
        assert await house.kinds() == ["call.started", "recording.read"]
        entries = [entry async for entry in house.ledger.entries(TENANT)]
        assert entries[-1].draft.body["reason"] == "complaint 17"
        assert verify_chain(entries, tenant=TENANT).count == 2

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "asked by +15550301"])
    async def test_without_a_reason_nothing_is_read(self, house: House, reason: str) -> None:
        await house.recorded()
        with pytest.raises(InvalidRequest, match="reason"):
            await house.exported(reason=reason)
        assert await house.kinds() == ["call.started"]

    async def test_without_evidence_not_a_byte_is_given_out(self, house: House) -> None:
        await house.recorded()
        await house.ledger.aclose()
        with pytest.raises(EvidenceUnavailable):
            await house.exported()

    async def test_an_altered_file_is_refused_before_its_first_sound_with_the_chunk_named(self, house: House) -> None:
        path = await house.recorded()
        data = bytearray(path.read_bytes())
        data[-1_000] ^= 1
        path.write_bytes(data)
        with pytest.raises(RecordingAltered, match="chunk 3"):
            await house.exported()
        assert await house.kinds() == ["call.started"]

    async def test_a_finished_file_that_somebody_cut_off_at_a_chunks_end_is_found_out(self, house: House) -> None:
        """It would read like that of a gateway that was killed: the index knows how long it was."""
        path = await house.recorded()
        whole = path.read_bytes()
        last_frame = 5 + len(b'E{"samples": 24000}') + 16
        path.write_bytes(whole[:-last_frame])
        with pytest.raises(RecordingAltered, match="4 chunks of 5"):
            await house.exported()

    async def test_one_whose_gateway_died_over_deleting_it_is_gone_and_not_altered(self, house: House, store: Store) -> None:
        """The file's beginning is overwritten before it is unlinked: an alarm, unless it was decided that it goes."""
        path = await house.recorded()
        with path.open("r+b") as file:
            file.write(bytes(512))
        with pytest.raises(RecordingAltered):
            await house.exported()
        about = ("request", "operator", datetime.now(UTC))
        going = Intent("deletion_1", RecordingsHolding.name, DataClass.AUDIO, CALL, datetime.now(UTC), *about)
        assert await RedisDeletions(store).claim(TENANT, [going], "0") is not None
        with pytest.raises(NotFound, match="is being deleted"):
            await house.exported()
        assert "recording.read" not in await house.kinds()

    async def test_there_is_no_recording_of_other_calls_and_none_for_other_tenants(self, house: House) -> None:
        await house.recorded()
        desk = house.recordings.desk
        assert await desk.list(TenantId("other")) == []
        with pytest.raises(NotFound):
            async with desk.export(TenantId("other"), CALL, reason="curiosity"):
                raise AssertionError("it was opened")


class TestAfterAGatewayWasKilled:
    async def test_what_it_wrote_is_told_as_cut_and_stays_readable(self, house: House) -> None:
        await house.recorded(finished=False)
        assert await house.recordings.desk.mend() == (CALL,)
        (facts,) = await house.recordings.desk.list(TENANT)
        assert (facts.state, facts.cut, facts.chunks) == (KEPT, True, 4)
        async with house.recordings.desk.export(TENANT, CALL, reason="after the crash") as found:
            assert found.extent.cut
        assert await house.recordings.desk.mend() == ()

    async def test_what_is_still_being_written_is_left_alone(self, house: House) -> None:
        path = await house.recorded(finished=False)
        with house.recordings.needs.folder.lock(TENANT, CALL) as ours:
            assert ours
            assert await house.recordings.desk.mend() == ()
            with pytest.raises(InvalidRequest, match="still being recorded"):
                await house.recordings.desk.destroy(TENANT, CALL)
        assert path.exists()


class TestDestroying:
    async def test_the_key_and_the_sound_are_gone(self, house: House) -> None:
        path = await house.recorded()
        copy = path.read_bytes()
        (facts,) = await house.recordings.desk.list(TENANT)
        assert await house.recordings.desk.destroy(TENANT, CALL) == facts
        assert not path.exists()
        assert await house.recordings.needs.keys.key(TENANT, CALL, CLASS, create=False) is None
        with pytest.raises(NotFound, match="was destroyed"):
            open_recording(io.BytesIO(copy), FileKey(None, house.recordings.needs.keys))
        assert await house.recordings.desk.list(TENANT) == []
        assert await house.recordings.desk.destroy(TENANT, CALL) is None

    async def test_an_older_one_on_another_gateways_disk_stays_in_the_list(self, house: House) -> None:
        """Forgetting it here would leave its sound there for ever, with the key that opens it."""
        await house.recorded()
        await house.recordings.needs.index.change(TENANT, CALL, folder="another")
        with pytest.raises(NotFound, match="another gateway's disk"):
            await house.recordings.desk.destroy(TENANT, CALL)
        assert await house.state() == KEPT

    async def test_one_on_another_gateways_disk_dies_with_its_key_and_is_cleared_away_there(self, house: House) -> None:
        path = await house.recorded()
        await house.recordings.needs.index.change(TENANT, CALL, folder="another", on_shelf=True)
        copy = path.rename(path.with_suffix(".there"))
        assert await house.recordings.desk.destroy(TENANT, CALL) is not None
        assert await house.recordings.needs.keys.key(TENANT, CALL, CLASS, create=False) is None
        assert await house.state() == ""

        copy.rename(path)
        for on_record in (False, True):

            async def deleted(tenant: TenantId, call: CallId, on_record: bool = on_record) -> bool:
                return on_record

            assert await house.recordings.desk.clear_away(deleted) == ((CALL,) if on_record else ())
            assert path.exists() is not on_record


class TestAStoreElsewhere:
    async def test_gets_the_file_as_it_lies_on_the_disk_under_a_grant_and_never_a_sample(self, house: House) -> None:
        path = await house.recorded("bucket", pieces=(Sound(0, Private(VOICE * 20_000)),))
        encrypted = path.read_bytes()
        assert await house.recordings.desk.send_waiting() == (CALL,)
        assert house.bucket.objects == {"/recordings/acme/call_1.srec": encrypted}
        assert VOICE * 2 not in house.bucket.seen
        assert not path.exists()
        assert (await house.state(), await house.kinds()) == (KEPT, ["call.started", "hop", "recording.stored"])
        grant = [entry async for entry in house.ledger.entries(TENANT, CALL)][1].draft.body["grant"]
        assert isinstance(grant, dict)
        assert (grant["purpose"], grant["categories"], grant["region"]) == ("recording", ["voice"], "eu")

    async def test_long_files_go_in_parts(self, house: House) -> None:
        pieces = tuple(Sound(at * 100_000, Private(VOICE * 100_000)) for at in range(16))
        path = await house.recorded("bucket", pieces=pieces)
        encrypted = path.read_bytes()
        await house.recordings.desk.send_waiting()
        assert house.bucket.objects["/recordings/acme/call_1.srec"] == encrypted
        assert len([each for each in house.bucket.requests if each.startswith("PUT")]) == 2

    async def test_what_it_does_not_take_stays_here_encrypted_and_is_sent_the_next_time(self, house: House) -> None:
        path = await house.recorded("bucket")
        house.bucket.failing = 503
        assert await house.recordings.desk.send_waiting() == ()
        assert (await house.state(), path.exists()) == (WAITING, True)
        house.bucket.failing = 0
        assert await house.recordings.desk.send_waiting() == (CALL,)
        assert await house.state() == KEPT

    async def test_in_a_region_that_is_no_longer_allowed_gets_nothing_more(self, house: House) -> None:
        path = await house.recorded("bucket")
        house.region("us")
        assert await house.recordings.desk.send_waiting() == ()
        assert (house.bucket.requests, path.exists()) == ([], True)
        assert (await house.kinds())[-1] == "refused"

    async def test_in_a_region_that_is_no_longer_allowed_can_still_be_told_to_delete(self, house: House) -> None:
        """No rule keeps data where it must not stay."""
        await house.recorded("bucket")
        await house.recordings.desk.send_waiting()
        house.region("us")
        assert await house.recordings.desk.destroy(TENANT, CALL) is not None
        assert house.bucket.objects == {}

    async def test_what_it_keeps_is_read_back_and_deleted_there(self, house: House) -> None:
        await house.recorded("bucket")
        await house.recordings.desk.send_waiting()
        with wave.open(io.BytesIO(await house.exported())) as found:
            assert found.getnframes() == 24_000
        assert await house.recordings.desk.destroy(TENANT, CALL) is not None
        assert house.bucket.objects == {}
        assert (await house.kinds())[-3:] == ["hop", "recording.read", "hop"]

    async def test_what_cannot_be_deleted_there_stays_in_the_list_and_its_words_are_not_passed_on(self, house: House) -> None:
        await house.recorded("bucket")
        await house.recordings.desk.send_waiting()
        house.bucket.failing = 500
        with pytest.raises(UpstreamFailed) as refused:
            await house.recordings.desk.destroy(TENANT, CALL)
        assert "own words" not in str(refused.value)
        assert await house.state() == KEPT

    @pytest.mark.parametrize("deleted", ["while it is on its way", "and then it arrives"])
    async def test_keeps_nothing_of_what_was_deleted_while_it_was_sent(self, house: House, deleted: str) -> None:
        await house.recorded("bucket")
        desk = house.recordings.desk
        parts = desk._p
        if deleted == "while it is on its way":
            desk._p = replace(parts, storages={"s3": _Late(parts.storages["s3"], lambda: desk.destroy(TENANT, CALL))})
            assert await desk.send_waiting() == ()
            assert "recording.stored" not in await house.kinds()
        else:
            desk._p = replace(parts, keys=cast(Any, _Late(parts.keys, desk.send_waiting)))
            assert await desk.destroy(TENANT, CALL) is not None
        assert (house.bucket.objects, await house.state()) == ({}, "")
        assert house.bucket.requests[0].startswith("PUT"), "it was there"

    async def test_of_a_tenant_whose_file_is_gone_is_not_asked_and_its_recording_stays_in_the_list(self, house: House) -> None:
        await house.recorded("bucket")
        await house.recordings.desk.send_waiting()
        house.recordings.desk._p = replace(house.recordings.desk._p, tenants=dict)
        with pytest.raises(NoPermittedRoute, match="no policy"):
            await house.recordings.desk.destroy(TENANT, CALL)
        assert await house.state() == KEPT


class _Late:
    """``inner``, in whose first act something else happens at the same moment."""

    def __init__(self, inner: Any, happens: Callable[[], Awaitable[object]]) -> None:
        self._inner = inner
        self._happens: list[Callable[[], Awaitable[object]]] = [happens]

    async def send(self, *given: Any) -> None:
        await self._inner.send(*given)
        await self._now()

    async def destroy(self, *given: Any) -> object:
        await self._now()
        return await self._inner.destroy(*given)

    async def _now(self) -> None:
        while self._happens:
            await self._happens.pop()()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
