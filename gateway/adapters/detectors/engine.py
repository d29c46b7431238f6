"""Presidio's analyzer with our tagger and our rules as recognizers. Heavy: only the worker process imports it.

spaCy is Presidio's tokenizer here and nothing more. Nothing reaches for the network: no model is looked up by name, and the
e-mail recognizer gets the public suffix list that tldextract ships instead of fetching one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import spacy
import tldextract
from presidio_analyzer import AnalysisExplanation, AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpArtifacts, SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    PhoneRecognizer,
    UsSsnRecognizer,
)
from spacy.language import Language
from spacy.tokens import Doc

from gateway.adapters.detectors.bars import tagged_spans
from gateway.adapters.detectors.tagger import Tagger
from gateway.redaction.entities import KINDS, LITERAL
from gateway.redaction.finders import FINDERS, Finder
from gateway.redaction.heard import Heard
from gateway.values import Span

LANGUAGE = "en"
_DIGIT = re.compile(r"\d")
_FIGURES = re.compile(r"\d(?:[\s().,/–-]{0,3}\d)*")
_SHORTEST_PHONE = 7
_NOT_PUBLIC = frozenset({"example", "test", "invalid", "localhost", "local", "internal", "lan", "corp", "home", "intranet"})
"""Endings that no registry sells (RFC 2606, RFC 6762, ICANN's ``internal``), and mail boxes have all the same."""
_MASKED_ALREADY = 0.5
_FEWEST_DIGITS = 4
"""Presidio's number recognizers see figures alone, and none of what they find has fewer (a network address may be ``::``)."""

Row = tuple[int, int, str, float, str, str]
"""A span as it crosses the process boundary: start, end, kind, score, detector, why."""


@Language.component("sordino_words")
def _words(doc: Doc) -> Doc:
    """Presidio compares context words with lemmas; the words themselves do, and cost no model."""
    for token in doc:
        token.lemma_ = token.lower_
    return doc


@dataclass(slots=True)
class _Now:
    """The utterance in work: read once, shared by our recognizers. The worker does one at a time."""

    heard: Heard
    previous: str = ""
    found: dict[Finder, list[Span]] = field(default_factory=dict)

    def spans(self, finder: Finder) -> list[Span]:
        """What a rule finds in it; asked twice, it is read once."""
        if finder not in self.found:
            self.found[finder] = finder(self.heard)
        return self.found[finder]


class _Ours(EntityRecognizer):
    """A recognizer of ours, as Presidio wants it."""

    def __init__(self, name: str, entities: Sequence[str], now: _Now) -> None:
        self._label = name
        self._now = now
        super().__init__(supported_entities=list(entities), name=name, supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing to load."""

    def _result(self, span: Span, why: str) -> RecognizerResult:
        return RecognizerResult(
            span.entity,
            span.start,
            span.end,
            span.score,
            AnalysisExplanation(self._label, span.score, textual_explanation=why),
            {RecognizerResult.RECOGNIZER_NAME_KEY: self._label, RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id},
        )


class _Rule(_Ours):
    """One of our pure rules."""

    def __init__(self, name: str, finder: Finder, entities: tuple[str, ...], now: _Now) -> None:
        self._finder = finder
        super().__init__(name, entities, now)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        spans = self._now.spans(self._finder)
        return [self._result(span, f"{span.detector}: {span.why}") for span in spans if span.entity in entities]


class _Words(_Ours):
    """Our tagger. It was trained on English; in other languages the rules stand alone."""

    def __init__(self, now: _Now) -> None:
        self._tagger = Tagger()
        super().__init__("Tagger", [label for label in self._tagger.labels if label in KINDS], now)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        if self._now.heard.language != LANGUAGE:
            return []
        words = self._tagger.words(text, self._now.previous)
        return [self._result(span, span.why) for span in tagged_spans(text, words)]


class _Email(EmailRecognizer):
    """Presidio's own, with the bundled suffix list and the domains that no list has: those of offices and of examples."""

    _suffixes = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)

    def validate_result(self, pattern_text: str) -> bool:
        if pattern_text.rpartition(".")[2].lower() in _NOT_PUBLIC:
            return True
        return self._suffixes(pattern_text).top_domain_under_public_suffix != ""


class _Phone(PhoneRecognizer):
    """Presidio's own, asked only about stretches of figures that are long enough and that no rule of ours is sure of.

    It reads the text once for each country, which costs more than all the rules together.
    """

    def __init__(self, regions: tuple[str, ...], now: _Now) -> None:
        self._regions = regions
        self._now = now
        super().__init__(supported_regions=regions)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        sure = [span for finder, _ in FINDERS.values() for span in self._now.spans(finder) if span.score >= _MASKED_ALREADY]
        waiting = [
            figures.span()
            for figures in _FIGURES.finditer(text)
            if sum(sign.isdigit() for sign in figures.group()) >= _SHORTEST_PHONE
            and not any(span.start <= figures.start() and figures.end() <= span.end for span in sure)
        ]
        found: list[RecognizerResult] = []
        for region in self._regions if waiting else ():
            self.supported_regions = (region,)
            found += super().analyze(text, entities, nlp_artifacts)  # type: ignore[arg-type] # its default is None
            waiting = [(start, end) for start, end in waiting if not any(one.start <= start and end <= one.end for one in found)]
            if not waiting:
                break
        return EntityRecognizer.remove_duplicates(found)


class _Context(LemmaContextAwareEnhancer):
    """Presidio's own, spared where nothing found takes context: it copies every result deeply first."""

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        takers = {recognizer.id for recognizer in recognizers if recognizer.context}
        key = RecognizerResult.RECOGNIZER_IDENTIFIER_KEY
        with_context = [result for result in raw_results if result.recognition_metadata[key] in takers]
        if not with_context:
            return raw_results
        raised: list[RecognizerResult] = super().enhance_using_context(text, with_context, nlp_artifacts, recognizers, context)
        return [result for result in raw_results if result.recognition_metadata[key] not in takers] + raised


class Engine:
    """The analyzer of one worker process. ``regions``: countries whose phone numbers are known, as CLDR codes (``US``)."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        nlp = spacy.blank(LANGUAGE)
        nlp.add_pipe("sordino_words")
        spacy_engine = SpacyNlpEngine(ner_model_configuration=NerModelConfiguration(labels_to_ignore=[]))
        # Given, not loaded: Presidio would look for a model by name and try to download it.
        spacy_engine.nlp = {LANGUAGE: nlp}  # type: ignore[assignment] # Presidio declares None
        # Presidio's own recognizers alone look at tokens, for the words around what they find.
        self._no_tokens = spacy_engine.process_text("", LANGUAGE)
        self._nothing = Heard.of("")
        self._now = _Now(self._nothing)
        always: list[EntityRecognizer] = [
            *(_Rule(name, finder, entities, self._now) for name, (finder, entities) in FINDERS.items()),
            _Words(self._now),
        ]
        figures = [
            _Phone(regions, self._now), CreditCardRecognizer(), IbanRecognizer(), IpRecognizer(), UsSsnRecognizer(),
        ]  # fmt: skip
        self._analyzers = {
            (mail, number): _analyzer([*always, *([_Email()] if mail else []), *(figures if number else [])], spacy_engine)
            for mail in (False, True)
            for number in (False, True)
        }

    def analyze(self, text: str, previous: str, language: str = LANGUAGE) -> list[Row]:
        """Every finding of every recognizer, also weak and overlapping ones: thresholds stand in ``redaction/entities.py``."""
        text.encode("utf-8")  # a text with half a character in it is refused, as spaCy refuses it
        self._now.heard, self._now.previous, self._now.found = Heard.of(text, previous, language), previous, {}
        number = len(_DIGIT.findall(text)) >= _FEWEST_DIGITS or "::" in text
        analyzer, entities = self._analyzers["@" in text, number]
        tokens = None if number or "@" in text else self._no_tokens
        results = analyzer.analyze(
            text, LANGUAGE, entities=entities, score_threshold=0.0, return_decision_process=True, nlp_artifacts=tokens
        )
        self._now.heard, self._now.previous, self._now.found = self._nothing, "", {}
        return [_row(result) for result in results]


def _analyzer(recognizers: list[EntityRecognizer], nlp_engine: SpacyNlpEngine) -> tuple[AnalyzerEngine, list[str]]:
    """Presidio's analyzer over these recognizers, and the kinds of data to ask it for."""
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=[LANGUAGE])
    supported = {entity for recognizer in recognizers for entity in recognizer.supported_entities}
    analyzer = AnalyzerEngine(
        registry=registry, nlp_engine=nlp_engine, supported_languages=[LANGUAGE], context_aware_enhancer=_Context()
    )
    return analyzer, sorted(str(kind) for kind in KINDS if kind != LITERAL and kind in supported)


def _row(result: RecognizerResult) -> Row:
    explanation = result.analysis_explanation
    why = explanation.textual_explanation or explanation.pattern_name or ""
    if explanation.score_context_improvement:
        why += ", raised by the words around it"
    name = result.recognition_metadata[RecognizerResult.RECOGNIZER_NAME_KEY].lstrip("_")
    return result.start, result.end, result.entity_type, float(result.score), name, why
