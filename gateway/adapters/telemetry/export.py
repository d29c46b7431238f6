"""What stands between our spans and whoever receives them: the last look at the allow-list, and a console line for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TextIO

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from gateway.adapters.telemetry import allow


class AllowListExporter(SpanExporter):
    """Hands on copies of spans that hold allowed names, keys and values alone: no events, no links, no status text.

    It trusts nobody before it: a span that some library slipped past ``OtelTelemetry`` loses whatever is not on the list.
    """

    def __init__(self, inner: SpanExporter, *, dropped: Callable[[], None]) -> None:
        self._inner = inner
        self._dropped = dropped

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([self._cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)

    def _cleaned(self, span: ReadableSpan) -> ReadableSpan:
        name = allow.span_name(span.name)
        given = span.attributes or {}
        kept = {key: value for key, value in given.items() if (check := allow.WIRE.get(key)) is not None and check(value)}
        if name is None or len(kept) != len(given) or span.events or span.links or span.status.description:
            self._dropped()
        return ReadableSpan(
            name=name or allow.OTHER,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=kept,
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )


class ConsoleLines(SpanExporter):
    """One line a span, for a person at a terminal: how long it took, what it was, its attributes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            took_ms = ((span.end_time or 0) - (span.start_time or 0)) / 1e6
            indent = "  " if span.parent else ""
            facts = " ".join(f"{key.removeprefix('sordino.')}={value!s}" for key, value in (span.attributes or {}).items())
            mark = "" if span.status.is_ok else " FAILED"
            self._out.write(f"{took_ms:9.1f} ms  {indent}{span.name}{mark}  {facts}".rstrip() + "\n")
        self._out.flush()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._out.flush()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True
