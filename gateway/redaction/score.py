"""How good a redactor was on labelled texts: what it missed, what it touched for nothing, what it took for something else.

Pure. Figures count characters that are not white space:

- mask recall: gold spans with at least 90 % of their characters under any found span, whatever its kind
- typed recall: gold spans with at least half of their characters under found spans of a kind that the gold kind may be called
- leaked per 1000: gold characters under no found span, of a thousand
- precision: found characters that lie in gold
- harmless touched: texts without gold in which anything was found
- split entities: values given over several turns, each of whose fragments is masked by what was known after its own turn
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

MASKED, TYPED = 0.9, 0.5
OPTIONAL = "OPTIONAL"
"""Gold that may be masked or not: neither asked for nor held against anybody."""
MISSED, NOTHING = "missed", "nothing private"

_PLACES = frozenset({"LOCATION", "ADDRESS", "GPE", "STREET_ADDRESS", "ZIP_CODE"})
_DATES = frozenset({"DATE_TIME", "DATE"})
_ID = frozenset({"ID"})
ALSO: Mapping[str, frozenset[str]] = {
    "PERSON": frozenset({"PERSON_SPELLED", "NAME", "GIVEN_NAME", "SURNAME"}),
    "GPE": _PLACES,
    "STREET_ADDRESS": _PLACES,
    "ZIP_CODE": _PLACES,
    "PHONE_NUMBER": frozenset({"PHONE"}),
    "EMAIL_ADDRESS": frozenset({"EMAIL"}),
    "URL": frozenset({"DOMAIN_NAME"}),
    "CREDIT_CARD": frozenset({"CARD_NUMBER"}),
    "CVV": frozenset({"CARD_CVV"}),
    "CARD_EXPIRY": _DATES,
    "DATE_OF_BIRTH": _DATES | {"DOB"},
    "AGE": _DATES,
    "BANK_ACCOUNT": frozenset({"IBAN_CODE", "US_BANK_NUMBER", "IBAN", "ABA_ROUTING_NUMBER", "SORT_CODE"}),
    "US_SSN": frozenset({"SSN"}),
    "PASSPORT": _ID | {"US_PASSPORT", "UK_PASSPORT", "IN_PASSPORT"},
    "DRIVER_LICENSE": _ID | {"US_DRIVER_LICENSE"},
    "VEHICLE_PLATE": _ID | {"IN_VEHICLE_REGISTRATION"},
    "PASSWORD": frozenset({"SECRET"}),
    "PIN": _ID | {"SECRET"},
    "ONE_TIME_CODE": _ID | {"SECRET", "OTP"},
    "IP_ADDRESS": frozenset({"IP"}),
    **dict.fromkeys(
        ("UK_NHS", "UK_NINO", "IN_AADHAAR", "IN_PAN", "MEDICAL_RECORD", "MEMBER_ID", "POLICY_NUMBER", "USERNAME"), _ID
    ),
}
"""What else a detector may call a gold kind."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A gold span, or a found one. ``entity`` numbers one value of a dialogue; ``asked`` false: a fragment nobody must mask."""

    start: int
    end: int
    kind: str
    detector: str = ""
    why: str = ""
    form: str = "plain"
    entity: str = ""
    """Set where one value is given over several turns."""


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled text. ``before`` is the turn before it, in a dialogue; ``set`` names where it is from."""

    id: str
    text: str
    gold: tuple[Mark, ...]
    found: tuple[Mark, ...]
    speaker: str = ""
    before: str = ""
    dialogue: str = ""


@dataclass(slots=True)
class Row:
    """One kind's counts."""

    spans: int = 0
    masked: int = 0
    typed: int = 0
    characters: int = 0
    leaked: int = 0

    @property
    def recall(self) -> float:
        return self.masked / self.spans if self.spans else 1.0

    @property
    def typed_recall(self) -> float:
        return self.typed / self.spans if self.spans else 1.0

    @property
    def leaked_per_1000(self) -> float:
        return 1000 * self.leaked / self.characters if self.characters else 0.0

    def __iadd__(self, other: Row) -> Row:
        for name in ("spans", "masked", "typed", "characters", "leaked"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


@dataclass(slots=True)
class Score:
    """The counts of one set."""

    kinds: dict[str, Row] = field(default_factory=lambda: defaultdict(Row))
    forms: dict[str, Row] = field(default_factory=lambda: defaultdict(Row))
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Gold kind, and what most of its characters were found as (or ``missed``); ``nothing private`` for what was over-masked."""
    found: int = 0
    inside: int = 0
    clean: int = 0
    touched: int = 0
    touched_as: Counter[str] = field(default_factory=Counter)
    split: int = 0
    split_caller: int = 0
    split_all: int = 0

    @property
    def total(self) -> Row:
        return self.of(self.kinds)

    def of(self, kinds: Iterable[str]) -> Row:
        total = Row()
        for kind in kinds:
            if kind in self.kinds:
                total += self.kinds[kind]
        return total

    @property
    def precision(self) -> float:
        return self.inside / self.found if self.found else 1.0

    @property
    def harmless_touched(self) -> float:
        return self.touched / self.clean if self.clean else 0.0

    @property
    def split_masked(self) -> float:
        """Split entities whose fragments from the caller were all masked in time; corrections do not count."""
        return self.split_caller / self.split if self.split else 1.0


def score(lines: Sequence[Line]) -> Score:
    """The figures of a set. Lines of one dialogue belong together."""
    out = Score()
    entities: dict[tuple[str, str], list[bool]] = {}
    for line in lines:
        gold = [mark for mark in line.gold if mark.kind != OPTIONAL]
        spare = covered(line.text, (mark for mark in line.gold if mark.kind == OPTIONAL))
        found = covered(line.text, line.found) - spare
        wanted = covered(line.text, gold)
        out.found += len(found)
        out.inside += len(found & wanted)
        if not gold:
            out.clean += 1
            if found:
                out.touched += 1
                out.touched_as.update({mark.kind for mark in line.found if covered(line.text, [mark]) - spare})
        for mark in line.found:
            if not covered(line.text, [mark]) & (wanted | spare):
                out.confusion[NOTHING, mark.kind] += 1
        for mark in gold:
            hit = _judge(out, line, mark, found)
            if mark.entity:
                every, callers = entities.setdefault((line.dialogue, mark.entity), [True, True])
                mine = line.speaker == "caller" and mark.form != "correction"
                entities[line.dialogue, mark.entity] = [every and hit, callers and (hit or not mine)]
    out.split = len(entities)
    out.split_all = sum(every for every, _ in entities.values())
    out.split_caller = sum(callers for _, callers in entities.values())
    return out


def _judge(out: Score, line: Line, mark: Mark, found: frozenset[int]) -> bool:
    want = covered(line.text, [mark])
    accepted = {mark.kind, *ALSO.get(mark.kind, ())}
    typed = covered(line.text, (each for each in line.found if each.kind in accepted))
    hit = len(want & found) >= MASKED * len(want)
    row = Row(1, int(hit), int(len(want & typed) >= TYPED * len(want)), len(want), len(want - found))
    out.kinds[mark.kind] += row
    out.forms[mark.form] += row
    out.confusion[mark.kind, taken_for(line, mark)] += 1
    return hit


def taken_for(line: Line, mark: Mark) -> str:
    """The kind under which most of a gold span was found, or ``missed`` when most of it was not found at all."""
    want = covered(line.text, [mark])
    shares = Counter[str]()
    for each in line.found:
        shares[each.kind] += len(want & covered(line.text, [each]))
    kind, most = max(shares.items(), key=lambda each: each[1], default=(MISSED, 0))
    return kind if 2 * most >= len(want) else MISSED


def covered(text: str, marks: Iterable[Mark]) -> frozenset[int]:
    """The places of all characters under the marks that are not white space."""
    places = (place for mark in marks for place in range(max(mark.start, 0), min(mark.end, len(text))))
    return frozenset(place for place in places if not text[place].isspace())
