"""One real detector for the whole folder: its worker takes some seconds to load the models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model, a_model


@pytest.fixture(scope="session")
def detector() -> Iterator[PresidioDetector]:
    """A warm detector. Do not kill it; a test that wants a broken one makes its own."""
    detector = PresidioDetector(timeout_s=20)
    asyncio.run(detector.start())
    yield detector
    asyncio.run(detector.aclose())


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    async with a_model() as model:
        yield model


@pytest.fixture
async def house(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> AsyncIterator[ProxyHouse]:
    """The proxy with one model behind it, for the tenants ``acme`` and ``globex``."""
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}) as house:
        yield house
