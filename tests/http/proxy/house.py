"""The proxy as it is wired, without telephones: a real store, a real detector, a real port, and models of a test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from gateway.adapters.detectors.masker import ReplacingDetector
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.providers.all import chat_models
from gateway.adapters.providers.exchange import Limits
from gateway.adapters.providers.outbound import outbound_session
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.policy_archive import PolicyArchive
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.evidence.entries import Entry
from gateway.serving import ProxyNeeds, free_port, listen, open_proxy
from gateway.settings import Settings
from gateway.values import CallId, Private, TenantId

MASTER = bytes(range(32))
OPERATOR = "operator-of-this-test"
PATIENT = Limits(connect_s=20, first_byte_s=30, between_chunks_s=30, whole_s=120)
"""How long a model may take where a test is not about slowness."""
PROCESSOR = """
- id: {id}
  name: A model of this test
  purpose: language model
  kind: llm
  dialect: {dialect}
  base_url: {url}
  region: local
  training: {training}
  retention_days: 0
  send: {send}
  receives: [masked_transcript]
  status: active
  source: It runs in the test.
  checked_on: 2026-11-21
"""
TENANT = """
tenant: {tenant}
extends: []
regions: [local]
origins: [us]
training: prohibited
route:
  llm: {route}
{routes}masking: {masking}
{rules}"""


def write_policies(
    folder: Path,
    urls: Mapping[str, str],
    *,
    tenants: tuple[str, ...] = ("acme", "globex"),
    model: str = "small",
    send: Mapping[str, Any] | None = None,
    masking: Mapping[str, str] | None = None,
    dialects: Mapping[str, str] | None = None,
    training: str = "prohibited",
    entries: str = "",
    routes: str = "",
    rules: str = "",
) -> Path:
    """``urls``: id of a processor to its address, in the order of every tenant's route.

    ``entries``, ``routes`` and ``rules``: more YAML for the sub-processors, for the tenants' routes, and for the tenants.
    """
    (folder / "tenants").mkdir(parents=True, exist_ok=True)
    kinds = dialects or {}
    written = [
        PROCESSOR.format(id=name, url=url, send=json.dumps(send or {}), dialect=kinds.get(name, "openai"), training=training)
        for name, url in urls.items()
    ]
    (folder / "subprocessors.yaml").write_text("".join(written) + entries)
    route = json.dumps([{"processor": name, "model": model} for name in urls])
    for tenant in tenants:
        text = TENANT.format(
            tenant=tenant,
            route=route,
            masking=json.dumps({"default": "pseudonym", **(masking or {})}),
            routes=routes,
            rules=rules,
        )
        (folder / "tenants" / f"{tenant}.yaml").write_text(text)
    return folder


@dataclass(slots=True)
class ProxyHouse:
    url: str
    keys: TenantKeys
    key: str
    """Of the tenant ``acme``."""
    store: Store
    ledger: RedisLedger
    clock: SystemClock

    async def another_key(self, tenant: str, **wishes: Any) -> str:
        return (await self.keys.create(TenantId(tenant), now=self.clock.now(), **wishes))[1].reveal()

    async def entries(self, call: str | None = None, tenant: str = "acme") -> list[Entry]:
        return [entry async for entry in self.ledger.entries(TenantId(tenant), CallId(call) if call else None)]

    @asynccontextmanager
    async def post(self, path: str, body: Any, **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        whose = {"Authorization": f"Bearer {self.key}"} if "Authorization" not in named else {}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, json=body, headers={**whose, **named}) as response,
        ):
            yield response

    async def chat(self, *messages: Any, **more: Any) -> tuple[dict[str, Any], Mapping[str, str]]:
        """A whole answer and its headers; a text is what the user says."""
        said = [{"role": "user", "content": each} if isinstance(each, str) else each for each in messages]
        headers = more.pop("headers", {})
        async with self.post("/v1/chat/completions", {"model": "any", "messages": said, **more}, **headers) as response:
            return await response.json(), response.headers


@asynccontextmanager
async def proxy_house(
    folder: Path,
    store: Store,
    detector: ReplacingDetector,
    urls: Mapping[str, str],
    *,
    limits: Limits | None = None,
    clock: SystemClock | None = None,
    more: Mapping[str, Any] | None = None,
    **how: Any,
) -> AsyncIterator[ProxyHouse]:
    """A gateway's proxy under ``folder``, on ``store``. ``more``: other needs of it, by name."""
    policies = PolicyFolder(write_policies(folder / "policies", urls, **how))
    policies.reload_if_changed()
    assert policies.findings == (), policies.findings
    clock = clock or SystemClock()
    async with AsyncExitStack() as running:
        session = await running.enter_async_context(outbound_session())
        ledger = await running.enter_async_context(RedisLedger(store, timeout_s=20))
        secrets = Secrets(folder / "secrets", {"UPSTREAM_KEY": "sk-upstream"})
        needs = ProxyNeeds(
            store=store,
            keys=RedisKeyShelf(store, MasterKeys.fixed(MASTER)),
            name_key=MASTER,
            ledger=ledger,
            detector=detector,
            policy=policies,
            tenant=policies.tenant,
            models=chat_models(session, secrets, limits=limits or PATIENT),
            clock=clock,
            ids=RandomIds(),
            registry=lambda: policies.policies.registry,
            instructions=PolicyArchive(folder / "instructions").keep,
            operator=Private(OPERATOR),
            **{"telemetry": NullTelemetry(), **(more or {})},
        )
        paths = await open_proxy(needs, running)
        settings = replace(Settings(policies=folder), data=folder)
        url = await listen(settings, free_port("127.0.0.1"), paths, running)
        keys = TenantKeys(store)
        _, key = await keys.create(TenantId("acme"), now=clock.now())
        yield ProxyHouse(url, keys, Private(key.reveal()).reveal(), store, ledger, clock)
