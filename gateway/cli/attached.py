"""What commands need that work on a gateway's store: its policies and its desks, whether a gateway runs or not."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.governing import Governing, Needs, open_governing
from gateway.keeping import open_keys
from gateway.runner.tenants import is_known, no_such_tenant
from gateway.settings import Settings
from gateway.values import TenantId

Work = Callable[[Governing], Awaitable[int]]
PATIENCE_S = 10.0
"""A command waits longer for the store than a call may: on a busy machine it has often just been started."""


def add_policies(parser: argparse.ArgumentParser) -> None:
    """The option that says which policies hold."""
    parser.add_argument(
        "--policies", type=Path, metavar="DIR", help="the folder of subprocessors.yaml and tenants/ (SORDINO_POLICIES)"
    )


def day(text: str) -> date:
    """A day as an argument: ``2026-12-31``."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day: 2026-12-31") from None


async def attach(settings: Settings, running: AsyncExitStack) -> tuple[Store, RedisLedger]:
    """The store that the gateway uses, and its ledger: our own is started where no gateway has it running.

    Raises:
        StoreUnavailable, Misconfigured: it cannot be reached, or its address is none.
    """
    url = settings.redis_url or await EmbeddedValkey.address(settings.data)
    if url is None:
        url = (await running.enter_async_context(EmbeddedValkey(settings.data))).url
    store = await running.enter_async_context(Store(url, timeout_s=PATIENCE_S))
    await store.ping()
    return store, await running.enter_async_context(RedisLedger(store, timeout_s=PATIENCE_S))


async def check_tenant(given: argparse.Namespace, folder: PolicyFolder, ledger: RedisLedger) -> None:
    """Raises NotFound where ``--tenant`` names nobody who is or was here: else "has none" would hide that it was misspelt."""
    tenant = getattr(given, "tenant", None)
    if not isinstance(tenant, str) or tenant.startswith("_"):
        return  # nobody is named, or the gateway itself
    if not await is_known(TenantId(tenant), folder.policies.tenants, ledger.entries):
        raise no_such_tenant()


def on_the_desks(given: argparse.Namespace, work: Work) -> int:
    """Do ``work`` on the store that the gateway uses, and give its exit code.

    Raises:
        PolicyInvalid: the policies have faults.
        Misconfigured, StoreUnavailable: the store cannot be reached, or the settings are wrong.
    """
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def run() -> int:
        async with AsyncExitStack() as running:
            store, ledger = await attach(settings, running)
            keys, secrets = await open_keys(settings, store), Secrets(settings.data / "secrets", os.environ)
            key = keys.identity.reveal()
            needs = Needs(store, ledger, lambda: folder.policies, secrets, key, os.environ, SystemClock(), RandomIds())
            return await work(await open_governing(needs, running))

    return asyncio.run(run())
