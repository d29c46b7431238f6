"""What any test may ask for: a real Valkey, shared by the session or its own, with nothing between it and the code."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.telemetry.logs import Lines

# How long an example takes is for benches to say, on a machine that does nothing else.
settings.register_profile("sordino", deadline=None)
settings.load_profile("sordino")

PATIENCE_S = 20
"""What a store and its ledger may take where a test is not about slowness: the machine may be busy with other tests."""


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command keeps its log filter for the life of its process: a test that runs one gives it back."""
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    logging.setLogRecordFactory(factory)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    for handler in [each for each in root.handlers if isinstance(each, Lines) and each not in handlers]:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture(scope="session")
def valkey() -> Iterator[EmbeddedValkey]:
    """A private real Valkey for the whole session, on a unix socket; ``valkey.url`` is its address. Do not stop it."""
    folder = Path(tempfile.mkdtemp(prefix="sordino-test-"))
    server = EmbeddedValkey(folder)
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())
    shutil.rmtree(folder)


@pytest.fixture
async def store(valkey: EmbeddedValkey) -> AsyncIterator[Store]:
    """A connection to the session's Valkey, empty at the start of the test."""
    async with Store(valkey.url, timeout_s=PATIENCE_S) as store:
        async with store.answers() as client:
            await client.flushall()
        yield store


@pytest.fixture
async def own_valkey(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    """A real Valkey for one test alone: ``await own_valkey.kill()`` is a power cut, ``await own_valkey.start()`` the way back.

    Its append-only file stays in between, as on a machine that comes up again.
    """
    server = EmbeddedValkey(tmp_path / "data")
    await server.start()
    yield server
    await server.stop()
