"""``GET /openapi.json``: the table of ``access.py`` as an OpenAPI 3.1 document. What is served is what is written there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiohttp import web

from gateway.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    RateLimited,
    SordinoError,
    StoreUnavailable,
    Unauthenticated,
)
from gateway.http.access import rule_of, served
from gateway.http.api import HEADERS
from gateway.http.open_paths import CARRIERS
from gateway.http.rule import Open, Rule
from gateway.policy.roles import MEANING, RIGHTS, Right

TYPES: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string"},
    "count": {"type": "integer", "minimum": 0},
    "flag": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
}
_PARAMETER = re.compile(r"\{(\w+)\}")
_SECURITY: Mapping[Open, list[dict[str, list[str]]]] = {
    Open.TENANT_KEY: [{"tenantKey": []}],
    Open.PAGE_TOKEN: [{"pageToken": []}],
}
_ERRORS: Mapping[type[SordinoError], str] = {
    InvalidRequest: "What was sent cannot be understood.",
    Unauthenticated: "No key, or none that is good.",
    Forbidden: "The roles do not give this right for that tenant, or a grant of reveal is missing.",
    NotFound: "There is no such thing here.",
    RateLimited: "Too much at once.",
    StoreUnavailable: "The store or the evidence does not answer: nothing was done.",
}
_SCHEMES: Mapping[str, Any] = {
    "accessKey": {"type": "http", "scheme": "bearer", "description": "An access key, or the operator's key."},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-sordino", "description": "A session of the console."},
    "tenantKey": {"type": "http", "scheme": "bearer", "description": "A key of a tenant's programs (`x-api-key` works, too)."},
    "pageToken": {"type": "http", "scheme": "bearer", "description": "A token for one call from a page."},
}
_ERROR: Mapping[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "hint": {"type": "string"},
                "sordino": {"type": "object", "properties": {"reasons": TYPES["texts"]}},
            },
        }
    },
}


def document(paths: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The document of these paths, each of which is in the table."""
    found: dict[str, Any] = {}
    for method, path in sorted(paths, key=lambda each: (each[1], each[0])):
        rule = rule_of(method, path)
        if rule is not None and not path.startswith(CARRIERS):
            found.setdefault(path, {})[method.lower()] = _operation(method, path, rule)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sordino",
            "version": _version(),
            "description": "The privacy gateway for AI phone calls. No answer holds private text unless it says so.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": found,
        "components": {
            "securitySchemes": dict(_SCHEMES),
            "schemas": {"Error": dict(_ERROR)},
            "responses": {kind.__name__: _refusal(says) for kind, says in _ERRORS.items()},
        },
    }


def document_route(app_paths: Iterable[web.RouteDef]) -> web.RouteDef:
    """``/openapi.json`` of a gateway that serves those paths."""
    app = web.Application()
    app.add_routes(app_paths)
    body = json.dumps(document([*served(app), ("GET", "/openapi.json")]), ensure_ascii=False, indent=1).encode()

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", charset="utf-8", headers=HEADERS)

    return web.get("/openapi.json", serve)


def _operation(method: str, path: str, rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": _operation_id(method, path),
        "summary": rule.says,
        "tags": [_tag(path)],
        "parameters": [*_in_path(path), *_in_query(rule)],
        "responses": _responses(rule),
        "security": _security(rule),
    }
    if rule.body:
        told["requestBody"] = _body(rule)
    if isinstance(rule.right, Right):
        holders = ", ".join(role.value for role, rights in RIGHTS.items() if rule.right in rights)
        shows = f" It shows private text: `{Right.REVEAL}` and a grant of reveal are needed, too." if rule.private else ""
        told["description"] = f"Right `{rule.right}`: {MEANING[rule.right]}. Roles: {holders}.{shows}"
        told["x-sordino-right"] = rule.right.value
        told["x-sordino-reach"] = rule.reach.value
    return told


def _operation_id(method: str, path: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", path)
    return "_".join([method.lower(), *words]) if words else f"{method.lower()}_console"


def _tag(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[2] if path.startswith("/api/v1/") else "model proxy" if path.startswith(("/v1/", "/openai/")) else "gateway"


def _in_path(path: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": TYPES["text"]} for name in _PARAMETER.findall(path)]


def _in_query(rule: Rule) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": not kind.endswith("?"), "schema": TYPES[kind.rstrip("?")]}
        for name, kind in rule.query.items()
    ]


def _body(rule: Rule) -> dict[str, Any]:
    needed = [name for name, kind in rule.body.items() if not kind.endswith("?")]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: TYPES[kind.rstrip("?")] for name, kind in rule.body.items()},
    }
    return {
        "required": bool(needed),
        "content": {"application/json": {"schema": {**schema, "required": needed} if needed else schema}},
    }


def _responses(rule: Rule) -> dict[str, Any]:
    media = {"application/json": {"schema": TYPES["object"]}} if rule.gives == "application/json" else {rule.gives: {}}
    told: dict[str, Any] = {str(rule.status): {"description": rule.says, "content": media}}
    if rule.right is not Open.PUBLIC:
        for kind in _ERRORS:
            told[str(kind.http_status)] = {"$ref": f"#/components/responses/{kind.__name__}"}
    return told


def _security(rule: Rule) -> list[dict[str, list[str]]]:
    if isinstance(rule.right, Right):
        return [{"accessKey": []}, {"session": []}]
    return _SECURITY.get(rule.right, [])


def _refusal(says: str) -> dict[str, Any]:
    return {"description": says, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}


def _version() -> str:
    try:
        return version("sordino")
    except PackageNotFoundError:
        return "0"
