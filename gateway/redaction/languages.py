"""The languages that Sordino hears. A language is one file of data; here is where it is known by its tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.redaction.english import ENGLISH
from gateway.redaction.french import FRENCH
from gateway.redaction.german import GERMAN
from gateway.redaction.hindi import HINDI
from gateway.redaction.lexemes import SpokenLanguage
from gateway.redaction.spanish import SPANISH
from gateway.redaction.vocabulary import Reader, Vocabulary


def _read_as_english(code: str, vocabulary: Vocabulary) -> SpokenLanguage:
    return replace(ENGLISH, code=code, read=Reader(vocabulary))


LANGUAGES: Mapping[str, SpokenLanguage] = {
    "en": ENGLISH,
    "es": _read_as_english("es", SPANISH),
    "fr": _read_as_english("fr", FRENCH),
    "de": _read_as_english("de", GERMAN),
    "hi": _read_as_english("hi", HINDI),
}
"""Primary language subtag (BCP 47) to how it is spoken. All of them also hear English: people mix."""


def spoken_language(tag: str) -> SpokenLanguage:
    """The language of a tag: ``es-MX`` is heard as ``es``. Raises ValueError for a language that there is no file for."""
    found = LANGUAGES.get(tag.split("-")[0].lower())
    if found is None:
        raise ValueError(f"there is no language {tag[:20]!r}: there are {', '.join(LANGUAGES)}")
    return found
