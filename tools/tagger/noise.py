"""What a recogniser makes of words it does not know: other spellings, other words, words cut in two or run together."""

from __future__ import annotations

import re
from random import Random

from tools.tagger import words
from tools.tagger.speech import ONES, TEENS, TENS

NUMBERS = frozenset([*ONES, *TEENS, *TENS, "oh", "nought", "hundred", "thousand"])
_SOUNDS = (
    ("ph", "f"),
    ("f", "ph"),
    ("ck", "k"),
    ("c", "k"),
    ("k", "c"),
    ("sh", "ch"),
    ("ch", "sh"),
    ("th", "t"),
    ("th", "f"),
    ("t", "d"),
    ("d", "t"),
    ("b", "p"),
    ("p", "b"),
    ("v", "f"),
    ("v", "b"),
    ("z", "s"),
    ("s", "z"),
    ("j", "g"),
    ("g", "j"),
    ("y", "i"),
    ("i", "e"),
    ("e", "i"),
    ("a", "e"),
    ("e", "a"),
    ("o", "a"),
    ("u", "o"),
    ("o", "u"),
    ("oo", "u"),
    ("ee", "ea"),
    ("ie", "y"),
    ("ei", "ay"),
    ("ai", "i"),
    ("au", "o"),
    ("r", "w"),
    ("l", "r"),
    ("r", "l"),
    ("n", "m"),
    ("m", "n"),
    ("ng", "n"),
    ("h", ""),
    ("r", ""),
    ("l", "ll"),
    ("s", "ss"),
    ("n", "nn"),
    ("x", "ks"),
    ("q", "k"),
    ("w", "v"),
    ("kh", "k"),
    ("bh", "b"),
    ("dh", "d"),
    ("gh", "g"),
    ("nd", "n"),
    ("a", "ar"),
    ("er", "a"),
    ("a", "er"),
    ("i", "ee"),
    ("y", "ie"),
)
_HOMOPHONES = {
    "four": ["for", "four"],
    "two": ["to", "too"],
    "eight": ["ate", "a"],
    "one": ["won", "on"],
    "six": ["sex", "sicks"],
    "nine": ["line", "none"],
    "oh": ["o", "owe", "all"],
    "five": ["fife", "fine"],
    "double": ["double", "dabble", "the ball"],
    "seven": ["Evan", "heaven"],
    "three": ["free", "tree"],
    "zero": ["hero", "0"],
    "b": ["be", "B"],
    "c": ["see", "C"],
    "d": ["the", "D"],
    "p": ["pee", "P"],
    "t": ["tea", "T"],
    "u": ["you"],
    "r": ["are"],
    "y": ["why"],
    "i": ["eye"],
    "o": ["oh"],
    "a": ["hey"],
    "g": ["gee"],
    "j": ["jay"],
    "k": ["kay"],
    "e": ["he"],
    "n": ["and", "in"],
    "m": ["am"],
    "as": ["is"],
    "l": ["el"],
    "q": ["cue"],
    "h": ["age"],
    "f": ["have"],
    "s": ["yes"],
    "w": ["double you"],
    "v": ["we"],
    "x": ["ex"],
    "z": ["the"],
    "dot": ["dot", "that", "dar", "not", "."],
    "underscore": ["under score", "on the score", "_"],
    "slash": ["flash", "lash", "/", "splash"],
    "at": ["at", "app", "add", "that", "and", "@", "act"],
    "dash": ["dash", "-", "that's"],
    "hyphen": ["hyphen", "-", "high fen"],
    "gmail": ["g mail", "Gmail", "G-mail", "jimail", "email", "gee mail"],
    "hotmail": ["hot mail", "Hotmail", "hot male"],
    "com": ["com", "calm", "come", "con"],
    "yahoo": ["Yahoo", "yeah who", "ya who"],
    "outlook": ["Outlook", "out look", "our look"],
    "icloud": ["iCloud", "i cloud", "eye cloud"],
    "dotcom": ["dot com"],
    "street": ["Street", "straight", "treat"],
    "road": ["Road", "wrote", "rode"],
    "avenue": ["Avenue", "avenge you"],
    "lane": ["Lane", "line", "lain"],
    "court": ["Court", "caught", "quote"],
    "close": ["Close", "clothes"],
    "apartment": ["Apartment", "a part meant"],
    "drive": ["Drive", "dry"],
    "password": ["pass word", "past word"],
    "username": ["user name", "use her name"],
    "flat": ["Flat", "flap", "that"],
    "slashdot": ["slash dot"],
    "exclamation": ["exclamation", "explanation"],
    "capital": ["Capital", "capitol"],
    "triple": ["triple", "ripple", "Tripoli"],
    "postcode": ["post code", "most code"],
    "iban": ["i ban", "i-bam", "Ivan", "eye bun"],
    "licence": ["license"],
    "surname": ["sir name"],
    "hash": ["has", "hatch"],
}
_CLIPS = ["in", "an", "a", "the", "is", "on", "and", "er", "to", "i", "of"]


def sound(random: Random, word: str, changes: int) -> str:
    """Another spelling that sounds much like it."""
    for _ in range(changes):
        fits = [(old, new) for old, new in _SOUNDS if old in word]
        if not fits:
            break
        old, new = random.choice(fits)
        at = random.choice([hit.start() for hit in re.finditer(old, word)])
        changed = word[:at] + new + word[at + len(old) :]
        if len(changed) > 1:
            word = changed
    return word


def cut(random: Random, word: str) -> list[str]:
    """A word heard as two, somewhere in its middle."""
    if len(word) < 5:
        return [word]
    at = random.randint(2, len(word) - 2)
    parts = [word[:at], word[at:]]
    if random.random() < 0.5:
        parts[random.randrange(2)] = random.choice(words.FILLERS)
    return parts


def alike(random: Random, word: str) -> str:
    """An everyday word that begins or ends like this one, if there is one."""
    same = [each for each in words.FILLERS if each[:2] == word[:2] or each[-2:] == word[-2:]]
    return random.choice(same or words.FILLERS)


def misheard(random: Random, word: str) -> list[str]:
    """A word of a name, a street, an address as a recogniser might have it."""
    if word in _HOMOPHONES:
        return random.choice(_HOMOPHONES[word]).split()
    if word in NUMBERS:
        return [word]
    choice = random.random()
    if choice < 0.42:
        return [sound(random, word, random.choice([1, 1, 2, 3]))]
    if choice < 0.62:
        return cut(random, sound(random, word, random.choice([0, 1, 2])))
    if choice < 0.78:
        return [alike(random, word)]
    if choice < 0.88:
        return [random.choice(_CLIPS), sound(random, word[1:] if len(word) > 4 else word, 1)]
    if choice < 0.96:
        return random.sample(words.FILLERS, random.choice([1, 2, 2, 3]))
    return [word[: max(2, len(word) - 2)]]


def misheard_number(random: Random, word: str) -> list[str]:
    """A word of a number or of a code as a recogniser might have it."""
    return random.choice(_HOMOPHONES[word]).split() if word in _HOMOPHONES else [word]


_VALUE = {word: str(at) for at, word in enumerate(ONES)} | {"oh": "0", "nought": "0"}
_VALUE |= {word: str(at + 10) for at, word in enumerate(TEENS)}


def figures(random: Random, said: list[str]) -> list[str]:
    """Number words, some of them written as figures in groups, as recognisers do on a whim."""
    out: list[str] = []
    run = ""
    limit = random.choice([1, 2, 3, 3, 4, 4, 6, 20])
    join = random.choice(["", "", " ", "-", "-"])
    groups: list[str] = []

    def close() -> None:
        nonlocal run, groups
        if run:
            groups.append(run)
        if groups:
            out.extend(join.join(groups).split(" "))
        run, groups = "", []

    for at, word in enumerate(said):
        value = _VALUE.get(word)
        if value is None and word in TENS[1:]:
            follows = said[at + 1] if at + 1 < len(said) else ""
            value = str(TENS.index(word)) + ("" if follows in ONES[1:] else "0")
        if value is None or random.random() < 0.06:
            close()
            out.append(word)
            continue
        if len(run) + len(value) > limit and run:
            groups.append(run)
            run = ""
        run += value
    close()
    return out
