"""Yes, no, or neither: what a caller's answer means, in the languages of the announcements. A consent is never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call.answer import LANGUAGES, Meaning, meaning_of, read
from gateway.values import Private

YES = {
    "en": [
        "Yes.",
        "Yeah, sure.",
        "Yes, that's fine.",
        "I agree.",
        "Okay, go ahead.",
        "No problem.",
        "Of course!",
        "I don't mind.",
    ],
    "es": ["Sí.", "Sí, claro.", "Claro que sí", "De acuerdo.", "Vale", "Está bien, acepto.", "Por supuesto"],
    "fr": ["Oui.", "Oui, d'accord.", "Bien sûr.", "J'accepte", "Pas de problème", "Ouais, allez-y"],
    "de": ["Ja.", "Ja, natürlich.", "Einverstanden.", "Ja gerne", "Kein Problem", "Selbstverständlich", "Ich stimme zu"],
    "hi": ["हाँ", "हां जी", "जी हाँ, ठीक है", "बिल्कुल", "haan", "haan ji", "theek hai"],
    "it": ["Sì.", "Sì, certo.", "Va bene", "D'accordo", "Accetto", "Nessun problema", "Come no"],
    "pt": ["Sim.", "Sim, pode ser.", "Claro", "Tudo bem", "Aceito", "Com certeza", "Está bem"],
}
NO = {
    "en": ["No.", "No, thank you.", "Nope", "I do not agree.", "I don't want that.", "I'd rather not.", "No way!", "Not really"],
    "es": ["No.", "No, gracias.", "No acepto", "No quiero", "De ninguna manera", "No estoy de acuerdo"],
    "fr": ["Non.", "Non merci.", "Je refuse", "Je n'accepte pas", "Pas d'accord", "Je ne suis pas d'accord"],
    "de": ["Nein.", "Nein danke.", "Lieber nicht", "Auf keinen Fall", "Nicht einverstanden", "Das möchte ich nicht. Nein."],
    "hi": ["नहीं", "जी नहीं", "बिल्कुल नहीं", "nahi", "ji nahi", "nahi chahiye"],
    "it": ["No.", "No grazie.", "Non voglio", "Non sono d'accordo", "Meglio di no"],
    "pt": ["Não.", "Não, obrigada.", "Não quero", "De jeito nenhum", "Não concordo"],
}
UNCLEAR = {
    "en": ["", "Um.", "Yes, but what is recorded?", "No, that's fine.", "Maybe.", "What?", "Is this a robot",
           "Sorry, say that again",
           "Yes well I have been calling all morning about the invoice that you sent me last week"],
    "es": ["¿Qué?", "Sí, pero no sé", "Quizás", "Quiero una cita"],
    "fr": ["Quoi ?", "Oui mais pourquoi", "Peut-être", "Bonjour"],
    "de": ["Was?", "Ja, aber warum", "Vielleicht", "Guten Tag"],
    "hi": ["क्या?", "हाँ लेकिन क्यों", "शायद", "नमस्ते"],
    "it": ["Cosa?", "Sì ma perché", "Forse", "Buongiorno"],
    "pt": ["O quê?", "Sim, mas por quê", "Talvez", "Bom dia"],
}  # fmt: skip
ROWS = [
    (language, text, meaning)
    for table, meaning in ((YES, Meaning.YES), (NO, Meaning.NO), (UNCLEAR, Meaning.UNCLEAR))
    for language, texts in table.items()
    for text in texts
]


@pytest.mark.parametrize(("language", "text", "meaning"), ROWS)
def test_an_answer_is_yes_or_no_only_where_it_is_plain(language: str, text: str, meaning: Meaning) -> None:
    assert read(text, language) is meaning
    assert meaning_of(Private(text), language) is meaning


def test_every_language_has_its_tables() -> None:
    assert set(YES) == set(NO) == set(UNCLEAR) == set(LANGUAGES)


@pytest.mark.parametrize("language", [*LANGUAGES, "de-AT", "pt-BR", "xx"])
def test_english_is_understood_everywhere(language: str) -> None:
    assert (read("yes please", language), read("nope", language)) == (Meaning.YES, Meaning.NO)


@given(st.text(max_size=60), st.sampled_from(LANGUAGES), st.sampled_from([text for texts in NO.values() for text in texts]))
def test_no_words_around_a_no_make_it_a_yes(around: str, language: str, no: str) -> None:
    own = next(each for each, texts in NO.items() if no in texts)
    assert read(f"{around} {no}", own) is not Meaning.YES
    assert read(f"{no} {around}", own) is not Meaning.YES


@given(st.text(max_size=400), st.sampled_from(LANGUAGES))
def test_whatever_is_recognised_has_one_of_three_meanings(text: str, language: str) -> None:
    assert read(text, language) in Meaning
