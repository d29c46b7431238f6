"""Where telemetry may go: an OTLP/HTTP collector on this machine, or one that the registry lists as a telemetry processor."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import SpanExporter

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


def endpoint_from_env(env: Mapping[str, str], *, allowed_hosts: Collection[str] = ()) -> Endpoint | None:
    """The collector that ``OTEL_EXPORTER_OTLP_ENDPOINT`` names, or None when it names none.

    ``allowed_hosts``: the hosts of the registry's active processors of kind ``telemetry``.

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
    if not local and host not in allowed_hosts:
        raise Misconfigured(
            f"{VARIABLE} names a host that no telemetry processor of the registry has",
            hint="run the collector on this machine, or list it in subprocessors.yaml with kind: telemetry",
        )
    if not local and parts.scheme != "https":
        raise Misconfigured(f"{VARIABLE} would send telemetry in plaintext to another machine", hint="use https")
    return Endpoint(url=given.rstrip("/"), host=host, local=local)


def span_exporter(endpoint: Endpoint) -> SpanExporter:
    return OTLPSpanExporter(endpoint=f"{endpoint.url}/v1/traces", timeout=TIMEOUT_S, session=_session())


def metric_reader(endpoint: Endpoint) -> PeriodicExportingMetricReader:
    exporter = OTLPMetricExporter(endpoint=f"{endpoint.url}/v1/metrics", timeout=TIMEOUT_S, session=_session())
    return PeriodicExportingMetricReader(exporter)


def _session() -> requests.Session:
    """A session that goes to the endpoint itself: a proxy of the environment would be one more receiver that nobody allowed."""
    session = requests.Session()
    session.trust_env = False
    return session
