"""A tenant that asks for TLS 1.3: who cannot speak it is passed over in the same request, with nothing sent (promise 24)."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.runner.proxy.breaker import FAILURES
from tests.adapters.providers.certificates import authority_and_server
from tests.adapters.providers.tls_server import listening
from tests.http.proxy.house import proxy_house
from tests.http.proxy.model import Model


async def test_who_cannot_speak_what_the_tenant_asks_for_is_passed_over_and_keeps_its_name_with_others(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    """It is asked each time again: that one tenant asks for more does not have it left alone for everybody."""
    _, server = authority_and_server("127.0.0.1")
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    async with listening(server) as old:
        urls = {"old-model": f"https://127.0.0.1:{old.port}/v1", "a-model": model.url}
        async with proxy_house(tmp_path, store, detector, urls, rules='tls: "1.3"\n') as house:
            for _ in range(FAILURES + 1):
                _, headers = await house.chat("Good morning")
                assert headers["X-Sordino-Processor"] == "a-model"
            hops: list[Any] = [entry.draft.body["grant"] for entry in await house.entries() if entry.draft.kind == "hop"]
    assert [(hop["processor"], hop.get("tls")) for hop in hops] == [("old-model", "1.3"), ("a-model", None)] * (FAILURES + 1)
    assert old.raw
    assert (old.spoken, bytes(old.received)) == ([], b"")
