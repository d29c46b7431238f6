"""Which announcements a call hears, and in which language."""

from __future__ import annotations

import pytest

from gateway.errors import PolicyInvalid
from tests.policy.samples import loaded

HEAD = "tenant: acme\nlanguage: de\nannouncements:\n"


def chosen(announcements: list[str], language: str = "", places: tuple[str, ...] | None = None) -> list[str]:
    text = HEAD + "".join(f"  - {{{each}}}\n" for each in announcements)
    found = loaded(text).tenant("acme").announcements_for(language, places)
    return [f"{announcement.id}.{announcement.language}" for announcement in found]


NOTICE = [
    "id: notice, language: en, text: Hello., asset: n.en.wav",
    "id: notice, language: de, text: Hallo., asset: n.de.wav",
    "id: notice, language: pt-BR, text: Olá., asset: n.pt.wav",
]
CALIFORNIA = "id: california, text: Hello., asset: c.wav, when: [us/ca, us/fl]"


@pytest.mark.parametrize(
    ("language", "heard"),
    [
        ("en", "notice.en"),
        ("", "notice.de"),
        ("de-AT", "notice.de"),
        ("pt", "notice.pt-BR"),
        ("hi", "notice.en"),
    ],
)
def test_each_is_heard_once_in_the_calls_language_or_the_first_written(language: str, heard: str) -> None:
    assert chosen(NOTICE, language) == [heard]


@pytest.mark.parametrize(
    ("places", "heard"),
    [
        (("us/ca", "us/ny"), True),
        (("us/fl",), True),
        (("us",), True),
        (("us/ny", "de"), False),
        ((), False),
        (None, True),
    ],
    ids=["one end", "the other place", "somewhere in the US", "neither end", "no ends", "not known"],
)
def test_one_with_a_place_is_heard_when_an_end_of_the_call_may_be_there(places: tuple[str, ...] | None, heard: bool) -> None:
    assert chosen([CALIFORNIA], "en", places) == (["california.en"] if heard else [])


def test_those_of_different_names_are_all_heard_in_the_order_they_were_written() -> None:
    assert chosen([*NOTICE, CALIFORNIA], "en") == ["notice.en", "california.en"]


@pytest.mark.parametrize(
    ("announcement", "message"),
    [
        (f"{NOTICE[0]}, mode: keypress", "`keypress` is not possible here"),
        (f"{NOTICE[0]}, mode: key-press, keys: {{accept: '12'}}", "this is not a key of a telephone"),
        (f"{NOTICE[0]}, mode: key-press, keys: {{accept: '2'}}", "the same key says yes and no"),
        (f"{NOTICE[0]}, mode: stay-on-line, wait: 0s", "nobody is waited for like this"),
        (f"{NOTICE[0]}, wait: 5s", "wait stands where nothing is asked"),
        (f"{NOTICE[0]}, mode: spoken-yes, asks: marketing, on_decline: continue-unrecorded", "cannot go on unrecorded"),
        (f"{NOTICE[0]}, on_decline: human", "on_decline stands where nothing is asked"),
        (f"{NOTICE[0]}, says: [aii]", "`aii` is not possible here"),
        (f"{NOTICE[0]}, when: [california]", "'california' is not a region"),
        ("id: notice, language: de, text: Hallo.", "this machine's voice does not speak `de`"),
    ],
)
def test_what_cannot_be_done_is_refused_at_load(announcement: str, message: str) -> None:
    with pytest.raises(PolicyInvalid, match=message):
        chosen([announcement])


def test_the_same_name_in_the_same_language_stands_once() -> None:
    with pytest.raises(PolicyInvalid, match="the announcement `notice` stands here twice"):
        chosen([NOTICE[0], NOTICE[0]])
