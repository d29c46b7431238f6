"""The operator makes, lists, rotates and revokes tenants' keys over HTTP; and what models a tenant has."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.http.proxy.house import OPERATOR, ProxyHouse


async def asked(house: ProxyHouse, method: str, path: str, key: str = OPERATOR, body: Any = None) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, house.url + path, headers=headers, json=body) as response,
    ):
        return response.status, await response.json()


async def test_a_key_is_made_used_rotated_and_revoked(house: ProxyHouse) -> None:
    where = "/api/v1/tenants/acme/keys"
    status, made = await asked(house, "POST", where, body={"name": "shop", "scopes": ["models"], "expires_in_days": 7})
    assert (status, made["key"]["name"]) == (201, "shop")
    assert (await asked(house, "GET", "/v1/models", made["secret"]))[0] == 200
    _, listed = await asked(house, "GET", where)
    assert made["key"] in listed["keys"]
    assert made["secret"] not in str(listed)
    status, fresh = await asked(house, "POST", f"{where}/{made['key']['id']}/rotate")
    assert status == 201
    assert (await asked(house, "GET", "/v1/models", made["secret"]))[0] == 401
    assert (await asked(house, "GET", "/v1/models", fresh["secret"]))[0] == 200
    await asked(house, "DELETE", f"{where}/{fresh['key']['id']}")
    assert (await asked(house, "GET", "/v1/models", fresh["secret"]))[0] == 401


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("POST", "/key_1/rotate"), ("DELETE", "/key_1")])
async def test_only_the_operator_may(house: ProxyHouse, method: str, path: str) -> None:
    """A tenant's own key makes no keys."""
    status, _ = await asked(house, method, f"/api/v1/tenants/acme/keys{path}", house.key)
    assert status == 401


WRONG: list[dict[str, Any]] = [{"scopes": "all"}, {"scopes": ["root"]}, {"expires_in_days": 0}, {"name": 7}]


@pytest.mark.parametrize("body", WRONG)
async def test_a_wish_that_cannot_be_is_refused(house: ProxyHouse, body: dict[str, Any]) -> None:
    status, answer = await asked(house, "POST", "/api/v1/tenants/acme/keys", body=body)
    assert (status, answer["error"]["code"]) == (400, "invalid_request")


NO_JSON = [(b'{"a":' * 3_000, "application/json"), (b"{", "application/json"), (b"{}", "application/json; charset=none-such")]


@pytest.mark.parametrize(("body", "kind"), NO_JSON)
@pytest.mark.parametrize("path", ["/api/v1/tenants/acme/keys", "/api/v1/tenants/acme/keys/key_1/rotate"])
async def test_a_body_that_cannot_be_read_is_told_as_such(house: ProxyHouse, path: str, body: bytes, kind: str) -> None:
    """However deep it is nested, and whatever it says that it is written in."""
    headers = {"Authorization": f"Bearer {OPERATOR}", "Content-Type": kind}
    async with aiohttp.ClientSession() as session, session.post(house.url + path, data=body, headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (400, "invalid_request")


async def test_the_models_of_the_tenants_route_are_listed(house: ProxyHouse) -> None:
    _, answer = await asked(house, "GET", "/v1/models", house.key)
    assert answer["data"] == [{"id": "small", "object": "model", "created": 0, "owned_by": "a-model"}]
    assert (await asked(house, "GET", "/v1/models/small", house.key))[1]["id"] == "small"
    assert (await asked(house, "GET", "/v1/models/large", house.key))[0] == 404
