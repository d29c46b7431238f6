"""A tenant who names a voice for masked text first wants it for what is masked, and another one for the rest."""

from __future__ import annotations

import pytest

from gateway.policy.voices import prefers_masked_voice
from tests.policy.samples import REGISTRY, loaded


def voice(name: str, receives: str) -> str:
    entry = REGISTRY.split("- id: home-llm")[0].replace("eu-llm", name, 1).replace("kind: llm", "kind: tts")
    return entry.replace("receives: [masked_transcript]", f"receives: [{receives}]")


CATALOGUE = (
    REGISTRY
    + voice("masked-voice", "masked_transcript")
    + voice("whole-voice", "transcript, masked_transcript")
    + voice("old-voice", "transcript")
    + voice("no-voice", "contact")
)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (("masked-voice", "whole-voice"), True),
        (("whole-voice", "masked-voice"), False),
        (("old-voice", "masked-voice"), False),
        (("masked-voice",), True),
        (("no-voice", "masked-voice", "whole-voice"), True),
        (("no-voice", "whole-voice"), False),
        ((), False),
    ],
    ids=str,
)
def test_the_order_of_the_route_says_which_voice_is_preferred(route: tuple[str, ...], expected: bool) -> None:
    names = ", ".join(f"{{processor: {name}, model: m}}" for name in route)
    policies = loaded(f"tenant: acme\nregions: [eu]\nroute:\n  tts: [{names}]\n", registry=CATALOGUE)
    assert prefers_masked_voice(policies.tenant("acme"), policies.registry) is expected


@pytest.mark.parametrize(
    ("masking", "expected"),
    [
        ("{default: pseudonym}", True),
        ("{default: pseudonym, PERSON: keep}", True),
        ("{default: pseudonym, PERSON: {default: pseudonym, llm: keep}}", False),
        ("{default: pseudonym, PERSON: {default: keep, tts: drop}}", False),
        ("{default: {default: pseudonym, llm: keep}}", False),
        ("{default: pseudonym, CREDIT_CARD: {default: drop, llm: last4}}", False),
        ("{default: pseudonym, PERSON: {default: pseudonym, tts: keep}}", True),
        ("{default: {default: pseudonym, llm: drop}}", True),
    ],
)
def test_what_was_masked_for_the_model_must_be_masked_enough_for_the_voice(masking: str, expected: bool) -> None:
    """The answer's text was masked for the model: a name that only the model may read would be said elsewhere."""
    route = "route:\n  tts: [{processor: masked-voice, model: m}, {processor: whole-voice, model: m}]\n"
    policies = loaded(f"tenant: acme\nregions: [eu]\nmasking: {masking}\n{route}", registry=CATALOGUE)
    assert prefers_masked_voice(policies.tenant("acme"), policies.registry) is expected
