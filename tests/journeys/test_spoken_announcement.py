"""A tenant writes what callers are told first and records nothing: they hear it in this machine's voice, and it is proven."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from tests.journeys.house import House, living_in, short_policies
from tests.journeys.test_policy_reload import Heard

pytestmark = pytest.mark.timeout(300)

FIRST, CHANGED = "Hello. You speak with a machine.", "Hello. This is a machine speaking."


async def told(house: House) -> tuple[str, str, bool]:
    """Digests of the words and of the audio that a caller was told, and whether the call's receipt proves it."""
    async with house.dial() as caller:
        assert (await caller.announcement_over()).pcm.ms > 1_000
    receipt = await house.receipt()
    (entry,) = (each.draft.body for each in receipt.entries if each.draft.kind == "announcement.played")
    whole = entry["played_ms"] == entry["total_ms"] and entry["acknowledged"] == "mark"
    return str(entry["text_sha256"]), str(entry["audio_sha256"]), whole


def kept(folder: Path) -> dict[str, int]:
    """Digest of each audio that the gateway keeps, with when it was written."""
    files = sorted((folder / "data" / "announcements").iterdir())
    return {hashlib.sha256(file.read_bytes()).hexdigest(): file.stat().st_mtime_ns for file in files}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def test_it_is_spoken_once_proven_kept_over_a_restart_and_spoken_anew_when_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, log = Heard(), logging.getLogger("gateway.app")
    monkeypatch.setattr(log, "level", logging.INFO)
    monkeypatch.setattr(log, "handlers", [heard])
    policies = short_policies(tmp_path)
    demo = policies / "tenants" / "demo.yaml"
    text = demo.read_text(encoding="utf-8").replace("    asset: short.en.wav\n", "")
    before, rest = text.split("    text: >-\n")
    written = before + f"    text: {FIRST}\n" + rest[rest.index("    says:") :]
    demo.write_text(written, encoding="utf-8")

    async with living_in(tmp_path, policies=policies) as house:
        words, audio, whole = await told(house)
        assert (words, whole) == (sha256(FIRST), True)
        first = kept(tmp_path)
        assert list(first) == [audio]

    async with living_in(tmp_path, policies=policies) as house:
        assert await told(house) == (words, audio, True)
        assert kept(tmp_path) == first

        demo.write_text(written.replace(FIRST, CHANGED), encoding="utf-8")
        await heard.until("the changed policy files are in force")
        words, audio, whole = await told(house)
        assert (words, whole) == (sha256(CHANGED), True)
        assert set(kept(tmp_path)) == {*first, audio}
