"""``sordino serve``: a gateway that takes calls until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.telemetry.logs import install_log_filter
from gateway.errors import Misconfigured
from gateway.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)


def add_parser(subparsers: Subparsers) -> None:
    """Add ``serve``."""
    parser = subparsers.add_parser(
        "serve",
        help="start the gateway",
        description="Start the gateway. Without SORDINO_REDIS_URL it brings a Valkey of its own.",
        epilog="example: sordino serve --policies policies --port 8080",
    )
    parser.add_argument(
        "--policies", type=Path, metavar="DIR", help="the folder of subprocessors.yaml and tenants/ (SORDINO_POLICIES)"
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, metavar="P", help="port to listen at (8080)")
    parser.add_argument(
        "--demo-model", action="store_true", help="start the scripted demo model too, so that the demo tenant has one"
    )
    parser.add_argument(
        "--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"], help="how much to log (INFO)"
    )
    parser.add_argument("--log-json", action="store_true", help="log JSON lines")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ, policies=given.policies, host=given.host, port=given.port)
    # For the life of the process: an error that nobody caught must not print what was said either.
    logs = install_log_filter(logging.getLevelName(given.log_level), sys.stderr, as_json=given.log_json)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        logs.watch(runner.get_loop())
        try:
            return runner.run(_serve(settings, demo_model=given.demo_model))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            where = f"{settings.host}:{settings.port}"
            raise Misconfigured(f"somebody listens at {where} already", hint="choose another port with --port") from None


async def _serve(settings: Settings, *, demo_model: bool) -> int:
    from gateway.app import Gateway
    from gateway.demo.model_process import ScriptedModel
    from gateway.serving import settle_memory

    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with AsyncExitStack() as running:
        if demo_model and not settings.demo_llm:
            model = await running.enter_async_context(ScriptedModel())
            settings = replace(settings, demo_llm=model.url)
        gateway = await running.enter_async_context(Gateway(settings))
        if demo_model:
            # Shared with `sordino call`, which signs with it as Twilio would.
            gateway.secrets.read_or_create("TWILIO_AUTH_TOKEN")
        settle_memory()
        key = gateway.secrets.read("SORDINO_OPERATOR_KEY").reveal() if sys.stdout.isatty() else "…"
        print(f"Sordino listens at {gateway.url}", flush=True)
        print(f"  console   {gateway.url}/#key={key}")
        print(f"  a call    sordino call FILE.wav --to {gateway.url}")
        print("  stop it with Ctrl-C", flush=True)
        await stop.wait()
        print("closing: calls that still go on are ended and get their receipts", flush=True)
    return 0
