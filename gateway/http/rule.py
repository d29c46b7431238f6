"""What one row of the tables of paths says: which right a path takes, and whose data it is about (promise 26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.policy.roles import Right


class Open(StrEnum):
    """Paths that no right of ours guards, and what guards them instead."""

    PUBLIC = "public"
    """Nobody: it shows nothing that is not for everybody."""
    TENANT_KEY = "tenant key"
    CARRIER = "carrier's signature"
    PAGE_TOKEN = "page token"  # noqa: S105  (what it is called)
    SIGN_IN = "sign-in"
    """It is how people come to be known."""


class Reach(StrEnum):
    """Whose data a path is about, and how that is known before its handler runs."""

    PATH = "path"
    """``{tenant}`` stands in the path."""
    NAMED = "named"
    """``tenant`` in the query, ``tenant`` or ``tenants`` in the body. Who is not there for all must name theirs."""
    SEEN = "seen"
    """All tenants that the caller may see: the handler leaves out the others (``answers.visible``)."""
    HOUSE = "house"
    """The whole gateway: only for who is there for all tenants."""
    SELF = "self"
    """The caller's own: nobody else's data is in it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``says`` is the path's line in the documentation; ``query`` and ``body`` are names and types (``text``, ``count``,
    ``flag``, ``time``, ``texts``, ``object``), with ``?`` behind what may be left out."""

    right: Right | Open
    reach: Reach
    says: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)
    gives: str = "application/json"
    status: int = 200
    private: bool = False
    """The answer holds private text: it takes ``private.reveal`` too, and a grant of reveal."""
    after_end: bool = False
    """Who was there for a tenant that has left may still ask it: it is what proves the end."""
