"""Requests of persons over HTTP: for the operator alone; a number comes in and never goes out; a broken file is not whole."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.policy.retention import HoldScope
from gateway.runner.places import VaultHolding
from gateway.values import Private
from tests.http.listening import serving
from tests.journeys.persons import ACME, ANNE, House, open_house, seed

KEY = "operator-key"
RIGHTS = f"/api/v1/rights/{ACME}"


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as running:
        house = await open_house(store, tmp_path, running)
        house.calls = await seed(store, house.hashes, calls=12, annes=2)
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving(house.righting.routes(Private(KEY))) as client:
        client.headers["Authorization"] = f"Bearer {KEY}"
        yield client


async def post(client: aiohttp.ClientSession, path: str, body: object, status: int = 200) -> dict[str, Any]:
    async with client.post(path, json=body) as answer:
        text = await answer.text()
        assert answer.status == status, text
        assert ANNE[3:] not in text
        found: dict[str, Any] = json.loads(text)
        return found


async def opened(client: aiohttp.ClientSession, right: str, **more: object) -> str:
    case = await post(client, RIGHTS, {"right": right, "subject": ANNE, "by": "Kim", **more}, 201)
    return f"{RIGHTS}/{case['case']}"


async def checked(client: aiohttp.ClientSession, right: str) -> str:
    case = await opened(client, right)
    await post(client, f"{case}/identity", {"method": "called back", "by": "Kim"})
    return case


async def test_a_request_from_its_opening_to_the_file(client: aiohttp.ClientSession, house: House) -> None:
    """It says what it waits for; then the file streams, and the case is closed."""
    case = await opened(client, "access")
    async with client.get(case) as answer:
        (waits,) = (await answer.json())["waits_for"]
    assert "identity" in waits
    refused = await post(client, f"{case}/file", {"by": "Kim"}, 403)
    assert refused["error"]["code"] == "policy_refused"
    checked = await post(client, f"{case}/identity", {"method": "called back", "by": "Kim"})
    assert (checked["waits_for"], checked["identity"]["method"]) == ([], "called back")
    async with client.post(f"{case}/file", json={"by": "Kim", "language": "en"}) as answer:
        assert answer.headers["Content-Type"] == "application/zip"
        assert answer.headers["Cache-Control"] == "no-store"
        with zipfile.ZipFile(io.BytesIO(await answer.read())) as file:
            assert [each["call"] for each in json.loads(file.read("data.json"))["calls"]] == house.calls[ACME]
            assert "Your data at acme" in file.read("index.html").decode()
    async with client.get(RIGHTS, params={"open": "true"}) as answer:
        assert (await answer.json())["rights"] == []
    async with client.get(RIGHTS) as answer:
        (row,) = (await answer.json())["rights"]
    assert (row["outcome"], row["subject"]) == ("done", house.anne())


async def test_acts_answer_with_their_certificates(client: aiohttp.ClientSession, house: House) -> None:
    await house.remember(ACME, house.calls[ACME][0], person="Anne Mayer")
    values = {"by": "Kim", "old": "Anne Mayer", "new": "Anne Maier"}
    put_right = await post(client, f"{await checked(client, 'rectify')}/do", values)
    assert put_right["places"] == {"vault": 1}
    erased = await post(client, f"{await checked(client, 'erase')}/do", {"by": "Kim"})
    assert (erased["finished"], erased["calls"], erased["held"]) == (True, 2, [])
    assert {each["format"] for each in erased["certificates"]} == {"sordino.certificate/1"}


@pytest.mark.parametrize("right", ["erase", "rectify", "lift"])
async def test_who_only_knows_a_number_changes_nothing(client: aiohttp.ClientSession, house: House, right: str) -> None:
    """It is refused until it is recorded how it was checked who asks; the refusal names the command that does."""
    await house.remember(ACME, house.calls[ACME][0], person="Anne Mayer")
    case = await opened(client, right)
    refused = (await post(client, f"{case}/do", {"by": "Kim", "old": "Anne Mayer", "new": "Eve"}, 403))["error"]
    assert refused["code"] == "policy_refused"
    assert refused["hint"].startswith(f"sordino rights identify --tenant {ACME} --case {case.rpartition('/')[2]} ")
    assert await house.recalled(ACME, house.calls[ACME][0]) == {"<PERSON_1>": "Anne Mayer"}


async def test_a_correction_that_a_hold_forbids_is_told_with_the_hold(client: aiohttp.ClientSession, house: House) -> None:
    """409, as an erasure that a hold keeps from ending; nothing was altered, and the case is open."""
    first = house.calls[ACME][0]
    await house.remember(ACME, first, person="Anne Mayer")
    order: dict[str, Any] = {"reason": "lawsuit", "approver": "Sam", "review": date(2027, 1, 31), "by": "Sam"}
    hold = (await house.data.holds.place(ACME, HoldScope(call=first), **order)).hold
    case = await checked(client, "rectify")
    told = await post(client, f"{case}/do", {"by": "Kim", "old": "Anne Mayer", "new": "Anne Maier"}, 409)
    assert (told["finished"], told["places"], [each["hold"] for each in told["held"]]) == (False, {}, [hold.id])
    assert await house.recalled(ACME, first) == {"<PERSON_1>": "Anne Mayer"}
    async with client.get(case) as answer:
        assert (await answer.json())["closed_at"] is None


async def test_a_regulators_request_over_http(client: aiohttp.ClientSession, house: House) -> None:
    """The second person is another one; who is told otherwise than by webhook is written down."""
    house.channel.delivers = False
    case = await opened(client, "know", via="regulator")
    await post(client, f"{case}/identity", {"method": "letter head checked", "by": "Kim"})
    refused = await post(client, f"{case}/release", {"authorisation": "order 7", "by": "kim"}, 403)
    assert refused["error"]["code"] == "forbidden"
    await post(client, f"{case}/release", {"authorisation": "order 7", "by": "Sam"})
    told = await post(client, f"{case}/told", {"proof": "registered letter", "by": "Kim"})
    assert told["waits_for"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RIGHTS, {"right": "everything", "subject": ANNE}),
        (RIGHTS, {"right": "access"}),
        (RIGHTS, {"right": "access", "subject": "0151 SECRET 12345678"}),
        (RIGHTS, {"right": "access", "subject": ANNE, "via": "pigeon"}),
        (RIGHTS, {"right": "access", "subject": ANNE, "account": "yes"}),
        (RIGHTS, {"right": "access", "subject": ANNE, "by": f"Kim {ANNE}"}),
        (RIGHTS, [ANNE]),
        (RIGHTS, 7),
    ],
)
async def test_what_cannot_be_understood_is_refused_without_repeating_it(
    client: aiohttp.ClientSession, path: str, body: object
) -> None:
    refused = await post(client, path, body, 400)
    assert refused["error"]["code"] == "invalid_request"
    assert "SECRET" not in str(refused)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("GET", "/case_1"), ("POST", "/case_1/do")])
async def test_nobody_comes_in_without_the_key(client: aiohttp.ClientSession, method: str, path: str) -> None:
    async with client.request(method, RIGHTS + path, headers={"Authorization": "Bearer other"}, json={}) as answer:
        assert answer.status == 401


async def test_a_case_that_is_not_there_is_told(client: aiohttp.ClientSession) -> None:
    async with client.get(f"{RIGHTS}/case_nothing") as answer:
        assert answer.status == 404


async def test_a_file_that_breaks_off_is_not_taken_for_the_whole(
    client: aiohttp.ClientSession, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place fails while it streams: the connection is cut, and no error text stands in the middle of the file."""
    await house.record(ACME, house.calls[ACME][0])
    await house.remember(ACME, house.calls[ACME][1], person="Anne")

    async def broken(*_: object) -> AsyncIterator[object]:
        raise StoreUnavailable("pulled the plug")
        yield

    monkeypatch.setattr(VaultHolding, "copies", broken)
    case = await opened(client, "access")
    await post(client, f"{case}/identity", {"method": "called back", "by": "Kim"})
    with pytest.raises(aiohttp.ClientError):
        async with client.post(f"{case}/file", json={"by": "Kim"}) as answer:
            await answer.read()
    async with client.get(case) as answer:
        assert (await answer.json())["closed_at"] is None
