"""A recording over HTTP: for the operator alone, with a reason, as WAV; and its deletion."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.recordings.reading import measured, wav_of
from gateway.adapters.stores.recordings import RecordingFacts
from gateway.errors import InvalidRequest, NotFound, RecordingAltered, SordinoError
from gateway.http.answers import typed_errors
from gateway.http.recordings import recording_routes
from gateway.runner.deletion import Deletion
from gateway.runner.recordings import Export, RecordingDesk
from gateway.values import CallId, Private, TenantId
from tests.adapters.recordings.samples import CALL, KEYS, RATE, TENANT, on_disk

KEY = "operator-key"
PATH = f"/api/v1/calls/{TENANT}/{CALL}/recording"
FACTS = RecordingFacts(
    CALL, "2026-11-22T05:00:00+00:00", "disk", "folder", "k", "sha256:c", "silence", RATE, keep_s=60, state="kept", ms=3_000
)
Client = TestClient[web.Request, web.Application]


class Desk(RecordingDesk):
    """One recording, and what was asked about it."""

    def __init__(self, path: Path, *, failing: SordinoError | None = None) -> None:
        self.path = path
        self.failing = failing
        self.reasons: list[str] = []
        self.here = True

    async def list(self, tenant: TenantId) -> list[RecordingFacts]:
        return [FACTS] if tenant == TENANT else []

    @asynccontextmanager
    async def export(self, tenant: TenantId, call: CallId, *, reason: str) -> AsyncIterator[Export]:
        if self.failing is not None:
            raise self.failing
        if not reason:
            raise InvalidRequest("no reason is given")
        self.reasons.append(reason)
        with self.path.open("rb") as file:
            extent = measured(file, KEYS)
            file.seek(0)

            async def wav() -> AsyncIterator[bytes]:
                for piece in wav_of(file, KEYS, extent):
                    yield piece

            yield Export(replace(FACTS), extent, wav())

    async def delete_recording(self, tenant: TenantId, call: CallId, *, why: str, by: str) -> Deletion:
        was, self.here = self.here, False
        self.reasons.append(f"{why}, by {by}")
        if not was:
            raise NotFound("there is no recording of that call")
        return Deletion()


@asynccontextmanager
async def serving(desk: Desk) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[typed_errors])
    app.add_routes(recording_routes(Private(KEY), desk, desk.delete_recording))
    async with TestClient(TestServer(app)) as client:
        yield client


AUTH = {"Authorization": f"Bearer {KEY}"}


async def test_the_operator_gets_a_stereo_wav_and_the_desk_hears_why(tmp_path: Path) -> None:
    desk = Desk(await on_disk(tmp_path / "a.srec"))
    async with serving(desk) as client:
        answer = await client.get(PATH, params={"reason": "complaint 17"}, headers=AUTH)
        assert (answer.status, answer.content_type) == (200, "audio/wav")
        assert (answer.headers["X-Sordino-Recording"], answer.headers["Cache-Control"]) == ("whole", "no-store")
        with wave.open(io.BytesIO(await answer.read())) as found:
            assert (found.getnchannels(), found.getnframes()) == (2, 24_000)
    assert desk.reasons == ["complaint 17"]


@pytest.mark.parametrize("path", [PATH, f"/api/v1/recordings/{TENANT}"])
async def test_nobody_else_gets_anything(tmp_path: Path, path: str) -> None:
    async with serving(Desk(tmp_path / "none")) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = await client.get(path, params={"reason": "curiosity"}, headers=headers)
            assert (answer.status, (await answer.json())["error"]["code"]) == (401, "unauthenticated")


async def test_without_a_reason_there_is_no_sound(tmp_path: Path) -> None:
    async with serving(Desk(await on_disk(tmp_path / "a.srec"))) as client:
        answer = await client.get(PATH, headers=AUTH)
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("failing", "status"),
    [(NotFound("there is no recording of that call"), 404), (RecordingAltered("the recording was altered: chunk 3"), 500)],
)
async def test_what_cannot_be_read_is_told_before_the_first_byte(tmp_path: Path, failing: SordinoError, status: int) -> None:
    async with serving(Desk(tmp_path / "none", failing=failing)) as client:
        answer = await client.get(PATH, params={"reason": "r"}, headers=AUTH)
        assert answer.status == status
        assert (await answer.json())["error"]["message"] == failing.message


async def test_deleting_answers_when_it_is_gone_and_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "none")
    async with serving(desk) as client:
        assert (await client.delete(PATH, params={"reason": "erasure 4"}, headers=AUTH)).status == 200
        assert (await client.delete(PATH, headers=AUTH)).status == 404
    assert desk.reasons[0] == "erasure 4, by operator-key"


async def test_the_list_tells_of_each_recording_and_nothing_of_what_was_said(tmp_path: Path) -> None:
    async with serving(Desk(tmp_path / "none")) as client:
        answer = await client.get(f"/api/v1/recordings/{TENANT}", headers=AUTH)
        (row,) = (await answer.json())["recordings"]
    assert (row["call"], row["ms"], row["state"]) == (CALL, 3_000, "kept")
