"""An announcement that is only written is spoken once, kept for later starts, and never played before it is whole."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.adapters.sounds import TELEPHONE_HZ, Sounds, Spoken
from gateway.errors import Misconfigured, PolicyUnavailable, UpstreamFailed
from gateway.policy.announcing import Announcement
from gateway.tasks import TaskOwner
from gateway.values import Pcm

WORDS = Announcement(id="notice", text="You are speaking with an assistant.")
SECOND = Pcm(b"\1\0" * 24_000, 24_000)


@dataclass
class Voice:
    """Says a second of sound, and remembers what it was asked to say."""

    says: Pcm | Exception = SECOND
    asked: list[str] = field(default_factory=list)
    heard: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.ready.set()

    async def speak(self, words: str) -> Pcm:
        self.asked.append(words)
        self.heard.put_nowait(words)
        await asyncio.sleep(0)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    async def until_ready(self) -> None:
        await self.ready.wait()


def spoken_by(voice: Voice, folder: Path, name: str = "a voice") -> Spoken:
    return Spoken(folder / "announcements", voice.speak, voice.until_ready, voice=name)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "announcements").iterdir())


async def test_it_is_played_with_the_digest_of_the_very_audio(tmp_path: Path) -> None:
    spoken = spoken_by(Voice(), tmp_path)
    await spoken.prepare([WORDS])
    (file,) = files(tmp_path)
    sound = Sounds(Path, spoken.sound).announcement(WORDS)
    assert (sound.pcm.rate, round(sound.pcm.ms)) == (TELEPHONE_HZ, 1_000)
    assert sound.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_the_next_start_asks_the_voice_for_nothing(tmp_path: Path) -> None:
    first, second = Voice(), Voice()
    before, after = spoken_by(first, tmp_path), spoken_by(second, tmp_path)
    await before.prepare([WORDS, WORDS])
    second.ready.clear()
    await after.prepare([WORDS])
    assert (first.asked, second.asked) == ([WORDS.text], [])
    assert after.sound(WORDS) == before.sound(WORDS)


@pytest.mark.parametrize("damage", [b"", b"RIFF", None], ids=["emptied", "cut off", "one bit"])
async def test_a_damaged_file_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    await spoken_by(Voice(), tmp_path).prepare([WORDS])
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(damage if damage is not None else whole[:-1] + bytes([whole[-1] ^ 1]))
    voice = Voice()
    await spoken_by(voice, tmp_path).prepare([WORDS])
    assert voice.asked == [WORDS.text]
    assert [each.read_bytes() for each in files(tmp_path)] == [whole]


@pytest.mark.parametrize("change", [{"text": "You speak with a machine."}, {"language": "en-GB"}, {}], ids=str)
async def test_other_words_another_language_and_another_voice_are_spoken_anew(tmp_path: Path, change: dict[str, str]) -> None:
    await spoken_by(Voice(), tmp_path).prepare([WORDS])
    voice = Voice()
    await spoken_by(voice, tmp_path, "a voice" if change else "another voice").prepare([WORDS.model_copy(update=change)])
    assert len(voice.asked) == 1


async def test_calls_that_come_together_wait_for_one_speaking(tmp_path: Path) -> None:
    voice = Voice()
    voice.ready.clear()
    spoken = spoken_by(voice, tmp_path)
    async with asyncio.timeout(30), asyncio.TaskGroup() as calls:
        for _ in range(3):
            calls.create_task(spoken.prepare([WORDS]))
        with pytest.raises(PolicyUnavailable, match="`notice` is not spoken yet"):
            spoken.sound(WORDS)
        voice.ready.set()
    assert voice.asked == [WORDS.text]


@pytest.mark.parametrize(
    ("says", "error", "why"),
    [
        (UpstreamFailed("hibari is closed"), PolicyUnavailable, "`notice` could not be spoken"),
        (Pcm(b"", 24_000), Misconfigured, "`notice` makes no sound"),
    ],
    ids=["the voice fails", "no sound"],
)
async def test_without_audio_the_call_is_refused_and_the_next_one_tries_again(
    tmp_path: Path, says: Pcm | Exception, error: type[Exception], why: str
) -> None:
    voice = Voice(says)
    spoken = spoken_by(voice, tmp_path)
    with pytest.raises(error, match=why):
        await spoken.prepare([WORDS])
    with pytest.raises(PolicyUnavailable):
        spoken.sound(WORDS)
    voice.says = SECOND
    await spoken.prepare([WORDS])
    assert spoken.sound(WORDS).pcm.samples


async def test_a_voice_that_never_gets_ready_keeps_no_call_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.adapters.sounds.spoken.READY_WITHIN_S", 0.01)
    voice = Voice()
    voice.ready.clear()
    with pytest.raises(PolicyUnavailable, match="could not be spoken"):
        await spoken_by(voice, tmp_path).prepare([WORDS])


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "announcements").write_text("a file")
    with pytest.raises(Misconfigured, match="cannot be kept") as caught:
        await spoken_by(Voice(), tmp_path).prepare([WORDS])
    assert caught.value.hint


async def test_a_changed_policy_is_spoken_without_a_call_and_one_failure_stops_no_other(tmp_path: Path) -> None:
    voice, wanted = Voice(), [WORDS]
    silent = WORDS.model_copy(update={"id": "silent", "text": "…"})

    async def speak(words: str) -> Pcm:
        return Pcm(b"", 24_000) if words == "…" else await voice.speak(words)

    spoken = Spoken(tmp_path / "announcements", speak, voice.until_ready, voice="a voice")
    async with asyncio.timeout(30), TaskOwner("test", on_failure=lambda _name, error: pytest.fail(str(error))) as tasks:
        tasks.start(spoken.keep(lambda: wanted), name="keep")
        assert await voice.heard.get() == WORDS.text
        wanted[:] = [silent, WORDS.model_copy(update={"text": "Changed."})]
        spoken.look_again()
        assert await voice.heard.get() == "Changed."


async def test_one_with_a_recording_is_not_spoken(tmp_path: Path) -> None:
    voice = Voice()
    await spoken_by(voice, tmp_path).prepare([WORDS.model_copy(update={"asset": "notice.wav"})])
    assert voice.asked == []


def test_where_there_is_no_voice_it_is_told() -> None:
    with pytest.raises(PolicyUnavailable, match="has no recording"):
        Sounds(Path).announcement(WORDS)
