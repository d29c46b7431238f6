"""What a request of the control interface asks for, checked: its JSON object, texts, times. No message repeats what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar

from aiohttp import web

from gateway.errors import InvalidRequest
from gateway.policy.retention import reason_of_a_person

LONGEST_TEXT = 2_000
Choice = TypeVar("Choice", bound=Enum)


async def body_of(request: web.Request) -> Mapping[str, Any]:
    """The request's JSON object; none is an empty one. Raises InvalidRequest."""
    if not request.body_exists:
        return {}
    try:
        body = await request.json()
    except (ValueError, RecursionError, LookupError):
        body = None
    if not isinstance(body, dict):
        raise InvalidRequest("the body is not a JSON object", hint="send an object as application/json")
    return body


def text(body: Mapping[str, Any], name: str, otherwise: str | None = None, *, longest: int = LONGEST_TEXT) -> str:
    """``otherwise`` where nothing is said. Raises InvalidRequest."""
    value = body.get(name)
    if otherwise is not None and value in (None, otherwise):
        return otherwise
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise InvalidRequest(f"`{name}` is missing, empty or no text", hint=f"at most {longest} characters")
    return value


def words(body: Mapping[str, Any], name: str) -> str:
    """What somebody wrote freely and evidence keeps for good. Raises InvalidRequest, also for a number or an address in it."""
    return reason_of_a_person(text(body, name), name)


def texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts; none where nothing is said. Raises InvalidRequest."""
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidRequest(f"`{name}` is not a list of texts")
    return tuple(value)


def flag(body: Mapping[str, Any], name: str) -> bool:
    """No, where nothing is said. Raises InvalidRequest."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InvalidRequest(f"`{name}` is neither true nor false")
    return value


def count(body: Mapping[str, Any], name: str, otherwise: int, most: int, *, least: int = 1) -> int:
    """``otherwise`` where nothing is said. Raises InvalidRequest."""
    value = body.get(name, otherwise)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequest(f"`{name}` is no whole number from {least} to {most}")
    return value


def choice(body: Mapping[str, Any], name: str, kind: type[Choice], otherwise: Choice | None = None) -> Choice:
    """One of a few words; ``otherwise`` where nothing is said. Raises InvalidRequest."""
    try:
        return kind(body.get(name, otherwise))
    except ValueError:
        raise InvalidRequest(f"`{name}` is none of {', '.join(str(each.value) for each in kind)}") from None


def moment(body: Mapping[str, Any], name: str) -> datetime:
    """Aware; UTC where nothing is said of a zone. Raises InvalidRequest."""
    try:
        at = datetime.fromisoformat(text(body, name))
    except ValueError:
        raise InvalidRequest(f"`{name}` is not a time", hint="write RFC 3339: 2026-12-01T09:30:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
