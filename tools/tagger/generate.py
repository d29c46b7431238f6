"""Sentences of calls with the private words in them marked, as they are said, as they are written, and as they are misheard.

    python -m tools.tagger.generate --count 200000 --seed 1 --out /tmp/generated.jsonl [--avoid FOLDER]

A row is ``{"text", "previous", "spans": [[start, end, label]], "style"}``. ``--avoid``: leave out every value that stands in the
JSON lines of that folder, so that what is scored there was never trained on.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tools.tagger import check, company, noise
from tools.tagger.things import Things
from tools.tagger.values import Values

_HERE = Path(__file__).parent
_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(x:)?([a-z]+)(?:=([a-z]+))?\}")
_LABELS = {
    "full": "PERSON",
    "first": "PERSON",
    "last": "PERSON",
    "person": "PERSON",
    "spelled": "PERSON",
    "place": "LOCATION",
    "street": "STREET_ADDRESS",
    "zip": "ZIP_CODE",
    "phone": "PHONE_NUMBER",
    "email": "EMAIL_ADDRESS",
    "url": "URL",
    "ip": "IP_ADDRESS",
    "username": "USERNAME",
    "password": "PASSWORD",
    "card": "CREDIT_CARD",
    "cvv": "CVV",
    "expiry": "CARD_EXPIRY",
    "account": "BANK_ACCOUNT",
    "sort": "BANK_ACCOUNT",
    "routing": "BANK_ACCOUNT",
    "iban": "BANK_ACCOUNT",
    "ssn": "US_SSN",
    "dob": "DATE_OF_BIRTH",
    "age": "AGE",
    "passport": "PASSPORT",
    "license": "DRIVER_LICENSE",
    "aadhaar": "IN_AADHAAR",
    "pan": "IN_PAN",
    "nhs": "UK_NHS",
    "nino": "UK_NINO",
    "mrn": "MEDICAL_RECORD",
    "member": "MEMBER_ID",
    "policy": "POLICY_NUMBER",
    "pin": "PIN",
    "otp": "ONE_TIME_CODE",
    "plate": "VEHICLE_PLATE",
}
LABELS = sorted(set(_LABELS.values()))
_IN_WORDS = frozenset({"PERSON", "LOCATION", "STREET_ADDRESS", "EMAIL_ADDRESS", "USERNAME", "PASSWORD", "URL"})
_OPENERS = (
    "yes",
    "yeah",
    "um",
    "uh",
    "so",
    "well",
    "okay",
    "hi",
    "hello",
    "right",
    "sorry",
    "oh",
    "actually",
    "no",
    "listen",
    "hi there",
    "good morning",
    "look",
    "and",
    "but",
    "alright",
    "er",
    "please",
    "excuse me",
    "ok so",
    "yeah so",
    "um so",
    "oh and",
)
_TAILS = (
    "please",
    "thanks",
    "thank you",
    "if that helps",
    "i think",
    "okay",
    "right",
    "is that okay",
    "can you check",
    "did you get that",
    "that's all",
    "i believe",
    "as far as i know",
    "you know",
    "for now",
    "if possible",
    "can you see it",
    "is that right",
    "got it",
    "and i need it today",
    "but it doesn't work",
    "and that's it",
    "could you change that",
    "since last year",
    "and it's urgent",
    "is everything okay",
    "and i'm in a hurry",
)


@dataclass(frozen=True, slots=True)
class Piece:
    said: str
    written: str
    label: str = ""
    value: bool = False


class Generator:
    """Makes rows. ``keep``: which values may be used."""

    def __init__(self, seed: int, keep: check.Keep = lambda said: True) -> None:
        self.random = Random(seed)
        self._values = Values(self.random, keep)
        self._things = Things(self.random)
        self.private = read_templates(_HERE / "templates.txt")
        self.harmless = read_templates(_HERE / "negatives.txt")

    def rows(self, count: int) -> Iterator[dict[str, Any]]:
        """``count`` of them."""
        for _ in range(count):
            yield self.row()

    def row(self, style: str = "") -> dict[str, Any]:
        """One utterance; without a ``style``, one by chance."""
        random = self.random
        harmless = random.random() < 0.42
        question, pieces = self._loose() if random.random() < 0.12 else self._utterance(harmless)
        if random.random() < 0.05:
            pieces = [*pieces, *self.fill(", {first}")] if random.random() < 0.7 else [*self.fill("{first}, "), *pieces]
        if random.random() < 0.15:
            more = self._utterance(random.random() < 0.6)[1]
            pieces = [*pieces, Piece("", ". "), *more]
        style = style or random.choices(["spoken", "written", "heard"], [0.3, 0.2, 0.5])[0]
        text, spans = render(random, pieces, style)
        previous = question or (self._before() if random.random() < 0.3 else "")
        if previous and random.random() < 0.25:
            previous += " " + self._own_turn()
        return {"text": text, "previous": previous, "spans": spans, "style": style}

    def _utterance(self, harmless: bool) -> tuple[str, list[Piece]]:
        speaker, template = self.random.choice(self.harmless if harmless else self.private)
        question, _, answer = template.rpartition(" || ")
        pieces = self.fill(answer)
        if question:
            question = render(self.random, self.fill(question), self.random.choice(["written", "spoken"]))[0]
        elif speaker == "c":
            if self.random.random() < 0.25:
                pieces = [Piece(f"{(opener := self.random.choice(_OPENERS))} ", f"{opener}, "), *pieces]
            if self.random.random() < 0.2:
                pieces = [*pieces, Piece(f" {(tail := self.random.choice(_TAILS))}", f", {tail}")]
        return question, pieces

    def _loose(self) -> tuple[str, list[Piece]]:
        """A value or two in any company: what follows a name may be any word."""
        random = self.random
        parts = [random.choice(company.LEADS)] if random.random() < 0.7 else []
        for _ in range(random.choice([1, 1, 2])):
            slot = random.choice(company.BARE)
            if slot in company.CALLED and random.random() < 0.4:
                parts.append(random.choice(company.CALLED[slot]) + random.choice(company.COPULAS))
            parts.append(f"{{{slot}}}")
            if random.random() < 0.7:
                parts.append(random.choice(company.GOES_ON))
        return "", self.fill(" ".join(parts))

    def _before(self) -> str:
        """A turn of the other side that this one does not answer."""
        pieces = self._utterance(self.random.random() < 0.7)[1]
        masked = [
            Piece(f"<{piece.label}_{self.random.randint(1, 4)}>", f"<{piece.label}_1>") if piece.label else piece
            for piece in pieces
        ]
        return render(self.random, masked, self.random.choice(["written", "spoken"]), case=False)[0]

    def _own_turn(self) -> str:
        return self._before()

    def fill(self, template: str, lead: str = "") -> list[Piece]:
        """The pieces of a template, its choices made and its slots filled; ``lead`` comes first."""
        while choice := _CHOICE.search(template):
            template = template[: choice.start()] + self.random.choice(choice[1].split("|")) + template[choice.end() :]
        template = lead + re.sub(r" {2,}", " ", template).strip()
        pieces: list[Piece] = []
        at = 0
        for slot in _SLOT.finditer(template):
            pieces += _plain(template[at : slot.start()])
            nobody, name, label = slot.groups()
            said, written = (self._things if nobody else self._values).make(name)
            if not nobody and name in company.CALLED and pieces and self.random.random() < 0.08:
                pieces += _plain(self.random.choice(company.CALLED[name]) + self.random.choice(company.COPULAS) + " ")
            pieces.append(Piece(said, written, "" if nobody else _LABELS[label or name], value=True))
            at = slot.end()
            if not nobody and self.random.random() < 0.06:
                pieces += self.fill(" " + self.random.choice(company.GOES_ON), lead=" ")
        return [*pieces, *_plain(template[at:])]


def _plain(text: str) -> list[Piece]:
    return [Piece(re.sub(r"[,.]", "", text), text)] if text else []


def read_templates(path: Path) -> list[tuple[str, str]]:
    """Speaker and sentence of every line."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [(line[0], line[3:]) for line in lines if line and not line.startswith(("#", "=="))]


Rendered = tuple[str, list[tuple[int, int, str]]]


def render(random: Random, pieces: list[Piece], style: str, *, case: bool = True) -> Rendered:
    """The text in one of three styles, and where its private words are."""
    if style == "heard":
        return _heard(random, pieces)
    parts = [(piece.said if style == "spoken" else piece.written, piece.label) for piece in pieces]
    if style == "spoken":
        parts = [(text or " ", label) for text, label in parts]
    text, spans = joined(parts)
    if style == "written" and case:
        text = re.sub(r"(?:^|[.?!] )[a-z]", lambda hit: hit[0].upper(), text)
        text = re.sub(r"(?<![\w.@/-])i(?=[' ,.]|$)(?!\.\w)", "I", text)
        if not text.endswith((".", "?")):
            text += random.choice([".", ".", ".", "?", ""])
    return text, spans


def joined(parts: Iterable[tuple[str, str]]) -> Rendered:
    """Parts put together, each run of white space as one space."""
    text, spans = "", []
    for part, label in parts:
        clean = re.sub(r"\s+", " ", part)
        if (not text or text.endswith(" ")) and clean.startswith(" "):
            clean = clean[1:]
        if label and clean.strip():
            start = len(text) + len(clean) - len(clean.lstrip())
            spans.append((start, len(text) + len(clean.rstrip()), label))
        text += clean
    return text.rstrip(), spans


def _heard(random: Random, pieces: list[Piece]) -> Rendered:
    """As a recogniser that puts capitals and full stops where it likes, and hears some words wrong."""
    severity = random.choice([0.0, 0.1, 0.35, 0.6, 0.9])
    lower = random.random() < 0.1
    parts: list[tuple[str, str]] = []
    capital = True
    for piece in pieces:
        if piece.value:
            said, end = _heard_value(random, piece, severity, capital)
            parts += [(said.lower() if lower else said, piece.label), (end, "")]
            capital = end == "."
        else:
            said, capital = _heard_plain(random, piece, capital)
            parts.append((said.lower() if lower else said, ""))
    if random.random() < 0.9 and not parts[-1][0].endswith((".", ",")):
        parts.append((random.choice([".", ".", ".", "?"]), ""))
    return joined(parts)


def _heard_plain(random: Random, piece: Piece, capital: bool) -> tuple[str, bool]:
    out = " " if piece.written.startswith(" ") else ""
    for word in piece.written.split():
        bare = word.strip(",.")
        if random.random() < 0.02:
            bare = random.choice(noise.misheard(random, bare)) if len(bare) > 2 else bare
        elif random.random() < 0.01:
            continue
        bare = "I" + bare[1:] if bare == "i" or bare.startswith("i'") else bare
        out += bare[:1].upper() + bare[1:] if capital else bare
        capital = False
        if word.endswith(",") or word == ".":
            end = random.choices([",", ".", ""], [0.5, 0.25, 0.25])[0]
        else:
            end = random.choices(["", ",", "."], [0.97, 0.02, 0.01])[0]
        capital = end == "."
        out = (out.rstrip() if not bare else out) + end + " "
    joins = not piece.written[-1:].isspace()
    return (out.rstrip() if joins else out), capital


def _heard_value(random: Random, piece: Piece, severity: float, capital: bool) -> tuple[str, str]:
    name = piece.label in _IN_WORDS
    if random.random() < (0.25 if name else 0.3) * (1 - severity) and piece.label != "PERSON":
        return piece.written, ""
    said: list[str] = []
    for word in piece.said.split():
        if name and random.random() < severity * 0.8:
            said += noise.misheard(random, word)
        elif not name and random.random() < severity * 0.25:
            said += noise.misheard_number(random, word)
        else:
            said.append(word)
    if not name or any(word in noise.NUMBERS for word in said):
        said = noise.figures(random, said) if random.random() < 0.55 else said
        said = _punctuated(random, said)
    else:
        if random.random() < 0.06 and len(said) > 1:
            at = random.randrange(len(said) - 1)
            said[at : at + 2] = [said[at] + random.choice(["", "-"]) + said[at + 1]]
        if random.random() < (0.8 if piece.label in ("PERSON", "LOCATION", "STREET_ADDRESS") else 0.2):
            said = [word[:1].upper() + word[1:] if random.random() < 0.92 else word for word in said]
    if capital and said:
        said[0] = said[0][:1].upper() + said[0][1:]
    ends = random.choices(["", ",", "."], [0.75, 0.1, 0.15])[0]
    return " ".join(said), ends


def _punctuated(random: Random, said: list[str]) -> list[str]:
    way = random.choice(["", ",", ",", ".", "mixed"])
    out = []
    capital = False
    for word in said:
        mark = (
            random.choices(["", ",", "."], [0.4, 0.45, 0.15])[0]
            if way == "mixed"
            else way
            if random.random() < (0.8 if way == "," else 0.2)
            else ""
        )
        out.append((word[:1].upper() + word[1:] if capital else word) + mark)
        capital = mark == "."
    if out:
        out[-1] = out[-1].rstrip(",.")
    return out


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--style", default="", choices=["", "spoken", "written", "heard"])
    parser.add_argument("--avoid", type=Path)
    options = parser.parse_args()
    generator = Generator(options.seed, check.avoiding(options.avoid))
    with options.out.open("w", encoding="utf-8") as out:
        for _ in range(options.count):
            out.write(json.dumps(generator.row(options.style)) + "\n")


if __name__ == "__main__":
    main()
