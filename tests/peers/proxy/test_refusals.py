"""What the gateway itself refuses arrives as the SDK's own typed error, with our code and, where there are any, the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import Limits
from gateway.errors import RedactionUnavailable
from gateway.redaction.mask import Replacement
from gateway.values import Private, Span, TenantId
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model
from tests.peers.proxy.clients import anthropic_client, openai_client

PRIVATE = "My name is Barnaby Thistlewood."
IMAGES: dict[str, Any] = {
    "openai": {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    "anthropic": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
}


async def refused(sdk: str, house: ProxyHouse, content: Any = PRIVATE, **how: Any) -> tuple[str, str, list[str]]:
    """Class of the error, our code, the reasons. The error holds nothing of what was sent."""
    made = {name: how.pop(name) for name in ("api_key",) if name in how}
    wanted: Any = {"model": "m", "messages": [{"role": "user", "content": content}], **how}
    if sdk == "openai":
        async with openai_client(house, **made) as client:
            with pytest.raises(openai.APIStatusError) as caught:
                await client.chat.completions.create(**wanted)
        body: Any = caught.value.body
    else:
        async with anthropic_client(house, **made) as claude:
            with pytest.raises(anthropic.APIStatusError) as thrown:
                await claude.messages.create(max_tokens=100, **wanted)
        body = dict(thrown.value.body)["error"]  # type: ignore[call-overload]
        caught = thrown  # type: ignore[assignment]
    assert "Barnaby" not in f"{caught.value} {caught.value.response.text}"
    return type(caught.value).__name__, body["code"], body["sordino"]["reasons"]


WISHES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a key that nobody has": ({"api_key": "sordino-acme-" + "A" * 43}, "AuthenticationError", "unauthenticated"),
    "a conversation of somebody else": (
        {"extra_headers": {"X-Sordino-Call": "call_" + "0" * 26}},
        "NotFoundError",
        "invalid_request",
    ),
    "no name of a conversation": ({"extra_headers": {"X-Sordino-Call": "a name"}}, "BadRequestError", "invalid_request"),
    "a temperature that is none": ({"extra_body": {"temperature": 77}}, "BadRequestError", "invalid_request"),
    "where the data should go": ({"extra_body": {"provider": {"order": ["x"]}}}, "PermissionDeniedError", "policy_refused"),
}


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
@pytest.mark.parametrize(("how", "error", "code"), WISHES.values(), ids=WISHES.keys())
async def test_a_wrong_wish_is_a_typed_error(
    house: ProxyHouse, model: Model, sdk: str, how: dict[str, Any], error: str, code: str
) -> None:
    assert (await refused(sdk, house, **how))[:2] == (error, code)
    assert model.raw == []


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
async def test_an_image_is_refused_with_the_reason(house: ProxyHouse, model: Model, sdk: str) -> None:
    error, code, reasons = await refused(sdk, house, [{"type": "text", "text": PRIVATE}, IMAGES[sdk]])
    assert (error, code) == ("PermissionDeniedError", "policy_refused")
    assert "Grant" in reasons[0]
    assert model.raw == []


@pytest.mark.parametrize(("sdk", "error"), [("openai", "APIStatusError"), ("anthropic", "ContentTooLargeError")])
async def test_too_much_is_refused(house: ProxyHouse, model: Model, sdk: str, error: str) -> None:
    assert (await refused(sdk, house, PRIVATE + " " * (5 << 20)))[:2] == (error, "payload_too_large")
    assert model.raw == []


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
async def test_too_often_is_refused(house: ProxyHouse, model: Model, sdk: str) -> None:
    await house.keys.limit(TenantId("acme"), Limits(per_minute=1, burst=1))
    await house.chat("Hello")
    assert (await refused(sdk, house))[:2] == ("RateLimitError", "rate_limited")
    assert len(model.raw) == 1


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
async def test_nobody_who_may_have_the_data_is_told_with_every_reason(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, sdk: str
) -> None:
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, training="permitted") as house:
        error, code, reasons = await refused(sdk, house)
    assert (error, code) == ("PermissionDeniedError", "no_permitted_route")
    assert "a-model: training at it is permitted" in reasons[0]
    assert model.raw == []


class Dead:
    """A detector that does not answer."""

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        raise RedactionUnavailable("the detector did not answer in time")

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        raise RedactionUnavailable("the detector did not answer in time")


@pytest.mark.parametrize(("sdk", "error"), [("openai", "InternalServerError"), ("anthropic", "ServiceUnavailableError")])
async def test_without_a_detector_the_application_is_told_to_come_again(
    tmp_path: Path, store: Store, model: Model, sdk: str, error: str
) -> None:
    async with proxy_house(tmp_path, store, Dead(), {"a-model": model.url}) as house:
        assert (await refused(sdk, house))[:2] == (error, "redaction_unavailable")
    assert model.raw == []
