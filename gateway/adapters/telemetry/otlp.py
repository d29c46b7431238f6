"""Where telemetry may go: an OTLP/HTTP collector on this machine, or one that the registry lists as a telemetry processor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from gateway.errors import Misconfigured
from gateway.policy.registry import is_loopback

VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
SIGNALS = ("TRACES", "METRICS", "LOGS")
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A collector that may receive telemetry. ``local``: it is on this machine; otherwise the hop belongs into the receipt."""

    url: str
    host: str
    local: bool


def endpoint_from_env(env: Mapping[str, str], *, hosts: Mapping[str, str] | None = None) -> Endpoint | None:
    """The collector that ``OTEL_EXPORTER_OTLP_ENDPOINT`` names, or None when it names none.

    ``hosts``: those of the registry's processors of kind ``telemetry``, each with why nothing may go there, empty where it may
    (``gateway.policy.tracing``).

    Raises:
        Misconfigured: no usable URL, a host that is neither this machine nor allowed, plaintext to another machine, or an
            endpoint set for one signal alone (it would not be checked here).
    """
    if any(env.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") for signal in SIGNALS):
        raise Misconfigured(
            "an OTLP endpoint for one signal alone is not supported", hint=f"set {VARIABLE}; traces and metrics go there"
        )
    given = env.get(VARIABLE, "").strip()
    if not given:
        return None
    try:
        parts = urlsplit(given)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        raise Misconfigured(f"{VARIABLE} is not an http(s) URL", hint="for example http://127.0.0.1:4318, without a user name")
    local = is_loopback(host)
    refused = (hosts or {}).get(host, "")
    if refused:
        raise Misconfigured(
            f"{VARIABLE} names {host}, and traces may not go there: {refused}",
            hint="agree with it on a shorter time and write that as its retention_days, or allow more: retention: {traces: …}",
        )
    if not local and host not in (hosts or {}):
        raise Misconfigured(
            f"{VARIABLE} names a host that no telemetry processor of the registry has",
            hint="run the collector on this machine, or list it in subprocessors.yaml with kind: telemetry",
        )
    if not local and parts.scheme != "https":
        raise Misconfigured(f"{VARIABLE} would send telemetry in plaintext to another machine", hint="use https")
    return Endpoint(url=given.rstrip("/"), host=host, local=local)


def span_exporter(endpoint: Endpoint, permitted: Callable[[], bool] | None = None) -> SpanExporter:
    """``permitted`` is asked before each batch; what may not go is dropped."""
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.url}/v1/traces", timeout=TIMEOUT_S, session=_session())
    return exporter if permitted is None else _WherePermitted(exporter, permitted)


class _WherePermitted(SpanExporter):
    def __init__(self, to: SpanExporter, permitted: Callable[[], bool]) -> None:
        self._to = to
        self._permitted = permitted

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._to.export(spans) if self._permitted() else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._to.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._to.force_flush(timeout_millis)


def metric_reader(endpoint: Endpoint) -> PeriodicExportingMetricReader:
    exporter = OTLPMetricExporter(endpoint=f"{endpoint.url}/v1/metrics", timeout=TIMEOUT_S, session=_session())
    return PeriodicExportingMetricReader(exporter)


def _session() -> requests.Session:
    """A session that goes to the endpoint itself: a proxy of the environment would be one more receiver that nobody allowed."""
    session = requests.Session()
    session.trust_env = False
    return session
