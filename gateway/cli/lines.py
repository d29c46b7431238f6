"""Private text that a command is given: a value ``-`` is read from the input instead."""

from __future__ import annotations

import getpass
import sys

from gateway.values import Private

FROM_INPUT = "-"


def line_of(text: str, what: str) -> Private[str]:
    """The text, or for ``-`` a line of the input, so that it stands in no list of processes and in no shell's history."""
    if text != FROM_INPUT:
        return Private(text)
    if sys.stdin.isatty():
        return Private(getpass.getpass(f"{what}: "))
    return Private(sys.stdin.readline().rstrip("\n"))
