"""The SDKs as an application makes them, pointed at the gateway; only the list of certificate authorities is left out.

Reading that list takes each client a tenth of a second, and nothing here speaks TLS.
"""

from __future__ import annotations

import ssl
from typing import Any

import anthropic
import openai

from tests.http.proxy.house import ProxyHouse

TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
WITHIN_S = 60


def openai_client(house: ProxyHouse, **how: Any) -> openai.AsyncOpenAI:
    """Use it in ``async with``."""
    http = openai.DefaultAsyncHttpxClient(verify=TRUSTS_NOBODY)
    return openai.AsyncOpenAI(**{"base_url": f"{house.url}/v1", **_how(house), "http_client": http, **how})


def anthropic_client(house: ProxyHouse, **how: Any) -> anthropic.AsyncAnthropic:
    """Use it in ``async with``."""
    http = anthropic.DefaultAsyncHttpxClient(verify=TRUSTS_NOBODY)
    return anthropic.AsyncAnthropic(**{"base_url": house.url, **_how(house), "http_client": http, **how})


def _how(house: ProxyHouse) -> dict[str, Any]:
    return {"api_key": house.key, "max_retries": 0, "timeout": WITHIN_S}
