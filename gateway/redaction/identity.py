"""One form for what a caller has said and what somebody types later, so that both give the same keyed hash.

``form_of("EMAIL_ADDRESS", "max punkt muster at beispiel punkt de", "de")`` and ``form_of("EMAIL_ADDRESS",
"Max.Muster@beispiel.de", "de")`` are the same text. Unlike the form by which the mask tells values of one call apart, this one
keeps the signs that tell two persons apart: ``anna-lena@…`` is somebody else than ``annalena@…``. Two dashes are heard as none:
one between two digits, and one between two single letters, which is how recognisers write a word that was spelled.
"""

from __future__ import annotations

import re
import unicodedata

from gateway.redaction.languages import LANGUAGES, spoken_language
from gateway.redaction.spoken import view

SHORTEST = 5
"""Letters and digits of a number by which somebody is found: with fewer, too many would answer to it."""
LONGEST = 254
"""Of an e-mail address, the longest of all (RFC 5321, section 4.5.3.1.3)."""
MOST_HEARD = 1_000
"""Characters in which a value may be said: what is longer is a story."""
MAIL, PHONE = "EMAIL_ADDRESS", "PHONE_NUMBER"
DIGITS_ONLY = frozenset({PHONE, "BANK_ACCOUNT", "US_SSN", "IN_AADHAAR", "UK_NHS"})
"""Kinds that have no letters: whatever is heard between their digits is none of theirs."""

_ADDRESS = re.compile(r"[^\s,;:<>()|]+@[^\s,;:<>()|]+\.[^\s,;:<>()|]+")
"""An address that was written down whole: what stands before it belongs to the sentence."""
_LEADS = re.compile(
    r"^(?:(?:i am|i ·|i'm|(?:it|this|that) is|(?:it|that)'s|it|is|my|our|the|e(?: dash |-)?mail|mail|address|"
    r"yes|yeah|sure|so|okay|well) )+"
    r"(?!(?:at|dot|dash|hyphen|underscore|under score|plus)(?: |$))"
)
"""How people begin to say an address, and what a detector leaves on it: a mask may be wider than its value, a name may not."""
_WRITTEN = str.maketrans({"@": " at ", "-": " dash ", "_": " underscore ", "+": " plus "})
_WRITTEN_DOT = re.compile(r"\.(?=\S)")
_SIGNS = ((r"(?:dash|hyphen)", "-"), (r"(?:underscore|under score)", "_"), (r"plus", "+"))
_SPOKEN_SIGNS = tuple((re.compile(rf"(?:^|(?<=[ |])){said}(?= |$)"), sign) for said, sign in _SIGNS)
_DOT = re.compile(r"\s*(?:\|\s*)?(?:(?<=[\s|])dot(?=[\s|])|\.)(?:\s*\|)?\s*")
_AT = re.compile(r"\s*(?:\|\s*)?(?:(?<=[\s|])at(?=[\s|])|@)(?:\s*\|)?\s*")
_ENDS = re.compile(r"^[\s|.]+|[\s|.]+$")
_MAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_PLUS = re.compile(r"\W*(?:\+|plus(?![^\W\d]))")
"""What makes a telephone number an international one."""
_SPELLED = re.compile(r"(?<![^\W_])([^\W\d_])-(?=[^\W\d_](?![^\W_]))")
"""A letter that was spelled: ``j-o-h-n``."""
_APART = re.compile(r"[\s|]+")


def form_of(kind: str, text: str, language: str) -> str | None:
    """The one form of a value of this kind, heard or typed. None: it is no whole value, so nobody is found by it.

    ``language``: what was spoken (BCP 47); one that nobody here hears counts as English, as for the mask.
    """
    tag = language if language.split("-")[0].lower() in LANGUAGES else "en"
    if len(text) > MOST_HEARD:
        return None
    text = unicodedata.normalize("NFKC", text)
    if kind == MAIL:
        whole = _ADDRESS.search(text) if "@" in text else None
        # Signs as they are said, so that what is written is read by the same rules; a number would swallow its own.
        said = _WRITTEN_DOT.sub(" dot ", whole.group() if whole else text).translate(_WRITTEN)
        return _mail(view(said, spoken_language(tag)).text)
    heard = view(text, spoken_language(tag)).text
    kept = str.isdecimal if kind in DIGITS_ONLY else str.isalnum
    form = "".join(_plain(sign) for sign in heard if kept(sign))
    if not SHORTEST <= len(form) <= LONGEST:
        return None
    return f"+{form}" if kind == PHONE and _PLUS.match(heard) else form


def _mail(heard: str) -> str | None:
    """Signs that were said are written; what a recogniser put between words is gone, a lost dot of the domain is back."""
    text = _LEADS.sub("", _ENDS.sub("", heard))
    for said, sign in _SPOKEN_SIGNS:
        text = said.sub(sign, text)
    text = _AT.sub("@", _DOT.sub(".", text))
    who, at, where = text.rpartition("@")
    form = f"{_APART.sub('', who)}{at}{_APART.sub('', where.replace(' | ', '.'))}"
    form = _SPELLED.sub(r"\1", form)
    return form if len(form) <= LONGEST and _MAIL.fullmatch(form) else None


def _plain(sign: str) -> str:
    """A digit of whatever script as 0 to 9, every other sign in lower case."""
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign.lower()
