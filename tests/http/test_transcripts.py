"""Transcripts over HTTP: a list without words, masked turns, and in clear with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.http.transcripts import transcript_routes
from gateway.transcribing import TranscriptsKept
from gateway.values import Private
from tests.http.listening import serving
from tests.runner.test_transcripts import ACME, CALL, kept

__all__ = ["kept"]
KEY = "operator-key"
AUTH = {"Authorization": f"Bearer {KEY}"}
OF_CALL = f"/api/v1/calls/{ACME}/{CALL}/transcript"


@pytest.fixture
async def client(kept: TranscriptsKept) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving(transcript_routes(Private(KEY), kept.desk)) as client:
        yield client


async def test_the_list_has_facts_and_no_words(client: aiohttp.ClientSession) -> None:
    async with client.get(f"/api/v1/transcripts/{ACME}", headers=AUTH) as answer:
        (row,) = (await answer.json())["transcripts"]
    assert (row["call"], row["turns"], row["purpose"]) == (CALL, 2, "recording")


async def test_the_turns_are_masked(client: aiohttp.ClientSession) -> None:
    async with client.get(OF_CALL, headers=AUTH) as answer:
        found = await answer.json()
    assert [turn["text"] for turn in found["turns"]] == ["I am <PERSON_1>, my card is <CREDIT_CARD_1>.", "Hello, <PERSON_1>."]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_in_clear_needs_a_reason(client: aiohttp.ClientSession) -> None:
    async with client.get(OF_CALL + "/clear", headers=AUTH) as answer:
        assert answer.status == 400
        assert "Ada" not in await answer.text()
    async with client.get(OF_CALL + "/clear", headers=AUTH, params={"reason": "case 7"}) as answer:
        assert [turn["text"] for turn in (await answer.json())["turns"]][1] == "Hello, Ada Lovelace."


@pytest.mark.parametrize("path", [f"/api/v1/transcripts/{ACME}", OF_CALL, OF_CALL + "/clear"])
async def test_nobody_else_is_let_in(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path, params={"reason": "curious"}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("path", ["/api/v1/calls/other/call_1/transcript", f"/api/v1/calls/{ACME}/call_2/transcript"])
async def test_what_there_is_not_is_said_so(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path, headers=AUTH) as answer:
        assert (answer.status, (await answer.json())["error"]["message"]) == (404, "there is no transcript of that call")
