"""A store that speaks S3's protocol, on loopback: what obstore sends is answered, and everything that arrived is kept to look at.

PUT, uploads in parts (POST ?uploads, PUT ?partNumber, POST ?uploadId), GET, and DeleteObjects (POST ?delete), all path-style.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

XML = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass
class Bucket:
    """``objects`` by path; ``seen`` is every byte that ever arrived; ``failing``: the status that everything gets."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    seen: bytearray = field(default_factory=bytearray)
    failing: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(f"{request.method} {request.path}")
        body = await request.read()
        self.seen += body
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential=KEYID/"):
            return web.Response(status=403)
        if self.failing:
            return web.Response(status=self.failing, text="<Error><Message>a provider's own words</Message></Error>")
        if request.method in ("GET", "HEAD"):
            return self._get(request)
        if "delete" in request.query:
            return self._delete(request, body.decode())
        return self._put(request, body)

    def _get(self, request: web.Request) -> web.Response:
        if request.path not in self.objects:
            return web.Response(status=404, text=f"{XML}<Error><Code>NoSuchKey</Code></Error>")
        headers = {"ETag": '"e"', "Last-Modified": "Sun, 22 Nov 2026 05:00:00 GMT"}
        return web.Response(body=self.objects[request.path], headers=headers)

    def _delete(self, request: web.Request, body: str) -> web.Response:
        keys = re.findall("<Key>(.*?)</Key>", body)
        for key in keys:
            self.objects.pop(f"{request.path.rstrip('/')}/{key}", None)
        gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return web.Response(text=f"{XML}<DeleteResult>{gone}</DeleteResult>")

    def _put(self, request: web.Request, body: bytes) -> web.Response:
        upload = request.query.get("uploadId")
        if "uploads" in request.query:
            self.parts[request.path] = {}
            about = f"<Bucket>b</Bucket><Key>{request.path}</Key><UploadId>u1</UploadId>"
            return web.Response(text=f"{XML}<InitiateMultipartUploadResult>{about}</InitiateMultipartUploadResult>")
        if upload and request.method == "PUT":
            self.parts[request.path][int(request.query["partNumber"])] = body
        elif upload:
            self.objects[request.path] = b"".join(part for _, part in sorted(self.parts.pop(request.path).items()))
            done = "<Location>l</Location><Bucket>b</Bucket><Key>k</Key><ETag>e</ETag>"
            return web.Response(text=f"{XML}<CompleteMultipartUploadResult>{done}</CompleteMultipartUploadResult>")
        else:
            self.objects[request.path] = body
        return web.Response(headers={"ETag": '"e"'})


@asynccontextmanager
async def bucket() -> AsyncIterator[Bucket]:
    """``url`` is the base URL of a registry entry: host and bucket."""
    store = Bucket()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", store.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    store.url = f"http://{host}:{port}/recordings"
    try:
        yield store
    finally:
        await runner.cleanup()
