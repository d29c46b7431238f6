"""Put the caller's own words back into what a model says, while it is being said.

Text passes through at once; only what may still become a placeholder is held back, and never more than a few dozen characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.errors import InvalidRequest
from gateway.redaction.entities import spoken_kind
from gateway.redaction.placeholder import Found, scanner
from gateway.values import Placeholder, Private

Restore = Callable[[Placeholder], Private[str] | None]
"""The value behind a placeholder of this call, or None."""

_YOUR = "your "
_ESCAPE = re.compile(r"\\(?:u003(?P<bracket>[CEce])|.)", re.DOTALL)
_BEGUN_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(?P<begun>\\(?:u[0-9A-Fa-f]{0,3})?)\Z")
_BRACKETS = {"c": "<", "e": ">"}
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what is to be said. ``private``: it stood behind a placeholder; anything else was masked text all along."""

    text: Private[str]
    private: bool


class Unmasker:
    """One answer's way back. ``feed`` every chunk, then ``flush`` once; the pieces joined are the whole answer.

    The result does not depend on how the answer was cut into chunks. A placeholder that this call never gave out, or whose value
    was not kept, is said as its kind ("your name"): never as a raw token.
    """

    def __init__(self, restore: Restore) -> None:
        self._restore = restore
        self._scanner = scanner()
        self._before = ""
        """The last character already passed on, as the model wrote it: it decides whether a word begins here."""
        self._passed = ""
        """The last characters already passed on, as the model wrote them: enough to see "your" in."""
        self._held = ""

    @property
    def held(self) -> int:
        """How many characters wait for more text."""
        return len(self._held)

    def feed(self, chunk: str) -> Private[str]:
        """What may be said now."""
        text, done = self._before + self._held + chunk, len(self._before)
        if self._scanner.starts(text, done) < len(text):
            return joined(self._read(chunk, complete=False))
        # Most pieces hold nothing that could become a placeholder, and this runs for every token of every answer.
        said = text[done:]
        self._passed = (self._passed + said)[-len(_YOUR) :]
        self._before, self._held = text[-1:], ""
        return Private(said)

    def flush(self, last: str = "") -> Private[str]:
        """The rest, once the answer has ended. ``last``: its last piece, where that has not been fed."""
        return joined(self._read(last, complete=True))

    def feed_parts(self, chunk: str) -> list[Part]:
        """As ``feed``, with the caller's own words apart from the others."""
        return self._read(chunk, complete=False)

    def flush_parts(self) -> list[Part]:
        """As ``flush``, in parts."""
        return self._read("", complete=True)

    def _read(self, chunk: str, *, complete: bool) -> list[Part]:
        text = self._before + self._held + chunk
        at = done = len(self._before)
        out: list[Part] = []
        while (at := self._scanner.starts(text, at)) < len(text):
            if not complete and self._scanner.undecided(text, at):
                break
            found = self._scanner.at(text, at)
            if found is None:
                at += 1
                continue
            out += [_plain(text[done:at]), self._spoken(found, (self._passed + text[len(self._before) : at])[-len(_YOUR) :])]
            at = done = found.end
        out.append(_plain(text[done:at]))
        self._passed = (self._passed + text[len(self._before) : at])[-len(_YOUR) :]
        self._before, self._held = text[at - 1 : at], text[at:]
        return [part for part in out if part.text]

    def _spoken(self, found: Found, before: str) -> Part:
        value = None if found.number is None else self._restore(found.name)
        if value is not None:
            return Part(value, private=True)
        kind = spoken_kind(found.entity)
        return _plain(kind.removeprefix(_YOUR) if before.lower() == _YOUR else kind)


class PlainBrackets:
    """JSON text as it streams, with every ``<`` and ``>`` as itself: some models write ``\\u003cPERSON_1\\u003e`` in it.

    Source: RFC 8259 section 7. It stays the same JSON, and no more than the beginning of one escape is held back.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, chunk: str) -> str:
        """What may be passed on now. The result does not depend on how the text was cut into chunks."""
        text = self._held + chunk
        cut = _BEGUN_ESCAPE.search(text) if "\\" in text else None
        if cut is None:
            self._held = ""
        else:
            text, self._held = text[: cut.start("begun")], cut["begun"]
        return _ESCAPE.sub(lambda found: _BRACKETS.get((found["bracket"] or "").lower(), found.group()), text)

    def flush(self) -> str:
        """The rest, once the text has ended."""
        held, self._held = self._held, ""
        return held


def _plain(text: str) -> Part:
    return Part(Private(text), private=False)


def joined(parts: Iterable[Part]) -> Private[str]:
    """Their text in one."""
    return Private("".join(part.text.reveal() for part in parts))


def unmask(text: str, restore: Restore) -> Private[str]:
    """The whole of a text that is complete."""
    unmasker = Unmasker(restore)
    return Private(unmasker.feed(text).reveal() + unmasker.flush().reveal())


def restore_json(arguments: str, restore: Restore) -> Private[str]:
    """Tool arguments with the values put back inside their JSON strings, escaped as JSON asks (RFC 8259 section 7).

    Everything outside the strings that hold placeholders stays byte for byte.

    Raises:
        InvalidRequest: the arguments are not JSON.
    """
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        raise InvalidRequest("the model's tool arguments are not valid JSON", hint="the tool was not called") from None

    def restored(literal: re.Match[str]) -> str:
        text: str = json.loads(literal.group(), strict=False)
        private = unmask(text, restore).reveal()
        return literal.group() if private == text else json.dumps(private)

    return Private(_JSON_STRING.sub(restored, arguments))
