"""A whole gateway, every path of its document, every role, and another tenant's data that nobody is ever shown."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from gateway.accessing import AccessNeeds, access_desk
from gateway.adapters.stores.api_keys import Wish
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.system import RandomIds, SystemClock
from gateway.policy.roles import Role
from gateway.runner.access import ON_THE_HOST, AccessDesk
from gateway.values import CallId, TenantId
from tests.journeys.house import House, living_in, short_policies

pytestmark = pytest.mark.timeout(300)
MINE, THEIRS, NOBODYS = "demo", "other", "nobody"
CALL = CallId("call_01kcanary0000000000000000")
CANARY = "canary-of-the-other-tenant"
HELD: dict[str, Any] = {"string": "x", "integer": 1, "boolean": True, "array": ["x"], "object": {}}
REFUSED = "your roles do not give this right for that tenant"
TRIES = 20
PATIENCE = aiohttp.ClientTimeout(total=60)


@dataclass
class Site:
    """A gateway with two tenants, the second of which has something to hide."""

    house: House
    client: aiohttp.ClientSession
    desk: AccessDesk
    paths: dict[str, dict[str, Any]]

    async def ask(self, method: str, where: str, key: str | None, body: object = None) -> tuple[int, str]:
        """The answer; a store that a busy machine holds up is asked again."""
        found = await self._ask(method, where, key, body)
        for _ in range(TRIES):
            if found[0] != 503:
                break
            found = await self._ask(method, where, key, body)
        return found

    async def _ask(self, method: str, where: str, key: str | None, body: object) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        async with self.client.request(
            method, self.house.gateway.url + where, headers=headers, json=body, allow_redirects=False, timeout=PATIENCE
        ) as answer:
            return answer.status, (await answer.read()).decode("utf-8", "replace")

    async def key(self, role: Role, tenants: tuple[str, ...]) -> str:
        kind = "service" if role is Role.SERVICE else "person"
        return (await self.desk.create_key(Wish(role.value, tenants, timedelta(days=1), kind=kind), by=ON_THE_HOST))[1].reveal()

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [(method.upper(), path, told) for path, each in self.paths.items() for method, told in each.items()]


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    policies = short_policies(folder)
    text = (policies / "tenants" / "demo.yaml").read_text(encoding="utf-8")
    other = re.sub(r"(?m)^numbers:.*$", "numbers: [+15550177]", text.replace("tenant: demo", f"tenant: {THEIRS}"))
    (policies / "tenants" / f"{THEIRS}.yaml").write_text(other, encoding="utf-8")
    async with living_in(folder, policies=policies) as house, aiohttp.ClientSession() as client:
        gateway = house.gateway
        needs = AccessNeeds(gateway.store, gateway.ledger, lambda: gateway.policies.policies, {}, SystemClock(), RandomIds())
        async with client.get(gateway.url + "/openapi.json", timeout=PATIENCE) as answer:
            assert answer.status == 200
            paths = (await answer.json())["paths"]
        yield Site(house, client, access_desk(needs), paths)


@dataclass
class Asked:
    """One request made from an operation of the document."""

    method: str
    where: str
    body: dict[str, Any] | None


def asked(method: str, path: str, told: dict[str, Any], tenant: str, ids: dict[str, str]) -> Asked:
    """About that tenant wherever it can be named, with these ids in the path and something in every field that must be there."""
    where = re.sub(r"\{(\w+)\}", lambda found: tenant if found[1] == "tenant" else ids.get(found[1], "made-up"), path)
    query = {
        each["name"]: tenant if each["name"] == "tenant" else "x"
        for each in told["parameters"]
        if each["in"] == "query" and (each["required"] or each["name"] in ("tenant", "reason"))
    }
    schema = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    body = None
    if schema is not None:
        fields = schema["properties"]
        body = {name: HELD[fields[name]["type"]] for name in schema.get("required", [])}
        body |= {name: tenant if name == "tenant" else [tenant] for name in ("tenant", "tenants") if name in fields}
    elif told.get("x-sordino-reach") == "named" and "tenant" not in query:
        query["tenant"] = tenant
    return Asked(method, where + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""), body)


async def seeded(site: Site) -> dict[str, str]:
    """The other tenant's data, with the canary in it, made over the same interface; the ids by the names of their parameters."""
    operator = site.house.gateway.secrets.read("SORDINO_OPERATOR_KEY").reveal()

    async def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
        status, text = await site.ask("POST", path, operator, body)
        assert status in (200, 201), (path, status, text)
        found: dict[str, Any] = json.loads(text)
        return found

    key = await made(f"/api/v1/tenants/{THEIRS}/keys", {"name": CANARY})
    why = {"tenant": THEIRS, "reason": CANARY}
    reveal = await made("/api/v1/access/reveals", {**why, "minutes": 60})
    hold = await made(f"/api/v1/holds/{THEIRS}", {"all": True, "reason": CANARY, "approver": CANARY, "review": "2030-01-01"})
    await made("/api/v1/subprocessors/local-moonshine/object", why)
    subject = {"right": "access", "subject": "+15125550100", "by": CANARY, "via": "direct"}
    case = await made(f"/api/v1/rights/{THEIRS}", subject)
    return {
        "call": CALL,
        "id": "local-moonshine",
        "key": key["key"]["id"],
        "reveal": reveal["id"],
        "hold": hold["hold"]["id"],
        "case": case["case"],
    }


async def test_no_path_and_no_role_shows_another_tenants_data_or_that_it_is_there(tmp_path: Path) -> None:
    """One gateway, every operation of its document: asked about the other tenant, with the other one's ids, and without a key."""
    async with site(tmp_path) as at:
        ids = await seeded(at)
        assert len([told for _, _, told in at.operations() if "x-sordino-right" in told]) > 50
        for role in Role:
            await about_the_other_tenant(at, role, ids)
        await with_the_other_ones_ids(at, ids)
        await without_a_key(at)
        kept = json.loads((await at.ask("GET", f"/api/v1/tenants/{THEIRS}/keys", await at.key(Role.OWNER, (THEIRS,))))[1])["keys"]
        assert [each["name"] for each in kept if not each["revoked_at"]] == [CANARY]
        log = await at.desk.log(THEIRS, 1_000)
        assert {each.body["why"] for each in log if each.kind == "access.refused"} == {REFUSED}


async def about_the_other_tenant(at: Site, role: Role, ids: dict[str, str]) -> None:
    """With a key of that role for one's own tenant: refused, in the words that are said of a tenant that there is not."""
    key = await at.key(role, (MINE,))
    for method, path, told in at.operations():
        if "x-sordino-right" not in told:
            continue
        theirs, nobodys = (asked(method, path, told, tenant, ids) for tenant in (THEIRS, NOBODYS))
        status, text = await at.ask(theirs.method, theirs.where, key, theirs.body)
        assert CANARY not in text, (role, method, path)
        assert not any(each in text for name, each in ids.items() if name not in ("call", "id")), (role, method, path)
        if told["x-sordino-reach"] in ("self", "seen"):
            assert THEIRS not in text, (role, method, path)
        else:
            assert status == 403, (role, method, path, text)
            assert (status, text) == await at.ask(nobodys.method, nobodys.where, key, nobodys.body), (method, path)


async def with_the_other_ones_ids(at: Site, ids: dict[str, str]) -> None:
    """In one's own tenant, as its owner with a grant of reveal: they name nothing, as an id that there is not."""
    made_up = {name: f"{each[:-4]}0000" for name, each in ids.items()}
    owner, tried = await at.key(Role.OWNER, (MINE,)), 0
    assert (await at.ask("POST", "/api/v1/access/reveals", owner, {"tenant": MINE, "reason": "mine"}))[0] == 201
    for method, path, told in at.operations():
        named = set(re.findall(r"{(\w+)}", path)) & set(ids) - {"id"}
        if "x-sordino-right" not in told or not named:
            continue
        answers = []
        for each in (ids, made_up):
            wish = asked(method, path, told, MINE, each)
            status, text = await at.ask(wish.method, wish.where, owner, wish.body)
            for name in named:
                text = text.replace(each[name], name)
            answers.append((status, text))
        assert CANARY not in str(answers), (method, path)
        assert answers[0] == answers[1], (method, path)
        tried += 1
    assert tried > 15


async def without_a_key(at: Site) -> None:
    """401, but where everybody may; a tenant's program is nobody at the control interface."""
    now = SystemClock().now()
    program = (await TenantKeys(at.house.gateway.store).create(TenantId(MINE), now=now))[1].reveal()
    for method, path, told in at.operations():
        wish = asked(method, path, told, MINE, {})
        status, _ = await at.ask(wish.method, wish.where, None, wish.body)
        if {"pageToken": []} in told["security"]:
            assert status in (401, 404), (method, path)
        elif told["security"]:
            assert status == 401, (method, path)
        else:
            assert status not in (401, 403), (method, path)
        if "x-sordino-right" in told:
            assert (await at.ask(wish.method, wish.where, program, wish.body))[0] == 401, (method, path)


PERSON = "Ann_Lee-0151/2345-6789"
PLAUSIBLE: dict[str, Any] = {
    "answer": "given",
    "at": "2026-01-01T10:00:00Z",
    "how": "written",
    "kind": "person",
    "number": "+15125550100",
    "outcome": "avoided",
    "review": "2030-01-01",
    "right": "access",
    "role": "auditor",
    "subject": "+15125550100",
    "to": "+15125550100",
    "via": "direct",
    "what": "contained",
    "from": "2026-01-01T10:00:00Z",
}
SPARED = "/offboarding", "/keys"
"""Ends what is asked about; a key's name is kept with the key."""


async def test_no_text_of_the_interface_carries_a_persons_number_into_the_evidence(tmp_path: Path) -> None:
    """Each text of each operation in turn, the others being such as it takes; and each id in a path."""
    async with site(tmp_path) as at:
        ids, owner, tried = await seeded(at), await at.key(Role.OWNER, (MINE, THEIRS)), 0
        for method, path, told in at.operations():
            if "x-sordino-right" not in told or path.endswith(SPARED):
                continue
            wish = asked(method, path, told, THEIRS, ids)
            schema = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            texts = {name for name, each in schema.get("properties", {}).items() if each["type"] == "string"} - {"tenant"}
            body = {name: PLAUSIBLE.get(name, each) for name, each in (wish.body or {}).items()}
            body |= {"all": True} if "all" in schema.get("properties", {}) else {}
            for name in texts:
                await at.ask(method, wish.where, owner, {**body, name: PERSON})
                tried += 1
            if "=x" in wish.where:
                await at.ask(method, wish.where.replace("=x", f"={quote(PERSON, safe='')}"), owner, wish.body)
            for name in set(re.findall(r"{(\w+)}", path)) - {"tenant"}:
                where = asked(method, path, told, THEIRS, {**ids, name: quote(PERSON, safe="")}).where
                await at.ask(method, where, owner, body or None)
        assert tried > 40
        for tenant in (MINE, THEIRS, "_house"):
            async for entry in at.house.gateway.ledger.entries(TenantId(tenant)):
                assert PERSON not in str(entry.draft.body), entry.draft.kind
