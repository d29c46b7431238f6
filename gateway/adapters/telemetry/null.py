"""Telemetry that keeps nothing: for parts that are used without a gateway around them."""

from __future__ import annotations

from types import TracebackType

from gateway.ports import SpanHandle


class NullSpan:
    """A span that nobody sees."""

    __slots__ = ()

    def set(self, **attributes: str | int | float | bool) -> None:
        pass

    def fail(self, code: str) -> None:
        pass

    def end(self) -> None:
        pass

    def __enter__(self) -> NullSpan:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass


class NullTelemetry:
    """The ``Telemetry`` port without any effect."""

    def span(self, name: str, **attributes: str | int | float | bool) -> NullSpan:
        return NullSpan()

    def begin(self, name: str, parent: SpanHandle | None = None, **attributes: str | int | float | bool) -> NullSpan:
        return NullSpan()

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        pass

    def gauge(self, name: str, change: int, **labels: str) -> None:
        pass

    def observe(self, name: str, value: float, **labels: str) -> None:
        pass
