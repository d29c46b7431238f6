"""Recordings in a store that speaks Amazon's S3 protocol, through obstore (the optional extra ``s3``).

What is sent is the file as it lies on this machine's disk: encrypted. The store learns how long a call was, and whose. A Grant's
``model`` names the bucket (or its ``base_url`` does: ``https://HOST/BUCKET``); requests are signed for ``send: {region: …}``, or
for what stands behind the slash of its region (``de/eu-central-1``). Its secret is ``KEY_ID:SECRET``, or the secret alone beside
one that is called AWS_ACCESS_KEY_ID. Turn the bucket's versioning off: a deleted version would keep the locked key.

obstore speaks TLS by rustls, which knows no version below 1.2, and cannot be told to speak 1.3 only: a Grant that asks for it is
refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.adapters.recordings.folder import SUFFIX
from gateway.errors import Misconfigured, NotFound, PolicyRefused, UpstreamFailed
from gateway.policy.egress import Grant
from gateway.policy.fields import Tls
from gateway.policy.registry import base_url_problem
from gateway.ports import Secrets
from gateway.values import CallId, Hop, TenantId

if TYPE_CHECKING:
    from obstore.store import S3Store

DIALECT = "s3"
KEY_ID = "AWS_ACCESS_KEY_ID"
TIMEOUT = timedelta(seconds=60)
PART_BYTES = 5 * 1024 * 1024
"""S3's least part but the last; what is shorter goes in one request."""


class S3Recordings:
    """Implements ``gateway.runner.recordings.Storage``. Each call of a method needs a Grant of its own."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    async def send(self, grant: Grant, tenant: TenantId, call: CallId, file: Path) -> None:
        """Store the file whole; a second time replaces the first. Raises PolicyRefused, UpstreamFailed, Misconfigured."""
        import obstore
        from obstore.exceptions import BaseError

        store = self._open(grant)
        try:
            await obstore.put_async(store, _name(tenant, call), file, chunk_size=PART_BYTES, max_concurrency=2)
        except (BaseError, OSError):
            raise _failed(grant) from None

    async def fetch(self, grant: Grant, tenant: TenantId, call: CallId) -> AsyncIterator[bytes]:
        """The file's bytes. Raises NotFound, PolicyRefused, UpstreamFailed, Misconfigured."""
        import obstore
        from obstore.exceptions import BaseError
        from obstore.exceptions import NotFoundError as Missing

        store = self._open(grant)
        try:
            found = await obstore.get_async(store, _name(tenant, call))
            async for piece in found.stream(min_chunk_size=256 * 1024):
                yield bytes(piece)
        except (Missing, FileNotFoundError):
            raise NotFound(f"{grant.processor} has no such recording") from None
        except (BaseError, OSError):
            raise _failed(grant) from None

    async def delete(self, grant: Grant, tenant: TenantId, call: CallId) -> None:
        """Gone, or never there. Raises PolicyRefused, UpstreamFailed, Misconfigured."""
        import obstore
        from obstore.exceptions import BaseError
        from obstore.exceptions import NotFoundError as Missing

        store = self._open(grant)
        try:
            await obstore.delete_async(store, _name(tenant, call))
        except (Missing, FileNotFoundError):
            return
        except (BaseError, OSError):
            raise _failed(grant) from None

    def _open(self, grant: Grant) -> S3Store:
        if grant.hop is not Hop.STORAGE or grant.dialect != DIALECT:
            raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {Hop.STORAGE}/{DIALECT}")
        if grant.tls is Tls.V1_3:
            raise PolicyRefused(
                f"what speaks to {grant.processor} cannot be told to speak TLS 1.3 only, which its Grant asks for",
                hint="nothing was sent",
            )
        if find_spec("obstore") is None:
            raise Misconfigured("this gateway cannot speak to S3 stores", hint="pip install 'sordino[s3]'")
        from obstore.store import S3Store

        url = urlsplit(grant.base_url)
        bucket = url.path.strip("/") or (grant.model if grant.model != "*" else "")
        if problem := base_url_problem(grant.base_url):
            raise PolicyRefused(f"{grant.processor}: {problem}")
        if url.hostname != grant.host or not bucket or "/" in bucket:
            raise Misconfigured(
                f"nothing names the bucket at {grant.processor}", hint="name it in the route: {processor: …, model: BUCKET}"
            )
        key, secret = self._key(grant)
        return S3Store(
            bucket,
            endpoint=f"{url.scheme}://{url.netloc}",
            region=str(grant.send.get("region", "")) or grant.region.partition("/")[2] or "us-east-1",
            access_key_id=key,
            secret_access_key=secret,
            virtual_hosted_style_request=False,
            client_options={"allow_http": url.scheme == "http", "timeout": TIMEOUT},
            retry_config={"max_retries": 1, "retry_timeout": TIMEOUT},
        )

    def _key(self, grant: Grant) -> tuple[str, str]:
        """Raises Misconfigured."""
        if not grant.secret:
            raise Misconfigured(f"{grant.processor} has no secret", hint="write secret: NAME into its entry")
        whole = self._secrets.read(grant.secret).reveal()
        key, colon, secret = whole.partition(":")
        return (key, secret) if colon else (self._secrets.read(KEY_ID).reveal(), whole)


def _name(tenant: TenantId, call: CallId) -> str:
    return f"{tenant}/{call}{SUFFIX}"


def _failed(grant: Grant) -> UpstreamFailed:
    return UpstreamFailed(f"{grant.processor} was not reached, or refused", hint="is its bucket there, and its key good for it?")
