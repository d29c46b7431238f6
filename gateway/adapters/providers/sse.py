"""Server-sent events, from bytes to the data of each event. Knows no socket.

Source: WHATWG HTML, "Server-sent events", section "Interpreting an event stream".
"""

from __future__ import annotations

import codecs

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

    def feed(self, piece: bytes) -> list[str]:
        """Data of the events that this piece finished, in order. Raises SseBroken."""
        try:
            text = self._utf8.decode(piece)
        except UnicodeDecodeError:
            raise SseBroken("not UTF-8") from None
        if self._first and text:
            text = text.removeprefix("\ufeff")
            self._first = False
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        self._after_cr = self._after_cr or text.endswith("\r")
        return self._lines(text.replace("\r\n", "\n").replace("\r", "\n"))

    def _lines(self, text: str) -> list[str]:
        *whole, rest = text.split("\n")
        found: list[str] = []
        for end in whole:
            self._keep(end)
            line = "".join(self._line)
            self._line.clear()
            if (data := self._end_of(line)) is not None:
                found.append(data)
        self._keep(rest)
        return found

    def _keep(self, text: str) -> None:
        self._held += len(text)
        if self._held > self._most:
            raise SseBroken("one event is too large")
        if text:
            self._line.append(text)

    def _end_of(self, line: str) -> str | None:
        """The event's data when this line ends one that has any."""
        if line:
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            else:
                self._held -= len(line)
            return None
        self._held = 0
        data, self._data = self._data, []
        return "\n".join(data) if data else None

    def finish(self) -> str | None:
        """Data that stood whole lines long at the end of the stream but was not closed by an empty line.

        The standard drops it; some servers close right after their last line, so the caller may look for an end mark in it.
        """
        if self._line:
            line = "".join(self._line)
            self._line.clear()
            self._end_of(line)
        data, self._data = self._data, []
        return "\n".join(data) if data else None
