"""Where the ``sordino`` script begins. Worker processes load the script that started them: so nothing is imported above."""

from __future__ import annotations


def main() -> int:
    """The command line. See ``gateway.cli.main``."""
    from gateway.cli.main import main as command_line

    return command_line()
