"""Calls in other languages than English, through the real detector and the mask of a call."""

from __future__ import annotations

import pytest

from gateway.adapters.detectors.masker import CallMasker
from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.vault import RedisVault
from gateway.errors import RedactionUnavailable
from gateway.ports import CallVault
from gateway.redaction.unmask import unmask
from gateway.values import CallId, Private, TenantId


@pytest.fixture
async def vault(store: Store) -> CallVault:
    keys = RedisKeyShelf(store, MasterKeys.fixed(bytes(range(32))))
    return await RedisVault(store, keys).open(TenantId("acme"), CallId("call_languages"))


TURNS = [
    ("es", "me llamo Ana de la Cruz y quiero una cita el martes", "me llamo <PERSON_1> y quiero una cita el martes"),
    ("es-MX", "mi celular es 55 1234 5678, gracias", "mi celular es <PHONE_NUMBER_1>, gracias"),
    ("es", "el teléfono es el 612 34 56 78", "el teléfono es el <PHONE_NUMBER_1>"),
    ("fr", "bonjour, mon numéro c'est le 06 12 34 56 78", "bonjour, mon numéro c'est le <PHONE_NUMBER_1>"),
    ("fr", "mon mail est jean point dupont arobase orange point fr", "mon mail est <EMAIL_ADDRESS_1>"),
    ("de", "Guten Tag, mein Name ist Jürgen Schönfeld.", "Guten Tag, mein Name ist <PERSON_1>."),
    ("de", "Rufen Sie mich unter 0171 3920055 zurück", "Rufen Sie mich unter <PHONE_NUMBER_1> zurück"),
    ("hi", "मेरा नाम राहुल शर्मा है", "मेरा नाम <PERSON_1> है"),
    ("hi-IN", "my number is 98765 43210", "my number is <PHONE_NUMBER_1>"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "said", "seen"), TURNS)
async def test_a_turn_is_masked_in_the_tenants_language_and_restored(
    detector: PresidioDetector, vault: CallVault, language: str, said: str, seen: str
) -> None:
    masker = CallMasker(detector, vault, language=language)
    masked = await masker.mask(Private(said))
    assert masked.text == seen
    assert unmask(masked.text, masker.restore).reveal() == said


async def test_a_card_given_over_several_turns_is_one_card_in_spanish(detector: PresidioDetector, vault: CallVault) -> None:
    masker = CallMasker(detector, vault, language="es")
    first = await masker.mask(Private("sí, cuatro cinco tres dos, uno uno ocho cero"), previous="¿Cuál es su número de tarjeta?")
    rest = await masker.mask(Private("nueve seis seis uno, dos tres cuatro cinco"), previous="ajá")
    assert first.text == "sí, <CREDIT_CARD_1>"
    assert rest.text == "<CREDIT_CARD_1>"


async def test_a_call_with_stand_ins_shows_a_name_and_speaks_the_callers(detector: PresidioDetector, vault: CallVault) -> None:
    masker = CallMasker(detector, vault, operators={"PERSON": "surrogate"}, language="de")
    masked = await masker.mask(Private("mein Name ist Jürgen Schönfeld"))
    made = masker.dress([masked.text])
    stand_in = made.texts[0].removeprefix("mein Name ist ")
    assert masked.text == "mein Name ist <PERSON_1>"
    assert len(stand_in.split()) == 2
    answer = made.back.undress(f"Danke, {stand_in}!")
    assert unmask(answer, masker.restore).reveal() == "Danke, Jürgen Schönfeld!"


async def test_a_language_that_nobody_hears_lets_nothing_out(detector: PresidioDetector, vault: CallVault) -> None:
    with pytest.raises(RedactionUnavailable, match="language"):
        await CallMasker(detector, vault, language="it").mask(Private("mi chiamo Anna"))
