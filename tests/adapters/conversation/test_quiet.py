"""livekit-agents says nothing by itself: its debug switches are refused, and no span of its own is ever recorded."""

from __future__ import annotations

from pathlib import Path

import livekit.agents
import pytest
from livekit.agents import telemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.adapters.conversation.quiet import LOUD, silence_livekit
from gateway.errors import Misconfigured


@pytest.mark.parametrize("name", LOUD)
def test_a_switch_that_would_write_down_what_callers_say_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match=name) as caught:
        silence_livekit({name: "1"})
    assert caught.value.hint == f"unset {name}"


def test_the_switches_are_those_that_livekit_reads() -> None:
    """Each stands in livekit's own code, so a new version with another name is noticed."""
    folder = Path(livekit.agents.__file__).parent.parent
    code = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    assert [name for name in LOUD if name not in code] == []


def test_no_span_of_livekits_is_recorded() -> None:
    """With a provider it would record what was said; once silenced it does not, and its private form neither."""
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    telemetry.set_tracer_provider(provider, allow_pii=True)
    with telemetry.tracer.start_as_current_span("before", attributes={"lk.transcript": "secret"}) as span:
        assert span.is_recording()
    silence_livekit({})
    with telemetry.tracer.start_as_current_span("after", attributes={"lk.transcript": "secret"}) as span:
        assert not span.is_recording()
    assert [each.name for each in kept.get_finished_spans()] == ["before"]
