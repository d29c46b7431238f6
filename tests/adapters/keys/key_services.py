"""Stand-ins for key services that speak their protocol over real sockets, and misbehave when they are told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from cryptography.fernet import Fernet

ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TOKEN = "hvs.token"
ACCESS, SECRET = "AKID", "secret"
AUTHORIZATION = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={ACCESS}/(?P<scope>(?P<day>\d{{8}})/eu-central-1/kms/aws4_request), "
    r"SignedHeaders=(?P<names>content-type;host;x-amz-date;(?:x-amz-security-token;)?x-amz-target), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
STAMP = "%Y%m%dT%H%M%SZ"
SKEW = timedelta(minutes=5)


@dataclass
class KeyServices:
    """Both of them at one address. ``instead`` answers in their place; ``asked`` is what they were asked."""

    port: int = 0
    instead: Callable[[web.Request], web.Response] | None = None
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    """Those of temporary keys of AWS."""
    _box: Fernet = field(default_factory=lambda: Fernet(Fernet.generate_key()))

    @property
    def vault(self) -> str:
        return f"vault://127.0.0.1:{self.port}/transit/sordino"

    @property
    def aws(self) -> str:
        return f"awskms:///{ARN}?endpoint=127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append(request.headers.get("X-Amz-Target", request.path))
        if self.instead is not None:
            return self.instead(request)
        said = json.loads(body)
        if "X-Amz-Target" not in request.headers:
            return self._vault(request, said)
        if request.headers["Host"] != f"127.0.0.1:{self.port}":
            return web.json_response({"__type": "UnknownEndpoint"}, status=404)
        refused = refusal(request.method, request.raw_path, request.headers, body, now=datetime.now(UTC))
        return web.json_response({"__type": refused}, status=400) if refused else self._aws(request, said)

    def _vault(self, request: web.Request, said: dict[str, str]) -> web.Response:
        """https://developer.hashicorp.com/vault/api-docs/secret/transit#encrypt-data"""
        if request.headers.get("X-Vault-Token") != TOKEN:
            return web.json_response({"errors": ["permission denied"]}, status=403)
        match request.path:
            case "/v1/transit/encrypt/sordino":
                locked = self._box.encrypt(base64.b64decode(said["plaintext"], validate=True)).decode()
                return web.json_response({"data": {"ciphertext": f"vault:v1:{locked}", "key_version": 1}})
            case "/v1/transit/decrypt/sordino":
                kind, version, locked = said["ciphertext"].split(":")
                assert (kind, version) == ("vault", "v1")
                return web.json_response({"data": {"plaintext": base64.b64encode(self._box.decrypt(locked)).decode()}})
        return web.json_response({"errors": []}, status=404)

    def _aws(self, request: web.Request, said: dict[str, Any]) -> web.Response:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html"""
        self.tokens |= {token for token in [request.headers.get("X-Amz-Security-Token")] if token}
        if said["KeyId"] != ARN or said["EncryptionContext"] != {"purpose": "sordino master key"}:
            return web.json_response({"__type": "InvalidCiphertextException"}, status=400)
        match request.headers["X-Amz-Target"]:
            case "TrentService.Encrypt":
                locked = base64.b64encode(self._box.encrypt(base64.b64decode(said["Plaintext"], validate=True))).decode()
                return web.json_response({"CiphertextBlob": locked, "KeyId": ARN, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})
            case "TrentService.Decrypt":
                opened = self._box.decrypt(base64.b64decode(said["CiphertextBlob"]))
                return web.json_response({"Plaintext": base64.b64encode(opened).decode(), "KeyId": ARN})
        return web.json_response({"__type": "UnknownOperationException"}, status=400)


def refusal(method: str, path: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
    """Why AWS would not take this request, worked out anew from what came; empty: it does.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Only what is signed by its
    names may be there as a header of AWS; nothing is asked in the query.
    """
    told = AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if told is None:
        return "IncompleteSignatureException"
    names = told["names"].split(";")
    stamp = headers["X-Amz-Date"]
    sent = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    unsigned = {name.lower() for name in headers if name.lower().startswith("x-amz-")} - set(names)
    if unsigned or "?" in path or told["day"] != stamp[:8] or abs(now - sent) > SKEW:
        return "InvalidSignatureException"
    lines = [method, path, "", *(f"{name}:{' '.join(headers[name].split())}" for name in names), ""]
    lines += [told["names"], hashlib.sha256(body).hexdigest()]
    signed = ["AWS4-HMAC-SHA256", stamp, told["scope"], hashlib.sha256("\n".join(lines).encode()).hexdigest()]
    key = f"AWS4{SECRET}".encode()
    for part in told["scope"].split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    right = hmac.digest(key, "\n".join(signed).encode(), "sha256").hex()
    return "" if hmac.compare_digest(right, told["signature"]) else "InvalidSignatureException"


@asynccontextmanager
async def key_services() -> AsyncIterator[KeyServices]:
    services = KeyServices()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", services.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    services.port = runner.addresses[0][1]
    try:
        yield services
    finally:
        await runner.cleanup()
