"""What another policy would decide otherwise for questions that were really asked."""

from __future__ import annotations

from gateway.policy.diff import Asked, changed_asks
from gateway.values import Hop
from tests.policy.samples import NOW, TENANT, loaded


def test_the_same_processor_over_a_stricter_tls_is_a_change_and_is_shown() -> None:
    asked = Asked(tenant="acme", hop=Hop.LLM, at=NOW, call="call_1", origins=("de",))
    [change] = changed_asks([asked], loaded(), loaded(TENANT + 'tls: "1.3"\n'))
    assert (change.before, change.after) == ("eu-llm (eu)", "eu-llm (eu, TLS 1.3 at least)")
    assert list(changed_asks([asked], loaded(), loaded(TENANT + 'tls: "1.2"\n'))) == []
