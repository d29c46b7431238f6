"""Where telemetry may go, and what a collector receives over a real socket."""

from __future__ import annotations

import http.server
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExportResult

from gateway.adapters.telemetry.otel import OtelTelemetry
from gateway.adapters.telemetry.otlp import Endpoint, endpoint_from_env, span_exporter
from gateway.errors import Misconfigured

ALLOWED = [
    ("http://127.0.0.1:4318", (), Endpoint("http://127.0.0.1:4318", "127.0.0.1", local=True)),
    ("http://localhost:4318/", (), Endpoint("http://localhost:4318", "localhost", local=True)),
    ("http://[::1]:4318", (), Endpoint("http://[::1]:4318", "::1", local=True)),
    ("https://otel.example.eu", ("otel.example.eu",), Endpoint("https://otel.example.eu", "otel.example.eu", local=False)),
]
REFUSED = [
    ("https://otel.example.com", ("otel.example.eu",), "no telemetry processor"),
    ("https://otel.example.eu.evil.example", ("otel.example.eu",), "no telemetry processor"),
    ("http://127.0.0.1.evil.example", (), "no telemetry processor"),
    ("http://otel.example.eu", ("otel.example.eu",), "plaintext"),
    ("otel.example.eu:4318", ("otel.example.eu",), "not an http"),
    ("http://user:secret@127.0.0.1:4318", (), "not an http"),
    ("http://[::1", (), "not an http"),
    ("unix:///tmp/x", (), "not an http"),
]


def test_without_an_endpoint_nothing_leaves_the_process() -> None:
    """The default of OpenTelemetry (localhost) is not ours: no variable, no exporter."""
    assert endpoint_from_env({}) is None
    assert endpoint_from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}) is None


@pytest.mark.parametrize(("url", "hosts", "expected"), ALLOWED)
def test_a_collector_here_or_in_the_registry_is_allowed(url: str, hosts: tuple[str, ...], expected: Endpoint) -> None:
    """It says whether the hop stays on this machine."""
    assert endpoint_from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": url}, hosts=dict.fromkeys(hosts, "")) == expected


@pytest.mark.parametrize(("url", "hosts", "says"), REFUSED)
def test_any_other_collector_stops_the_start(url: str, hosts: tuple[str, ...], says: str) -> None:
    """With what is wrong and how to mend it, and without what may be a credential."""
    with pytest.raises(Misconfigured, match=says) as refused:
        endpoint_from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": url}, hosts=dict.fromkeys(hosts, ""))
    assert refused.value.hint
    assert "secret" not in str(refused.value)


def test_a_collector_of_the_registry_that_a_tenant_does_not_permit_stops_the_start_with_the_reason() -> None:
    """Nothing of a trace is kept here, so who keeps them for too long gets none (promise 14), also on this machine."""
    for url in ("https://otel.example.eu", "http://127.0.0.1:4318"):
        host = url.split("/")[2].split(":")[0]
        with pytest.raises(Misconfigured, match="may not go there: it keeps them for 90 days") as refused:
            endpoint_from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": url}, hosts={host: "it keeps them for 90 days"})
        assert "retention_days" in refused.value.hint


@pytest.mark.parametrize("signal", ["TRACES", "METRICS", "LOGS"])
def test_an_endpoint_for_one_signal_cannot_slip_past_the_check(signal: str) -> None:
    """OpenTelemetry reads these too, so they are refused and not ignored."""
    with pytest.raises(Misconfigured):
        endpoint_from_env({f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT": "https://elsewhere.example"})


@contextmanager
def collector() -> Iterator[tuple[str, queue.Queue[tuple[str, bytes]]]]:
    """A collector on a loopback port: its URL, and what it received as (path, body)."""
    received: queue.Queue[tuple[str, bytes]] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.put((self.path, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def test_spans_end_where_a_changed_policy_does_not_permit_the_collector_any_more() -> None:
    """Metrics, which hold nothing of a call, go on."""
    permitted = iter([True, False])
    with collector() as (url, received):
        to = endpoint_from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": url})
        exporter = span_exporter(to, lambda: next(permitted))  # type: ignore[arg-type]
        assert exporter.export([]) is exporter.export([]) is SpanExportResult.SUCCESS
        exporter.shutdown()
        assert received.get(timeout=10)[0] == "/v1/traces"
        assert received.empty()


def test_a_collector_receives_allowed_facts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both signals arrive, not one byte of private text among them, and no proxy of the environment sees them."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with collector() as (url, received):
        telemetry = OtelTelemetry(endpoint=endpoint_from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": url}))
        with telemetry.span("sordino.call", tenant="acme", caller="Anna Keller", model="Anna Keller"):
            telemetry.count("sordino_masked_total", entity="Anna Keller")
        telemetry.close()
        bodies = [received.get(timeout=10), received.get(timeout=10)]
    by_path = dict(bodies)
    assert set(by_path) == {"/v1/traces", "/v1/metrics"}
    assert b"sordino_masked_total" in by_path["/v1/metrics"]
    assert not any(b"Anna" in body for body in by_path.values())
    (span,) = ExportTraceServiceRequest.FromString(by_path["/v1/traces"]).resource_spans[0].scope_spans[0].spans
    assert span.name == "sordino.call"
    assert {pair.key: pair.value.string_value for pair in span.attributes} == {"sordino.tenant": "acme"}
