"""``sordino demo``: one whole call on this machine, shown as it happens."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from gateway.adapters.telemetry.logs import install_log_filter
from gateway.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)


def add_parser(subparsers: Subparsers) -> None:
    """Add ``demo``."""
    parser = subparsers.add_parser(
        "demo",
        help="place a call through a gateway on this machine and show what happened",
        description="Place a call through a gateway on this machine and show what happened. Needs no account and no network.",
        epilog="example: sordino demo --output demo-output",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), metavar="DIR", help="where the files go (demo-output)"
    )
    parser.add_argument("--spans", action="store_true", help="print OpenTelemetry's spans as they end")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    from gateway.demo.place_call import Demo

    data = Path(os.environ.get("SORDINO_DATA") or ".sordino") / "demo"
    settings = Settings.from_env({**os.environ, "SORDINO_DATA": str(data)}, port=0)
    demo = Demo(settings, os.environ, given.output, Console(highlight=False), spans=given.spans)
    # For the life of the process: an error that nobody caught must not print what was said either.
    install_log_filter(logging.WARNING, sys.stderr)
    return asyncio.run(demo.run())
