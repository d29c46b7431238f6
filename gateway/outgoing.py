"""What one request of a vendor's own client may look like: the Grant's promises as they must stand on the wire.

A vendor's client is somebody else's code: it may send more than it was asked to, or to another place. So it gets a line of ours
for one request, and a shape that the request must have. Whoever knows the vendor writes the shape (``adapters/conversation``),
whoever sends looks at it (``adapters/providers``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.errors import SordinoError
from gateway.policy.egress import Grant


@dataclass(frozen=True, slots=True)
class RequestShape:
    """One request, as it must be. Fields are those of the query, of a form and of a JSON body, nested ones as ``voice.id``."""

    path: str
    """Below the Grant's base URL."""
    key_header: str
    """The header in which the key stands."""
    key_prefix: str = ""
    """What stands before the key: ``Token ``."""
    signed: bool = False
    """The key signs the request and does not stand in it; a header, if it has a name, begins with the prefix."""
    must: Mapping[str, str] = field(default_factory=dict)
    """Fields with the one value that they may have: the Grant's model, a language, a format."""
    may: frozenset[str] = frozenset()
    """Fields that were looked at and may have any value. Any other field is refused."""
    headers: frozenset[str] = frozenset()
    """More headers that were looked at, in small letters."""
    raw: bool = False
    """Whether the body is nothing but audio or marked-up text."""
    answers: tuple[str, ...] = ("application/json",)
    """How the media types of its answer begin."""
    socket: bool = False
    """A WebSocket instead of a POST. What opens it must have the shape, so that no audio leaves on one that has not."""


class Line(Protocol):
    """The way to one processor for one request of a vendor's client."""

    @property
    def base_url(self) -> str:
        """The Grant's, without a slash at its end."""
        ...

    @property
    def session(self) -> Any:
        """What the vendor's client takes for its ``aiohttp.ClientSession``."""
        ...

    @property
    def used(self) -> bool:
        """Whether its one request was made."""
        ...

    @property
    def failure(self) -> SordinoError | None:
        """Why the request was refused or failed: a client's own exception may hold a processor's words, ours does not."""
        ...

    def key(self) -> str:
        """The Grant's secret, for the vendor's client. Raises Misconfigured."""
        ...


OpenLine = Callable[[Grant, RequestShape], Line]
"""Raises PolicyRefused for a Grant whose address may not be used."""
