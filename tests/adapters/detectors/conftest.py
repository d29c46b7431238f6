"""One real detector for the whole folder: its worker takes some seconds to load the models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector


@pytest.fixture(scope="session")
def detector() -> Iterator[PresidioDetector]:
    """A warm detector. Do not kill it; a test that wants a broken one starts its own."""
    detector = PresidioDetector(timeout_s=20)
    asyncio.run(detector.start())
    yield detector
    asyncio.run(detector.aclose())
