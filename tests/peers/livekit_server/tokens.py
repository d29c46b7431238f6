"""Who a request comes from: LiveKit's access tokens, made and checked with livekit-api."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import jwt
from aiohttp import web
from livekit.api import AccessToken, TokenVerifier, VideoGrants
from livekit.api.access_token import Claims

API_KEY = "APItest"
API_SECRET = "a secret of the tests, long enough for HS256"


def make_token(
    room: str,
    identity: str,
    *,
    kind: Literal["standard", "agent", "sip"] = "standard",
    name: str = "",
    metadata: str = "",
    attributes: Mapping[str, str] | None = None,
) -> str:
    """A token with which a client may join ``room`` as ``identity``."""
    grants = VideoGrants(room_join=True, room=room, agent=kind == "agent", can_update_own_metadata=True)
    token = AccessToken(API_KEY, API_SECRET).with_identity(identity).with_grants(grants).with_kind(kind)
    return token.with_name(name).with_metadata(metadata).with_attributes(dict(attributes or {})).to_jwt()


def check(request: web.Request) -> Claims:
    """The claims of the request's bearer token. Raises HTTPUnauthorized for anything that we did not sign."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        return TokenVerifier(API_KEY, API_SECRET).verify(token)
    except jwt.PyJWTError as error:
        raise web.HTTPUnauthorized(text="the token is not one of this server") from error
