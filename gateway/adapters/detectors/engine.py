"""Our rules, our tagger and Presidio's recognizers, on one text. Heavy: only the worker process imports it.

spaCy is Presidio's tokenizer here and nothing more. Nothing reaches for the network: no model is looked up by name, and the
e-mail recognizer gets the public suffix list that tldextract ships instead of fetching one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
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
from gateway.redaction.entities import KINDS
from gateway.redaction.finders import FINDERS
from gateway.redaction.heard import Heard
from gateway.redaction.written import TAGGER

LANGUAGE = "en"
_DIGIT = re.compile(r"\d")
_FIGURES = re.compile(r"\d(?:[\s().,/–-]{0,3}\d)*")
_SHORTEST_PHONE = 7
_NOT_PUBLIC = frozenset({"example", "test", "invalid", "localhost", "local", "internal", "lan", "corp", "home", "intranet"})
"""Endings that no registry sells (RFC 2606, RFC 6762, ICANN's ``internal``), and mail boxes have all the same."""
_MASKED_ALREADY = 0.5
_FEWEST_DIGITS = 4
"""Presidio's number recognizers see figures alone, and none of what they find has fewer (a network address may be ``::``)."""
_FEWEST_CARD_DIGITS = 13
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}")
"""How every IBAN begins."""
_SSN = re.compile(r"[0-9]{9}|[0-9]{3}-[0-9]{6}|[0-9]{5}-[0-9]{4}|[0-9]{3}[- .][0-9]{2}[- .][0-9]{4}")
"""How a social security number is written, as Presidio knows it."""

Row = tuple[int, int, str, float, str, str]
"""A span as it crosses the process boundary: start, end, kind, score, detector, why."""


@Language.component("sordino_words")
def _words(doc: Doc) -> Doc:
    """Presidio compares context words with lemmas; the words themselves do, and cost no model."""
    for token in doc:
        token.lemma_ = token.lower_
    return doc


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

    def __init__(self, regions: tuple[str, ...]) -> None:
        self._regions = regions
        self.waiting: list[tuple[int, int]] = []
        """The stretches of the text in work."""
        super().__init__(supported_regions=regions)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        waiting = self.waiting
        found: list[RecognizerResult] = []
        for region in self._regions:
            self.supported_regions = (region,)
            found += super().analyze(text, entities, nlp_artifacts)  # type: ignore[arg-type] # its default is None
            waiting = [(start, end) for start, end in waiting if not any(one.start <= start and end <= one.end for one in found)]
            if not waiting:
                break
        return EntityRecognizer.remove_duplicates(found)


class _Context(LemmaContextAwareEnhancer):
    """Presidio's own, spared where nothing found takes context: it copies every result deeply, and wants the text in tokens."""

    def __init__(self, tokens: Callable[[str], NlpArtifacts]) -> None:
        self._tokens = tokens
        super().__init__()

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        if not raw_results:
            return raw_results
        raised: list[RecognizerResult] = super().enhance_using_context(
            text, raw_results, self._tokens(text), recognizers, context
        )
        return raised


class _Figures:
    """Presidio's recognizers: they read figures and written addresses, and each is asked only where there can be any."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        nlp = spacy.blank(LANGUAGE)
        nlp.add_pipe("sordino_words")
        spacy_engine = SpacyNlpEngine(ner_model_configuration=NerModelConfiguration(labels_to_ignore=[]))
        # Given, not loaded: Presidio would look for a model by name and try to download it.
        spacy_engine.nlp = {LANGUAGE: nlp}  # type: ignore[assignment] # Presidio declares None
        self._no_tokens = spacy_engine.process_text("", LANGUAGE)
        self._phone = _Phone(regions)
        recognizers: list[EntityRecognizer] = [
            self._phone, _Email(), CreditCardRecognizer(), IbanRecognizer(), IpRecognizer(), UsSsnRecognizer(),
        ]  # fmt: skip
        self._analyzer = AnalyzerEngine(
            registry=RecognizerRegistry(recognizers=recognizers, supported_languages=[LANGUAGE]),
            nlp_engine=spacy_engine,
            supported_languages=[LANGUAGE],
            context_aware_enhancer=_Context(lambda text: spacy_engine.process_text(text, LANGUAGE)),
        )

    def find(self, text: str, sure: Sequence[tuple[int, int]]) -> list[Row]:
        """What they find. ``sure``: places that are masked without them."""
        kinds = _kinds(text)
        self._phone.waiting = _phones(text, sure)
        kinds += ["PHONE_NUMBER"] if self._phone.waiting else []
        if not kinds:
            return []
        # Tokens are made when something was found: nothing but the words around it is looked for in them.
        results = self._analyzer.analyze(
            text, LANGUAGE, entities=kinds, score_threshold=0.0, return_decision_process=True, nlp_artifacts=self._no_tokens
        )
        return [_row(result) for result in results]


def _kinds(text: str) -> list[str]:
    """What Presidio is asked for: the kinds of which a text has signs enough. Most texts have none."""
    digits = len(_DIGIT.findall(text))
    kinds = ["EMAIL_ADDRESS"] if "@" in text else []
    if digits >= _FEWEST_DIGITS or "::" in text:
        if text.count(":") > 1 or text.count(".") > 2:
            kinds.append("IP_ADDRESS")
        if _IBAN.search(text):
            kinds.append("IBAN_CODE")
        kinds += ["US_SSN"] if _SSN.search(text) else []
        kinds += ["CREDIT_CARD"] if digits >= _FEWEST_CARD_DIGITS else []
    return kinds


def _phones(text: str, sure: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches of figures that may be a telephone number, and that nothing has masked yet."""
    return [
        figures.span()
        for figures in _FIGURES.finditer(text)
        if sum(sign.isdigit() for sign in figures.group()) >= _SHORTEST_PHONE
        and not any(start <= figures.start() and figures.end() <= end for start, end in sure)
    ]


class Engine:
    """The analyzer of one worker process. ``regions``: countries whose phone numbers are known, as CLDR codes (``US``)."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self._tagger = Tagger()
        self._figures = _Figures(regions)

    def analyze(self, text: str, previous: str, language: str = LANGUAGE) -> list[Row]:
        """Every finding of every recognizer, also weak and overlapping ones: thresholds stand in ``redaction/entities.py``."""
        text.encode("utf-8")  # a text with half a character in it is refused, as spaCy refuses it
        heard = Heard.of(text, previous, language)
        found: list[Row] = []
        for name, (rule, _) in FINDERS.items():
            found += [
                (span.start, span.end, span.entity, span.score, name, f"{span.detector}: {span.why}")
                for span in rule(heard)
                if span.entity in KINDS
            ]
        sure = [(start, end) for start, end, _, score, _, _ in found if score >= _MASKED_ALREADY]
        if heard.language == LANGUAGE:  # it was trained on English; in other languages the rules stand alone
            words = self._tagger.words(text, previous)
            found += [(span.start, span.end, span.entity, span.score, TAGGER, span.why) for span in tagged_spans(text, words)]
        return distinct([*found, *self._figures.find(text, sure)])


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Without those that lie within another of their kind that is as sure; the surest first."""
    kept: list[Row] = []
    kind, within = "", list[Row]()
    for row in sorted(rows, key=lambda row: (row[2], row[0], -row[1], -row[3])):
        start, end, entity, score = row[:4]
        # Those of a kind begin one after the other, so only one that began before can hold the next.
        within = [each for each in within if each[1] >= start] if entity == kind else []
        kind = entity
        if score > 0 and not any(end <= each[1] and score <= each[3] for each in within):
            kept.append(row)
            within.append(row)
    return sorted(kept, key=lambda row: (-row[3], row[0], row[0] - row[1]))


def _row(result: RecognizerResult) -> Row:
    explanation = result.analysis_explanation
    why = explanation.textual_explanation or explanation.pattern_name or ""
    if explanation.score_context_improvement:
        why += ", raised by the words around it"
    name = result.recognition_metadata[RecognizerResult.RECOGNIZER_NAME_KEY].lstrip("_")
    return result.start, result.end, result.entity_type, float(result.score), name, why
