"""An OpenID provider on this machine that speaks the real protocol, and misbehaves when it is told to.

It has discovery, a key set that it can rotate, an authorization endpoint where the person at the browser is always willing, and a
token endpoint that checks client, code and PKCE. What it puts into an ID token, and how it signs it, a test can change.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from yarl import URL

CLIENT, SECRET = "sordino-console", "p@ss:word/of the client"
Claims = dict[str, Any]


@lru_cache
def _private(algorithm: str, which: int) -> Any:
    """Made once for all tests: it takes long."""
    return rsa.generate_private_key(65_537, 2_048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())


@dataclass
class Signer:
    """One key of the provider's. ``which``: its number among those that there are."""

    kid: str
    algorithm: str = "RS256"

    which: int = 0

    @property
    def private(self) -> Any:
        return _private(self.algorithm, self.which)

    def public(self) -> Claims:
        kind = RSAAlgorithm if self.algorithm == "RS256" else ECAlgorithm
        return {**kind.to_jwk(self.private.public_key(), as_dict=True), "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def sign(self, claims: Claims) -> str:
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers={"kid": self.kid})


def unsigned(claims: Claims) -> str:
    """An ID token that says of itself that nobody has signed it."""
    return jwt.encode(claims, "", algorithm="none")


def signed_with_the_public_key(signer: Signer) -> Callable[[Claims], str]:
    """Key confusion: the text of the public key as the secret of an HMAC, put together by hand as an attacker would."""

    def sign(claims: Claims) -> str:
        def part(value: object) -> bytes:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

        head = part({"alg": "HS256", "typ": "JWT", "kid": signer.kid}) + b"." + part(claims)
        mac = hmac.new(json.dumps(signer.public()).encode(), head, hashlib.sha256).digest()
        return (head + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()

    return sign


@dataclass
class Provider:
    """Who it vouches for, and how."""

    signer: Signer
    issuer: str = ""
    published: list[Signer] = field(default_factory=list)
    person: Claims = field(default_factory=lambda: {"sub": "0815", "email": "ana@acme.example"})
    groups: list[str] = field(default_factory=lambda: ["privacy"])
    amr: list[str] | None = field(default_factory=lambda: ["pwd", "mfa"])
    change: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[Claims], str] | None = None
    discovery: Claims = field(default_factory=dict)
    codes: dict[str, Claims] = field(default_factory=dict)
    forgetful: bool = False
    """It takes a code twice, which it may not."""
    key_sets: int = 0
    down: bool = False

    def rotate(self, kid: str, *, publish: bool = True) -> None:
        """From now on it signs with another key."""
        self.signer = Signer(kid, self.signer.algorithm, self.signer.which + 1)
        if publish:
            self.published = [self.signer]

    async def on_discovery(self, _: web.Request) -> web.Response:
        paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        told = {name: f"{self.issuer}/{path}" for name, path in paths.items()}
        return web.json_response({"issuer": self.issuer, **told, **self.discovery}, status=503 if self.down else 200)

    async def on_keys(self, _: web.Request) -> web.Response:
        self.key_sets += 1
        return web.json_response({"keys": [each.public() for each in self.published]})

    async def on_authorize(self, request: web.Request) -> web.Response:
        asked = request.query
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(asked)
        back = URL(asked["redirect_uri"]).update_query(code=code, state=asked["state"])
        raise web.HTTPFound(back)

    async def on_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self.codes.get(str(form.get("code")))
        if not self.forgetful:
            self.codes.pop(str(form.get("code")), None)
        verifier = str(form.get("code_verifier", ""))
        shown = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        shown_by = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic "))
        known = shown_by == f"{CLIENT}:p%40ss%3Aword%2Fof+the+client".encode()
        right = asked is not None and asked["code_challenge"] == shown and asked["redirect_uri"] == form.get("redirect_uri")
        if not known or not right or asked is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], "groups": self.groups}
        claims |= self.person | ({"amr": self.amr} if self.amr is not None else {})
        token = (self.sign or self.signer.sign)(self.change(claims))
        return web.json_response({"access_token": "not-used", "token_type": "Bearer", "id_token": token})


@asynccontextmanager
async def provider(algorithm: str = "RS256") -> AsyncIterator[Provider]:
    """It runs until the block is left."""
    made = Provider(Signer("first", algorithm))
    made.published = [made.signer]
    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", made.on_discovery),
            web.get("/keys", made.on_keys),
            web.get("/authorize", made.on_authorize),
            web.post("/token", made.on_token),
        ]
    )
    async with TestServer(app) as server:
        made.issuer = str(server.make_url("")).rstrip("/")
        yield made
