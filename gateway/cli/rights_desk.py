"""What ``sordino rights`` works on: the desk for requests of persons, on the gateway's own store and files."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.cli.attached import attach
from gateway.cli.data import attach_data_desk
from gateway.governing import Needs, open_governing
from gateway.keeping import open_keys
from gateway.righting import RightingNeeds, open_righting
from gateway.runner.rights import RightsDesk
from gateway.settings import Settings
from gateway.transcribing import open_transcripts

Work = Callable[[RightsDesk], Awaitable[int]]


def on_the_rights_desk(given: argparse.Namespace, work: Work) -> int:
    """Do ``work`` and give its exit code. Raises PolicyInvalid, Misconfigured, StoreUnavailable."""
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def run() -> int:
        async with AsyncExitStack() as running:
            return await work(await attach_rights_desk(settings, folder, running))

    return asyncio.run(run())


async def attach_rights_desk(settings: Settings, folder: PolicyFolder, running: AsyncExitStack) -> RightsDesk:
    """The desk on the store and the files that the gateway uses. Raises Misconfigured, StoreUnavailable."""
    data = await attach_data_desk(settings, folder, running)
    store, ledger = await attach(settings, running)
    keys, clock, ids = await open_keys(settings, store), SystemClock(), RandomIds()
    secrets = Secrets(settings.data / "secrets", os.environ)
    own = (secrets, keys.identity.reveal(), os.environ, clock, ids)
    governing = await open_governing(Needs(store, ledger, lambda: folder.policies, *own), running)
    transcripts = open_transcripts(store, keys.shelf, ledger, clock).desk
    return open_righting(RightingNeeds(store, ledger, governing, keys, data, transcripts, clock, ids)).desk
