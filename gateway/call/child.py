"""A child on a call (promise 32): what tells of one, and what a call says then. ``gateway.call.child_flow`` acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CHILD = "child"
"""The message that ends a call with a child whom no person takes over."""
BY_CHILD = "child"
"""Why something was deleted, as evidence says it."""


class Sign(StrEnum):
    """What told that a child is on the line. Never what was said."""

    AGE = "age"
    """Their age, in their own words or as the answer to the question for it."""
    SCHOOL = "school"
    """The class or school they go to."""
    SAID = "said"
    """That they are a child."""
    AGENT = "agent"
    """The agent, or its model by its tool."""
    ROOM = "room"
    """An attribute of the caller in a LiveKit room."""
    PROGRAM = "program"
    """A header of a program that talks through the model proxy."""


@dataclass(frozen=True, slots=True)
class ChildSignalled:
    """There is a child on the line. Whoever posts this has shut every way out of the call already."""

    sign: Sign
