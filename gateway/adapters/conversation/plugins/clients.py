"""What hearing and speaking through a plugin share: how one is found, and how its failures are told."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from livekit.agents import APIConnectOptions, APITimeoutError

from gateway.errors import Misconfigured, PolicyRefused, SordinoError, UpstreamFailed, UpstreamTimeout
from gateway.outgoing import Line
from gateway.policy.egress import Grant
from gateway.values import Hop

ONCE = APIConnectOptions(max_retry=0, retry_interval=0, timeout=30.0)
"""A second try needs a new Grant."""
LONGEST_S = 30.0
"""For one stretch of speech, or one sentence."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")


def plugin(name: str) -> Any:
    """The module of livekit's plugin. Raises Misconfigured when it is not installed."""
    try:
        return importlib.import_module(f"livekit.plugins.{name}")
    except ImportError:
        raise Misconfigured(f"the plugin for {name} is not installed", hint=f"pip install 'sordino[{name}]'") from None


def preload(names: Iterable[str]) -> tuple[str, ...]:
    """Import the plugins of those names: some take a second, which no call should wait for. Those that are not installed."""
    wanted = sorted(set(names))
    missing = tuple(name for name in wanted if importlib.util.find_spec(f"livekit.plugins.{name}") is None)
    for name in wanted:
        if name not in missing:
            importlib.import_module(f"livekit.plugins.{name}")
    return missing


def require(grant: Grant, hop: Hop, dialect: str) -> None:
    """Raises PolicyRefused for a Grant for something else, or one that names no model."""
    if grant.hop is not hop or grant.dialect != dialect:
        raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {hop}/{dialect}")
    if not all(_NAME.fullmatch(part) for part in grant.model.split("/", 1)):
        raise PolicyRefused(f"this Grant for {grant.processor} names no model", hint="write it into the route: model: NAME")


def model_and_voice(grant: Grant) -> tuple[str, str]:
    """Routes name both in one: ``MODEL/VOICE``. Raises Misconfigured without a voice."""
    model, _, voice = grant.model.partition("/")
    if not voice:
        raise Misconfigured(
            f"the route to {grant.processor} names no voice", hint=f"write it behind the model: model: {model}/VOICE"
        )
    return model, voice


def base_language(language: str) -> str:
    """``en`` of ``en-US``."""
    return language.replace("_", "-").split("-")[0].lower()


@contextmanager
def failures_told(grant: Grant, line: Line) -> Iterator[None]:
    """What a plugin raises may hold a processor's words, or the caller's: only our own errors come out.

    Raises:
        SordinoError: the line's reason, else UpstreamTimeout or UpstreamFailed.
    """
    try:
        yield
    except SordinoError:
        raise
    except (APITimeoutError, TimeoutError):
        raise line.failure or UpstreamTimeout(f"{grant.processor} did not answer in time") from None
    except Exception as error:  # noqa: BLE001 - a vendor's code may raise anything; nothing of it may come out but its class
        raise line.failure or UpstreamFailed(f"{grant.processor} failed ({type(error).__name__})") from None


def answered(grant: Grant, line: Line) -> None:
    """A client that comes back without an error was answered, over the line. Raises what the line knows otherwise."""
    if line.failure is not None:
        raise line.failure
    if not line.used:
        raise UpstreamFailed(f"{grant.processor} was never asked")
