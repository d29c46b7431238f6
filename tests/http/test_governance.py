"""The paths beside calls: what the operator does with sub-processors and outbound calls, and the list that everybody may read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters.stores.redis import Store
from gateway.http.governance import governance_routes
from gateway.values import Private
from tests.http.listening import serving
from tests.runner.desks import Desks

KEY = "k3y-of-the-operator"
OPERATOR = {"Authorization": f"Bearer {KEY}"}


@asynccontextmanager
async def asked(store: Store) -> AsyncIterator[tuple[Desks, aiohttp.ClientSession]]:
    async with Desks(store) as desks, serving(_routes(desks)) as client:
        yield desks, client


def _routes(desks: Desks) -> list[web.RouteDef]:
    return governance_routes(Private(KEY), desks.notices, desks.dial, lambda: desks.policies)


async def post(client: aiohttp.ClientSession, path: str, body: object) -> tuple[int, Mapping[str, Any]]:
    async with client.post(f"/api/v1/{path}", json=body, headers=OPERATOR) as answer:
        return answer.status, await answer.json()


async def test_a_sub_processor_is_announced_objected_to_and_settled(store: Store) -> None:
    """The same steps as the command's, with the same answers."""
    async with asked(store) as (desks, client):
        status, told = await post(client, "subprocessors/eu-llm/announce", {})
        (row,) = told["subprocessors"]
        assert (status, row["tenant"], row["takes_effect"]) == (200, "acme", "2027-01-01")
        assert [(each["channel"], each["proof"]) for each in row["deliveries"]] == [("webhook", "taken"), ("mail", "taken")]
        desks.clock.move(days=40)
        async with client.get("/api/v1/subprocessors?tenant=acme", headers=OPERATOR) as answer:
            assert [each["why"] for each in (await answer.json())["subprocessors"]] == [""]
        status, told = await post(client, "subprocessors/eu-llm/object", {"tenant": "acme", "reason": "EU only"})
        assert (status, told["objection"]) == (200, "open until 2027-01-28")
        status, told = await post(client, "subprocessors/eu-llm/settle", {"tenant": "acme", "outcome": "avoided"})
        assert (status, told["objection"]) == (200, "avoided")
        assert "objected" in told["why"]


async def test_a_number_is_checked_consents_and_opts_out(store: Store) -> None:
    """With every reason; the evidence is named; the number is not repeated."""
    async with asked(store) as (_, client):
        said = {"tenant": "acme", "number": "+15125550100", "purpose": "reminder", "answer": "given", "how": "written"}
        status, told = await post(
            client, "consents", {**said, "at": "2026-11-01T10:00:00Z", "proof": "form 17", "until": "2027-11-01"}
        )
        assert status == 200
        question = {"tenant": "acme", "to": "+15125550100", "purpose": "reminder"}
        status, told = await post(client, "outbound/check", question)
        assert (status, told["permitted"], told["reasons"]) == (200, False, ["the do-not-call list ftc was never imported"])
        assert told["evidence"].startswith("outbound_")
        status, _ = await post(client, "outbound/opt-out", {"tenant": "acme", "number": "+15125550100", "proof": "letter 7"})
        assert status == 200
        status, told = await post(client, "outbound/check", {**question, "at": "2026-12-02T12:00:00-06:00"})
        assert "they asked on 2026-12-01 not to be called" in told["reasons"]
        assert "5550100" not in str(told)


AGREED = {
    "tenant": "acme",
    "number": "+15125550100",
    "purpose": "reminder",
    "answer": "given",
    "how": "written",
    "at": "2026-11-01T10:00:00Z",
    "proof": "form 17",
}
WRONG: list[tuple[str, object, int]] = [
    ("outbound/check", [], 400),
    ("outbound/check", {"tenant": "acme"}, 400),
    ("outbound/check", {"tenant": "acme", "to": 5125550100}, 400),
    ("outbound/check", {"tenant": "acme", "to": "5125550100"}, 400),
    ("outbound/check", {"tenant": "acme", "to": "+15125550100", "at": "noon"}, 400),
    ("outbound/check", {"tenant": "acme", "to": "+15125550100", "dialling": "yes"}, 400),
    ("outbound/check", {"tenant": "nobody", "to": "+15125550100"}, 403),
    ("subprocessors/nobody/announce", {}, 404),
    ("subprocessors/eu-llm/announce", {"tenants": "acme"}, 400),
    ("subprocessors/eu-llm/object", {"tenant": "acme", "reason": " "}, 400),
    ("subprocessors/eu-llm/settle", {"tenant": "acme", "outcome": "perhaps"}, 400),
    ("subprocessors/eu-llm/settle", {"tenant": "acme", "outcome": "avoided"}, 404),
    ("consents", {"tenant": "acme", "number": "+15125550100", "purpose": "x", "answer": "maybe"}, 400),
    # What the evidence keeps for good names nobody by number or address.
    ("subprocessors/eu-llm/object", {"tenant": "acme", "reason": "asked by 512/555_0100"}, 400),
    ("outbound/check", {"tenant": "acme", "to": "+15125550100", "purpose": "Ann Lee 5550100"}, 400),
    ("outbound/opt-out", {"tenant": "acme", "number": "+15125550100", "proof": "mail of ann@example.org"}, 400),
    ("consents", {**AGREED, "proof": "call from 512 5550100"}, 400),
    ("consents", {**AGREED, "purpose": "to call Ann Lee"}, 400),
]


@pytest.mark.parametrize(("path", "body", "status"), WRONG)
async def test_what_cannot_be_understood_is_refused_without_repeating_it(
    store: Store, path: str, body: object, status: int
) -> None:
    """Typed, with what to mend."""
    async with asked(store) as (_, client):
        got, told = await post(client, path, body)
    assert got == status
    assert "5550100" not in str(told)


@pytest.mark.parametrize("path", ["subprocessors/eu-llm/announce", "subprocessors/eu-llm/object", "outbound/check", "consents"])
async def test_without_the_operators_key_nothing_is_done(store: Store, path: str) -> None:
    async with asked(store) as (desks, client):
        async with client.post(f"/api/v1/{path}", json={}) as answer:
            assert answer.status == 401
        async with client.get("/api/v1/subprocessors") as answer:
            assert answer.status == 401
        assert await desks.evidence() == []


async def test_everybody_may_read_the_list(store: Store) -> None:
    """As a page without scripts, and as JSON."""
    async with asked(store) as (_, client):
        async with client.get("/subprocessors") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            assert "A model in the EU" in await answer.text()
            assert "script-src" not in answer.headers["Content-Security-Policy"]
        async with client.get("/subprocessors.json") as answer:
            assert [row["id"] for row in (await answer.json())["subprocessors"]] == ["eu-llm"]
