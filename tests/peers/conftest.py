"""The proxy's house for real clients: see ``tests/http/proxy/conftest.py``."""

from __future__ import annotations

from tests.http.proxy.conftest import detector, house, model

__all__ = ["detector", "house", "model"]
