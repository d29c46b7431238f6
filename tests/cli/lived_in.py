"""The house of ``tests/runner/lived.py`` for commands, and a way in for what they cannot show."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.settings import Settings
from tests.runner.lived import Lived, lived, write_policies

T = TypeVar("T")


@pytest.fixture
def lived_in(tmp_path: Path, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway that has been in use, with its store on a server of its own."""
    key = tmp_path / "master.key"
    key.touch(mode=0o600)
    key.write_text("A" * 43 + "=")
    policies = write_policies(tmp_path / "policies")
    environment = {"DATA": tmp_path / "data", "POLICIES": policies, "REDIS_URL": valkey.url, "MASTER_KEY_FILE": key}
    for name, value in environment.items():
        monkeypatch.setenv(f"SORDINO_{name}", str(value))

    async def empty() -> None:
        async with Store(valkey.url, timeout_s=20) as store, store.answers() as client:
            await client.flushall()

    asyncio.run(empty())
    in_it(lambda gateway: gateway.live())
    return tmp_path


def in_it(work: Callable[[Lived], Awaitable[T]], **elsewhere: object) -> T:
    async def inside() -> T:
        settings = Settings.from_env({**os.environ, **{f"SORDINO_{name}": str(value) for name, value in elsewhere.items()}})
        async with lived(settings) as gateway:
            return await work(gateway)

    return asyncio.run(inside())
