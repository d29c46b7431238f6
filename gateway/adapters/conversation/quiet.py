"""Shuts what livekit would tell by itself: spans with transcripts in them, plugins' logs, files that debug switches write."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from livekit.agents import telemetry
from opentelemetry.trace import NoOpTracerProvider

from gateway.errors import Misconfigured

LOUD = (
    "LK_OPENAI_DEBUG",
    "LK_DUMP_TTS",
    "LK_DUMP_DIR",
    "LK_KEYTERMS_DEBUG",
    "LIVEKIT_OBSERVABILITY_URL",
    "LIVEKIT_TELEMETRY_ALLOW_PII",
    "LIVEKIT_EVALS_VERBOSE",
    "LIVEKIT_REMOTE_EOT_URL",
)
"""Switches under which livekit-agents writes callers' words to logs, files or its cloud."""


def silence_livekit(env: Mapping[str, str]) -> None:
    """No span of livekit's is ever recorded, whatever provider the process has: ours say what is to be said.

    Nor does a line of its plugins reach a log: they write vendors' answers, which are callers' words, into messages.

    Raises:
        Misconfigured: a switch is set under which livekit would write down what callers say.
    """
    for name in LOUD:
        if env.get(name):
            raise Misconfigured(f"{name} is set: livekit would write down what callers say", hint=f"unset {name}")
    telemetry.set_tracer_provider(NoOpTracerProvider())
    plugins = logging.getLogger("livekit.plugins")
    plugins.propagate = False
    if not plugins.handlers:
        # Without one, Python would print warnings on its own.
        plugins.addHandler(logging.NullHandler())
