"""Every rule of ours under the name that ``--explain`` shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.redaction import credentials, dates, internet, introductions, names, numbers, places, word_order
from gateway.redaction.cues import CUES
from gateway.redaction.heard import Heard
from gateway.values import Span

Finder = Callable[[Heard], list[Span]]

FINDERS: Mapping[str, tuple[Finder, tuple[str, ...]]] = {
    "SpokenNumbers": (numbers.find, (*sorted({str(cue.entity) for cue in CUES if cue.entity}), "ID_NUMBER")),
    "SpokenNames": (names.find, ("PERSON",)),
    "SpokenIntroductions": (introductions.find, ("PERSON",)),
    "SpokenDates": (dates.find, ("DATE_OF_BIRTH", "CARD_EXPIRY", "AGE")),
    "SpokenPlaces": (places.find, ("STREET_ADDRESS", "ZIP_CODE", "LOCATION")),
    "SpokenAddresses": (internet.find, ("EMAIL_ADDRESS", "URL", "IP_ADDRESS")),
    "SpokenCredentials": (credentials.find, ("PASSWORD", "USERNAME")),
    "SpokenWordOrder": (word_order.find, ("STREET_ADDRESS", "ZIP_CODE", "LOCATION", "PERSON", "AGE")),
}
"""Name to rule and the kinds of data that it can find."""


def find_all(heard: Heard) -> list[Span]:
    """What all the rules find, possibly overlapping."""
    return [span for rule, _ in FINDERS.values() for span in rule(heard)]
