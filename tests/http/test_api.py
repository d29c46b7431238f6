"""What people and probes ask of a gateway: is it well, what happened, where is the proof. Nothing private in any answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest
from aiohttp import web

from gateway.errors import PolicyUnavailable, StoreUnavailable
from gateway.http.api import Check, call_routes, console_routes, health_routes
from gateway.values import CallId, Private, TenantId
from tests.http.listening import serving

KEY = "k3y-of-the-operator"
OPERATOR = {"Authorization": f"Bearer {KEY}"}
RECEIPT = b'{"receipt":  "byte for byte",\n "signature": "\\u00e9"}\n'


async def well() -> None:
    return


async def no_store() -> None:
    raise StoreUnavailable("the store did not do what it was asked", hint="is Valkey running?")


async def no_policy() -> None:
    raise PolicyUnavailable("the newest policy files have 2 fault(s)")


async def load(tenant: TenantId, call: CallId) -> bytes | None:
    return RECEIPT if (tenant, call) == ("acme", "call_1") else None


async def calls() -> list[dict[str, object]]:
    return [{"tenant": "acme", "call": "call_1"}]


def routes(checks: Mapping[str, Check] | None = None) -> Sequence[web.RouteDef]:
    return [
        *health_routes(dict(checks or {"store": well}), lambda: b"# HELP x y\nx 1\n"),
        *call_routes(Private(KEY), load, calls),
        *console_routes(),
    ]


class TestHealth:
    async def test_it_is_alive_whatever_it_stands_on(self) -> None:
        async with serving(routes({"store": no_store})) as client, client.get("/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "alive"})

    async def test_it_is_ready_when_every_part_is(self) -> None:
        async with serving(routes({"store": well, "policies": well})) as client, client.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ready", "reasons": {}})

    async def test_it_says_of_each_part_why_it_is_not(self) -> None:
        checks = {"store": no_store, "policies": no_policy, "speech": well}
        async with serving(routes(checks)) as client, client.get("/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {
                "status": "not ready",
                "reasons": {
                    "store": "the store did not do what it was asked (is Valkey running?)",
                    "policies": "the newest policy files have 2 fault(s)",
                },
            }

    async def test_a_bad_policy_file_is_told_and_calls_go_on_under_the_last_valid_one(self) -> None:
        served = health_routes({"store": well}, bytes, {"policies": no_policy})
        async with serving(served) as client, client.get("/readyz") as answer:
            notes = {"policies": "the newest policy files have 2 fault(s)"}
            assert (answer.status, await answer.json()) == (200, {"status": "ready", "reasons": {}, "notes": notes})

    async def test_metrics_are_prometheus_text(self) -> None:
        async with serving(routes()) as client, client.get("/metrics") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert await answer.text() == "# HELP x y\nx 1\n"


class TestTheOperatorsPaths:
    @pytest.mark.parametrize("path", ["/api/v1/calls", "/api/v1/calls/acme/call_1/receipt"])
    async def test_they_need_the_key(self, path: str) -> None:
        async with serving(routes()) as client, client.get(path) as answer:
            assert answer.status == 401
            assert (await answer.json())["error"]["code"] == "unauthenticated"

    async def test_whether_there_is_a_receipt_is_told_to_nobody_else(self) -> None:
        async with serving(routes()) as client:
            async with client.get("/api/v1/calls/acme/call_1/receipt") as there:
                first = await there.text()
            async with client.get("/api/v1/calls/acme/call_2/receipt") as missing:
                assert (there.status, first) == (missing.status, await missing.text())

    async def test_calls_are_listed(self) -> None:
        async with serving(routes()) as client, client.get("/api/v1/calls", headers=OPERATOR) as answer:
            assert await answer.json() == {"calls": [{"tenant": "acme", "call": "call_1"}]}
            assert answer.headers["Cache-Control"] == "no-store"

    async def test_a_receipt_comes_byte_for_byte(self) -> None:
        """Its signature covers the bytes."""
        async with serving(routes()) as client, client.get("/api/v1/calls/acme/call_1/receipt", headers=OPERATOR) as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (200, "application/json", RECEIPT)

    async def test_a_call_without_one_is_told_typed(self) -> None:
        async with serving(routes()) as client, client.get("/api/v1/calls/acme/call_2/receipt", headers=OPERATOR) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (404, "invalid_request")


class TestTheConsole:
    @pytest.mark.parametrize(
        ("path", "kind"), [("/", "text/html"), ("/console.css", "text/css"), ("/console.js", "text/javascript")]
    )
    async def test_its_files_are_served_so_that_nothing_foreign_can_run_in_them(self, path: str, kind: str) -> None:
        async with serving(routes()) as client, client.get(path) as answer:
            assert (answer.status, answer.content_type, answer.charset) == (200, kind, "utf-8")
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "*" not in policy
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert KEY not in await answer.text()

    async def test_its_page_obeys_its_own_policy(self) -> None:
        """No script or style stands in it, and every file that it names is served here."""
        async with serving(routes()) as client:
            async with client.get("/") as answer:
                page = await answer.text()
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:|https?://", page)
            for path in re.findall(r'(?:src|href)="([^"#]+)"', page):
                async with client.get(path) as answer:
                    assert answer.status == 200, path
