"""Server-sent events, from bytes to the data of each event. Knows no socket.

Source: WHATWG HTML, "Server-sent events", section "Interpreting an event stream".
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

MOST_EVENT_BYTES = 1 << 20


class SseBroken(ValueError):
    """The stream is no event stream: bytes that are no UTF-8, or one event beyond the bound. Holds nothing of the stream."""


class SseDecoder:
    """Takes the stream in pieces of any size; gives the data of each finished event.

    CR, LF and CRLF end a line, also when a piece ends between CR and LF; comments and other fields are passed over; several
    ``data`` lines are joined by LF; a character cut by a piece's end is put together.
    """

    def __init__(self, *, most_event_bytes: int = MOST_EVENT_BYTES) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("strict")
        self._most = most_event_bytes
        self._line: list[str] = []
        self._data: list[str] = []
        self._held = 0
        self._after_cr = False
        self._first = True

    def feed(self, piece: bytes) -> Iterator[str]:
        """Data of the events that this piece finished, in order: those before a fault come before its SseBroken.

        Read it to its end before the next piece.
        """
        try:
            text = self._utf8.decode(piece)
        except UnicodeDecodeError as error:
            yield from self._read(error.object[: error.start].decode("utf-8"))
            raise SseBroken("not UTF-8") from None
        yield from self._read(text)

    def _read(self, text: str) -> Iterator[str]:
        if self._first and text:
            text = text.removeprefix("\ufeff")
            self._first = False
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        if simple := self._simple(text):
            yield from simple
            return
        self._after_cr = self._after_cr or text.endswith("\r")
        *whole, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if "\r" in text else text.split("\n")
        for line in whole:
            self._keep(line)
            if self._line:
                line = "".join((*self._line, line))
                self._line.clear()
            if line:
                self._field(line)
            elif (data := self._end_of_event()) is not None:
                yield data
        self._keep(rest)
        if rest:
            self._line.append(rest)

    def _simple(self, text: str) -> list[str]:
        """The events of a piece that holds whole events of one line each, as nearly every piece does; of any other none."""
        if "\r" in text or not text.endswith("\n\n") or self._line or self._data or self._held:
            return []
        events = text[:-2].split("\n\n")
        for event in events:
            if not event.startswith("data: ") or "\n" in event or len(event) > self._most:
                return []
        return [event[6:] for event in events]

    def _keep(self, text: str) -> None:
        self._held += len(text)
        if self._held > self._most:
            raise SseBroken("one event is too large")

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
        else:
            self._held -= len(line)

    def _end_of_event(self) -> str | None:
        """Its data, when it has any."""
        self._held = 0
        if not self._data:
            return None
        data, self._data = self._data, []
        return "\n".join(data)

    def finish(self) -> str | None:
        """Data that stood whole lines long at the end of the stream but was not closed by an empty line.

        The standard drops it; some servers close right after their last line, so the caller may look for an end mark in it.
        """
        if self._line:
            self._field("".join(self._line))
            self._line.clear()
        return self._end_of_event()
