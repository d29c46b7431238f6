"""A web server of our own around the routes that a test asks."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from gateway.http.answers import typed_errors


@asynccontextmanager
async def serving(
    routes: Sequence[web.RouteDef], *, max_bytes: int = 64 * 1024, most: int = 100
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client whose paths lead to these routes. ``most``: how many connections it opens at once; 0: as many as it likes."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = web.Application(middlewares=[typed_errors], client_max_size=max_bytes)
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        connector = aiohttp.TCPConnector(limit=most)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{listening.getsockname()[1]}", connector=connector) as client:
            yield client
    finally:
        await runner.cleanup()
