"""Webhooks of ours, signed as Standard Webhooks 1.0.0 says: HMAC-SHA256 over id, time and body.

https://www.standardwebhooks.com. The receiver compares the signature and refuses what is older than five minutes, so nobody can
play an old message again. Rooms that post something to a tenant's own server share this.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from gateway.errors import Misconfigured, Unauthenticated
from gateway.values import Private

TOLERANCE = timedelta(minutes=5)
SECRET_PREFIX = "whsec_"  # noqa: S105 - what every such secret begins with
SECRET_BYTES = range(24, 65)


def signing_key(secret: Private[str]) -> Private[bytes]:
    """The bytes behind ``whsec_…``. Raises Misconfigured, without the secret."""
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True) if text.startswith(SECRET_PREFIX) else b""
    except binascii.Error:
        key = b""
    if len(key) not in SECRET_BYTES:
        raise Misconfigured(
            "the secret of this webhook is none of Standard Webhooks",
            hint='make one: echo "whsec_$(head -c 32 /dev/urandom | base64)"',
        )
    return Private(key)


def signed(key: Private[bytes], id_: str, at: datetime, body: bytes | bytearray) -> Mapping[str, str]:
    """The three headers: ``webhook-id``, ``webhook-timestamp`` (whole seconds), ``webhook-signature`` (``v1,…``)."""
    seconds = str(int(at.timestamp()))
    return {"webhook-id": id_, "webhook-timestamp": seconds, "webhook-signature": f"v1,{_signature(key, id_, seconds, body)}"}


def verify(key: Private[bytes], headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """What a receiver does.

    Raises:
        Unauthenticated: a header is missing, no signature fits, or the time is more than five minutes away from ``now``.
    """
    id_, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    fresh = seconds.isascii() and seconds.isdecimal() and abs(now.timestamp() - int(seconds)) <= TOLERANCE.total_seconds()
    wanted = f"v1,{_signature(key, id_, seconds, body)}".encode()
    given = headers.get("webhook-signature", "").split(" ")
    if not (id_ and fresh and any(hmac.compare_digest(each.encode(), wanted) for each in given)):
        raise Unauthenticated("this webhook is not signed with our secret, or is too old")


def _signature(key: Private[bytes], id_: str, seconds: str, body: bytes | bytearray) -> str:
    # Piece by piece, so that no second copy of the body is made.
    mac = hmac.new(key.reveal(), f"{id_}.{seconds}.".encode(), hashlib.sha256)
    mac.update(body)
    return base64.b64encode(mac.digest()).decode("ascii")
