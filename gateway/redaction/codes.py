"""How far a number reaches: the letters around its digits, and what a recogniser made of them.

"C pick six six", "e b for v three": a code that was announced is taken from the words that announce it to its last sign.
"""

from __future__ import annotations

import re
from string import ascii_lowercase

from gateway.redaction.english import COMMON_WORDS, LETTER_NAMES, NATO, SENTENCE_WORDS, any_of
from gateway.redaction.heard import Heard

_EXPLAINED = "|".join(f"{sign} (?:for|like) {sign}[a-z]+" for sign in ascii_lowercase)
LETTER = (
    rf"(?:(?:(?:double|triple|capital) )?(?:[a-z]{{1,5}} (?:as|is) in (?:the )?[a-z]+|{_EXPLAINED}|[a-z]|{any_of(LETTER_NAMES)})"
    rf"|{any_of(NATO)})(?![a-z'])"
)
"""A letter of a code in the view: alone, named, doubled, or with the word that explains it."""

_COPULA = re.compile(
    r"(?:'s|(?<![\w'])(?:is(?! in )|was|it's|that's|are|be|as(?! in)|reads?|says|said|"
    r"(?<!is )(?<!be )(?<!was )(?<!number )(?<!owed )to|with|id|number|code|:))"
    r"(?![\w'])"
)
_WORD = re.compile(r"[^\s|]+")
_LEADING = frozenset(
    {"uh", "um", "so", "well", "it's", "is", "ok", "okay", "yes", "yeah", "and", "then", "|", ":", "-", "my", "the"}
)
_NUMBER = re.compile(r"\d")
_MOST_BETWEEN = 7
_NEARBY = 40
"""Where everything so near is in capitals, capitals say nothing."""
_SIGNS_AS_WORDS = frozenset({"for", "to", "too", "by", "or", "a", "see", "be", "are", "you", "why", "tea", "ate", "of", "i"})
_SPELLING = frozenset({"as", "in", "for", "like", "is"})
_ONWARD = re.compile(rf"(?:(?: \|)?[ /-]+(?:(?:dash|hyphen|slash) )?(?:{LETTER}|[a-z]{{0,6}}\d[a-z\d]*))+(?![\w'])")
_WEAK = re.compile(r"(?: \|)?[ -]+(?P<word>[a-z]{1,7})(?=(?: \|)?[ -]+(?:[a-z]{0,2}\d|[a-z](?![\w'])))")
_REPEATED = re.compile(r"(?: \|)?[ -](?:double|triple) (?!check|charge)[a-z]+(?![\w'])")
_CAPITALS = re.compile(r"[ -](?P<word>[a-z]{2,4})(?![\w'])")
_LAST_SIGN = re.compile(
    r"(?: \|)?[ -](?P<sign>(?P<digit>for|to|too|ate)|see|be|are|why|tea|pea|queue|cue|you|eye)(?= \|| (?:and|on|with)(?![\w'])|$)"
)
"""A homophone at the end of a number that was announced, where no sentence goes on."""
_CAPITALS_BEFORE = re.compile(r"(?<![\w'])[a-z]{2,8}[ -]\Z")
_GOES_ON = re.compile(r" [a-z']{2,}")
_STOPS = frozenset({"and", "with", "the", "at", "on", "under", "in", "is", "my", "please", "thanks", "name", "expires", "expiry"})


def reach(heard: Heard, start: int, end: int, low: int | None, *, letters: bool) -> tuple[int, int]:
    """The stretch of the view that the number at ``start`` to ``end`` is a part of. ``low``: where its announcement ends."""
    if low is not None:
        start = _leftward(heard, low, start, letters=letters)
    elif letters:
        start = _capitals_before(heard, start)
    end = _rightward(heard, end) if letters else end
    last = _LAST_SIGN.match(heard.view.text, end)
    if last and (letters or last["digit"]):
        end = last.end("sign")
    return start, end


def _leftward(heard: Heard, low: int, start: int, *, letters: bool) -> int:
    text = heard.view.text
    said = max((copula.end() for copula in _COPULA.finditer(text, low, start)), default=low)
    announced, low = said > low, said
    words = list(_WORD.finditer(text, low, start))
    while words and _leads(words[0].group(), announced=announced) and not (len(words) > 1 and words[1].group() == "as"):
        words = words[1:]
    if not words:
        return start
    if not letters:
        slight = len(words) <= 2 and all(word.group() in ("for", "to", "too", "owed", "ate", "or", "a", "two") for word in words)
        return words[0].start() if slight else start
    if len(words) <= _MOST_BETWEEN and not any(_is_sentence(word.group()) or _NUMBER.search(word.group()) for word in words):
        return words[0].start()
    return _walk(heard, words, start)


def _leads(word: str, *, announced: bool) -> bool:
    """Small words; and any everyday word where nothing like "is" has announced the value."""
    return word in _LEADING or (
        not announced and len(word) > 2 and word in COMMON_WORDS and word not in NATO and word not in _SIGNS_AS_WORDS
    )


def _is_sentence(word: str) -> bool:
    """Words that no recogniser makes of letters."""
    return word in SENTENCE_WORDS and word not in ("are", "why", "you", "i", "if", "see")


def _walk(heard: Heard, words: list[re.Match[str]], start: int) -> int:
    """Back over letters, and words that explain letters."""
    at = start
    for index in range(len(words) - 1, -1, -1):
        word = words[index]
        said = word.group().strip("-.")
        explains = index > 1 and words[index - 1].group() in ("in", "for", "like") and len(said) > 1
        spelled = said in _SPELLING and index > 0 and at < start
        if not (re.fullmatch(LETTER, said) or explains or spelled or _is_capitals(heard, word.start(), word.end())):
            break
        at = word.start()
    return at


def _capitals_before(heard: Heard, start: int) -> int:
    text = heard.view.text
    before = _CAPITALS_BEFORE.search(text, max(0, start - 10), start)
    return before.start() if before and _is_capitals(heard, before.start(), before.end() - 1) else start


def _is_capitals(heard: Heard, start: int, end: int) -> bool:
    words = heard.view.words(start, end)
    if not (2 <= len(words) <= 8 and words.isupper()):
        return False
    first, last = heard.view.span(start, end)
    return not heard.view.transcript[max(0, first - _NEARBY) : last + _NEARBY].isupper()


def _rightward(heard: Heard, end: int) -> int:
    text = heard.view.text
    while True:
        if onward := _ONWARD.match(text, end):
            last = onward.group().split()[-1]
            if last in ("a", "i") and _goes_on(text, onward.end()):
                # "7 4 2 a …": an article, when a sentence goes on with it.
                shorter = onward.end() - len(last)
                return max(end, len(text[:shorter].rstrip(" |-/")))
            end = onward.end()
        elif (weak := _WEAK.match(text, end)) and _is_garbled_sign(weak["word"]):
            end = weak.end()
        elif repeated := _REPEATED.match(text, end):
            end = repeated.end()
        elif (capitals := _CAPITALS.match(text, end)) and _is_capitals(heard, capitals.start("word"), capitals.end()):
            end = capitals.end()
        else:
            return end


def _is_garbled_sign(word: str) -> bool:
    return word in _SIGNS_AS_WORDS or (word not in _STOPS and word not in COMMON_WORDS)


def _goes_on(text: str, at: int) -> bool:
    return bool(_GOES_ON.match(text, at))
