"""Tokens and money are counted by tenant and processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.adapters.telemetry.otel import OtelTelemetry
from gateway.policy.registry import Price
from gateway.values import ProcessorId
from tests.http.proxy.house import proxy_house
from tests.http.proxy.model import Model


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_is_counted_with_what_it_cost(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, *, stream: bool
) -> None:
    prices = {ProcessorId("a-model"): Price.model_validate({"currency": "USD", "input": "1", "output": "2"})}
    telemetry = OtelTelemetry(endpoint=None)
    more = {"telemetry": telemetry, "price": prices.get}
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, more=more) as house:
        body = {"model": "any", "messages": [{"role": "user", "content": "Hello there."}], "stream": stream}
        async with house.post("/v1/chat/completions", body) as response:
            await response.read()
        metrics = telemetry.prometheus().decode()
    telemetry.close()
    (line,) = [line for line in metrics.splitlines() if line.startswith("sordino_cost_micros_total")]
    assert 'tenant="acme"' in line
    assert 'processor="a-model"' in line
    assert 'currency="USD"' in line
    assert float(line.rpartition(" ")[2]) == (12 * 1 + 7 * 2) * 1000
