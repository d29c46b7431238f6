"""``/talk``: a page to call from. It asks nobody but this gateway, and keeps nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources

from aiohttp import web

from gateway.http.api import HEADERS

_HEADERS = {**HEADERS, "Permissions-Policy": "microphone=(self), camera=(), geolocation=()"}


def talk_routes() -> list[web.RouteDef]:
    """The page and its files. Its token comes in the fragment of its address, which no server ever sees."""
    folder = resources.files("gateway.http") / "talk"

    def page(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        body = (folder / name).read_bytes()

        async def serve(_: web.Request) -> web.Response:
            return web.Response(body=body, content_type=kind, charset="utf-8", headers=_HEADERS)

        return serve

    return [
        web.get("/talk", page("index.html", "text/html")),
        web.get("/talk.css", page("talk.css", "text/css")),
        web.get("/talk.js", page("talk.js", "text/javascript")),
        web.get("/talk.svg", page("talk.svg", "image/svg+xml")),
    ]
