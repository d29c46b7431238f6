"""A spoken answer is heard for the purpose of consent: only where an announcement asks for one, and on this machine only."""

from __future__ import annotations

import pytest

from gateway.policy.egress import decide
from gateway.values import DataCategory, Hop
from tests.policy.samples import ask, loaded

EARS = """\
- {id: ear-eu, name: An ear in the EU, purpose: speech to text, kind: stt, dialect: ear,
   base_url: "https://ear.example/v1", region: eu,
   training: prohibited, retention_days: 0, receives: [voice], mechanism: {gb: adequacy},
   dpa: {reference: DPA-1, reviewed_on: 2026-05-01}, status: active, source: invented, checked_on: 2026-11-01}
- {id: ear-here, name: An ear on this machine, purpose: speech to text, kind: stt, dialect: moonshine, region: local,
   training: prohibited, receives: [voice], status: active, source: our own, checked_on: 2026-11-01}
"""
ASKS = "announcements: [{id: rec, text: Say yes., asset: r.wav, mode: spoken-yes}]\n"
TENANT = "tenant: acme\nregions: [eu]\nroute: {stt: [{processor: ear-eu}, {processor: ear-here}]}\n"


@pytest.mark.parametrize(
    ("more", "purpose", "granted"),
    [
        (ASKS, "consent", "ear-here"),
        (ASKS, "conversation", "ear-eu"),
        ("", "consent", None),
        (ASKS.replace("spoken-yes", "key-press"), "consent", None),
        (ASKS + "purposes: [consent, conversation]\n", "consent", "ear-here"),
    ],
    ids=["asked for", "the talk itself", "nothing is asked", "a key is asked", "whatever the purposes say"],
)
def test_the_answer_goes_to_the_local_ear_alone(more: str, purpose: str, granted: str | None) -> None:
    policies = loaded(TENANT + more, registry=EARS)
    question = ask(hop=Hop.STT, categories=frozenset({DataCategory.VOICE}), purpose=purpose)
    decision = decide(policies.tenant("acme"), policies.registry, question)
    assert (decision.grant.processor if decision.grant else None) == granted
