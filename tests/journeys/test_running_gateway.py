"""A gateway as it is run: its own listener by TLS with a call across a renewal, and everything that it does from time to time."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from cryptography import x509
from yarl import URL

import gateway.anchoring
import gateway.children
import gateway.http.tls
import gateway.incident
import gateway.serving
from gateway.adapters.stores.children import RedisChildCalls
from gateway.caller.call import Caller
from gateway.desks import Desks
from gateway.evidence.receipt import Receipt
from gateway.holding import DataDesk
from gateway.http.headers import ALWAYS, BY_TLS
from gateway.values import CallId, TenantId
from tests.http.test_tls import OVERSIZED, SMUGGLED, talk, trusting, write_pair
from tests.journeys.house import CALLED, CALLER, House, kinds, living_in, short_policies, speech

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

DEMO = TenantId("demo")
PATIENCE_S = 60
VAULT_S = 3_600
_NAMED = "anchors recordings retention leaving incidents rights children notices policies certificate"
ROUNDS = frozenset(f"gateway:{name}" for name in _NAMED.split())


@dataclass(slots=True)
class Lived:
    """A gateway that goes on, and the call that it had while its certificate was renewed."""

    house: House
    folder: Path
    pair: Path
    before: int
    """The serial number of the certificate that the call began with."""
    after: int
    ttls: list[int]
    """How long the store keeps what stands behind the call's placeholders, in ms, asked while the call goes on."""
    receipt: Receipt
    swept_with: dict[str, Any]

    @property
    def port(self) -> int:
        return URL(self.house.gateway.url).port or 0

    @property
    def context(self) -> ssl.SSLContext:
        return trusting(self.pair)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lived(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lived]:
    folder, swept_with = tmp_path_factory.mktemp("running"), dict[str, Any]()
    certificate, key = write_pair(folder, serial=1)
    policies = short_policies(folder)
    tenant = policies / "tenants" / "demo.yaml"
    tenant.write_text(tenant.read_text(encoding="utf-8") + f"\nretention: {{vault: {VAULT_S // 60}m}}\n", encoding="utf-8")
    (folder / "outside").mkdir()
    env = {
        "SORDINO_TLS_CERT": str(certificate),
        "SORDINO_TLS_KEY": str(key),
        "SORDINO_ANCHOR_DIR": str(folder / "outside"),
        "SORDINO_ANCHOR_EVERY": "1m",
    }
    keep = DataDesk.keep

    def noted(self: DataDesk, *given: Any, **named: Any) -> Awaitable[None]:
        swept_with.update(named)
        return keep(self, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DataDesk, "keep", noted)
        patch.setattr(gateway.http.tls, "LOOK_EVERY_S", 0.2)
        patch.setattr(gateway.anchoring, "LOOK_EVERY_S", 0.5)
        patch.setattr(gateway.children, "LOOK_EVERY_S", 0.5)
        patch.setattr(gateway.incident, "VERIFY_EVERY", 1)
        patch.setattr(gateway.serving, "HEAD_WITHIN_S", 5.0)
        async with living_in(folder, policies=policies, env=env) as house:
            token = house.gateway.secrets.read("TWILIO_AUTH_TOKEN")
            port = URL(house.gateway.url).port or 0
            before = await serial(port, certificate)
            call = Caller.dial(house.gateway.url, to=CALLED, from_=CALLER, auth_token=token, tls=trusting(certificate))
            async with call as caller:
                await caller.announcement_over()
                await caller.listen(until_silent_ms=900)
                write_pair(folder, serial=2)

                async def renewed() -> bool:
                    return await serial(port, certificate) == 2

                await until(renewed)
                await caller.say(speech("name-and-address"))
                await caller.listen(until_silent_ms=1_200, timeout_s=30)
                ttls = await vault_ttls(house)
            receipt = await house.receipt()
            after = await serial(port, certificate)
            yield Lived(house, folder, certificate, before, after, ttls, receipt, swept_with)


async def serial(port: int, trusted: Path) -> int:
    """The number of the certificate that somebody gets who comes now; 0: of one that is not trusted yet or no more."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(trusted), server_hostname="localhost")
    except ssl.SSLError:
        return 0
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(shown).serial_number


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again; the bound is generous because nobody says how fast a machine is."""
    async with asyncio.timeout(PATIENCE_S):
        while not await true():  # noqa: ASYNC110  (it is in a store or behind a socket: nobody sets an event)
            await asyncio.sleep(0.1)


async def vault_ttls(house: House) -> list[int]:
    client = house.gateway.store.client
    return [await client.pttl(name) async for name in client.scan_iter("sordino:{demo}:vault:*")]


async def asked(lived: Lived, path: str, *, operator: bool = False) -> tuple[int, bytes]:
    key = lived.house.gateway.secrets.read("SORDINO_OPERATOR_KEY").reveal()
    headers = {"Authorization": f"Bearer {key}"} if operator else {}
    connector = aiohttp.TCPConnector(ssl=lived.context)
    async with (
        aiohttp.ClientSession(headers=headers, connector=connector) as session,
        session.get(lived.house.gateway.url + path) as answer,
    ):
        return answer.status, await answer.read()


class TestItsListener:
    async def test_a_call_goes_on_while_its_certificate_is_renewed(self, lived: Lived) -> None:
        """It was answered after the renewal, by the model and aloud; who comes later gets the new certificate."""
        assert (lived.before, lived.after) == (1, 2)
        assert lived.house.gateway.url.startswith("https://")
        assert kinds(lived.receipt)[-1] == "call.ended"
        assert {"masked", "hop"} <= set(kinds(lived.receipt))
        transport = lived.receipt.entries[0].draft.body["transport"]
        assert isinstance(transport, dict)
        assert (transport["kind"], transport["version"]) == ("tls", "TLSv1.3")
        assert lived.house.model_bodies()

    async def test_it_speaks_nothing_older_than_tls_1_3(self, lived: Lived) -> None:
        old = trusting(lived.pair, most=ssl.TLSVersion.TLSv1_2)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await talk(lived.port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", old)

    async def test_every_answer_tells_browsers_what_they_may_not_do(self, lived: Lived) -> None:
        answer = await talk(lived.port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", lived.context)
        head = answer.split(b"\r\n\r\n")[0].decode()
        for name, value in {**ALWAYS, **BY_TLS}.items():
            assert f"{name}: {value}" in head

    @pytest.mark.parametrize("rest", SMUGGLED.values(), ids=SMUGGLED.keys())
    async def test_what_two_readers_could_read_in_two_ways_is_refused(self, lived: Lived, rest: bytes) -> None:
        second = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        first = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + rest
        answer = await talk(lived.port, first + second, lived.context)
        assert answer[9:10] == b"4", answer[:80]
        assert b"alive" not in answer

    @pytest.mark.parametrize("sent", OVERSIZED.values(), ids=OVERSIZED.keys())
    async def test_what_is_too_long_is_refused(self, lived: Lived, sent: bytes) -> None:
        assert (await talk(lived.port, sent, lived.context))[9:10] == b"4"

    async def test_a_body_without_end_is_refused(self, lived: Lived) -> None:
        head = b"POST /api/v1/outbound/check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100000\r\n"
        key = lived.house.gateway.secrets.read("SORDINO_OPERATOR_KEY").reveal().encode()
        answer = await talk(lived.port, head + b"Authorization: Bearer " + key + b"\r\n\r\n" + b"a" * 100_000, lived.context)
        assert answer.startswith(b"HTTP/1.1 413")


class TestWhatItDoesFromTimeToTime:
    async def test_each_round_has_a_task(self, lived: Lived) -> None:
        running = {task.get_name() for task in asyncio.all_tasks()}
        assert running >= ROUNDS

    async def test_the_sweeper_tells_when_it_last_ran(self, lived: Lived) -> None:
        async def beats() -> bool:
            _, page = await asked(lived, "/metrics")
            return b"sordino_sweeper_last_run_timestamp" in page

        await until(beats)

    async def test_the_sweeper_knows_when_a_tenants_contract_ended(self, lived: Lived) -> None:
        """By that number data is kept until the end of the contract, and for twenty days more."""
        desks: Desks = lived.house.gateway.desks
        assert lived.swept_with == {"ended": desks.leaving.ended}

    async def test_what_stands_behind_placeholders_lives_as_long_as_the_policy_says(self, lived: Lived) -> None:
        assert lived.ttls
        assert all(0 < ttl <= VAULT_S * 1_000 for ttl in lived.ttls), lived.ttls

    async def test_the_head_of_the_evidence_is_shown_to_the_second_place(self, lived: Lived) -> None:
        async def seen() -> bool:
            found = [
                path.read_bytes()
                for path in await asyncio.to_thread(lambda: list((lived.folder / "outside").rglob("*")))
                if path.is_file()
            ]
            return any(json.loads(text)["tenant"] == DEMO for text in found if text.startswith(b"{"))

        await until(seen)

    async def test_a_childs_call_that_another_gateway_left_is_forgotten_to_the_end(self, lived: Lived) -> None:
        left = RedisChildCalls(lived.house.gateway.store)
        await left.add(DEMO, CallId("call_left"))

        async def forgotten() -> bool:
            return await left.all(DEMO) == []

        await until(forgotten)

    async def test_a_chain_that_was_changed_opens_an_incident_by_itself(self, lived: Lived) -> None:
        stream = "sordino:{demo}:evidence"
        first = await lived.house.gateway.store.ask("XRANGE", stream, "-", "+", "COUNT", 3)
        await lived.house.gateway.store.ask("XDEL", stream, first[-1][0])

        async def opened() -> bool:
            _, body = await asked(lived, "/api/v1/incidents", operator=True)
            return bool(json.loads(body)["incidents"])

        await until(opened)
