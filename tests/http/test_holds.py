"""Holds, certificates and the erasure of a call over HTTP: for who may, with the reason, and each hold named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.http.answers import typed_errors
from gateway.values import Private
from tests.conftest import PATIENCE_S
from tests.runner.kept import Shelf, keeping

Client = TestClient[web.Request, web.Application]
AUTH = {"Authorization": "Bearer operator-key"}
HOLDS, CALL = "/api/v1/holds/acme", "/api/v1/calls/acme/call_1"
ORDER = {"reason": "case 7", "approver": "A. Judge", "review": "2027-01-31"}


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf("recordings")
    shelf.put("call_1")
    return shelf


@pytest.fixture
async def client(store: Store, shelf: Shelf) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[typed_errors])
    async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        app.add_routes(keeping(store, ledger, shelf).routes(Private("operator-key")))
        async with TestClient(TestServer(app)) as client:
            yield client


async def asked(client: Client, method: str, path: str, status: int = 200, **more: Any) -> dict[str, Any]:
    async with client.request(method, path, headers=AUTH, **more) as answer:
        body: dict[str, Any] = await answer.json()
        assert answer.status == status, body
        return body


async def test_a_call_is_erased_in_the_answer_with_its_certificates(client: Client, shelf: Shelf) -> None:
    done = await asked(client, "DELETE", CALL, params={"reason": "request of the caller"})
    assert not shelf.has
    assert (done["call"], done["held"], done["reasons"]) == ("call_1", [], [])
    (certificate,) = done["certificates"]
    assert (certificate["holding"], certificate["why"], certificate["by"]) == (
        "recordings",
        "request of the caller",
        "operator-key",
    )
    for params in ({"call": "call_1"}, {}):
        assert await asked(client, "GET", "/api/v1/certificates/acme", params=params) == {
            "certificates": [certificate],
            "all": True,
        }
    assert (await asked(client, "GET", "/api/v1/certificates/acme", params={"call": "call_2"}))["certificates"] == []


async def test_a_held_call_is_refused_with_the_hold_and_goes_once_it_is_lifted(client: Client, shelf: Shelf) -> None:
    placed = await asked(client, "POST", HOLDS, 201, json={**ORDER, "call": "call_1"})
    assert (placed["hold"]["scope"], placed["hold"]["by"], placed["too_late"]) == ({"call": "call_1"}, "operator-key", [])
    assert (await asked(client, "GET", HOLDS))["holds"] == [placed["hold"]]

    refused = (await asked(client, "DELETE", CALL, 409, params={"reason": "request"}))["error"]
    assert refused["code"] == "policy_refused"
    assert placed["hold"]["id"] in refused["sordino"]["reasons"][0]
    assert shelf.has

    where = f"{HOLDS}/{placed['hold']['id']}"
    assert await asked(client, "DELETE", where, params={"reason": "case closed"}) == {"lifted": placed["hold"]["id"]}
    await asked(client, "DELETE", where, 404, params={"reason": "case closed"})
    await asked(client, "DELETE", CALL, params={"reason": "request"})
    assert not shelf.has


async def test_a_number_is_hashed_at_the_door(client: Client) -> None:
    placed = await asked(client, "POST", HOLDS, 201, json={**ORDER, "number": "+15550100199", "class": "consent"})
    assert "5550100199" not in str(placed)
    assert len(placed["hold"]["scope"]["subject"]) == 64


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "the hold has no scope"),
        ({"all": "yes"}, "the hold has no scope"),
        ({"call": "call_1", "reason": ""}, "`reason` is missing, empty"),
        ({"call": "call_1", "approver": " "}, "`approver` is missing, empty"),
        ({"call": "call_1", "review": "soon"}, "the review is no day"),
        ({"call": "call_1", "review": "2020-01-01"}, "lies in the past"),
        ({"class": "everything"}, "no such class of data"),
        ({"from": "then"}, "a time of the hold is none"),
        ({"from": "2026-12-02", "to": "2026-12-01"}, "ends before it begins"),
        ({"number": "555"}, "not a telephone number"),
        ({"call": "Marta Quintanilla"}, "no call's id"),
        ({"call": "call_1", "reason": 7}, "`reason` is missing, empty or no text"),
    ],
)
async def test_what_is_wrong_with_an_order_is_told(client: Client, body: dict[str, Any], said: str) -> None:
    refused = await asked(client, "POST", HOLDS, 400, json={**ORDER, **body})
    assert said in refused["error"]["message"]
    assert (await asked(client, "GET", HOLDS))["holds"] == []
    assert date.fromisoformat(ORDER["review"]).year == 2027


async def test_an_order_that_is_no_object_is_refused(client: Client) -> None:
    assert "not a JSON object" in (await asked(client, "POST", HOLDS, 400, data=b"[]"))["error"]["message"]


async def test_nothing_is_erased_without_a_reason_or_of_a_call_that_never_was(client: Client, shelf: Shelf) -> None:
    await asked(client, "DELETE", CALL, 400)
    await asked(client, "DELETE", "/api/v1/calls/acme/call_2", 404, params={"reason": "request"})
    assert shelf.has


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", HOLDS), ("POST", HOLDS), ("DELETE", f"{HOLDS}/hold_1"), ("DELETE", CALL), ("GET", "/api/v1/certificates/acme")],
)
async def test_nobody_else_gets_anything(client: Client, shelf: Shelf, method: str, path: str) -> None:
    async with client.request(method, path, json=ORDER, params={"reason": "x"}) as answer:
        assert answer.status == 401
    assert shelf.has
