"""Incidents and cases over HTTP: from the report to the end, to real receivers of mail and webhooks; nothing without the key."""

from __future__ import annotations

import asyncio
import email
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.policy import default
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.adapters.notices.mail import MailSender, mail_server
from gateway.adapters.notices.webhook import WebhookSender
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, SystemClock
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.evidence.chain import CallChain
from gateway.http.access import rule_of
from gateway.incident import IncidentDesks, alert_contacts, open_incidents
from gateway.policy.load import load
from gateway.runner.notices import NoticeSender
from gateway.values import CallId, Private, TenantId
from gateway.webhooks import signing_key, verify
from tests.evidence.test_scope import hop
from tests.http.listening import serving
from tests.policy.samples import REGISTRY

ACME = TenantId("acme")
KEY = "the-operator's-own-key"
AUTH = {"Authorization": f"Bearer {KEY}"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class OneSecret:
    def read(self, name: str) -> Private[str]:
        return Private(SECRET)


@dataclass
class Receivers:
    """The tenant's own mail server and web server: they keep what comes."""

    url: str = ""
    port: int = 0
    posted: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    mailed: list[Envelope] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.posted.append((request.headers, await request.read()))
        self.came.set()
        return web.Response(status=202)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the server calls it so
        self.mailed.append(envelope)
        return "250 taken"


@asynccontextmanager
async def receivers() -> AsyncIterator[Receivers]:
    there, loop = Receivers(), asyncio.get_running_loop()
    app = web.Application()
    app.add_routes([web.post("/hooks", there.take)])
    async with (
        TestServer(app) as server,
        await loop.create_server(lambda: SMTP(there, loop=loop), "127.0.0.1", 0) as post,
    ):
        there.url, there.port = str(server.make_url("/hooks")), post.sockets[0].getsockname()[1]
        yield there


@dataclass
class Served:
    client: aiohttp.ClientSession
    there: Receivers
    desks: IncidentDesks
    alerting: IncidentDesks
    """The same with the operator's own people at that web server."""

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200, **query: str) -> Any:
        async with self.client.request(method, path, json=body, params=query, headers=AUTH) as answer:
            assert answer.status == status, await answer.text()
            return await (answer.json() if answer.content_type == "application/json" else answer.text())


@pytest.fixture
async def served(store: Store) -> AsyncIterator[Served]:
    async with AsyncExitStack() as running:
        there = await running.enter_async_context(receivers())
        contacts = f"{{webhook: {{url: '{there.url}', secret: HOOK}}, mail: [dpo@acme.example]}}"
        tenant = f"tenant: acme\nregions: [eu]\ncontacts: {contacts}\n"
        policies = load({"subprocessors.yaml": REGISTRY, "tenants/acme.yaml": tenant})
        clock, ledger = SystemClock(), await running.enter_async_context(RedisLedger(store, timeout_s=20))
        webhook = await running.enter_async_context(WebhookSender(OneSecret(), clock.now))
        mail = MailSender(mail_server(f"smtp://127.0.0.1:{there.port}", "notices@sordino.example", None))
        senders: dict[str, NoticeSender] = {"webhook": webhook, "mail": mail}
        desks = open_incidents(store, ledger, lambda: policies, senders, clock, RandomIds())
        ops = alert_contacts({"SORDINO_ALERT_WEBHOOK": there.url})
        alerting = open_incidents(store, ledger, lambda: policies, senders, clock, RandomIds(), ops)
        client = await running.enter_async_context(serving(desks.routes(Private(KEY))))
        chain = CallChain(ACME, CallId("call_1"))
        for kind, body in (("call.started", {"subject": "p1"}), ("hop", hop("eu-llm", "eu", categories=("masked_transcript",)))):
            chain.add(await ledger.append(chain.draft(kind, clock.now(), body)))
        yield Served(client, there, desks, alerting)


def report(served: Served, **more: Any) -> dict[str, Any]:
    now = served.desks.clock.now()
    return {"from": str(now - timedelta(hours=1)), "to": now.isoformat(), "what": "Keys leaked", "processor": "eu-llm", **more}


async def test_an_incident_from_its_report_to_its_end(served: Served) -> None:
    """Opened, scoped, drafted, sent with proof to real receivers, closed; its timeline says all of it."""
    opened = await served.ask("POST", "/api/v1/incidents", report(served), status=201)
    path = f"/api/v1/incidents/{opened['incident']}"
    assert (opened["tenants"]["acme"]["scope"]["calls"], opened["tenants"]["acme"]["told_at"]) == (1, None)
    listed = await served.ask("GET", path + "/calls", tenant="acme")
    assert (listed["calls"], listed["people"]) == (["call_1"], ["p1"])
    draft = await served.ask("GET", path + "/draft", tenant="acme", format="json")
    assert draft["blanks"]
    assert "<mark" in await served.ask("GET", path + "/draft", tenant="acme", format="html", paper="persons")
    refused = await served.ask("POST", path + "/notify", {"tenant": "acme"}, status=400)
    assert "blank" in refused["error"]["message"]
    await served.ask("POST", path + "/event", {"what": "contained", "note": "Keys <b>changed</b>", "tenants": ["acme"]})
    told = await served.ask("POST", path + "/notify", {"tenant": "acme", "preliminary": True})
    (notice,) = told["tenants"]["acme"]["notices"]
    assert {(each["channel"], each["proof"][:8]) for each in notice["deliveries"]} == {
        ("webhook", "HTTP 202"),
        ("mail", "taken fo"),
    }
    assert told["all_told_at"] is not None
    (headers, body), (mail,) = served.there.posted[0], served.there.mailed
    verify(signing_key(Private(SECRET)), headers, body, now=served.desks.clock.now())
    assert json.loads(body)["type"] == "incident.notice"
    assert json.loads(body)["data"]["people"] == 1
    assert isinstance(mail.content, bytes)
    text = email.message_from_bytes(mail.content, policy=default).get_body()
    assert text is not None
    assert "Notice of a personal data breach" in text.get_content()
    closed = await served.ask("POST", path + "/close", {"outcome": "resolved"})
    assert closed["outcome"] == "resolved"
    assert [row["what"] for row in closed["timeline"]][-2:] == ["Closed", "Closed"]
    page = await served.ask("GET", path + "/report")
    assert "Keys &lt;b&gt;changed" in page
    assert "Notice arrived" in page
    assert (await served.ask("GET", "/api/v1/incidents", open="true"))["incidents"] == []


async def test_cases_are_listed_with_their_deadlines_and_a_calendar(served: Served) -> None:
    opened = await served.ask("POST", "/api/v1/incidents", report(served), status=201)
    (row,) = (await served.ask("GET", "/api/v1/cases/acme", open="true"))["cases"]
    assert (row["case"], row["kind"], row["deadlines"]["notice"]["met_at"]) == (opened["incident"], "incident", None)
    assert (await served.ask("GET", "/api/v1/cases/acme", kind="rights.access"))["cases"] == []
    shown = await served.ask("GET", f"/api/v1/cases/acme/{opened['incident']}")
    assert [event["what"] for event in shown["events"]] == ["opened", "scoped"]
    assert "BEGIN:VEVENT" in await served.ask("GET", "/api/v1/cases/acme/calendar")
    assert "(acme)" in await served.ask("GET", "/api/v1/calendar")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/v1/incidents", {}, 400),
        ("POST", "/api/v1/incidents", {"from": "yesterday", "to": "2026-01-01", "what": "x"}, 400),
        ("POST", "/api/v1/incidents", {"from": "2026-01-01", "to": "2026-01-02", "what": "x", "tenants": "acme"}, 400),
        ("POST", "/api/v1/incidents", {"from": "2026-01-01", "to": "2026-01-02", "what": "x", "processor": "nobody"}, 404),
        ("GET", "/api/v1/incidents/incident_none", None, 404),
        ("GET", "/api/v1/incidents/in..cident", None, 404),
        ("POST", "/api/v1/incidents/incident_none/notify", {"tenant": "acme"}, 404),
        ("POST", "/api/v1/incidents/incident_none/close", [], 400),
        ("GET", "/api/v1/cases/acme/case_none", None, 404),
        ("GET", "/api/v1/cases/acme?open=perhaps", None, 400),
        ("GET", "/api/v1/cases/ac%20me", None, 400),
    ],
)
async def test_what_is_wrong_is_said(served: Served, method: str, path: str, body: Any, status: int) -> None:
    """Never a 500, never what was sent."""
    answer = await served.ask(method, path, body, status=status)
    assert answer["error"]["message"]


async def test_every_path_needs_the_key_and_stands_in_the_table(served: Served) -> None:
    for route in served.desks.routes(Private(KEY)):
        assert rule_of(route.method, route.path) is not None, route.path
        where = route.path.replace("{tenant}", "acme").replace("{incident}", "i").replace("{case}", "c")
        async with served.client.request(route.method, where, json={}) as answer:
            assert answer.status == 401


async def test_a_chain_that_was_tampered_with_alerts_the_operator_by_itself(served: Served, store: Store) -> None:
    """The running gateway finds it, opens the incident, and posts: nobody has to ask."""
    stream = "sordino:{acme}:evidence"
    async with store.answers() as client:
        rows: Any = await client.xrange(stream)
        await client.delete(stream)
        for place, fields in rows:
            await client.xadd(stream, {**fields, b"entry": fields[b"entry"].replace(b'"p1"', b'"p2"')}, id=place)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(served.alerting.keep(NullTelemetry(), every_s=0.01))
        await served.there.came.wait()
        running.cancel()
    told = json.loads(served.there.posted[0][1])
    assert (told["type"], told["data"]["cause"], told["data"]["tenants"]) == ("incident.opened", "chain", ["acme"])
    (found,) = (await served.ask("GET", "/api/v1/incidents"))["incidents"]
    assert found["what"].startswith("The chain of evidence fails its verification: entry 1 does not have the hash")
    assert found["tenants"]["acme"]["scope"]["chain"] == "broken"


async def test_the_gateways_round_counts_what_is_open_and_overdue(served: Served) -> None:
    """As gauges by kind, and again when they are closed; until it is told to stop."""
    seen: dict[tuple[str, str], int] = {}
    changed = asyncio.Event()

    class Telemetry:
        def gauge(self, name: str, change: int, **labels: str) -> None:
            seen[name, labels["kind"]] = seen.get((name, labels["kind"]), 0) + change
            changed.set()

        def count(self, name: str, value: int = 1, **labels: str) -> None: ...
        def span(self, *_: object, **__: object) -> Any: ...

        begin = observe = span

    aware = (served.desks.clock.now() - timedelta(hours=40)).isoformat()
    opened = await served.ask("POST", "/api/v1/incidents", report(served, aware=aware), status=201)
    wanted = {("sordino_cases_open", "incident"): 2, ("sordino_cases_overdue", "incident"): 2}
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(served.desks.keep(Telemetry(), every_s=0.01))
        while seen != wanted:
            changed.clear()
            await changed.wait()
        path = f"/api/v1/incidents/{opened['incident']}/close"
        await served.ask("POST", path, {"outcome": "resolved", "reason": "told by telephone"})
        while any(seen.values()):
            changed.clear()
            await changed.wait()
        running.cancel()
    assert [json.loads(body)["type"] for _, body in served.there.posted] == ["case.deadline"]
