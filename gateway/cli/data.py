"""What commands need that work on what is kept: the desk that deletes, holds and certifies, on the gateway's own store."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.cli.attached import attach, check_tenant
from gateway.holding import DataDesk, DataDeskNeeds, HoldingNeeds, holdings, open_data_desk
from gateway.keeping import Keys, open_keys
from gateway.recording import DeskNeeds, open_recordings
from gateway.runner.key_seal import KeySeal
from gateway.runner.notices import NoticeWatch
from gateway.runner.rights_callers import homes
from gateway.settings import Settings
from gateway.transcribing import open_transcripts

BY = "command line"
Work = Callable[[DataDesk], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Attached:
    """The desk, and what it stands on."""

    store: Store
    ledger: RedisLedger
    keys: Keys
    signing: SigningKey
    desk: DataDesk


async def attach_data_desk(settings: Settings, folder: PolicyFolder, running: AsyncExitStack) -> DataDesk:
    """The desk on the store and the files that the gateway uses. Raises Misconfigured, StoreUnavailable."""
    return (await attach_data(settings, folder, running)).desk


async def attach_data(settings: Settings, folder: PolicyFolder, running: AsyncExitStack) -> Attached:
    """The same, for who needs what is under it."""
    store, ledger = await attach(settings, running)
    keys, clock, ids = await open_keys(settings, store), SystemClock(), RandomIds()
    telemetry = NullTelemetry()
    recordings = open_recordings(
        DeskNeeds(
            data=settings.data,
            store=store,
            ledger=ledger,
            policies=folder,
            secrets=Secrets(settings.data / "secrets", os.environ),
            keys=keys.shelf,
            telemetry=telemetry,
            clock=clock,
            ids=ids,
            notices=NoticeWatch(RedisNoticeLog(store), lambda: folder.policies),
        )
    )
    transcripts = open_transcripts(store, keys.shelf, ledger, clock, data=settings.data)
    receipts = Receipts(store, settings.data / "receipts")
    places = holdings(HoldingNeeds(store, recordings.desk, receipts, clock, (transcripts.holding,)))
    signing = SigningKey.from_file(settings.data / "keys" / "signing.key", create=True)
    needs = DataDeskNeeds(
        store=store,
        ledger=ledger,
        signing=signing,
        clock=clock,
        ids=ids,
        telemetry=telemetry,
        subject=SubjectHash(keys.identity, homes(lambda: folder.policies.tenants)),
        shelf=keys.shelf,
        key_destroyed=KeySeal(store, keys.masters, clock, ids).destroyed,
        tenants=lambda: folder.policies.tenants,
    )
    return Attached(store, ledger, keys, signing, open_data_desk(needs, places))


def on_the_data_desk(given: argparse.Namespace, work: Work) -> int:
    """Do ``work`` on what the gateway keeps, and give its exit code. Raises PolicyInvalid, Misconfigured, StoreUnavailable."""
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def run() -> int:
        async with AsyncExitStack() as running:
            attached = await attach_data(settings, folder, running)
            await check_tenant(given, folder, attached.ledger)
            return await work(attached.desk)

    return asyncio.run(run())
