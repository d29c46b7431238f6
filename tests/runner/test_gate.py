"""What a policy's announcements become on a call: the audio with its digest, what is asked, which keys mean what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pytest

from gateway.call.consent import Asking
from gateway.policy.announcing import AnnouncementMode, OnDecline, RequiredAnnouncement
from gateway.policy.opt_out import KEY_QUIET_MS
from gateway.runner.gate import MESSAGES, all_sounds, asking, opt_out_watch, to_play
from gateway.values import Pcm, Private


@dataclass(frozen=True, slots=True)
class Sound:
    pcm: Pcm = field(default_factory=lambda: Pcm(b"\1\0" * 8_000, 8_000))
    sha256: str = "f" * 64


class Sounds:
    def announcement(self, words: RequiredAnnouncement) -> Sound:
        return Sound()

    def message(self, name: str, language: str) -> Sound:
        return Sound()


def required(**more: object) -> RequiredAnnouncement:
    facts = {"id": "rec", "text": "Hello.", "asset": "rec.wav", "rule": "tenant:acme"}
    return RequiredAnnouncement.model_validate({**facts, **more})


DEFAULTS = {
    "notify asks nothing": ({}, None),
    "staying": ({"mode": "stay-on-line"}, Asking(AnnouncementMode.STAY_ON_LINE, 3_000)),
    "keys": ({"mode": "key-press"}, Asking(AnnouncementMode.KEY_PRESS, 8_000, accept="1", decline="2")),
    "words": ({"mode": "spoken-yes"}, Asking(AnnouncementMode.SPOKEN_YES, 6_000)),
    "all of it": (
        {"mode": "spoken-yes", "asks": "research", "keys": {"decline": "9"}, "wait": "20s", "on_decline": "human"},
        Asking(AnnouncementMode.SPOKEN_YES, 20_000, "research", OnDecline.HUMAN, "1", "9"),
    ),
}


@pytest.mark.parametrize(("written", "ask"), DEFAULTS.values(), ids=DEFAULTS.keys())
def test_what_is_left_out_has_its_default(written: dict[str, object], ask: Asking | None) -> None:
    assert asking(required(**written)) == ask


def test_the_proof_names_the_very_words_and_audio() -> None:
    (played,) = to_play([required()], Sounds())
    assert played.text_sha256 == hashlib.sha256(b"Hello.").hexdigest()
    assert (played.audio_sha256, played.total_ms, played.rule) == ("f" * 64, 1_000, "tenant:acme")


def test_everything_that_may_have_to_be_played_is_read_beforehand() -> None:
    assert set(all_sounds([required()], Sounds(), "en")) == {"rec", *MESSAGES}


@pytest.mark.parametrize(("keys", "asks_to_stop_calling"), [({"decline": "9"}, False), ({"decline": "2"}, True)])
def test_a_key_that_declines_the_recording_does_not_say_never_call_again(
    keys: dict[str, str], asks_to_stop_calling: bool
) -> None:
    watch = opt_out_watch(to_play([required(mode="key-press", keys=keys)], Sounds()))
    watch.pressed(Private("9"), 0)
    assert watch.asked(KEY_QUIET_MS) is asks_to_stop_calling
