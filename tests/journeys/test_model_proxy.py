"""A team changes one base URL: its own client talks through a whole gateway to a model that never learns who is calling."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest

from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.system import SystemClock
from gateway.app import Gateway
from gateway.evidence.chain import verify_chain
from gateway.settings import Settings
from gateway.values import CallId, TenantId
from tests.http.proxy.house import write_policies
from tests.http.proxy.model import a_model
from tests.journeys.canaries import CANARIES, found_in
from tests.places import uncovered_files, uncovered_keys

SAID = " ".join(canary.said for canary in CANARIES)
NAMES = [canary.name for canary in CANARIES]


@pytest.mark.timeout(240)
async def test_an_openai_client_gets_all_of_sordino_by_its_base_url(tmp_path: Path) -> None:
    async with a_model() as model:
        policies = write_policies(tmp_path / "policies", {"a-model": model.url}, send={"store": False}, model="*")
        settings = Settings.from_env({"SORDINO_DATA": str(tmp_path / "data")}, policies=policies, port=0)
        async with Gateway(settings, env={}) as gateway:
            _, key = await TenantKeys(gateway.store).create(TenantId("acme"), now=SystemClock().now())
            client = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=key.reveal(), max_retries=0)
            async with client:
                whole = await client.chat.completions.with_raw_response.create(
                    model="my-model-1", messages=[{"role": "user", "content": SAID}]
                )
                said = whole.parse().choices[0].message.content or ""
                stream = await client.chat.completions.create(
                    model="my-model-1",
                    messages=[
                        {"role": "user", "content": SAID},
                        {"role": "assistant", "content": said},
                        {"role": "user", "content": "Say it again, please."},
                    ],
                    stream=True,
                    extra_headers={"X-Sordino-Call": whole.headers["X-Sordino-Call"]},
                )
                again = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
            call = CallId(whole.headers["X-Sordino-Call"])
            entries = [entry async for entry in gateway.ledger.entries(TenantId("acme"))]
            metrics = gateway.telemetry.prometheus().decode()
            async with gateway.store.answers() as store:
                names = [name.decode() async for name in store.scan_iter()]
            without_row = [*uncovered_keys(names), *uncovered_files(settings.data)]
    assert without_row == [], "a place of data that SECURITY.md does not name"
    assert found_in(model.record, CANARIES) == []
    assert found_in(said, CANARIES) == NAMES
    assert found_in(again, CANARIES) == NAMES
    assert {body["store"] for body in model.bodies} == {False}
    assert {body["model"] for body in model.bodies} == {"my-model-1"}
    headers = {name.removeprefix("x-sordino-"): value for name, value in whole.headers.items() if name.startswith("x-sordino-")}
    assert headers.keys() == {"call", "processor", "region", "policy", "masked"}
    assert (headers["processor"], headers["region"], int(headers["masked"]) >= len(CANARIES)) == ("a-model", "local", True)
    assert verify_chain(entries, tenant=TenantId("acme")).stray == ()
    assert [entry.draft.kind for entry in entries] == ["call.started", "masked", "hop", "hop"], entries[-1].draft.body
    assert {entry.draft.call for entry in entries} == {call}
    assert found_in(repr(entries) + metrics, CANARIES) == []
    assert 'sordino_tokens_total{kind="input",' in metrics.replace("_total_total", "_total")
