"""People by a company's own identity provider: OpenID Connect, authorization code flow with PKCE.

Sources: OpenID Connect Core 1.0 (3.1 the flow, 3.1.3.7 what is checked of an ID token), Discovery 1.0, RFC 7636 (PKCE), RFC 8176
(``amr``), RFC 9700 (best practice). Nothing of a caller goes there, and nothing but the provider's answer comes back; no claim of
it, and no word of its errors, gets into an error or a log.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import jwt
from yarl import URL

from gateway.adapters.keys.reading import read_whole
from gateway.errors import InvalidRequest, Misconfigured, Unauthenticated, UpstreamFailed
from gateway.policy.registry import is_loopback
from gateway.policy.roles import EVERY_TENANT, Held, role_of
from gateway.ports import Clock, Secrets
from gateway.values import Private

ISSUER, CLIENT, SECRET = "SORDINO_OIDC_ISSUER", "SORDINO_OIDC_CLIENT_ID", "SORDINO_OIDC_CLIENT_SECRET"
ROLES, GROUPS, MFA = "SORDINO_OIDC_ROLES", "SORDINO_OIDC_GROUPS_CLAIM", "SORDINO_OIDC_MFA"
NOT_REQUIRED = "not-required"
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Signatures by a key of the provider's alone. ``none`` and the HMACs, whose key a client has, too, are not among them."""
LEEWAY_S = 60
OLDEST_S = 600
"""Since the ID token was made: it is for this very sign-in."""
WITHIN_S = 10.0
MOST_BYTES = 256 * 1024
KEPT_S, AGAIN_AFTER_S = 3_600.0, 30.0
_ROLE = re.compile(r"(?P<group>[^=]+)=(?P<role>\w+):(?P<tenants>\*|[a-z0-9-]+(?:,[a-z0-9-]+)*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """One provider. ``roles``: what a group of it holds. ``mfa``: ``amr`` values, or ``acr=VALUE``, any of which will do; empty:
    a second factor is not asked for."""

    issuer: str
    client_id: str
    client_secret: Private[str] | None
    roles: Mapping[str, tuple[Held, ...]]
    groups_claim: str = "groups"
    mfa: tuple[str, ...] = ("mfa",)

    def held(self, groups: object) -> tuple[Held, ...]:
        """The roles of somebody who is in those groups."""
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        return tuple(held for group in named if isinstance(group, str) for held in self.roles.get(group, ()))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whom the provider vouches for. ``subject`` is theirs at that issuer for good; ``name`` is for people to read."""

    issuer: str
    subject: Private[str]
    name: Private[str]
    held: tuple[Held, ...]


def oidc_settings(env: Mapping[str, str], secrets: Secrets) -> OidcSettings | None:
    """None: nobody signs in. Raises Misconfigured, with the variable that is wrong."""
    issuer = env.get(ISSUER, "").strip()
    if not issuer:
        return None
    if not _safe(issuer) or URL(issuer).query_string or URL(issuer).fragment:
        raise Misconfigured(f"{ISSUER} is no address of an OpenID provider", hint="write https://HOST/PATH, as it names itself")
    if not (client := env.get(CLIENT, "").strip()):
        raise Misconfigured(f"{CLIENT} is not set", hint="register this gateway there, with the callback /signin/callback")
    mfa = env.get(MFA, "mfa").replace(",", " ").split()
    return OidcSettings(
        issuer=issuer,
        client_id=client,
        client_secret=_secret(secrets),
        roles=_roles(env.get(ROLES, "")),
        groups_claim=env.get(GROUPS, "").strip() or "groups",
        mfa=() if mfa == [NOT_REQUIRED] else tuple(mfa),
    )


def _secret(secrets: Secrets) -> Private[str] | None:
    """A public client has no secret: PKCE alone proves that the answer is for us."""
    try:
        return secrets.read(SECRET)
    except Misconfigured:
        return None


def _roles(text: str) -> Mapping[str, tuple[Held, ...]]:
    found: dict[str, tuple[Held, ...]] = {}
    for part in filter(None, (each.strip() for each in text.split(";"))):
        match = _ROLE.fullmatch(part)
        if match is None:
            raise Misconfigured(f"{ROLES} has a part that is none", hint="write GROUP=ROLE:* or GROUP=ROLE:tenant,tenant; …")
        tenants = frozenset({EVERY_TENANT} if match["tenants"] == EVERY_TENANT else match["tenants"].split(","))
        group = match["group"].strip()
        try:
            role = role_of(match["role"])
        except InvalidRequest as error:
            raise Misconfigured(f"{ROLES} names a role that there is not", hint=error.hint) from None
        found[group] = (*found.get(group, ()), Held(role, tenants))
    if not found:
        raise Misconfigured(f"{ROLES} is not set, so nobody would get in", hint="write privacy=privacy_officer:*; ops=operator:*")
    return found


def challenge_of(verifier: str) -> str:
    """RFC 7636 section 4.2, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


@dataclass(slots=True)
class _Fetched:
    document: Mapping[str, Any]
    at: float


class OpenIdProvider:
    """One provider, asked over a session that keeps no cookies and follows no redirect."""

    def __init__(
        self, settings: OidcSettings, session: aiohttp.ClientSession, clock: Clock, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.settings = settings
        self._session = session
        self._clock = clock
        self._tls = tls
        self._found: _Fetched | None = None
        self._keys: _Fetched | None = None

    async def address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to sign in. Raises UpstreamFailed."""
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile email groups" if self.settings.groups_claim == "groups" else "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        wanted = [each.removeprefix("acr=") for each in self.settings.mfa if each.startswith("acr=")]
        if wanted:
            asked["acr_values"] = " ".join(wanted)
        return str(URL(await self._endpoint("authorization_endpoint")).update_query(asked))

    async def redeem(self, *, code: str, verifier: str, nonce: str, redirect_uri: str) -> SignedIn:
        """Who has signed in.

        Raises:
            Unauthenticated: the provider does not take the code, or its ID token proves nothing, or no second factor, or no role.
            UpstreamFailed: it does not answer, or not as OpenID Connect has it.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        headers = {"Accept": "application/json"}
        if self.settings.client_secret is not None:
            # RFC 6749 section 2.3.1 has both form-encoded first.
            secret = quote_plus(self.settings.client_secret.reveal())
            headers["Authorization"] = aiohttp.encode_basic_auth(quote_plus(self.settings.client_id), secret)
        else:
            form["client_id"] = self.settings.client_id
        url = await self._endpoint("token_endpoint")
        answer = await self._ask("POST", url, form, headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("it gave no ID token")
        claims = await self._claims(token, nonce)
        held = self.settings.held(claims.get(self.settings.groups_claim))
        if not held:
            raise Unauthenticated("no group of yours has a role here", hint=f"ask who sets {ROLES}")
        name = next((claims[each] for each in ("email", "preferred_username", "name") if isinstance(claims.get(each), str)), "")
        return SignedIn(self.settings.issuer, Private(str(claims["sub"])), Private(name[:200]), held)

    # --- the ID token -----------------------------------------------------------------------------------------------

    async def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS:
                raise _refused("its ID token is signed in no way that we take")
            key = await self._key(header.get("kid"), algorithm)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=self.settings.client_id,
                issuer=self.settings.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"], "verify_sub": True},
            )
        except jwt.PyJWTError as error:
            raise _refused(f"its ID token does not hold ({type(error).__name__})") from None
        self._check(claims, nonce)
        return claims

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise _refused("its ID token is of another sign-in")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self.settings.client_id) != self.settings.client_id:
            raise _refused("its ID token is for another client")
        if not 1 <= len(str(claims["sub"])) <= 255:
            raise _refused("its ID token names nobody")
        if self._clock.now().timestamp() - float(claims["iat"]) > OLDEST_S + LEEWAY_S:
            raise _refused("its ID token is old")
        if not self._second_factor(claims):
            raise Unauthenticated("the sign-in was without a second factor", hint="sign in at the provider with one")

    def _second_factor(self, claims: Mapping[str, Any]) -> bool:
        amr, acr = claims.get("amr"), claims.get("acr")
        shown = {each for each in amr if isinstance(each, str)} if isinstance(amr, list) else set()
        shown |= {f"acr={acr}"} if isinstance(acr, str) else set()
        return not self.settings.mfa or bool(shown & set(self.settings.mfa))

    async def _key(self, kid: object, algorithm: str) -> jwt.PyJWK:
        """The provider's key of that name. One that is not known is asked for anew, but not all the time (key rotation)."""
        for fresh in (False, True):
            found = self._pick(await self._key_set(fresh=fresh), kid, algorithm)
            if found is not None:
                return found
        raise _refused("its ID token is signed by no key of its own")

    @staticmethod
    def _pick(document: Mapping[str, Any], kid: object, algorithm: str) -> jwt.PyJWK | None:
        keys = document.get("keys")
        known = [each for each in keys if isinstance(each, dict)] if isinstance(keys, list) else []
        fit = [each for each in known if each.get("use", "sig") == "sig" and each.get("kty") != "oct"]
        named = [each for each in fit if each.get("kid") == kid] if kid is not None else fit
        if len(named) != 1 or named[0].get("alg", algorithm) != algorithm:
            return None
        try:
            return jwt.PyJWK(named[0], algorithm=algorithm)
        except (jwt.PyJWTError, ValueError, TypeError):  # it is a key of another kind, or none
            return None

    # --- the provider -----------------------------------------------------------------------------------------------

    async def _key_set(self, *, fresh: bool) -> Mapping[str, Any]:
        kept = self._keys
        if kept is None or self._older(kept, AGAIN_AFTER_S if fresh else KEPT_S):
            kept = self._keys = _Fetched(await self._ask("GET", await self._endpoint("jwks_uri")), self._clock.monotonic())
        return kept.document

    async def _endpoint(self, name: str) -> str:
        kept = self._found
        if kept is None or self._older(kept, KEPT_S):
            document = await self._ask("GET", self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if document.get("issuer") != self.settings.issuer:
                raise UpstreamFailed("the identity provider names itself otherwise", hint=f"write its own name into {ISSUER}")
            kept = self._found = _Fetched(document, self._clock.monotonic())
        url = kept.document.get(name)
        if not isinstance(url, str) or not _safe(url):
            raise UpstreamFailed(f"the identity provider has no {name} that can be used")
        return url

    def _older(self, kept: _Fetched, seconds: float) -> bool:
        return self._clock.monotonic() - kept.at > seconds

    async def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        try:
            async with self._session.request(
                method,
                url,
                data=form,
                headers=headers or {"Accept": "application/json"},
                allow_redirects=False,
                ssl=self._tls if self._tls is not None else True,
                timeout=aiohttp.ClientTimeout(total=WITHIN_S),
            ) as answer:
                if method == "POST" and 400 <= answer.status < 500:
                    raise _refused("it does not take the sign-in")
                if answer.status != 200:
                    raise UpstreamFailed("the identity provider refused", hint="is it well?")
                body = await read_whole(answer.content, MOST_BYTES)
                document = json.loads(body) if body is not None else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError):
            raise UpstreamFailed("the identity provider does not answer as it should", hint=f"is {ISSUER} right?") from None
        if not isinstance(document, dict):
            raise UpstreamFailed("the identity provider does not answer as it should", hint=f"is {ISSUER} right?")
        return document


def _safe(url: str) -> bool:
    try:
        parsed = URL(url)
    except ValueError:
        return False
    plain = parsed.scheme == "http" and is_loopback(parsed.host or "")
    return bool(parsed.host) and (parsed.scheme == "https" or plain) and parsed.user is None and parsed.password is None


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"the identity provider has not shown who you are: {why}", hint="sign in again")
