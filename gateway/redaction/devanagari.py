"""Devanagari in Latin letters, so that one set of rules reads both.

Close to how people type Hindi; made for rules, not for readers.
"""

from __future__ import annotations

_FIRST, _LAST = "\u0900", "\u097f"
_VIRAMA, _NUKTA, _ZERO_WIDTH = "\u094d", "\u093c", "\u200c\u200d"

_SOUNDS = (
    "k", "kh", "g", "gh", "n", "ch", "chh", "j", "jh", "n", "t", "th", "d", "dh", "n", "t", "th", "d", "dh", "n", "p", "ph", "b",
    "bh", "m", "y", "r", "l", "v", "sh", "sh", "s", "h", "l",
)  # fmt: skip
_CONSONANTS = dict(
    zip(
        "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहळ",
        _SOUNDS,
        strict=True,
    )
)
_WITH_NUKTA = {"क": "q", "ख": "kh", "ग": "g", "ज": "z", "ड": "r", "ढ": "rh", "फ": "f"}
_VOWELS = dict(zip("अआइईउऊऋएऐओऔऑऍ", ["a", "aa", "i", "ee", "u", "oo", "ri", "ey", "ai", "ow", "au", "o", "e"], strict=True))
_SIGNS = dict(zip("ािीुूृेैोौॉॅ", ["aa", "i", "ee", "u", "oo", "ri", "e", "ai", "o", "au", "o", "e"], strict=True))
_NASALS = {"ं": "n", "ँ": "n", "ः": "h"}
_LIPS = tuple("पफबभम")
_COMPOSED = {chr(0x958 + place): base for place, base in enumerate(["क़", "ख़", "ग़", "ज़", "ड़", "ढ़", "फ़", "य़"])}


def is_devanagari(word: str) -> bool:
    return any(_FIRST <= sign <= _LAST for sign in word)


def romanised(word: str) -> str:
    """The word in a to z; what is not Devanagari in it stays. A consonant at the end loses its vowel, as it does in speech."""
    signs = "".join(_COMPOSED.get(sign, sign) for sign in word if sign not in _ZERO_WIDTH)
    out: list[str] = []
    at = 0
    while at < len(signs):
        sign = signs[at]
        at += 1
        if sign == "ं" and signs[at : at + 1] in _LIPS:
            out.append("m")
            continue
        if sign not in _CONSONANTS:
            out.append(_VOWELS.get(sign) or _SIGNS.get(sign) or _NASALS.get(sign) or ("" if _FIRST <= sign <= "\u0957" else sign))
            continue
        sound = _CONSONANTS[sign]
        if signs[at : at + 1] == _NUKTA:
            sound, at = _WITH_NUKTA.get(sign, sound), at + 1
        out.append(sound)
        following = signs[at : at + 1]
        if following == _VIRAMA:
            at += 1
        elif following not in _SIGNS and (following or len(out) == 1):
            out.append("a")
    return "".join(out).lower()
