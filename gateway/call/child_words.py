"""Whether a caller says that they are a child: their age, the class they are in, or that they are one (promise 32).

In five languages, whichever the call is held in. Only what somebody says of themselves counts: "my daughter is nine" is a
grown-up's sentence, and so is "I am nine minutes late". Where the agent has asked for the age, the bare number is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gateway.call.child import Sign
from gateway.policy.opt_out import folded
from gateway.values import Private

_EN = "three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_DE = "drei vier fuenf sechs sieben acht neun zehn elf zwoelf dreizehn vierzehn fuenfzehn sechzehn siebzehn"
_ES = "tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete"
_FR = "trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept"
_HI = "तीन चार पाँच|पांच छह|छः|छ|छे सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह|पन्द्रह सोलह सत्रह"
_HI_ROMAN = (
    "teen|tin char|chaar paanch|panch chhah|chhe|che|cheh saat|sat aath|ath nau|no das|dus gyarah barah|baarah"
    " terah chaudah pandrah solah satrah"
)
_YOUNGEST = 3
SMALLEST = 6
"""Nobody looks for a child where only those below this age are meant: a school says no age."""

_ORDINALS = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh",
    "de": "ersten|erste zweiten|zweite dritten|dritte vierten|vierte fuenften|fuenfte sechsten|sechste siebten|siebte"
    " achten|achte"
    " neunten|neunte zehnten|zehnte elften|elfte",
    "es": "primero|primer segundo tercero|tercer cuarto quinto sexto septimo octavo noveno decimo",
    "hi": "पहली|पहले दूसरी|दूसरे तीसरी|तीसरे चौथी|चौथे पाँचवीं|पांचवीं|पांचवी|पाँचवी छठी|छठवीं|छठे सातवीं|सातवी"
    " आठवीं|आठवी नौवीं|नौवी"
    " दसवीं|दसवी ग्यारहवीं",
    "hi-roman": "pehli|pahli dusri|doosri teesri|tisri chauthi paanchvi|panchvi|paanchvin chhathi|chhati|chathi"
    " saatvi|satvi aathvi"
    " nauvi dasvi gyarahvi",
}
"""Classes by their number, from the first."""


def _numbered(words: str, first: int) -> dict[str, int]:
    """Each word, and the number that it stands for; words of one number are joined by bars."""
    rows = words.split()
    return {folded(word): number for number, row in enumerate(rows, first) for word in row.split("|")}


def _either(words: Mapping[str, int]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_WORDS = {"en": _EN, "de": _DE, "es": _ES, "fr": _FR, "hi": _HI, "hi-roman": _HI_ROMAN}
_AGES = {code: _numbered(words, _YOUNGEST) for code, words in _WORDS.items()}
_GRADES = {code: _numbered(words, 1) for code, words in _ORDINALS.items()}
_COUNTED = {"en": _numbered("one two three four five six seven eight nine ten eleven", 1)} | {
    "hi": _numbered("एक दो", 1) | _AGES["hi"],
    "hi-roman": _numbered("ek do", 1) | _AGES["hi-roman"],
}
_FR_CLASSES = {
    "maternelle": 0,
    "cp": 1,
    "ce1": 2,
    "ce2": 3,
    "cm1": 4,
    "cm2": 5,
    "sixieme": 6,
    "6e": 6,
    "6eme": 6,
    "cinquieme": 7,
    "5e": 7,
}
_FR_CLASSES |= {"5eme": 7, "quatrieme": 8, "4e": 8, "4eme": 8}


def _age(code: str) -> str:
    return rf"(?P<age>1[0-7]|[3-9]|{_either(_AGES[code])})"


def _grade(table: Mapping[str, int]) -> str:
    return rf"(?P<grade>(?:1[01]|[1-9])(?:st|nd|rd|th)?|{_either(table)})"


_GO_EN = (
    r"and(?! a (?:half|quarter))|but|i|im|my|so|please|can|could|because|not|today|now|too|yes|no|sir|maam|miss"
    r"|mister|you|okay|ok|hello|hi|bye|thanks?|last|yesterday|tomorrow"
)
_END_EN = rf"(?= (?:{_GO_EN})\b|$)"
_AFTER_EN = (
    rf"(?: and (?:a (?:half|quarter)|three quarters))?(?: years? old(?: girl| boy| kid| child)?| years? of age"
    rf"| yrs? old)?{_END_EN}"
)
_JUST_EN = (
    r"(?:(?:only|just|still|almost|nearly|about|already|actually|really|turning|like|now|going to be|gonna be"
    r"|about to be|about to turn) )*"
)
_KIND_EN = (
    r"(?:kid|child|little (?:girl|boy|kid)|small (?:girl|boy|child|kid)|young (?:girl|boy|child|kid)"
    r"|school ?(?:boy|girl|kid)|minor)"
)
_IN_EN = (
    r"(?:i am|im|i just started|i go|i still go) (?:(?:only|just|still|now|going) )*(?:in|into|to|starting|entering) (?:the )?"
)
_GO_DE = r"und(?! (?:ein )?halb)|aber|ich|mein|meine|nicht|heute|bitte|kann|darf|also|doch|weil|jetzt|geworden|hallo|ja|nein"
_END_DE = rf"(?= (?:{_GO_DE})\b|$)"
_JUST_DE = (
    r"(?:(?:erst|grad|gerade|noch|schon|fast|jetzt|nur|halt|bald|morgen|gestern|heute|dann|ja|doch|naechste woche|im \w+) )*"
)
_GO_ES = (
    r"y(?! medio| pico)|pero|mi|me|no|soy|estoy|voy|por favor|cumplidos|hoy|manana|pronto|el|este|ya|y yo|yo|hola|senor|senora"
)
_END_ES = rf"(?= (?:{_GO_ES})\b|$)"
_JUST_ES = r"(?:(?:solo|solamente|apenas|casi|ya|como|nada mas|los|mis) )*"
_GO_FR = r"et(?! (?:demi|quelques))|mais|je|j|ma|mon|mes|s il|bientot|demain|hier|aujourd|non|oui|bonjour|pas"
_END_FR = rf"(?= (?:{_GO_FR})\b|$)"
_JUST_FR = r"(?:(?:seulement|juste|bientot|presque|deja|que|a peine|tout juste) )*"
_AM_HI = r"(?:हूँ|हूं|हुँ|हु|हू)"
_JUST_HI = r"(?:(?:अभी|सिर्फ|केवल|बस|तो|ही|लगभग|करीब) )*"
_JUST_HI_ROMAN = r"(?:(?:abhi|sirf|bas|to|toh|hi|kewal|lagbhag|only) )*"
_AM_HI_ROMAN = r"(?:hoon|hun|hu|hoo|hai)"

_STATED: dict[str, tuple[str, ...]] = {
    "en": (
        rf"\b(?:i am|im|i just turned|i turned|i turn|my age is|i am turning|im turning) {_JUST_EN}{_age('en')}{_AFTER_EN}",
        rf"\b(?:i will be|i ll be|i am going to be|im going to be|i am gonna be|im gonna be) {_age('en')}"
        r"(?= (?:next|in|on|soon|tomorrow|this|years old)\b)(?! in (?:the|line|a)\b)",
        rf"\b(?:i am|im) {_JUST_EN}(?:a|an) {_age('en')} years? old(?= (?:girl|boy|kid|child|student|and|but|i)\b|$)",
        rf"\b(?:i am|im) {_JUST_EN}(?:in |at )?the age of {_age('en')}{_END_EN}",
    ),
    "de": (
        rf"(?:\bich (?:bin|werde|bin letzte woche|habe) |^bin ){_JUST_DE}{_age('de')}(?: ?(?:ein|und ein) ?halb)?"
        rf"(?: jahre(?: alt| jung)?)?{_END_DE}",
        rf"\bich bin {_JUST_DE}(?:ein|eine) {_age('de')} ?jaehrige",
        rf"\bbin {_JUST_DE}{_age('de')}(?: ?(?:ein|und ein) ?halb)? jahre alt\b",
        rf"\bmein alter ist {_JUST_DE}{_age('de')}\b",
    ),
    "es": (
        rf"\b(?:tengo|cumplo|cumpli|voy a cumplir|acabo de cumplir) {_JUST_ES}{_age('es')} (?:anos"
        rf"|anitos)(?: y medio)?(?: de edad)?{_END_ES}",
        rf"\b(?:cumplo|cumpli|voy a cumplir|acabo de cumplir) {_JUST_ES}{_age('es')}{_END_ES}",
        rf"\bmi edad es (?:de )?{_age('es')}\b",
    ),
    "fr": (
        rf"\b(?:j ai|je n ai|j ai eu|je vais avoir|je viens d avoir|j aurai) {_JUST_FR}{_age('fr')} ans(?: et demi)?{_END_FR}",
        rf"\bmon age (?:est|c est) (?:de )?{_age('fr')}\b",
    ),
    "hi": (
        rf"(?<!\S)मैं {_JUST_HI}{_age('hi')} (?:साल|वर्ष|बरस) (?:का|की|के) (?:ही )?{_AM_HI}(?!\S)",
        rf"(?<!\S)मेरी (?:उम्र|उमर|आयु|एज) {_JUST_HI}{_age('hi')}(?= (?:साल|वर्ष|है|बरस)|$)",
    ),
    "hi-roman": (
        rf"\b(?:main|mai|mein|me) {_JUST_HI_ROMAN}{_age('hi-roman')} (?:saal|sal|varsh|years?) (?:ka|ki"
        rf"|ke) (?:hi )?{_AM_HI_ROMAN}\b",
        rf"\bmeri (?:umar|umr|umra|age) {_JUST_HI_ROMAN}{_age('hi-roman')}(?= (?:saal|sal|varsh|hai|years?)\b|$)",
    ),
}
"""Somebody's own age, by language, over folded clauses."""

_SCHOOL: dict[str, tuple[str, ...]] = {
    "en": (
        rf"\b{_IN_EN}{_grade(_GRADES['en'])} grade\b(?! \w+ (?:room|class)\b)",
        rf"\b{_IN_EN}grade {_grade(_COUNTED['en'])}\b",
        rf"\b(?:i am|im) (?:(?:only|just|still) )*a {_grade(_GRADES['en'])} grader\b",
        rf"\b(?:i am|im) (?:(?:only|just|still|now) )*in year (?P<year>1[0-3]|[1-9]|{_either(_COUNTED['en'])}){_END_EN}",
        rf"\bi (?:am|study|read|am studying) in (?:the )?(?:class|standard|std) {_grade(_COUNTED['en'])}\b",
        rf"\bi (?:study|read|am studying) in (?:the )?{_grade(_GRADES['en'])} (?:class|standard|std)\b",
        r"\b(?:i am|im|i go|i still go|i attend|i just started|i am still|im still) (?:(?:only|just|still|now) )*(?:in "
        r"|to |going to |at )?"
        r"(?P<small>kindergarten|preschool|pre school|elementary school|elementary|primary school|grade school|nursery school)"
        + _END_EN,
    ),
    "de": (
        rf"\bich (?:bin|gehe|geh|komme|lerne) {_JUST_DE}(?:in|auf) (?:der|die) {_grade(_GRADES['de'])} klasse\b",
        rf"\bich (?:gehe|geh|bin) {_JUST_DE}(?:in|auf|im|zur) ?(?:die|den|eine|der)? ?"
        r"(?P<small>grundschule|volksschule|vorschule|kindergarten|kita)\b",
    ),
    "es": (
        rf"\b(?:estoy|voy|curso|estudio) (?:en |a )?(?:el )?{_grade(_GRADES['es'])} (?:grado|(?:ano |grado )?de primaria)\b",
        r"\b(?:estoy|voy|estudio) (?:en|a) (?:la |el |mi )?"
        r"(?P<small>escuela primaria|primaria|preescolar|kinder|jardin de ninos|jardin infantil|guarderia)" + _END_ES,
    ),
    "fr": (
        rf"\bje (?:suis|vais|rentre|entre) {_JUST_FR}(?:en|au) (?P<grade>{_either(_FR_CLASSES)})\b",
        r"\bje (?:suis|vais) (?:encore )?(?:a l |a la |en |au )(?P<small>ecole primaire|ecole maternelle|primaire"
        r"|ecole elementaire)" + _END_FR,
    ),
    "hi": (
        rf"(?<!\S)मैं {_JUST_HI}{_grade(_GRADES['hi'])} (?:कक्षा|क्लास) (?:में|मे)(?!\S)",
        rf"(?<!\S)मैं {_JUST_HI}(?:कक्षा|क्लास) {_grade(_COUNTED['hi'])} (?:में|मे)(?!\S)",
    ),
    "hi-roman": (
        rf"\b(?:main|mai|mein|me) {_JUST_HI_ROMAN}{_grade(_GRADES['hi-roman'])} (?:class|kaksha) (?:mein|me|main)\b",
        rf"\b(?:main|mai|mein|me) {_JUST_HI_ROMAN}(?:class|kaksha) {_grade(_COUNTED['hi-roman'])} (?:mein|me|main)\b",
    ),
}
"""Somebody's own class or school."""

_SAID = (
    rf"\b(?:i am|im) (?:(?:only|just|still|really) )*a {_KIND_EN}{_END_EN}",
    rf"\bich bin {_JUST_DE}(?:ein|eine|n) (?:kleines |kleiner )?(?:kind|junge|maedchen|schulkind|grundschueler"
    rf"|grundschuelerin){_END_DE}",
    rf"\bsoy (?:solo |todavia |apenas )*(?:un|una) (?:nino|nina|nene|nena|chiquito|chiquita|menor de edad){_END_ES}",
    rf"\bsoy menor de edad{_END_ES}",
    rf"\bje (?:ne )?suis (?:juste |encore |seulement |qu ?)*(?:un|une) (?:enfant|petit garcon|petite fille|gamin"
    rf"|gamine){_END_FR}",
    rf"(?<!\S)मैं (?:अभी |तो |एक |छोटा |छोटी )*(?:बच्चा|बच्ची) {_AM_HI}(?!\S)",
    rf"\b(?:main|mai) (?:abhi |to |ek |chhota |chhoti )*(?:bachcha|bachchi|baccha|bacchi|bachha|bachhi) {_AM_HI_ROMAN}\b",
)

_ASKED = re.compile(
    r"\bhow old are you\b(?! (?:kids|children|son|daughter))|\b(?:what is|whats|tell me|say|confirm|and) your age\b"
    r"|^your age$|\bhow many years old are you\b"
    r"|\bwie alt (?:bist du|sind sie)\b|\b(?:dein|ihr) alter\b"
    r"|\bcuantos anos (?:tienes|tiene(?: usted)?)\b(?! (?:su|tu|el|la|mi|usted su)\b)|\b(?:que|tu|su) edad\b(?! de)"
    r"|\bcual es (?:tu|su) edad\b"
    r"|\bquel age (?:as tu|avez vous|tu as|vous avez)\b|\b(?:ton|votre) age\b"
    r"|(?:आपकी|तुम्हारी|तेरी) (?:उम्र|उमर|आयु)|(?:आप|तुम) कितने (?:साल|वर्ष)"
    r"|\b(?:aapki|apki|tumhari) (?:umar|umr|age)\b|\b(?:aap|tum) kitne saal\b"
)
_SMALL_TALK = (
    r"(?:(?:yes|yeah|um|uh|er|well|oh|so|im|i am|hi|hello|mm|hmm|okay|ok|like|its|it is|just|only|almost|nearly|about"
    r"|turning|still|now|actually|my age is"
    r"|ja|aeh|aehm|ich bin|bin|ich|erst|gerade|schon|fast|noch|also|na"
    r"|si|eh|este|pues|tengo|solo|casi|ya|bueno|mmm|oui|euh|ben|bah|j ai|seulement|presque|bientot"
    r"|मैं|हाँ|हां|जी|मेरी उम्र|सिर्फ|अभी|main|haan|ji|meri umar|sirf|abhi) )*"
)
_ANSWERS = tuple(
    re.compile(
        rf"^{_SMALL_TALK}{_age(code)}(?: and a half| ?einhalb| y medio| et demi)?"
        rf"(?: (?:years?|yrs?|jahre?|anos|anitos|ans|साल|वर्ष|saal|sal))?(?: (?:old|alt|का|की|ka|ki|हूँ|हूं|hoon|hun|hai"
        rf"|है))*{end}"
    )
    for code, end in (("en", _END_EN), ("de", _END_DE), ("es", _END_ES), ("fr", _END_FR), ("hi", "$"), ("hi-roman", "$"))
)

_CLAUSE = re.compile(r"[.!?;:,…।\n—–()\"“”]+")
_FILLER = re.compile(r",? ?\b(?:um+|uh+|erm?|ähm?|hm+|euh|well)\b,?", re.IGNORECASE)
_ORDINAL_DOT = re.compile(r"(\d)\.(?= ?klasse)", re.IGNORECASE)
_UNSAID = re.compile(
    r"(?:(?<!\S)(?:like|as if|as though|if|when|until|till|since|think|thinks|thought|said|say|says|saying|told|tells"
    r"|believe|pretend"
    r"|pretending|imagine|imagining|suppose|wish|claims?|assume|assumes|because of how"
    r"|als ob|als|wenn|wie|sagt|sagte|denkt|glaubt|dachte|meint|cuando|como si|si|dice|dijo|cree|creen|piensan?|que"
    r"|quand|comme si|dit|croit|pense|qu|जब|अगर|जैसे|jab|agar|jaise)(?: \S+){0,1}) $"
)
"""What stands before words that somebody does not say of themselves, or not of now: "explain it as if I am five"."""
_OTHERS = re.compile(
    r"\b(?:teach(?:er|es|ing)?|daughters?|sons?|kids|children|grand\w+|nieces?|nephews?|picking|pick|drop|dropping"
    r"|volunteer\w*|substitute"
    r"|tochter|sohn|enkel\w*|lehrer(?:in)?|arbeite|abhol\w*|zug|bahn|wagen|abteil|ticket|ice|flug"
    r"|hij[oa]s?|niet[oa]s?|maestr[oa]|profesora?|trabajo|recoger|filles? a|fils|enseignante?|institut\w*|professeure?"
    r"|travaille|chercher"
    r"|बेटी|बेटा|बेटे|पढ़ाता|पढ़ाती|beti|beta|padhata|padhati)\b|(?<!\S)(?:बेटी|बेटा|बेटे|पढाता|पढाती)(?!\S)"
)
"""Words of somebody who speaks of another's school, teaches in one, or sits in a train."""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    is_child: Callable[[re.Match[str], int], bool]
    sign: Sign


def _by_age(code: str) -> Callable[[re.Match[str], int], bool]:
    table = _AGES[code]
    return lambda found, under: _number(found["age"], table) < under


def _by_class(found: re.Match[str], under: int) -> bool:
    """Whether somebody in that class is usually younger: the first class begins at six, Britain's first year at five."""
    groups = found.groupdict()
    if groups.get("small"):
        return under > SMALLEST
    if (year := groups.get("year")) is not None:
        return _number(year, _COUNTED["en"]) + 4 < under
    tables = {**_FR_CLASSES, **{word: n for each in (*_GRADES.values(), *_COUNTED.values()) for word, n in each.items()}}
    return _number(groups["grade"] or "", tables) + 5 < under


def _number(text: str, table: Mapping[str, int]) -> int:
    if text in table:
        return table[text]
    digits = re.sub(r"\D", "", text)
    return int(digits) if digits else 99


def _always(found: re.Match[str], under: int) -> bool:
    return True


def _rules() -> Iterator[_Rule]:
    for code, phrases in _STATED.items():
        for phrase in phrases:
            yield _Rule(re.compile(phrase), _by_age(code), Sign.AGE)
    for phrases in _SCHOOL.values():
        for phrase in phrases:
            yield _Rule(re.compile(phrase), _by_class, Sign.SCHOOL)
    for phrase in _SAID:
        yield _Rule(re.compile(phrase), _always, Sign.SAID)


_RULES = tuple(_rules())
_ANSWER_RULES = tuple(
    (pattern, _by_age(code)) for pattern, code in zip(_ANSWERS, ("en", "de", "es", "fr", "hi", "hi-roman"), strict=True)
)


def tells_of_child(words: Private[str], *, asked: str = "", under: int) -> Sign | None:
    """Whether these words of a caller tell that they are younger than ``under``, and how. ``asked``: what was said before."""
    return words.map(lambda text: sign_in(text, asked=asked, under=under)).reveal()


def sign_in(text: str, *, asked: str = "", under: int) -> Sign | None:
    """The same for a text that is not private."""
    text = _ORDINAL_DOT.sub(r"\1 ", _FILLER.sub(" ", text))
    clauses = [plain for clause in _CLAUSE.split(text) if (plain := folded(clause))]
    if asked and _ASKED.search(folded(asked)):
        for clause in clauses:
            for pattern, is_child in _ANSWER_RULES:
                if (found := pattern.search(clause)) and is_child(found, under):
                    return Sign.AGE
    others = _OTHERS.search(folded(text)) is not None
    for clause in clauses:
        for rule in _RULES:
            for found in rule.pattern.finditer(clause):
                theirs = rule.sign is Sign.SCHOOL and others
                if not theirs and not _UNSAID.search(clause[: found.start()]) and rule.is_child(found, under):
                    return rule.sign
    return None
