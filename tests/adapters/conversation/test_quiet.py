"""livekit-agents says nothing by itself: its debug switches are refused, and no span of its own is ever recorded."""

from __future__ import annotations

import logging
import re
from logging.handlers import BufferingHandler
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


HARMLESS = {
    # Where its server is, and who we are there.
    *("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_TOKEN", "LIVEKIT_WORKER_TOKEN"),
    *("LIVEKIT_AGENT_NAME", "LIVEKIT_AGENT_NAME_OVERRIDE", "LIVEKIT_AGENT_ID", "LIVEKIT_AGENT_DEPLOYMENT", "LIVEKIT_REGION_NAME"),
    *("LIVEKIT_SIP_NUMBER", "LIVEKIT_SIP_OUTBOUND_TRUNK", "LIVEKIT_DEV_MODE", "LIVEKIT_LIB_PATH"),
    # Its hosted models, which no guarded session has.
    *(
        "LIVEKIT_INFERENCE_URL",
        "LIVEKIT_INFERENCE_API_KEY",
        "LIVEKIT_INFERENCE_API_SECRET",
        "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE",
    ),
    # How much it logs and when: through our filter, which keeps no words of others.
    *("LIVEKIT_LOG_LEVEL", "LIVEKIT_RTC_DEBUG", "LIVEKIT_AGENTS_LOOP_BLOCK_ERROR_MS", "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS"),
    # Where threads stand, by lines of code.
    "LK_DUMP_STACK_TRACES",
}


def test_every_switch_of_livekits_was_looked_at() -> None:
    """One that a new version brings stands in neither table until somebody has read what it does."""
    folder = Path(livekit.agents.__file__).parent.parent
    code = "".join(
        path.read_text(encoding="utf-8") for part in ("agents", "api", "rtc") for path in (folder / part).rglob("*.py")
    )
    read = set(re.findall(r"""["']((?:LK|LIVEKIT)_[A-Z0-9_]+)["']""", code))
    assert read == HARMLESS | set(LOUD)


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


@pytest.mark.parametrize("name", ["livekit.plugins.sarvam", "livekit.plugins.deepgram", "livekit.plugins.sarvam.STT"])
def test_no_line_of_a_plugin_reaches_a_log(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They write what a vendor answered: the caller's words."""
    silence_livekit({})
    root, kept = logging.getLogger(), BufferingHandler(10)
    root.addHandler(kept)
    try:
        logging.getLogger(name).error("Sarvam API error: 400 - I am Jonathan Miller")
        logging.getLogger("livekit.agents").error("heard")
    finally:
        root.removeHandler(kept)
    assert [record.name for record in kept.buffer] == ["livekit.agents"]
    assert "Miller" not in "".join(capsys.readouterr())
