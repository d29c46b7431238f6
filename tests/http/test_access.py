"""The table of paths, row by row and role by role: who gets in for whom; and the document that is written from it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.adapters.stores.redis import Store
from gateway.http.access import CONTROL
from gateway.http.answers import needs_operator, visible
from gateway.http.open_paths import OTHERS
from gateway.http.openapi import TYPES, document, document_route
from gateway.http.rule import Open, Reach, Rule
from gateway.policy.roles import RIGHTS, Right, Role
from gateway.values import Private
from tests.http.guarded import KEY, TENANTS, Door, guarded

GUARDED = {key: rule for key, rule in CONTROL.items() if isinstance(rule.right, Right)}
SERVED_BY_ACCESS = {key for key in GUARDED if key[1].startswith("/api/v1/access/")}
HELD = {"text": "x", "count": 1, "flag": True, "time": "2026-01-01T00:00:00Z", "texts": ["x"], "object": {}}


async def rows(request: web.Request) -> web.Response:
    """What a handler of a list does: leave out whose rows the caller may not see."""
    return web.json_response({"let": "in", "rows": [name for name in TENANTS if visible(request, name)]})


ROUTES = [web.route(*key, needs_operator(Private(KEY), rows)) for key in GUARDED if key not in SERVED_BY_ACCESS]


def asked(method: str, path: str, rule: Rule, tenant: str) -> tuple[str, str, dict[str, Any] | None]:
    """A request of that row about one tenant: in the path, in the query and in the body, wherever the row says that it may be."""
    where = re.sub(r"\{(\w+)\}", lambda found: tenant if found[1] == "tenant" else f"some-{found[1]}", path)
    query = "&".join(f"{name}={tenant if name == 'tenant' else 'x'}" for name in rule.query)
    if rule.reach is Reach.NAMED and "tenant" not in rule.query and not {"tenant", "tenants"} & set(rule.body):
        query += f"&tenant={tenant}"
    body = {name: HELD[kind.rstrip("?")] for name, kind in rule.body.items()}
    body |= {name: tenant if name == "tenant" else [tenant] for name in ("tenant", "tenants") if name in rule.body}
    return method, f"{where}?{query}" if query else where, body if rule.body else None


async def answers(door: Door, key: str | None, tenant: str) -> dict[tuple[str, str], tuple[int, Any]]:
    found = {}
    for (method, path), rule in GUARDED.items():
        verb, where, body = asked(method, path, rule, tenant)
        found[method, path] = await door.ask(verb, where, key, body)
    return found


class TestEveryRow:
    async def test_nobody_gets_in_without_a_key(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            for key in (None, "sak_" + "a" * 43, "sordino-acme-" + "a" * 43):
                assert {status for status, _ in (await answers(door, key, "acme")).values()} == {401}

    @pytest.mark.parametrize("role", list(Role))
    async def test_a_role_gets_in_where_the_table_says_so_and_nowhere_else(self, store: Store, role: Role) -> None:
        async with guarded(store, ROUTES) as door:
            for row, (status, _) in (await answers(door, await door.key(role), "acme")).items():
                rule = GUARDED[row]
                permitted = rule.right in RIGHTS[role] and not rule.private
                assert (status != 403) == permitted, (row, status)
                assert status != 401

    @pytest.mark.parametrize("role", list(Role))
    async def test_no_role_of_one_tenant_reaches_another_ones_data(self, store: Store, role: Role) -> None:
        """Nor learns whether it is there: a tenant that there is not gets the same answer, word by word."""
        async with guarded(store, ROUTES) as door:
            key = await door.key(role, ["acme"])
            theirs, nobodys = await answers(door, key, "beta"), await answers(door, key, "nobody")
            for row, (status, body) in theirs.items():
                reach = GUARDED[row].reach
                if reach in (Reach.SELF, Reach.SEEN):
                    assert "beta" not in str(body), row
                else:
                    assert status == 403, row
                    assert (status, body) == nobodys[row]

    async def test_what_is_about_the_whole_house_is_not_had_by_naming_ones_own_tenant(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            key = await door.key("owner", ["acme"])
            for (method, path), rule in GUARDED.items():
                if rule.reach is Reach.HOUSE:
                    _, where, body = asked(method, path, rule, "acme")
                    where += "&tenant=acme" if "?" in where else "?tenant=acme"
                    assert (await door.ask(method, where, key, {**(body or {}), "tenant": "acme"}))[0] == 403, path

    @pytest.mark.parametrize("role", [role for role in Role if Right.REVEAL in RIGHTS[role]])
    async def test_private_text_is_shown_with_a_grant_only(self, store: Store, role: Role) -> None:
        private = {key: rule for key, rule in GUARDED.items() if rule.private}
        async with guarded(store, ROUTES) as door:
            key = await door.key(role, ["acme"])
            for granted in (False, True):
                if granted:
                    await door.ask("POST", "/api/v1/access/reveals", key, {"tenant": "acme", "reason": "complaint 17"})
                for (method, path), rule in private.items():
                    verb, where, body = asked(method, path, rule, "acme")
                    may = granted and rule.right in RIGHTS[role]
                    assert ((await door.ask(verb, where, key, body))[0] == 200) == may, path


class TestTheDocument:
    def test_it_is_valid_openapi(self) -> None:
        OpenAPIV31SpecValidator(document([*CONTROL, *OTHERS])).validate()

    def test_every_row_is_in_it_with_its_right_its_errors_and_a_line_of_its_own(self) -> None:
        paths = document([*CONTROL, *OTHERS])["paths"]
        lines = []
        for (method, path), rule in {**CONTROL, **OTHERS}.items():
            operation = paths[path][method.lower()]
            lines.append(operation["summary"])
            assert operation["summary"].endswith(".")
            assert len(operation["summary"]) <= 100, operation["summary"]
            assert ("401" in operation["responses"]) == (rule.right is not Open.PUBLIC)
            assert operation.get("x-sordino-right") == (rule.right.value if isinstance(rule.right, Right) else None)
            assert [each["name"] for each in operation["parameters"] if each["in"] == "path"] == re.findall(r"{(\w+)}", path)
        identities = [operation["operationId"] for each in paths.values() for operation in each.values()]
        assert len(set(identities)) == len(identities)

    def test_rows_say_types_that_there_are(self) -> None:
        for rule in {**CONTROL, **OTHERS}.values():
            assert {kind.removesuffix("?") for kind in (*rule.query.values(), *rule.body.values())} <= set(TYPES)

    async def test_a_gateway_tells_what_it_serves_and_nothing_else(self, store: Store) -> None:
        served = [web.get("/api/v1/calls", rows), web.get("/healthz", rows)]
        async with guarded(store, [*served, document_route(served)]) as door:
            status, body = await door.ask("GET", "/openapi.json", None)
            assert (status, set(body["paths"])) == (200, {"/api/v1/calls", "/healthz", "/openapi.json"})
