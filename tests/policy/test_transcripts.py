"""What policies say of transcripts: off by default, what they need, and the strictest of several words."""

from __future__ import annotations

import pytest

from gateway.policy.recording import OnWithdrawal
from gateway.policy.transcripts import Transcripts
from gateway.transcribing import purpose_of
from tests.policy.test_recording import TENANT, faults, loaded

ASKS = "announcements: [{id: a, text: May we?, mode: stay-on-line, says: [recording]}]\n"
ASKS_APART = "announcements: [{id: a, text: May we?, mode: key-press, asks: transcript, on_decline: continue-unrecorded}]\n"
KEPT = "retention: {transcript: 30d}\n"
ON = "transcripts: {enabled: true}\n"


def test_without_a_word_nothing_that_is_said_is_kept() -> None:
    assert loaded(TENANT).tenant("acme").transcripts == Transcripts(enabled=False, on_withdrawal=OnWithdrawal.DELETE)


@pytest.mark.parametrize(
    ("without", "fault"),
    [(ASKS, "no announcement asks whether callers agree"), (KEPT, "nothing says how long they are kept")],
)
def test_a_transcript_needs_who_asks_and_for_how_long(without: str, fault: str) -> None:
    whole = TENANT + ASKS + KEPT + ON
    assert loaded(whole).tenant("acme").transcripts.enabled
    assert f"transcripts are on, and {fault}" in faults(whole.replace(without, ""))


@pytest.mark.parametrize(("asks", "purpose"), [(ASKS, "recording"), (ASKS_APART, "transcript")])
def test_it_rests_on_its_own_question_where_there_is_one_else_on_the_one_about_recording(asks: str, purpose: str) -> None:
    """Who says no to the question about transcripts alone may go on talking: nothing is written down."""
    assert purpose_of(loaded(TENANT + asks + KEPT + ON).tenant("acme")) == purpose


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        ("{enabled: true}", "firm asks for transcripts: {enabled: false}"),
        ("{enabled: true, on_withdrawal: keep-until-then}", "firm asks for transcripts.on_withdrawal: delete"),
    ],
)
def test_who_keeps_more_than_a_pack_allows_must_say_so_by_name(own: str, asked: str) -> None:
    pack = "pack: firm\ntitle: Firm\ntranscripts: {enabled: false, on_withdrawal: delete}\n"
    text = TENANT + ASKS + KEPT + f"extends: [firm]\ntranscripts: {own}\n"
    assert asked in faults(text, firm=pack)
    loosened = "loosens: [{setting: transcripts, pack: firm, reason: agreed}]\n"
    if own == "{enabled: true}":
        assert loaded(text + loosened, firm=pack).tenant("acme").transcripts.enabled


def test_of_a_pack_and_a_tenant_the_stricter_word_holds() -> None:
    pack = "pack: firm\ntitle: Firm\ntranscripts: {enabled: true, on_withdrawal: delete}\n"
    own = "extends: [firm]\ntranscripts: {enabled: true}\n"
    assert loaded(TENANT + ASKS + KEPT + own, firm=pack).tenant("acme").transcripts == Transcripts(enabled=True)
