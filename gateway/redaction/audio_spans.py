"""Which stretches of somebody's speech hold the private words of its transcript: what a redacted recording is silent in.

Where the recogniser tells when each word was said, its times are taken. Where it does not, a word's place in the text is its
place in the sound, measured over what is voiced: digits and signs take the time of the words that they are said with. Both get a
margin, and grow on to the next pause. Whoever is not sure silences more: the whole stretch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway.redaction.languages import spoken_language
from gateway.redaction.placeholder import scanner
from gateway.redaction.spoken import view
from gateway.values import MaskedText, Pcm, Private, TimedWord

Stretch: TypeAlias = tuple[float, float]
"""From and to, in ms."""

WORD_MARGIN_MS = 200.0
"""Around words whose times are known: recognisers are some tens of ms off."""
BEFORE_MS, BEHIND_MS, FAR_SHARE = 400.0, 700.0, 0.25
"""Around words whose times are guessed: about two syllables, or three behind, where all that the recogniser left out ("er") has
been added up; and never less than this share of the way to the nearer end of the speech, from which the guess is made."""
LITTLE = 10.0
"""So few letters before or behind private words go with them."""
PAUSE_MS = 60.0
PAUSE_WITHIN_MS = 240.0
"""A private stretch grows to the first pause of that length, if there is one that near."""
LEAST_KEPT_MS = 300.0
"""Less sound than this is no word that anybody would understand: the whole stretch is hidden."""
FRAME_MS = 20
_QUIET_SHARE = 0.06
_RUN = re.compile(r"\d(?:[ .-]?\d){2,}")
_SIGNS = {"@": 3.0, ".": 3.0, "_": 9.0, "-": 1.0, "/": 4.0, "+": 4.0, " ": 0.5}
_DIGIT, _LETTER = 5.0, 1.0


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """A stretch of the caller's speech after it was recognised and masked. Times in ms of what the ear has heard.

    ``private`` are the places in ``text`` (start, end) that may not stay; None: nobody can say where they are. ``words`` have the
    recogniser's times from the beginning of ``pcm``, where it gives them.
    """

    start_ms: float
    end_ms: float
    pcm: Private[Pcm]
    text: Private[str]
    private: Sequence[tuple[int, int]] | None
    words: Sequence[TimedWord] = ()
    still: Callable[[], bool] = lambda: True
    """Whether the text is still masked as it was: a later turn may tell that more of it was private."""


def private_stretches(speech: HeardSpeech) -> list[Stretch]:
    """Sorted, without overlap, within the speech. What nobody understood is private as a whole."""
    whole = [(speech.start_ms, speech.end_ms)]
    text = speech.text.reveal()
    if speech.private is None or not text.strip():
        return whole
    if not speech.private:
        return []
    heard = speech.pcm.reveal()
    found = _by_words(text, speech.private, speech.words) or _by_share(text, speech.private, heard)
    grown = _merged(_to_pauses(found, heard), within=(0.0, heard.ms))
    loud = _loud(heard)
    kept = [at for at in np.flatnonzero(loud) if not any(start <= at * FRAME_MS < end for start, end in grown)]
    if len(kept) * FRAME_MS < LEAST_KEPT_MS:
        return whole
    # The silence behind the last word belongs to it: a breathed ending is too quiet to be seen.
    return [
        (speech.start_ms + start, speech.end_ms if end >= heard.ms - PAUSE_MS else speech.start_ms + end) for start, end in grown
    ]


def _by_words(text: str, private: Iterable[tuple[int, int]], words: Sequence[TimedWord]) -> list[Stretch]:
    """By the recogniser's times; nothing where its words are not the text's."""
    placed, at = [], 0
    for word in words:
        said = word.text.reveal().strip()
        found = text.find(said, at)
        if not said or found < 0 or any(sign.isalnum() for sign in text[at:found]):
            return []
        at = found + len(said)
        placed.append((found, at, word.start_ms, word.end_ms))
    if any(sign.isalnum() for sign in text[at:]):
        return []
    hidden = []
    for start, end in private:
        touched = [each for each in placed if each[0] < end and start < each[1]]
        if not touched:
            return []
        hidden.append((min(each[2] for each in touched) - WORD_MARGIN_MS, max(each[3] for each in touched) + WORD_MARGIN_MS))
    return hidden


def _by_share(text: str, private: Iterable[tuple[int, int]], heard: Pcm) -> list[Stretch]:
    """By the share of the text that lies before and behind, over the voiced part of the sound."""
    weights = np.cumsum([0.0, *(_weight(text, place) for place in range(len(text)))])
    voiced = np.flatnonzero(_loud(heard))
    if not len(voiced) or weights[-1] <= 0:
        return [(0.0, heard.ms)]
    guessed = []
    for start, end in private:
        first, last = (weights[place] / weights[-1] * (len(voiced) - 1) for place in (start, end))
        before = max(BEFORE_MS, FAR_SHARE * FRAME_MS * min(first, len(voiced) - first))
        behind = max(BEHIND_MS, FAR_SHARE * FRAME_MS * min(last, len(voiced) - last))
        guessed.append(
            (
                0.0 if weights[start] < LITTLE else float(voiced[int(first)]) * FRAME_MS - before,
                heard.ms if weights[-1] - weights[end] < LITTLE else float(voiced[int(last)] + 1) * FRAME_MS + behind,
            )
        )
    return guessed


def _weight(text: str, place: int) -> float:
    """About how long a sign is said, in letters. Numbers are read digit by digit, addresses sign by sign."""
    sign = text[place]
    if sign.isdigit():
        return _DIGIT
    if sign.isalpha():
        return _LETTER
    inside = 0 < place < len(text) - 1 and not text[place - 1].isspace() and not text[place + 1].isspace()
    return _SIGNS.get(sign, 1.0) if inside or sign == " " else 0.5


def _to_pauses(stretches: Iterable[Stretch], heard: Pcm) -> list[Stretch]:
    """Each stretch grown to the pauses around it, where there are any near."""
    loud = _loud(heard)
    run, near = int(PAUSE_MS // FRAME_MS), int(PAUSE_WITHIN_MS // FRAME_MS)
    grown = []
    for start, end in stretches:
        first, last = max(0, int(start // FRAME_MS)), min(len(loud), int(-(-end // FRAME_MS)))
        before = next((at for at in range(first, max(-1, first - near), -1) if not loud[max(0, at - run) : at].any()), first)
        behind = next((at for at in range(last, min(len(loud), last + near) + 1) if not loud[at : at + run].any()), last)
        grown.append((before * float(FRAME_MS), behind * float(FRAME_MS)))
    return grown


def _loud(heard: Pcm) -> NDArray[np.bool_]:
    """Whether each 20 ms are louder than the pauses of this stretch."""
    size = heard.rate * FRAME_MS // 1000
    samples = np.frombuffer(heard.samples, dtype="<i2").astype(np.float32)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    level = np.sqrt(np.mean(np.square(frames), axis=1)) if len(frames) else np.zeros(0, dtype=np.float32)
    loudest = float(np.quantile(level, 0.95)) if len(level) else 0.0
    found: NDArray[np.bool_] = level > max(1.0, _QUIET_SHARE * loudest)
    return found


def _merged(stretches: Iterable[Stretch], *, within: Stretch) -> list[Stretch]:
    merged: list[Stretch] = []
    for start, end in sorted((max(start, within[0]), min(end, within[1])) for start, end in stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def taken_out(text: Private[str], masked: MaskedText) -> list[tuple[int, int]] | None:
    """Where in ``text`` the mask put something else, or None where that cannot be told for certain.

    What is left of the text stands in both in the same order. Where it could stand in several ways, all of them are taken out.
    """
    private = text.reveal()
    if private == masked:
        return []
    kept = _between_tokens(masked)
    first, last = _from_the_left(private, kept), _from_the_right(private, kept)
    if len(kept) == 1 or not first or not last:
        return None
    return [(first[n] + len(kept[n]), last[n + 1]) for n in range(len(kept) - 1)]


def _from_the_left(text: str, kept: Sequence[str]) -> list[int]:
    """Where each part stands at the earliest; nothing where they do not stand there in this order."""
    if not text.startswith(kept[0]):
        return []
    places, at = [0], len(kept[0]) + 1
    for part in kept[1:-1]:
        found = text.find(part, at)
        if found < 0:
            return []
        places.append(found)
        at = found + len(part) + 1
    end = len(text) - len(kept[-1])
    return [*places, end] if text.endswith(kept[-1]) and end >= at else []


def _from_the_right(text: str, kept: Sequence[str]) -> list[int]:
    """Where each part stands at the latest."""
    mirrored = _from_the_left(text[::-1], [part[::-1] for part in reversed(kept)])
    return [len(text) - at - len(part) for at, part in zip(reversed(mirrored), kept, strict=True)] if mirrored else []


def numbers_in(text: Private[str], language: str) -> list[tuple[int, int]]:
    """Where three digits or more are said in a row, in figures or in words: a part of a number that only the next turn completes
    is no harmless word, whatever it is taken for now."""
    spoken = view(text.reveal(), spoken_language(language))
    return [spoken.span(*run.span()) for run in _RUN.finditer(spoken.text)]


def _between_tokens(masked: str) -> list[str]:
    """The text before, between and behind the tokens of the mask."""
    parts, at = [], 0
    for found in scanner().all(masked):
        parts.append(masked[at : found.start])
        at = found.end
    return [*parts, masked[at:]]
