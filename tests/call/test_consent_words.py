"""Who no longer wants to be recorded says so in many ways and languages; questions and stories are no withdrawal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call.consent_words import PHRASES, language_of_withdrawal, withdraws
from gateway.values import Private

ASKS = {
    "en": ["Please stop recording.", "Stop recording this call, please", "I don't want to be recorded.",
           "Can you stop the recording",
           "I don't want you to record this call", "I'd rather not be recorded", "I withdraw my consent",
           "Do not record me please",
           "Turn off the recording", "I do not agree to being recorded", "I object to the recording", "No more recording please",
           "Would you please stop taping"],
    "es": ["Deje de grabar, por favor", "No quiero que me graben", "No me grabe", "Pare la grabación", "No quiero ser grabada",
           "Retiro mi consentimiento"],
    "fr": ["Arrêtez l'enregistrement", "Je ne veux pas être enregistré", "Ne m'enregistrez pas", "Arrêtez de m'enregistrer",
           "Je retire mon consentement"],
    "de": ["Ich möchte nicht aufgenommen werden", "Hören Sie bitte auf, das aufzunehmen", "Nehmen Sie das bitte nicht auf",
           "Bitte stoppen Sie die Aufnahme", "Ich widerrufe meine Einwilligung", "Ich will nicht aufgezeichnet werden"],
    "hi": ["रिकॉर्डिंग बंद कीजिए", "रिकॉर्ड मत करो", "recording band karo", "record mat kijiye"],
    "it": ["Non voglio essere registrato", "Smetta di registrare", "Fermi la registrazione", "Non mi registri",
           "Ritiro il mio consenso"],
    "pt": ["Pare de gravar", "Não quero ser gravado", "Não grave esta chamada", "Pare a gravação", "Retiro meu consentimento"],
}  # fmt: skip
SAYS_NOTHING_OF_IT = [
    "Is this call recorded?", "Why are you recording this", "I stopped recording my podcast", "You don't need to stop recording",
    "If I stop the recording will it be saved", "My record is broken", "I'd like the records of my calls",
    "I want to cancel my order",
    "Could you look at my medical record", "It set a new record", "When did they stop recording that show",
    "¿Está grabada la llamada?", "Quiero grabar una cita", "C'est enregistré ?", "J'ai enregistré mon adresse",
    "Wird das aufgezeichnet?", "Ich habe eine Aufnahme im Krankenhaus", "रिकॉर्ड क्या है", "È registrata la chiamata?",
    "Quero gravar um disco", "",
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), [(language, text) for language, texts in ASKS.items() for text in texts])
def test_the_wish_is_understood_in_every_language(language: str, text: str) -> None:
    assert language_of_withdrawal(text) == language
    assert withdraws(Private(f"Hello, {text}"))


@pytest.mark.parametrize("text", SAYS_NOTHING_OF_IT)
def test_what_only_speaks_of_recording_is_none(text: str) -> None:
    assert not withdraws(Private(text))


def test_every_language_of_the_answers_is_here() -> None:
    assert set(PHRASES) == set(ASKS)


@given(st.text(max_size=500))
def test_any_text_gets_an_answer(text: str) -> None:
    assert withdraws(Private(text)) is (language_of_withdrawal(text) is not None)
