"""Recordings on this machine's disk: encrypted as they grow, readable after a crash, and gone with their key."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from pathlib import Path

import pytest

from gateway.adapters.recordings.folder import Folder, RecordingFile
from gateway.adapters.recordings.format import Sound, open_recording
from gateway.adapters.recordings.reading import measured, wav_of
from gateway.errors import InvalidRequest, NotFound, RecordingAltered, StoreUnavailable
from gateway.values import CallId, Gap, Private, TenantId
from tests.adapters.recordings.samples import CALL, KEYS, RATE, TENANT, header_and_key, on_disk, sound

CHILD = """
import asyncio, sys
from pathlib import Path
from gateway.adapters.recordings.folder import RecordingFile
from tests.adapters.recordings.samples import header_and_key, sound

async def main():
    file = RecordingFile(Path(sys.argv[1]), *header_and_key())
    for second in range(100_000):
        await file.write(sound(second * 8_000))
        print(second + 1, flush=True)

asyncio.run(main())
"""


async def test_after_kill_9_the_file_is_readable_up_to_the_last_second_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "acme" / "call_1.srec"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert child.stdout is not None
    written = 0
    async with asyncio.timeout(60):
        for _ in range(3):
            written = int(await child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    with path.open("rb") as file:
        extent = measured(file, KEYS)
    assert extent.cut
    assert extent.samples >= written * RATE
    assert extent.samples == extent.chunks * RATE


async def test_no_sample_is_on_the_disk_in_clear_and_others_may_not_read_the_file(tmp_path: Path) -> None:
    path = await on_disk(tmp_path / "acme" / "call_1.srec", [Sound(0, Private(b"\x11\x22\x33\x44" * 2_000))])
    assert b"\x11\x22\x33\x44" * 2 not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_export_has_both_voices_and_is_silent_in_a_gap(tmp_path: Path) -> None:
    one_two = Sound(0, Private(b"\x01\x00\x02\x00" * RATE))
    path = await on_disk(tmp_path / "a.srec", [one_two, Gap(1_000, 2_000, "payment"), sound(2 * RATE)], samples=3 * RATE)
    with path.open("rb") as file:
        extent = measured(file, KEYS)
        file.seek(0)
        data = b"".join(wav_of(file, KEYS, extent))
    import wave

    with wave.open(io.BytesIO(data)) as found:
        assert (found.getnchannels(), found.getframerate(), found.getnframes()) == (2, RATE, 3 * RATE)
        samples = found.readframes(3 * RATE)
    assert samples[: 4 * RATE] == b"\x01\x00\x02\x00" * RATE
    assert samples[4 * RATE : 8 * RATE] == bytes(4 * RATE)
    assert samples[8 * RATE :] == b"\x01\x00" * 2 * RATE
    assert (extent.gaps, extent.cut) == ((Gap(1_000, 2_000, "payment"),), False)


async def test_deleting_overwrites_the_header_even_where_another_name_still_holds_the_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = await on_disk(folder.path(TENANT, CALL))
    kept = tmp_path / "kept"
    kept.hardlink_to(path)
    assert await folder.delete(TENANT, CALL)
    assert not path.exists()
    with pytest.raises(RecordingAltered), kept.open("rb") as file:
        open_recording(file, KEYS)
    assert not await folder.delete(TENANT, CALL)


async def test_a_file_that_is_being_written_is_locked_until_it_is_finished(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = await folder.create(*header_and_key())
    with folder.lock(TENANT, CALL) as free:
        assert not free
    await file.finish(0)
    with folder.lock(TENANT, CALL) as free:
        assert free


async def test_a_discarded_recording_leaves_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = await folder.create(*header_and_key())
    await file.write(sound(0))
    await file.discard()
    assert folder.calls(TENANT) == []


async def test_two_recordings_of_one_call_are_refused(tmp_path: Path) -> None:
    await on_disk(tmp_path / "x.srec")
    with pytest.raises(StoreUnavailable, match="could not be kept on the disk"):
        RecordingFile(tmp_path / "x.srec", *header_and_key())


@pytest.mark.parametrize("name", ["../other", "a/b", "", "..", "a\0b"])
async def test_no_id_reaches_into_another_tenants_folder(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(InvalidRequest):
        folder.path(TenantId(name), CALL)
    with pytest.raises(InvalidRequest):
        folder.path(TENANT, CallId(name))


async def test_a_file_that_is_not_here_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not on this machine"):
        await Folder(tmp_path).open(TENANT, CALL)
