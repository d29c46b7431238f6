"""Who asks not to be called again is understood, in five languages; who says something like it is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.opt_out import KeyWatch, asks_to_stop, language_of_request
from gateway.values import Private

ASKED = [
    ("en", "Stop calling me."),
    ("en", "please stop calling this number"),
    ("en", "Don't call me again!"),
    ("en", "do not ever call us again okay"),
    ("en", "don’t call here anymore"),
    ("en", "Remove my number from your list, please."),
    ("en", "take me off your list"),
    ("en", "Can you delete my phone number?"),
    ("en", "put me on the do not call list"),
    ("en", "I'd like to opt out"),
    ("en", "unsubscribe me"),
    ("en", "I don't want any more calls"),
    ("en", "I do not want you to call me again"),
    ("en", "never call me again, I told you last week"),
    ("en", "no more calls, thank you"),
    ("en", "i said stop calling"),
    ("en", "quit bothering us please"),
    ("es", "No me vuelva a llamar."),
    ("es", "deje de llamarme por favor"),
    ("es", "¡No me llamen más!"),
    ("es", "Quite mi número de su lista"),
    ("es", "no quiero que me llamen"),
    ("es", "sáqueme de la lista"),
    ("fr", "Arrêtez de m'appeler"),
    ("fr", "ne m'appelez plus s'il vous plaît"),
    ("fr", "Supprimez mon numéro."),
    ("fr", "Je ne veux plus recevoir d’appels"),
    ("fr", "retirez-moi de votre liste"),
    ("de", "Rufen Sie mich nicht mehr an."),
    ("de", "Hören Sie auf, mich anzurufen!"),
    ("de", "Löschen Sie bitte meine Nummer"),
    ("de", "ich möchte keine weiteren anrufe"),
    ("de", "Nehmen Sie mich bitte von Ihrer Liste"),
    ("hi", "मुझे दोबारा कॉल मत करना"),
    ("hi", "मुझे फ़ोन मत कीजिए"),
    ("hi", "कॉल करना बंद करो"),
    ("hi", "मेरा नंबर हटा दीजिए"),
    ("hi", "mujhe call mat karo"),
    ("hi", "mera number list se hata do"),
]
NOT_ASKED = [
    "Call me again tomorrow, please.",
    "You can call me any time.",
    "Don't call me before nine.",
    "don't call me on Sunday, call me on Monday",
    "Please don't stop calling me, I need the reminder.",
    "Why did you stop calling me?",
    "when did you stop calling my number",
    "Stop calling me sweetheart.",
    "don't call me Bob",
    "I stopped calling them.",
    "My number is five five five one two three four.",
    "take me off hold",
    "I want to take the number nine bus",
    "Can you remove the second item from my order?",
    "delete the number nine pizza",
    "add my number to the order",
    "I do not want to opt out",
    "Llámeme mañana, por favor.",
    "No me llame antes de las nueve.",
    "Mi número es el cinco cinco.",
    "Rappelez-moi demain.",
    "Je vous appelle pour une commande.",
    "Rufen Sie mich morgen an.",
    "Meine Nummer ist drei vier fünf.",
    "Ich rufe nicht mehr oft an.",
    "मुझे कल कॉल करना",
    "mujhe kal call karna",
    "",
]


@pytest.mark.parametrize(("language", "said"), ASKED)
def test_a_request_is_understood(language: str, said: str) -> None:
    """However it is written: with accents and signs, or as a recogniser writes it."""
    assert language_of_request(said) == language
    assert asks_to_stop(Private(said))
    assert asks_to_stop(Private(said.lower().strip(".!?")))


@pytest.mark.parametrize("said", NOT_ASKED)
def test_what_only_sounds_like_it_is_none(said: str) -> None:
    """Nobody is taken off the list for asking to be called tomorrow."""
    assert language_of_request(said) is None
    assert not asks_to_stop(Private(said))


@given(st.text(max_size=200))
def test_any_words_get_an_answer(said: str) -> None:
    """Whatever a recogniser writes."""
    assert asks_to_stop(Private(said)) in (True, False)


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        ([("9", 0)], True),
        ([("9", 5_000)], True),
        ([("1", 0), ("9", 2_000)], True),
        ([("1", 0)], False),
        ([("4", 0), ("9", 300), ("2", 600)], False),
        ([("9", 0), ("9", 1_000)], False),
        ([("9", 0), ("1", 1_999)], False),
        ([], False),
    ],
)
def test_the_key_counts_when_it_stands_alone(keys: list[tuple[str, int]], asked: bool) -> None:
    """A 9 among the digits of a card number opts nobody out."""
    watch = KeyWatch()
    for key, at_ms in keys:
        assert not watch.asked(at_ms)
        watch.pressed(Private(key), at_ms)
    last = keys[-1][1] if keys else 0
    assert not watch.asked(last + 1_999)
    assert watch.asked(last + 2_000) is asked
    assert not watch.asked(last + 9_000)
    assert not watch.ended()


def test_a_key_before_hanging_up_counts() -> None:
    """Press 9 and hang up is how most people do it."""
    watch = KeyWatch()
    watch.pressed(Private("9"), 100)
    assert watch.ended()
    assert not watch.ended()
