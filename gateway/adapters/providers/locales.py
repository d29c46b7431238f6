"""Languages as those vendors want them who ask for a place too: ``de-DE``."""

from __future__ import annotations

from gateway.errors import UpstreamFailed
from gateway.policy.egress import Grant

_USUAL = {
    "da": "da-DK",
    "de": "de-DE",
    "en": "en-US",
    "es": "es-ES",
    "fi": "fi-FI",
    "fr": "fr-FR",
    "hi": "hi-IN",
    "it": "it-IT",
    "ja": "ja-JP",
    "nl": "nl-NL",
    "pl": "pl-PL",
    "pt": "pt-BR",
    "sv": "sv-SE",
    "ta": "ta-IN",
    "te": "te-IN",
}


def locale(grant: Grant, language: str) -> str:
    """``language`` with its place. Raises UpstreamFailed for one whose place nobody named: then another processor is asked."""
    if "-" in language:
        return language
    if language not in _USUAL:
        raise UpstreamFailed(f"{grant.processor} needs a place with the language", hint=f"write language: {language}-XX")
    return _USUAL[language]
