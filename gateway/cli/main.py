"""The ``sordino`` command. Each group of commands has its own file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn, Protocol

from gateway.cli import (
    access,
    backup,
    call,
    cases,
    demo,
    doctor,
    evidence,
    holds,
    incidents,
    keys,
    outbound,
    policy,
    recordings,
    redact,
    report,
    rights,
    serve,
    subprocessors,
    tenants,
    transcripts,
)
from gateway.errors import PolicyInvalid, SordinoError

WRONG_USAGE = 2
FOUND_FAULTS = 1


class Parser(argparse.ArgumentParser):
    """Says what it does not understand by the names of options alone: what else was typed may be somebody's number."""

    def error(self, message: str) -> NoReturn:
        begin, colon, rest = message.partition(": ")
        if begin == "unrecognized arguments":
            named = (each.split("=")[0] if each.startswith("-") and not each[1:2].isdigit() else "…" for each in rest.split())
            message = f"{begin}{colon}{' '.join(named)}"
        super().error(message)


class Group(Protocol):
    """A file of commands: it adds its parser, which sets ``run`` to a function from parsed arguments to an exit code."""

    def add_parser(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None: ...


GROUPS: tuple[Group, ...] = (
    demo,
    serve,
    call,
    policy,
    tenants,
    access,
    subprocessors,
    outbound,
    holds,
    rights,
    cases,
    incidents,
    evidence,
    report,
    recordings,
    transcripts,
    keys,
    backup,
    redact,
    doctor,
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top: argparse.ArgumentParser = Parser(prog="sordino", description="The privacy gateway for AI phone calls.")
    top.add_argument("--version", action="version", version=f"sordino {_version()}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in GROUPS:
        group.add_parser(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """0 good, 1 findings or failure, 2 wrong usage. A user's mistake is told on stderr, without a traceback."""
    given = parser().parse_args(arguments)
    try:
        code = int(given.run(given))
        # A reader who has seen enough is noticed here, not while the interpreter ends.
        sys.stdout.flush()
    except PolicyInvalid as error:
        print(error, file=sys.stderr)
        return FOUND_FAULTS
    except SordinoError as error:
        print(f"sordino: {error.message}", file=sys.stderr)
        for reason in error.reasons:
            print(f"  - {reason}", file=sys.stderr)
        if error.hint:
            print(f"  to mend it: {error.hint}", file=sys.stderr)
        return FOUND_FAULTS
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # What is still in the buffer goes nowhere: the interpreter would try to write it, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND_FAULTS
    except OSError as error:
        # A file that cannot be written, a port that is taken: the system says which, and it is the user's to mend.
        where = f": {error.filename}" if error.filename else ""
        print(f"sordino: {error.strerror or type(error).__name__}{where}", file=sys.stderr)
        return FOUND_FAULTS
    return code


def _version() -> str:
    try:
        return version("sordino")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
