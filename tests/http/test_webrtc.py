"""A browser's way in: who may call, how offers, candidates and hang-ups are said, and what is refused."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import pytest

from gateway import talking
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.adapters.webrtc.leg import BrowserLeg
from gateway.adapters.webrtc.sdp import MOST_BYTES
from gateway.errors import PolicyUnavailable
from gateway.governing import Ends
from gateway.http import webrtc
from gateway.policy.model import TenantPolicy
from gateway.runner.leg import EncryptedLeg, Leg
from gateway.settings import Settings
from gateway.talking import TalkNeeds, open_talking
from gateway.values import TenantId
from tests.adapters.webrtc.offers import CHROMIUM, changed
from tests.adapters.webrtc.peer import Peer, peer
from tests.http.listening import serving
from tests.policy.samples import TENANT, loaded

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
UFRAG = "a=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n"


class Clock(SystemClock):
    """The real one, moved by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return NOW + self.ahead


@dataclass(slots=True)
class Call:
    leg: Leg
    tenant: str
    carrier: str
    place: str


@dataclass(slots=True)
class Desk:
    """The paths as they are wired, over a real store; calls are taken, and end with their leg."""

    client: aiohttp.ClientSession
    clock: Clock
    keys: dict[str, str]
    calls: list[Call] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, leg: Leg, tenant: TenantPolicy, *, carrier: str, ends: Ends) -> None:
        self.calls.append(Call(leg, tenant.tenant, carrier, ends.caller_place))
        self.changed.set()
        async for _ in leg.events():
            pass
        self.calls.pop()
        self.changed.set()

    async def until(self, calls: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.calls) != calls:
                self.changed.clear()
                await self.changed.wait()

    async def token(self, tenant: str = "acme", **place: str) -> str:
        async with self.client.post("/webrtc/token", headers=bearer(self.keys[tenant]), json=place) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["token"])

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """Status and error of a request that is refused."""
        async with self.client.request(method, path, **more) as answer:
            return answer.status, (await answer.json())["error"] if answer.status >= 400 else {}

    async def call_in(self, who: str, other: Peer | None = None) -> tuple[str, str]:
        """The place of a new session, and its ETag. With ``other`` the call is connected."""
        offer = await other.offer() if other else CHROMIUM
        async with self.client.post("/webrtc/offer", data=offer, headers=bearer(who) | {"Content-Type": SDP}) as answer:
            assert (answer.status, answer.content_type) == (201, SDP), await answer.text()
            if other:
                await other.take(await answer.text())
            return answer.headers["Location"], answer.headers["ETag"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def opened(
    store: Store, folder: Path, *, servers: tuple[str, ...] = (), env: dict[str, str] | None = None
) -> AsyncIterator[Desk]:
    keys = TenantKeys(store)
    made = {tenant: (await keys.create(TenantId(tenant), now=NOW))[1].reveal() for tenant in ("acme", "globex")}
    made["chat only"] = (await keys.create(TenantId("acme"), now=NOW, scopes=["chat"]))[1].reveal()
    clock = Clock()
    async with AsyncExitStack() as running:
        desk = Desk(mock.Mock(), clock, made)
        needs = TalkNeeds(
            settings=Settings(policies=folder, ice_servers=servers),
            key=bytes(32),
            keys=keys,
            once=OnlyOnce(store),
            secrets=Secrets(folder, env or {}),
            tenant=tenant_of,
            run=desk.run,
            clock=clock,
            ids=RandomIds(),
            telemetry=NullTelemetry(),
        )
        paths = await open_talking(needs, "https://voice.example", running)
        desk.client = await running.enter_async_context(serving(paths))
        yield desk


def tenant_of(name: str) -> TenantPolicy:
    if name not in ("acme", "globex"):
        raise PolicyUnavailable("there is no such tenant")
    return loaded(TENANT).tenants[TenantId("acme")].model_copy(update={"tenant": name})


@pytest.fixture
async def desk(store: Store, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(store, tmp_path) as desk:
        yield desk


class TestWhoMayCall:
    async def test_a_page_calls_with_a_token_that_its_server_got_with_the_tenants_key(self, desk: Desk) -> None:
        """The token comes with the address of our own page, in the part that no server sees."""
        async with desk.client.post("/webrtc/token", headers=bearer(desk.keys["acme"])) as answer:
            made = await answer.json()
        assert datetime.fromisoformat(made["expires_at"]) == NOW + timedelta(seconds=60)
        assert made["talk"] == f"https://voice.example/talk#token={made['token']}"
        assert desk.keys["acme"] not in made["token"]
        async with peer() as other:
            await desk.call_in(made["token"], other)
            await desk.until(calls=1)
            assert (desk.calls[0].tenant, desk.calls[0].carrier) == ("acme", "webrtc")
            assert isinstance(desk.calls[0].leg, EncryptedLeg)
            assert desk.calls[0].leg.transport["dtls"] == "DTLSv1.2"

    async def test_the_call_is_the_tenants_whose_key_made_the_token(self, desk: Desk) -> None:
        """Whatever else the page says."""
        async with peer() as other:
            await desk.call_in(await desk.token("globex"), other)
            await desk.until(calls=1)
            assert desk.calls[0].tenant == "globex"

    async def test_a_server_may_call_with_the_key_itself(self, desk: Desk) -> None:
        await desk.call_in(desk.keys["acme"])

    async def test_its_server_may_say_where_the_caller_is(self, desk: Desk) -> None:
        """So that the law of both ends holds."""
        async with peer() as other:
            await desk.call_in(await desk.token(country="US", state="CA"), other)
            await desk.until(calls=1)
            assert desk.calls[0].place == "us/ca"

    @pytest.mark.parametrize("place", [{"country": "Germany"}, {"country": "12"}, {"city": "Paris"}, {"country": 7}, ["DE"]])
    async def test_a_place_that_is_none_is_refused(self, desk: Desk, place: Any) -> None:
        status, error = await desk.ask("POST", "/webrtc/token", headers=bearer(desk.keys["acme"]), json=place)
        assert (status, error["code"]) == (400, "invalid_request")

    async def test_a_token_is_good_for_one_call(self, desk: Desk) -> None:
        token = await desk.token()
        await desk.call_in(token)
        status, error = await desk.ask("POST", "/webrtc/offer", data=CHROMIUM, headers=bearer(token) | {"Content-Type": SDP})
        assert (status, error["code"]) == (401, "unauthenticated")

    async def test_an_offer_that_cannot_be_read_uses_up_no_token(self, desk: Desk) -> None:
        """The page may mend it and try again."""
        token = await desk.token()
        status, _ = await desk.ask("POST", "/webrtc/offer", data="v=0", headers=bearer(token) | {"Content-Type": SDP})
        assert status == 400
        await desk.call_in(token)

    async def test_a_token_lives_for_a_minute(self, desk: Desk) -> None:
        token = await desk.token()
        desk.clock.ahead = timedelta(seconds=60)
        status, error = await desk.ask("POST", "/webrtc/offer", data=CHROMIUM, headers=bearer(token) | {"Content-Type": SDP})
        assert (status, error["code"]) == (401, "unauthenticated")

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            pytest.param(lambda desk, token: {}, 401, id="nobody"),
            pytest.param(lambda desk, token: bearer("sordino-acme-" + "x" * 43), 401, id="a key that is none"),
            pytest.param(lambda desk, token: bearer(token[:-2] + "AA"), 401, id="a changed token"),
            pytest.param(lambda desk, token: bearer("talk-"), 401, id="an empty token"),
            pytest.param(lambda desk, token: bearer(desk.keys["chat only"]), 403, id="a key for something else"),
            pytest.param(lambda desk, token: {"Authorization": f"Basic {token}"}, 401, id="another scheme"),
        ],
    )
    async def test_nobody_else_may(self, desk: Desk, change: Any, status: int) -> None:
        headers = change(desk, await desk.token()) | {"Content-Type": SDP}
        told, error = await desk.ask("POST", "/webrtc/offer", data=CHROMIUM, headers=headers)
        assert told == status
        assert "talk-" not in json.dumps(error)

    async def test_a_token_makes_no_token(self, desk: Desk) -> None:
        """Or a page could call for ever."""
        status, _ = await desk.ask("POST", "/webrtc/token", headers=bearer(await desk.token()))
        assert status == 401

    async def test_no_more_browsers_of_a_tenant_than_its_share(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another tenant's callers still come in, and a token that found no room is good for another try."""
        monkeypatch.setattr(webrtc, "MOST_OF_A_TENANT", 1)
        place, _ = await desk.call_in(desk.keys["acme"])
        token = await desk.token()
        async with desk.client.post("/webrtc/offer", data=CHROMIUM, headers=bearer(token) | {"Content-Type": SDP}) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (429, "rate_limited")
            assert int(answer.headers["Retry-After"]) >= 1
        await desk.call_in(desk.keys["globex"])
        assert (await desk.ask("DELETE", place))[0] == 200
        await desk.call_in(token)


class TestAnOffer:
    async def test_may_come_as_json(self, desk: Desk) -> None:
        """As ``RTCSessionDescription`` writes itself."""
        body = {"type": "offer", "sdp": CHROMIUM}
        async with desk.client.post("/webrtc/offer", json=body, headers=bearer(desk.keys["acme"])) as answer:
            made = await answer.json()
            assert (answer.status, made["type"], made["session"]) == (201, "answer", answer.headers["Location"])
        assert "a=candidate:" in made["sdp"]
        assert "127.0.0.1" in made["sdp"]
        assert made["leg"].startswith("rtc_")

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            pytest.param(CHROMIUM.encode(), "text/plain", 415, id="no SDP by name"),
            pytest.param(b"{", "application/json", 400, id="broken JSON"),
            pytest.param(b"[" * 9_000, "application/json", 400, id="deep JSON"),
            pytest.param(b"[]", "application/json", 400, id="no object"),
            pytest.param(b'{"type": "answer", "sdp": "v=0"}', "application/json", 400, id="an answer"),
            pytest.param(b'{"type": "offer", "sdp": 7}', "application/json", 400, id="no text"),
            pytest.param(b'{"type": "offer", "sdp": "\\ud800"}', "application/json", 400, id="half a character"),
            pytest.param(changed(("m=audio", "m=video")), SDP, 400, id="video"),
            pytest.param(b"v=0\r\n" + b"a=x\r\n" * MOST_BYTES, SDP, 413, id="huge"),
            pytest.param(b"v=0\r\n" + b"a" * (MOST_BYTES + 1), SDP, 413, id="large"),
        ],
    )
    async def test_that_is_none_is_refused_typed(self, desk: Desk, body: bytes, kind: str, status: int) -> None:
        headers = bearer(desk.keys["acme"]) | {"Content-Type": kind}
        told, error = await desk.ask("POST", "/webrtc/offer", data=body, headers=headers)
        assert told == status
        assert error["code"] in ("invalid_request", "payload_too_large")
        assert error["message"]

    async def test_is_answered_with_the_operators_stun_servers(self, store: Store, tmp_path: Path) -> None:
        """RFC 9725 section 4.6. What a TURN server knows us by is told to nobody."""
        servers = ("stun:127.0.0.1:9", "turn:127.0.0.1:9")
        secret = {"SORDINO_TURN_PASSWORD": "turn-password"}
        async with opened(store, tmp_path, servers=servers, env=secret) as desk:
            headers = bearer(desk.keys["acme"]) | {"Content-Type": SDP}
            with mock.patch.object(BrowserLeg, "answer", mock.AsyncMock(return_value="v=0")):
                async with desk.client.post("/webrtc/offer", data=CHROMIUM, headers=headers) as answer:
                    assert answer.headers["Link"] == '<stun:127.0.0.1:9>; rel="ice-server"'
                    assert "turn" not in str(answer.headers) + await answer.text()

    async def test_where_the_package_is_missing_says_how_to_install_it(self, desk: Desk) -> None:
        with mock.patch.object(talking, "find_spec", return_value=None):
            status, error = await desk.ask(
                "POST", "/webrtc/offer", data=CHROMIUM, headers=bearer(desk.keys["acme"]) | {"Content-Type": SDP}
            )
        assert status == 501
        extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["webrtc"]
        assert error["hint"].split("'")[1] in extra


class TestASession:
    async def test_takes_further_candidates(self, desk: Desk) -> None:
        """RFC 9725 section 4.3: the fragment names the same ICE session, and so does If-Match."""
        place, tag = await desk.call_in(desk.keys["acme"])
        body = UFRAG + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.9 5000 typ host\r\n"
        async with desk.client.patch(place, data=body, headers={"Content-Type": FRAGMENT, "If-Match": tag}) as answer:
            assert answer.status == 204

    @pytest.mark.parametrize(
        ("body", "headers", "status"),
        [
            pytest.param(UFRAG, {"Content-Type": FRAGMENT}, 428, id="of no state"),
            pytest.param(UFRAG, {"Content-Type": FRAGMENT, "If-Match": '"other"'}, 412, id="of another state"),
            pytest.param(UFRAG, {"Content-Type": SDP}, 415, id="a whole description"),
            pytest.param(UFRAG.replace("EsAw", "Bbbb"), {"Content-Type": FRAGMENT, "If-Match": "*"}, 422, id="an ICE restart"),
            pytest.param("nothing", {"Content-Type": FRAGMENT}, 400, id="no fragment"),
        ],
    )
    async def test_takes_nothing_else(self, desk: Desk, body: str, headers: dict[str, str], status: int) -> None:
        place, _ = await desk.call_in(desk.keys["acme"])
        told, error = await desk.ask("PATCH", place, data=body, headers=headers)
        assert (told, error["code"]) == (status, "invalid_request")

    async def test_is_hung_up_by_its_address_before_anybody_connected(self, desk: Desk) -> None:
        place, _ = await desk.call_in(desk.keys["acme"])
        assert (await desk.ask("DELETE", place))[0] == 200
        assert (await desk.ask("DELETE", place))[0] == 404
        assert desk.calls == []

    async def test_is_hung_up_by_its_address_in_the_middle_of_the_call(self, desk: Desk) -> None:
        async with peer() as other:
            place, _ = await desk.call_in(desk.keys["acme"], other)
            await desk.until(calls=1)
            assert (await desk.ask("DELETE", place))[0] == 200
            await desk.until(calls=0)
            await other.until(state="closed")

    async def test_ends_with_the_page(self, desk: Desk) -> None:
        async with peer() as other:
            await desk.call_in(desk.keys["acme"], other)
            await desk.until(calls=1)
        await desk.until(calls=0)

    async def test_tells_the_page_where_the_call_stands(self, desk: Desk) -> None:
        """As server-sent events; the last one is the end."""
        async with peer() as other:
            place, _ = await desk.call_in(desk.keys["acme"], other)
            async with asyncio.timeout(PATIENCE_S), desk.client.get(f"{place}/events") as answer:
                assert answer.content_type == "text/event-stream"
                await desk.until(calls=1)
                await desk.calls[0].leg.listen()
                while '"listening"' not in (line := (await answer.content.readline()).decode()):
                    assert line
                await desk.ask("DELETE", place)
                rest = (await answer.content.read()).decode()
        assert '"ended"' in rest

    @pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("DELETE", ""), ("GET", "/events")])
    async def test_that_nobody_began_is_not_there(self, desk: Desk, method: str, path: str) -> None:
        status, error = await desk.ask(method, f"/webrtc/{'x' * 32}{path}")
        assert (status, error["code"]) == (404, "invalid_request")

    async def test_has_an_address_that_nobody_can_guess(self, desk: Desk) -> None:
        places = {(await desk.call_in(desk.keys["acme"]))[0] for _ in range(3)}
        assert len(places) == 3
        assert all(len(place.removeprefix("/webrtc/")) == 32 for place in places)


class TestPagesElsewhere:
    async def test_may_ask_what_they_may_send(self, desk: Desk) -> None:
        """CORS: nothing here goes by cookies, so any origin may bring its token."""
        async with desk.client.options("/webrtc/offer", headers={"Origin": "https://acme.example"}) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "If-Match" in answer.headers["Access-Control-Allow-Headers"]
            assert "Access-Control-Allow-Credentials" not in answer.headers

    async def test_can_read_errors_too(self, desk: Desk) -> None:
        async with desk.client.post("/webrtc/offer", data="v=0", headers={"Content-Type": SDP}) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "*")
