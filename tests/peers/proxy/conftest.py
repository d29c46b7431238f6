"""The proxy on a real port, with a model behind it that keeps every byte it got; the detector is one for the whole folder."""

from __future__ import annotations

from tests.http.proxy.conftest import detector, house, model

__all__ = ["detector", "house", "model"]
