"""Headers that every answer of ours has: what a browser may do with it, and that it comes by TLS only."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
BY_TLS: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}
"""RFC 6797. Without includeSubDomains: what else stands under the name is not ours to decide."""
STRICTEST = "default-src 'none'; frame-ancestors 'none'"
_API = ("/v1/", "/api/", "/voice/")


def add_headers(app: web.Application, *, tls: bool) -> None:
    """From now on. What an answer says itself stays."""
    ours = {**ALWAYS, **(BY_TLS if tls else {})}

    async def added(request: web.Request, answer: web.StreamResponse) -> None:
        for name, value in ours.items():
            answer.headers.setdefault(name, value)
        answer.headers.setdefault("Content-Security-Policy", STRICTEST)
        if request.path.startswith(_API):
            answer.headers.setdefault("Cache-Control", "no-store")
        answer.headers.popall("Server", None)

    app.on_response_prepare.append(added)
