"""Reading a client's JSON field by field: what is not asked for is not there, and what is there has its type or is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.errors import InvalidRequest

MODEL = re.compile(r"[A-Za-z][A-Za-z0-9._:/@+-]{0,127}")
_LONG_DIGITS = re.compile(r"\d{9,}")


def words_alone(message: Any, roles: frozenset[str]) -> str | None:
    """The text of a message that is a role and a text and nothing more: most of a long history, so it is read quickly."""
    if type(message) is not dict or len(message) != 2:
        return None
    text, role = message.get("content"), message.get("role")
    return text if type(text) is str and type(role) is str and role in roles else None


class Fields:
    """The fields of one JSON object. ``left`` are those that nobody asked for: they go nowhere."""

    def __init__(self, value: Any, where: str = "the request") -> None:
        """Raises InvalidRequest when it is no object."""
        if not isinstance(value, Mapping):
            raise InvalidRequest(f"{where} is not an object")
        self._value = value
        self._where = where
        self._asked: set[str] = set()

    def raw(self, name: str) -> Any:
        """The value, or None where there is none; ``null`` is none."""
        self._asked.add(name)
        return self._value.get(name)

    def text(self, name: str) -> str | None:
        value = self.raw(name)
        if value is not None and not isinstance(value, str):
            raise self.wrong(name, "text")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.raw(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def whole(self, name: str, least: int, most: int) -> int | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(name, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, least: float, most: float) -> float | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(name, f"a number from {least:g} to {most:g}")
        return value

    def word(self, name: str, *known: str) -> str | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str) or value not in known:
            raise self.wrong(name, f"one of {', '.join(known)}")
        return value

    def items(self, name: str) -> list[Any]:
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(name, "a list")
        return value

    def objects(self, name: str) -> Iterator[Fields]:
        for position, item in enumerate(self.items(name)):
            yield Fields(item, f"{name}[{position}]")

    def object(self, name: str) -> Fields | None:
        value = self.raw(name)
        return None if value is None else Fields(value, name)

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self.raw(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.wrong(name, "an object")
        return value

    def model(self) -> str:
        """The model's name: the one text that goes out as the client wrote it, so it must look like one."""
        name = self.text("model") or ""
        if name and (not MODEL.fullmatch(name) or _LONG_DIGITS.search(name)):
            raise self.wrong("model", "the name of a model")
        return name

    def known(self, *names: str) -> None:
        """These are seen and left behind."""
        self._asked.update(names)

    @property
    def present(self) -> frozenset[str]:
        return frozenset(name for name, value in self._value.items() if value is not None)

    @property
    def left(self) -> frozenset[str]:
        return self.present - self._asked

    def wrong(self, name: str, wanted: str) -> InvalidRequest:
        """Never what was written: it may be private."""
        return InvalidRequest(f"{name} in {self._where} is not {wanted}")
