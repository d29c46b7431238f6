"""``/v1/chat/completions``: what the model gets, and what the client gets back."""

from __future__ import annotations

from typing import Any

from gateway.evidence.chain import verify_chain
from gateway.values import TenantId
from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.journeys.canaries import Canary, found_in

NAME = Canary("name", "my name is Barnaby Thistlewood", "Barnaby Thistlewood")
CARD = Canary("card", "my card number is 4012 8888 8888 1881", "4012888888881881")
PHONE = Canary("phone", "my phone number is two zero two five five five zero one seven three", "2025550173")
THREE = (NAME, CARD, PHONE)
WORDS = f"Hello, {NAME.said}, {CARD.said}. {PHONE.said.capitalize()}."


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def test_the_model_sees_placeholders_and_the_client_gets_its_own_words_back(house: ProxyHouse, model: Model) -> None:
    answer, headers = await house.chat(WORDS)
    assert found_in(model.record, THREE) == []
    assert "my name is <PERSON_1>" in model.bodies[0]["messages"][0]["content"]
    said = answer["choices"][0]["message"]["content"]
    assert found_in(said, THREE) == ["name", "card", "phone"]
    assert "two zero two five five five zero one seven three" in said
    assert headers["X-Sordino-Processor"] == "a-model"
    assert headers["X-Sordino-Region"] == "local"
    assert headers["X-Sordino-Masked"] == "3"
    assert len(headers["X-Sordino-Policy"]) == 64
    assert headers["X-Sordino-Call"].startswith("call_")
    assert answer["usage"] == {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
    assert (answer["object"], answer["choices"][0]["finish_reason"]) == ("chat.completion", "stop")


async def test_what_went_out_is_in_a_chain_that_verifies_and_holds_no_private_word(house: ProxyHouse) -> None:
    _, headers = await house.chat(WORDS)
    entries = await house.entries()
    assert verify_chain(entries, tenant=TenantId("acme")).count == len(entries)
    hop = next(entry for entry in entries if entry.draft.kind == "hop")
    assert hop.draft.call == headers["X-Sordino-Call"]
    assert found_in(repr(entries), THREE) == []
