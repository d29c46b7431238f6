"""The answer of somebody else's service, read to its end within a bound."""

from __future__ import annotations

import aiohttp


async def read_whole(content: aiohttp.StreamReader, most: int) -> bytes | None:
    """All of it, in however many pieces it comes; None for more than ``most`` bytes.

    Raises:
        aiohttp.ClientError: it broke off.
    """
    found = b""
    while len(found) <= most and (more := await content.read(most + 1 - len(found))):
        found += more
    return found if len(found) <= most else None
