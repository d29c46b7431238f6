"""Wiring of keys: where the master key comes from, the shelf of those that it locks, and the key that never changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.keys.change import EnvironmentChange, FileChange, MasterChange
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.keys.service import AWS, AWS_SECRET, VAULT_SECRET, AwsKey, AwsKms, KeyService, VaultTransit, place_of
from gateway.adapters.keys.wrapped import WrappedChange, WrappedFiles
from gateway.adapters.providers.aws_sign import Signer
from gateway.adapters.providers.outbound import outbound_session, tls_context
from gateway.adapters.recordings.folder import Folder
from gateway.adapters.stores.identity import NAME, identity_key
from gateway.adapters.stores.key_changes import Beat, KeyChanges
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.purge import grown, purge
from gateway.adapters.stores.recordings import RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.errors import Misconfigured, SordinoError
from gateway.ports import Ledger
from gateway.runner.key_desk import KeyDesk, KeyDeskParts
from gateway.runner.older_recordings import adopt_older
from gateway.settings import Settings
from gateway.tasks import TaskOwner
from gateway.values import Private

log = logging.getLogger(__name__)

PURGE_EVERY_S = 300.0
WORTH = 20
"""How many times as long as a rewrite took the next one waits at least."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a gateway has of keys. ``identity``: what hashes, tokens and names are derived from; no rotation changes it."""

    masters: MasterKeys
    shelf: RedisKeyShelf
    identity: Private[bytes]


async def open_keys(settings: Settings, store: Store, tasks: TaskOwner | None = None) -> Keys:
    """The keys of the gateway with this store. A missing master key is made, where it is a file under ``settings.data``.

    With ``tasks``, a store of our own is made to forget, from time to time, what it wrote down of keys that are gone.

    Raises:
        Misconfigured: the master key is missing or cannot be read.
        StoreUnavailable: the store does not answer, or was written with another master key.
    """
    masters = await _masters(settings, store)
    if tasks is not None and settings.redis_url is None:
        tasks.start(keep_purged(store, asyncio.sleep), name="purge")
    return Keys(masters, RedisKeyShelf(store, masters), await identity_key(store, masters))


async def keep_purged(store: Store, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Rewrite the store's append-only file again and again, until cancelled: the keys of calls that end go every minute, and
    what deletes for good does not wait for this. A failure waits for the next round.
    """
    pause, clock = PURGE_EVERY_S, asyncio.get_running_loop().time
    while True:
        await sleep(pause)
        began = clock()
        try:
            if await grown(store):
                await purge(store)
        except SordinoError as error:
            log.warning("the store could not rewrite its append-only file now: %s", error.code)
        pause = max(PURGE_EVERY_S, WORTH * (clock() - began))


async def _masters(settings: Settings, store: Store) -> MasterKeys:
    if settings.master_key_url is None:
        return master_keys(settings)
    files = wrapped_files(settings)
    if not files.path.exists() and await store.ask("EXISTS", NAME):
        raise Misconfigured(
            f"there is no {files.path}, and the store was written with a master key", hint="copy that file from another gateway"
        )
    return await files.masters()


def wrapped_files(settings: Settings) -> WrappedFiles:
    """The master key that the service of SORDINO_MASTER_KEY_URL has locked. Raises Misconfigured."""
    place, secrets = place_of(settings.master_key_url or ""), Secrets(settings.data / "secrets")
    tls = tls_context() if place.url.scheme == "https" else True

    @asynccontextmanager
    async def connect() -> AsyncIterator[KeyService]:
        async with outbound_session() as session:
            if place.kind != AWS:
                yield VaultTransit(place, secrets.read(VAULT_SECRET), session, tls)
                return
            access, _, rest = secrets.read(AWS_SECRET).reveal().partition(":")
            secret, _, token = rest.partition(":")
            if not (access and secret):
                raise Misconfigured(f"the secret {AWS_SECRET} is no key of AWS", hint="write ACCESS_KEY_ID:SECRET_ACCESS_KEY")
            signer = Signer(access, place.region, "kms", secret)
            key = AwsKey(access, Private(token), signer.signature, lambda now: f"{now:%Y%m%d}/{place.region}/kms/aws4_request")
            yield AwsKms(place, key, session, tls, SystemClock().now)

    return WrappedFiles(settings.data / "keys" / "master.wrapped", connect)


def master_keys(settings: Settings) -> MasterKeys:
    """From SORDINO_MASTER_KEY, or from the file. Raises Misconfigured."""
    if settings.master_key is not None:
        return MasterKeys.from_secret(settings.master_key, settings.master_key_next)
    return MasterKeys.from_file(master_key_file(settings), create=settings.master_key_file is None)


def master_key_file(settings: Settings) -> Path:
    """Where the master key is, unless the environment holds it."""
    return settings.master_key_file or settings.data / "keys" / "master.key"


def key_desk(settings: Settings, store: Store, ledger: Ledger, keys: Keys) -> KeyDesk:
    """Where keys are listed and changed."""
    ids, changes = RandomIds(), KeyChanges(store, keys.shelf, keys.masters)
    folder, index = Folder(settings.data / "recordings"), RedisRecordings(store)

    async def adopt() -> int:
        return await adopt_older(folder, index, keys.shelf, changes)

    def beating(beat: Beat | None) -> KeyChanges:
        return KeyChanges(store, keys.shelf, keys.masters, beat)

    return KeyDesk(KeyDeskParts(keys.shelf, beating, RedisLease(store, ids.new("desk")), ledger, SystemClock(), ids, adopt))


def master_change(settings: Settings, keys: Keys) -> MasterChange:
    """How this gateway's master key is replaced."""
    if settings.master_key_url is not None:
        return WrappedChange(wrapped_files(settings))
    return EnvironmentChange(keys.masters) if settings.master_key is not None else FileChange(master_key_file(settings))
