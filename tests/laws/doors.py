"""The reviewed places: where private data is taken out of its type, and where a connection to somewhere can be opened.

A new one is a decision: read it, then write it into the table with the reason. The tests say which line to add.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.laws.tree import Source, at, imported, resolved

CLIENTS = {
    "aiohttp.ClientSession",
    "aiohttp.request",
    "asyncio.open_connection",
    "asyncio.open_unix_connection",
    "obstore.store.S3Store",
    "redis.Redis",
    "redis.asyncio.Redis",
    "redis.asyncio.from_url",
    "redis.from_url",
    "socket.create_connection",
    "socket.socket",
}
CLIENT_MODULES = {
    "aioice",
    "aiortc",
    "aiortp",
    "aiosipua",
    "aiosmtplib",
    "anthropic",
    "ftplib",
    "http.client",
    "httpx",
    "httpx2",
    "openai",
    "requests",
    "smtplib",
    "urllib.request",
    "urllib3",
}


def reveals(source: Source) -> int:
    """How often a module takes private data out of its type."""
    return sum(isinstance(node, ast.Attribute) and node.attr == "reveal" for node in ast.walk(source.tree))


def opens(source: Source) -> Iterator[str]:
    """Where a module can begin a connection: it makes a client, or imports a package that is one."""
    names = imported(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for module in modules:
                if module in CLIENT_MODULES or module.split(".")[0] in CLIENT_MODULES:
                    yield f"{at(source, node)}: imports {module}"
        elif isinstance(node, ast.Call):
            target = resolved(node.func, names)
            if target.endswith(".create_datagram_endpoint"):
                yield f"{at(source, node)}: opens a UDP socket"
            elif target.endswith((".create_connection", ".create_unix_connection")):
                yield f"{at(source, node)}: connects"
            elif target in CLIENTS or target.removesuffix(".from_url") in CLIENTS:
                yield f"{at(source, node)}: makes {target}"
