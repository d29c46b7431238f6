"""What tests of commands may ask for."""

from __future__ import annotations

from tests.cli.lived_in import lived_in

__all__ = ["lived_in"]
