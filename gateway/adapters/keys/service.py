"""Key services that lock the master key, so that it lies nowhere in clear: AWS KMS, and Transit of HashiCorp Vault or OpenBao.

Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html, API_Decrypt.html and
https://developer.hashicorp.com/vault/api-docs/secret/transit. What is sent is a random key of ours and nothing of anybody else,
to the one host that the operator named, by TLS unless it is this machine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import aiohttp
from yarl import URL

from gateway.adapters.keys.reading import read_whole
from gateway.errors import Misconfigured, StoreUnavailable
from gateway.locks import KEY_BYTES
from gateway.policy.registry import is_loopback
from gateway.values import Private

TIMEOUT_S = 10.0
LONGEST_ANSWER = 64 * 1024
CONTEXT = "sordino master key"
AWS, VAULT = "awskms", "vault"
AWS_SECRET, VAULT_SECRET = "SORDINO_AWS_KEY", "SORDINO_VAULT_TOKEN"


class KeyService(Protocol):
    """Raises Misconfigured: it refuses us. Raises StoreUnavailable: it does not answer, or answers what makes no sense."""

    async def lock(self, key: Private[bytes]) -> str:
        """The key as only the service can open it: text on one line, whose first word names the kind of service."""
        ...

    async def open(self, locked: str) -> Private[bytes]: ...


Sign = Callable[[str, URL, Mapping[str, str], str, datetime], str]
"""Signature version 4: of method, URL, signed headers, and the body's SHA-256."""


@dataclass(frozen=True, slots=True)
class AwsKey:
    """Who asks KMS. ``scope``: date to signing scope; ``token`` of a temporary key, or empty."""

    access: str
    token: Private[str]
    sign: Sign
    scope: Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class Place:
    """What an URL of a key service says."""

    kind: str
    url: URL
    """Where requests go to, without a path for AWS, with that of the mount for Vault."""
    key: str
    region: str = ""
    namespace: str = ""


def place_of(text: str) -> Place:
    """``awskms:///KEY_ARN?region=…`` (``endpoint=HOST`` for one of your own) or ``vault://HOST:PORT/transit/KEY``.

    Raises:
        Misconfigured: it is something else. The message does not repeat it.
    """
    try:
        url = URL(text)
        asked, path = url.query, url.path.strip("/")
        if url.user or url.password or url.fragment:
            raise _no_service()
        if url.scheme == AWS and not url.host and path:
            parts = path.split(":")
            region = asked.get("region") or (parts[3] if len(parts) > 5 else "")
            if not region.replace("-", "").isalnum() or (len(parts) > 5 and parts[3] != region):
                raise _no_service()
            return Place(AWS, _base(asked.get("endpoint") or f"kms.{region}.amazonaws.com"), path, region)
        mount, _, key = path.rpartition("/")
        if url.scheme == VAULT and url.host and mount and key:
            return Place(VAULT, _base(url.host_port_subcomponent or "") / "v1" / mount, key, namespace=asked.get("namespace", ""))
    except ValueError:
        raise _no_service() from None
    raise _no_service()


class AwsKms:
    """Implements ``KeyService``."""

    def __init__(
        self, place: Place, key: AwsKey, session: aiohttp.ClientSession, tls: ssl.SSLContext | bool, now: Callable[[], datetime]
    ) -> None:
        self._place = place
        self._key = key
        self._post = _Post(session, tls)
        self._now = now

    async def lock(self, key: Private[bytes]) -> str:
        text = base64.b64encode(key.reveal()).decode("ascii")
        answer = await self._ask("Encrypt", {"Plaintext": text})
        return f"{AWS} {_text(answer, 'CiphertextBlob')}"

    async def open(self, locked: str) -> Private[bytes]:
        return _key(_text(await self._ask("Decrypt", {"CiphertextBlob": _of(AWS, locked)}), "Plaintext"))

    async def _ask(self, action: str, more: Mapping[str, Any]) -> Mapping[str, Any]:
        about = {"KeyId": self._place.key, "EncryptionContext": {"purpose": CONTEXT}}
        body, now = json.dumps({**about, **more}).encode("ascii"), self._now()
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "host": self._place.url.host_port_subcomponent or "",
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-target": f"TrentService.{action}",
        }
        if self._key.token:
            headers["x-amz-security-token"] = self._key.token.reveal()
        signature = self._key.sign("POST", self._place.url, headers, hashlib.sha256(body).hexdigest(), now)
        credential = f"Credential={self._key.access}/{self._key.scope(now)}"
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={';'.join(sorted(headers))}, Signature={signature}"
        )
        return await self._post(self._place.url, headers, body)


class VaultTransit:
    """Implements ``KeyService``."""

    def __init__(self, place: Place, token: Private[str], session: aiohttp.ClientSession, tls: ssl.SSLContext | bool) -> None:
        self._place = place
        self._token = token
        self._post = _Post(session, tls)

    async def lock(self, key: Private[bytes]) -> str:
        text = base64.b64encode(key.reveal()).decode("ascii")
        return f"{VAULT} {_text(await self._ask('encrypt', {'plaintext': text}), 'ciphertext')}"

    async def open(self, locked: str) -> Private[bytes]:
        return _key(_text(await self._ask("decrypt", {"ciphertext": _of(VAULT, locked)}), "plaintext"))

    async def _ask(self, action: str, body: Mapping[str, str]) -> Mapping[str, Any]:
        headers = {"X-Vault-Token": self._token.reveal(), "X-Vault-Request": "true", "content-type": "application/json"}
        if self._place.namespace:
            headers["X-Vault-Namespace"] = self._place.namespace
        answer = await self._post(self._place.url / action / self._place.key, headers, json.dumps(body).encode("ascii"))
        data = answer.get("data")
        return data if isinstance(data, dict) else {}


class _Post:
    """One request, and what the service answers, within a bound of time and size. Its own words are not passed on."""

    def __init__(self, session: aiohttp.ClientSession, tls: ssl.SSLContext | bool) -> None:
        self._session = session
        self._tls = tls

    async def __call__(self, url: URL, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
        bound = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self._session.post(
                url, headers=headers, data=body, timeout=bound, ssl=self._tls, allow_redirects=False
            ) as answer:
                status, said = answer.status, await read_whole(answer.content, LONGEST_ANSWER)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise _silent("it cannot be reached") from None
        if status == 429 or status >= 500:
            raise _silent(f"it answers {status}")
        if status != 200:
            raise Misconfigured(
                f"the key service of SORDINO_MASTER_KEY_URL refuses us ({status})",
                hint=f"may {AWS_SECRET} or {VAULT_SECRET} encrypt and decrypt with that key?",
            )
        try:
            found = json.loads(said) if said is not None else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise _silent("its answer makes no sense")
        return found


def _base(authority: str) -> URL:
    place = URL(f"//{authority}")
    if not place.host or place.user or place.password or place.path.strip("/"):
        raise _no_service()
    return URL(f"{'http' if is_loopback(place.host) else 'https'}://{authority}/")


def _of(kind: str, locked: str) -> str:
    named, _, text = locked.strip().partition(" ")
    if named != kind or not text:
        raise Misconfigured(
            f"the master key was locked by another key service than {kind}", hint="set SORDINO_MASTER_KEY_URL as it was then"
        )
    return text


def _text(answer: Mapping[str, Any], name: str) -> str:
    text = answer.get(name)
    if not isinstance(text, str) or not text or any(each.isspace() for each in text):
        raise _silent("its answer makes no sense")
    return text


def _key(text: str) -> Private[bytes]:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise _silent("its answer makes no sense")
    return Private(key)


def _silent(why: str) -> StoreUnavailable:
    return StoreUnavailable(f"the key service of SORDINO_MASTER_KEY_URL does not open the master key: {why}")


def _no_service() -> Misconfigured:
    return Misconfigured(
        "SORDINO_MASTER_KEY_URL names no key service",
        hint="write awskms:///KEY_ARN?region=REGION or vault://HOST:PORT/transit/KEY",
    )
