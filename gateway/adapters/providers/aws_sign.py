"""Requests signed as AWS wants them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from yarl import URL

from gateway.errors import Misconfigured, PolicyRefused
from gateway.policy.egress import Grant
from gateway.policy.registry import is_loopback

ALGORITHM = "AWS4-HMAC-SHA256"
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Signer:
    """For one service in one region. ``key`` is not shown."""

    access: str
    region: str
    service: str
    _secret: str

    def __repr__(self) -> str:
        return f"Signer({self.service} in {self.region})"

    @staticmethod
    def of(grant: Grant, key: str, service: str) -> Signer:
        """``key`` is the Grant's secret: access key id and secret access key, with a colon between.

        Raises:
            Misconfigured: the secret is something else.
            PolicyRefused: the Grant's region names no region of AWS, or its host stands in another one.
        """
        access, _, secret = key.partition(":")
        if not access or not secret:
            raise Misconfigured(
                f"the secret {grant.secret} is not a key of AWS", hint="write it as ACCESS_KEY_ID:SECRET_ACCESS_KEY"
            )
        _, _, region = grant.region.partition("/")
        if not region:
            raise PolicyRefused(f"the region of {grant.processor} names none of AWS", hint="write region: de/eu-central-1")
        if f".{region}." not in grant.host and not is_loopback(grant.host):
            raise PolicyRefused(f"the host of {grant.processor} is not in {region}", hint="correct its base_url or its region")
        return Signer(access, region, service, secret)

    def headers(self, url: URL, body: bytes, now: datetime) -> dict[str, str]:
        """The headers that sign a POST of that JSON body; send them and the content type as they are."""
        stamp = _stamp(now)
        signed = {"content-type": "application/json", "host": _host(url), "x-amz-date": stamp}
        signature = self.signature("POST", url, signed, hashlib.sha256(body).hexdigest(), now)
        credential = f"Credential={self.access}/{self._scope(now)}"
        names = ";".join(sorted(signed))
        value = f"{ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"
        return {"authorization": value, "content-type": "application/json", "x-amz-date": stamp}

    def presigned(self, url: URL, now: datetime, *, expires_s: int) -> URL:
        """The URL of a GET, with its signature in the query."""
        more = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.access}/{self._scope(now)}",
            "X-Amz-Date": _stamp(now),
            "X-Amz-Expires": str(expires_s),
            "X-Amz-SignedHeaders": "host",
        }
        whole = url.update_query(more)
        return whole.update_query({"X-Amz-Signature": self.signature("GET", whole, {"host": _host(url)}, _EMPTY, now)})

    def signature(self, method: str, url: URL, headers: Mapping[str, str], body_hash: str, now: datetime) -> str:
        """In hexadecimal. ``headers`` by their names in small letters: those that are signed."""
        query = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in url.query.items())
        request = "\n".join(
            (
                method,
                quote(url.path, safe="/-_.~"),
                "&".join(f"{name}={value}" for name, value in query),
                *(f"{name}:{headers[name]}" for name in sorted(headers)),
                "",
                ";".join(sorted(headers)),
                body_hash,
            )
        )
        to_sign = "\n".join((ALGORITHM, _stamp(now), self._scope(now), hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{self._secret}".encode()
        for part in (now.strftime("%Y%m%d"), self.region, self.service, "aws4_request"):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()

    def _scope(self, now: datetime) -> str:
        return f"{now:%Y%m%d}/{self.region}/{self.service}/aws4_request"


def _stamp(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")


def _host(url: URL) -> str:
    return url.host_port_subcomponent or ""
