"""What a service answers is read to its end, in however many pieces the network brings it."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol

from gateway.adapters.keys.reading import read_whole

WHOLE = b'{"issuer": "https://id.example"}'


@pytest.mark.parametrize(("most", "found"), [(len(WHOLE), WHOLE), (len(WHOLE) + 1, WHOLE), (len(WHOLE) - 1, None), (0, None)])
async def test_an_answer_in_pieces_is_whole_or_too_large(most: int, found: bytes | None) -> None:
    content = aiohttp.StreamReader(Mock(spec=BaseProtocol), limit=2**16, loop=asyncio.get_running_loop())
    reading = asyncio.ensure_future(read_whole(content, most))  # noqa: TID251  (who reads waits for each piece)
    for at in range(0, len(WHOLE), 7):
        content.feed_data(WHOLE[at : at + 7])
        await asyncio.sleep(0)
    content.feed_eof()
    async with asyncio.timeout(30):
        assert await reading == found
