"""Plausible stand-ins of the same kind: a name for a name, a number nobody has for a number. Stable in the call, and reversible.

A mask makes placeholders; towards a recipient whose policy says ``surrogate`` they are dressed as stand-ins, request by request,
and undressed in the answer. So the call's own memory holds placeholders only, and a stand-in that meets the caller's own words is
simply taken off: there is never a doubt about which words are ours.

Every stand-in is one that nobody can have: reserved telephone numbers and addresses, cards of no network, places on no map.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.redaction import checksums
from gateway.redaction.devanagari import is_devanagari
from gateway.redaction.english import ENGLISH, MONTHS
from gateway.redaction.lexemes import SpokenLanguage
from gateway.redaction.spoken import view
from gateway.redaction.standin import StandIn, StandIns
from gateway.redaction.surrogate_words import FAMILY, FAMILY_HINDI, GIVEN, GIVEN_HINDI, STREETS, TOWNS
from gateway.values import EntityType, MaskedText, Placeholder, Private

Restore = Callable[[Placeholder], Private[str] | None]

_OURS = re.compile(r"(?<![\w])<(?P<kind>[A-Z]+(?:_[A-Z]+)*)_[0-9]{1,4}>(?![\w])")
_WORD = re.compile(r"[^\W\d_][\w'’\u0900-\u097f-]*")
_YEAR = re.compile(r"(?<!\d)(19\d\d|20[0-2]\d)(?!\d)")
_TRIES = 32
_DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_AREA_CODES = ("202", "212", "303", "312", "404", "415", "503", "512", "602", "617", "702", "713", "805", "818", "904", "916")


@dataclass(frozen=True, slots=True)
class Dressed:
    """Texts as one recipient may see them, in the order of the masked ones, and what leads its answer back."""

    texts: tuple[MaskedText, ...]
    back: StandIns


class Surrogates:
    """The stand-ins of one call. Pure: ``seed`` is the call's own secret, and the same seed gives the same stand-ins.

    ``restore`` tells the value behind a placeholder; a stand-in takes its shape from it: one word or two, script, country.
    """

    def __init__(self, restore: Restore, seed: bytes, spoken: SpokenLanguage = ENGLISH) -> None:
        self._restore = restore
        self._seed = seed
        self._spoken = spoken
        self._shown: dict[Placeholder, StandIn] = {}
        self._off: set[Placeholder] = set()
        """Placeholders that have no stand-in: there is none of their kind, or it met words that are not ours."""

    def dress(self, texts: Sequence[str], wanted: Callable[[EntityType], bool]) -> Dressed:
        """The texts of one request, all of them, with stand-ins for the placeholders of the kinds that are ``wanted``.

        A stand-in that any of the texts holds already, in any of its forms, is not used: its placeholder stays.
        """
        names = {Placeholder(hit.group()): EntityType(hit["kind"]) for text in texts for hit in _OURS.finditer(text)}
        if not any(wanted(kind) for kind in names.values()):
            return Dressed(tuple(MaskedText(text) for text in texts), StandIns())
        bare = [_OURS.sub("\n", text) for text in texts]
        self._meet(bare)
        for name, kind in names.items():
            if wanted(kind) and name not in self._off and name not in self._shown:
                self._choose(name, kind, bare)
        used = {name: self._shown[name] for name, kind in names.items() if wanted(kind) and name in self._shown}
        back = StandIns(used.values())
        dressed = tuple(_OURS.sub(lambda hit: _of(used, hit), text) for text in texts)
        if any(back.undress(after) != before for after, before in zip(dressed, texts, strict=True)):
            # Two of them met in a way that nobody foresaw: placeholders are always right.
            return Dressed(tuple(MaskedText(text) for text in texts), StandIns())
        return Dressed(tuple(MaskedText(text) for text in dressed), back)

    def _meet(self, texts: Sequence[str]) -> None:
        """Take off the stand-ins that somebody else says too."""
        shown = StandIns(self._shown.values())
        for name in {hit.name for text in texts for hit in shown.all(text)}:
            del self._shown[name]
            self._off.add(name)

    def _choose(self, name: Placeholder, kind: EntityType, texts: Sequence[str]) -> None:
        value = self._restore(name)
        make = _MAKERS.get(kind)
        if value is not None and make is not None:
            private = value.reveal()
            taken = {word.casefold() for each in self._shown.values() for way in each.ways for word in way.split()}
            for counter in range(_TRIES):
                draw = _Draw(self._seed, kind, view(private, self._spoken).text, counter)
                stand_in = make(name, private, view(private, self._spoken).text, draw)
                if stand_in is None:
                    break
                own = {word.casefold() for word in stand_in.text.split() if not word.isdecimal()}
                alone = StandIns([stand_in])
                if not own & taken and not any(list(alone.all(text)) for text in texts):
                    self._shown[name] = stand_in
                    return
        self._off.add(name)


def _of(used: Mapping[Placeholder, StandIn], hit: re.Match[str]) -> str:
    stand_in = used.get(Placeholder(hit.group()))
    return stand_in.text if stand_in else hit.group()


class _Draw:
    """Numbers that follow from the seed, the kind, the value and how often we tried: HMAC-SHA-256 (RFC 2104)."""

    def __init__(self, seed: bytes, kind: str, form: str, counter: int) -> None:
        said = "\0".join((kind, form, str(counter))).encode("utf-8", "surrogatepass")
        self._number = int.from_bytes(hmac.digest(seed, said, hashlib.sha256))

    def below(self, bound: int) -> int:
        self._number, number = divmod(self._number, bound)
        return number

    def one(self, of: Sequence[str]) -> str:
        return of[self.below(len(of))]

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))


def _person(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    words = [word for word in _WORD.findall(value) if len(word) > 1]
    given, family = (GIVEN_HINDI, FAMILY_HINDI) if is_devanagari(value) else (GIVEN, FAMILY)
    first, last = draw.one(given), draw.one(family)
    if not words:
        return StandIn(name, last)
    return StandIn(name, first) if len(words) == 1 else StandIn(name, f"{first} {last}", (first, last))


def _location(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    return StandIn(name, draw.one(TOWNS))


def _street(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    street = f"{draw.one(STREETS)} {draw.one(('Street', 'Lane', 'Road'))}"
    return StandIn(name, f"{10 + draw.below(80)} {street}", (street,))


def _email(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    """RFC 2606 section 3 keeps example.com free of mailboxes."""
    first, last = draw.one(GIVEN).lower(), draw.one(FAMILY).lower()
    return StandIn(name, f"{first}.{last}@example.com", (f"{first} dot {last} at example dot com",))


def _phone(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    """Numbers kept free for fiction: 555-0100 to 555-0199 (NANPA), 07700 900000 to 900999 (Ofcom), and France's (ARCEP)."""
    digits = "".join(sign for sign in said if sign.isdecimal())
    if digits.startswith(("44", "07", "0044")):
        number = f"07700 900{draw.digits(3)}"
    elif digits.startswith(("33", "06", "0033")):
        number = f"06 39 98 {draw.digits(2)} {draw.digits(2)}"
    else:
        number = f"{draw.one(_AREA_CODES)}-555-01{draw.digits(2)}"
    spoken = " ".join(_DIGIT_WORDS[int(sign)] for sign in number if sign.isdecimal())
    return StandIn(name, number, (spoken,), number=True)


def _card(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    """A right check digit, and a first digit 9 with a country code (ISO/IEC 7812-1) that no payment network uses."""
    body = f"999999{draw.digits(9)}"
    number = next(body + str(check) for check in range(10) if checksums.luhn(body + str(check)))
    return StandIn(name, " ".join(number[at : at + 4] for at in range(0, 16, 4)), number=True)


def _iban(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    """Right check digits (ISO 13616), and the bank code TEST, which is nobody's."""
    body = f"TEST{draw.digits(14)}"
    code = next(f"GB{check:02}{body}" for check in range(2, 99) if checksums.mod97(f"GB{check:02}{body}"))
    return StandIn(name, " ".join(code[at : at + 4] for at in range(0, len(code), 4)), number=True)


def _born(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    """A date in the year before, in or after the one that was said: an age stays about right. None where no year was said."""
    year = _YEAR.search(said)
    if year is None:
        return None
    there = int(year[1]) - 1 + draw.below(3)
    month, day = 1 + draw.below(12), 1 + draw.below(28)
    word = MONTHS[month - 1].capitalize()
    ways = (f"{word} {day}, {there}", f"{word} {day} {there}", f"{there}-{month:02}-{day:02}", f"{month:02}/{day:02}/{there}")
    return StandIn(name, f"{day} {word} {there}", ways)


def _network(name: Placeholder, value: str, said: str, draw: _Draw) -> StandIn | None:
    """RFC 5737 keeps 203.0.113.0/24 for documentation."""
    return StandIn(name, f"203.0.113.{1 + draw.below(254)}")


_Maker = Callable[[Placeholder, str, str, _Draw], StandIn | None]
_MAKERS: Mapping[EntityType, _Maker] = {
    EntityType("PERSON"): _person,
    EntityType("LOCATION"): _location,
    EntityType("STREET_ADDRESS"): _street,
    EntityType("EMAIL_ADDRESS"): _email,
    EntityType("PHONE_NUMBER"): _phone,
    EntityType("CREDIT_CARD"): _card,
    EntityType("IBAN_CODE"): _iban,
    EntityType("DATE_OF_BIRTH"): _born,
    EntityType("IP_ADDRESS"): _network,
}
"""Kind to how its stand-ins are made. The other kinds have none that nobody has: their placeholders stay."""

KINDS = frozenset(_MAKERS)
