"""Telemetry with the OpenTelemetry SDK. Everything passes the allow-list before it is recorded and again before it is exported.

The providers are our own objects and never the process's global ones: no library that asks OpenTelemetry for a tracer can
write into ours, and ours inherit nothing from theirs. Spans are not put into OpenTelemetry's current context either, so no
instrumentation can carry their ids to a processor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import TextIO

from opentelemetry.context import Context
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation, UpDownCounter
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from gateway.adapters.telemetry import allow
from gateway.adapters.telemetry.allow import Instrument, Value
from gateway.adapters.telemetry.export import AllowListExporter, ConsoleLines
from gateway.adapters.telemetry.otlp import Endpoint, metric_reader, span_exporter
from gateway.errors import SordinoError
from gateway.ports import SpanHandle

SCOPE = "sordino"
DROPPED = "sordino_telemetry_dropped_total"
PROMETHEUS_CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 10.0)
"""Upper bounds of the histogram: fine below 50 ms, where the gateway's own work lies, and at the pauses that callers notice."""

CLOSE_S = 3.0
QUEUE = 4096
"""Spans that wait for a slow collector at most. The oldest are dropped then; a call is never held up."""

_current: ContextVar[Span | None] = ContextVar("sordino_span", default=None)


class _Totals:
    """A counter that adds up by itself and is read when somebody collects: to count costs next to nothing.

    It is added to on the event loop and in an exporter's thread, and read in a collector's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: dict[tuple[tuple[str, str], ...], int | float] = {}

    def add(self, value: float, labels: dict[str, str]) -> None:
        where = tuple(labels.items())
        with self._lock:
            self._totals[where] = self._totals.get(where, 0) + value

    def read(self, _: CallbackOptions) -> list[Observation]:
        with self._lock:
            totals = self._totals.copy()
        return [Observation(total, dict(labels)) for labels, total in totals.items()]


@dataclass(frozen=True, slots=True)
class _Metric:
    instrument: _Totals | UpDownCounter | Histogram
    labels: dict[str, allow.Check]


class OtelSpan:
    """A span of ours while it is open: the context manager and the ``SpanHandle`` in one."""

    __slots__ = ("_owner", "_token", "span")

    def __init__(self, owner: OtelTelemetry, span: Span) -> None:
        self._owner = owner
        self.span = span
        self._token: Token[Span | None] | None = None

    def set(self, **attributes: Value) -> None:
        self.span.set_attributes(self._owner.allowed(attributes))

    def fail(self, code: str) -> None:
        self.span.set_status(Status(StatusCode.ERROR))
        self.span.set_attributes(self._owner.allowed({"error.type": code}))

    def end(self) -> None:
        if self.span.is_recording():
            self.span.end()

    def __enter__(self) -> OtelSpan:
        self._token = _current.set(self.span)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, SordinoError):
            self.fail(error.code)
        elif isinstance(error, Exception):
            self.fail("internal")
        if self._token is not None:
            # Closed from another task than it was opened in, as the clean-up of an async generator may do, there is nothing
            # to put back in this task.
            with suppress(ValueError):
                _current.reset(self._token)
        self.end()


class OtelTelemetry:
    """The ``Telemetry`` port. Cheap and never in a call's way: exporting happens in a thread behind a bounded queue.

    ``endpoint``: an OTLP/HTTP collector (see ``otlp.endpoint_from_env``); None: nothing leaves the process.
    ``permitted``: whether spans may go there now.
    ``console``: a stream that gets a line a span. ``exporters``: further receivers, behind the same allow-list.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint | None = None,
        permitted: Callable[[], bool] | None = None,
        console: TextIO | None = None,
        exporters: Sequence[SpanExporter] = (),
        version: str = "",
    ) -> None:
        resource = Resource.create({SERVICE_NAME: "sordino", SERVICE_VERSION: version})
        self._registry = CollectorRegistry()
        readers: list[MetricReader] = [
            PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=self._registry)
        ]
        if endpoint is not None:
            readers.append(metric_reader(endpoint))
        self._meters = MeterProvider(
            metric_readers=readers, resource=resource, exemplar_filter=AlwaysOffExemplarFilter(), shutdown_on_exit=False
        )
        self._metrics = _metrics(self._meters.get_meter(SCOPE))
        self._traces = TracerProvider(
            resource=resource,
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_span_attributes=64, max_events=0, max_links=0, max_span_attribute_length=96),
        )
        if endpoint is not None:
            guarded = self._guarded(span_exporter(endpoint, permitted))
            self._traces.add_span_processor(BatchSpanProcessor(guarded, max_queue_size=QUEUE, max_export_batch_size=256))
        for direct in [*exporters, *([ConsoleLines(console)] if console is not None else [])]:
            self._traces.add_span_processor(SimpleSpanProcessor(self._guarded(direct)))
        self._tracer = self._traces.get_tracer(SCOPE)
        self._closed = False

    def span(self, name: str, **attributes: Value) -> OtelSpan:
        """A span under the one that is open in this task. Its name is one of the contract's, or it is shown as ``other``."""
        return self._start(name, _current.get(), attributes)

    def begin(self, name: str, parent: SpanHandle | None = None, **attributes: Value) -> OtelSpan:
        """A span that never becomes the current one: below ``parent``, or else below the one that is open in this task."""
        above = parent.span if isinstance(parent, OtelSpan) else _current.get()
        return self._start(name, above, attributes)

    def _start(self, name: str, parent: Span | None, attributes: dict[str, Value]) -> OtelSpan:
        shown = allow.span_name(name)
        if shown is None:
            self._drop("span")
        context = Context() if parent is None else set_span_in_context(parent, Context())
        span = self._tracer.start_span(
            shown or allow.OTHER,
            context=context,
            attributes=self.allowed(attributes),
            record_exception=False,
            set_status_on_exception=False,
        )
        return OtelSpan(self, span)

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self._record(name, Instrument.COUNTER, value, labels)

    def gauge(self, name: str, change: int, **labels: str) -> None:
        self._record(name, Instrument.GAUGE, change, labels)

    def observe(self, name: str, value: float, **labels: str) -> None:
        self._record(name, Instrument.HISTOGRAM, value, labels)

    def prometheus(self) -> bytes:
        """Every metric in Prometheus' text format 0.0.4 (``PROMETHEUS_CONTENT_TYPE``)."""
        return generate_latest(self._registry)

    def close(self) -> None:
        """Hand over what still waits, then stop. Returns at once, or after ``CLOSE_S`` when the collector does not answer."""
        if self._closed:
            return
        self._closed = True
        closing = threading.Thread(target=self._shut, name="sordino-telemetry-close", daemon=True)
        closing.start()
        closing.join(CLOSE_S)

    def _shut(self) -> None:
        self._traces.shutdown()
        self._meters.shutdown()

    def allowed(self, attributes: dict[str, Value]) -> dict[str, Value]:
        """Those attributes that are on the allow-list, under the keys that exporters see. The others are dropped and counted."""
        kept: dict[str, Value] = {}
        for key, value in attributes.items():
            wire_key = allow.wire_key(key)
            check = allow.WIRE.get(wire_key)
            if check is None:
                self._drop("key")
            elif not check(value):
                self._drop("value")
            else:
                kept[wire_key] = str(value) if isinstance(value, str) else value
        return kept

    def _record(self, name: str, kind: Instrument, value: float, labels: dict[str, str]) -> None:
        metric = self._metrics.get(name)
        if metric is None or allow.METRICS[name][0] is not kind:
            self._drop("metric")
            return
        shown: dict[str, str] = {}
        for key, check in metric.labels.items():
            given = labels.get(key)
            if given is not None and check(given):
                shown[key] = str(given)
            else:
                shown[key] = allow.OTHER
                self._drop("label")
        if labels.keys() - metric.labels.keys():
            self._drop("label")
        if isinstance(metric.instrument, Histogram):
            metric.instrument.record(value, shown)
        else:
            metric.instrument.add(value, shown)

    def _drop(self, what: str) -> None:
        counter = self._metrics[DROPPED].instrument
        if not isinstance(counter, Histogram):
            counter.add(1, {"what": what})

    def _guarded(self, exporter: SpanExporter) -> AllowListExporter:
        return AllowListExporter(exporter, dropped=lambda: self._drop("export"))


def _metrics(meter: Meter) -> dict[str, _Metric]:
    made: dict[str, _Metric] = {}
    for name, (kind, description, labels) in allow.METRICS.items():
        instrument: _Totals | UpDownCounter | Histogram
        if kind is Instrument.COUNTER:
            instrument = _Totals()
            meter.create_observable_counter(name, [instrument.read], description=description)
        elif kind is Instrument.GAUGE:
            instrument = meter.create_up_down_counter(name, description=description)
        else:
            instrument = meter.create_histogram(name, description=description, explicit_bucket_boundaries_advisory=SECONDS)
        made[name] = _Metric(instrument, dict(labels))
    return made
