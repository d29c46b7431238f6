"""``sordino backup``: make one, list them, bring one back, and try whether it would come back."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.audit.backup_file import Header, read_header
from gateway.adapters.audit.bundle_file import is_bundle
from gateway.adapters.audit.sealed_file import SEALED
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import Snapshot
from gateway.adapters.system import RandomIds, SystemClock
from gateway.cli.attached import add_policies, attach
from gateway.cli.data import attach_data_desk
from gateway.cli.offline import trusted_key
from gateway.errors import BackupInvalid, InvalidRequest
from gateway.keeping import master_keys, open_keys
from gateway.policy.regions import LOCAL
from gateway.runner.backup import BackupParts, Backups, listed
from gateway.runner.backup_restore import DRILLED, RESTORED, Restored, RestoreParts, Restoring
from gateway.runner.backup_since import HOUSE, BundleSource, Source
from gateway.runner.holdings import Holding
from gateway.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

_URLS = ("redis://", "rediss://", "unix://")
GOOD, FOUND = 0, 1


def add_parser(subparsers: Subparsers) -> None:
    """Add ``backup`` and its commands."""
    top = subparsers.add_parser(
        "backup",
        help="backups: create, list, restore, drill",
        description="Encrypted backups of what the gateway keeps. What was deleted since does not come back with one.",
        epilog="example: sordino backup create /mnt/backups",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    each = _command(commands, "create", run_create, "make one, while the gateway works", "create /mnt/backups --region eu")
    each.add_argument("folder", type=Path, metavar="DIR", help="where to; keys.sealed beside it is replaced")
    each.add_argument("--region", default=LOCAL, metavar="R", help="where that folder lies (local: this machine)")
    each = _command(commands, "list", run_list, "the backups in a folder", "list /mnt/backups")
    each.add_argument("folder", type=Path, metavar="DIR")
    each.add_argument("--format", default="text", choices=["text", "json"])
    each = _command(
        commands, "restore", run_restore, "bring one back, into an empty store", "restore FILE --into redis://db:6379/0"
    )
    each.add_argument("--into", required=True, metavar="PLACE", help="a Redis or Valkey (redis://…), or a new data folder")
    each.add_argument("--data", type=Path, metavar="DIR", help="where files of calls go, with redis://… (SORDINO_DATA)")
    each.add_argument(
        "--evidence",
        action="append",
        default=[],
        metavar="PLACE",
        help="newer evidence: a store, a data folder or a bundle.zip, the newest last (repeatable; the gateway's own store)",
    )
    what = "the public key of the gateway that signed the bundles: a PEM file (signing.pub), or its base64 text"
    each.add_argument("--key", metavar="PUB", help=what)
    each.add_argument(
        "--without-newer-evidence", action="store_true", help="there is none: what was deleted since the backup comes back"
    )
    _add_file(each)
    each = _command(
        commands, "drill", run_drill, "bring one back into a store that is thrown away, and write down that it came", "drill FILE"
    )
    _add_file(each)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
    parser.add_argument("--keys", type=Path, metavar="FILE", help=f"the newest sealed keys ({SEALED} beside the backup)")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write what was done there, too")


def _command(
    commands: Subparsers, name: str, run: Callable[[argparse.Namespace], int], what: str, example: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what, epilog=f"example: sordino backup {example}")
    add_policies(parser)
    parser.set_defaults(run=run)
    return parser


def run_create(given: argparse.Namespace) -> int:
    """``sordino backup create DIR [--region R]``"""
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def work(running: AsyncExitStack) -> int:
        store, ledger = await attach(settings, running)
        keys = await open_keys(settings, store)
        parts = BackupParts(
            store=store,
            shelf=keys.shelf,
            masters=keys.masters,
            data=settings.data,
            tenants=lambda: folder.policies.tenants,
            ledger=ledger,
            clock=SystemClock(),
            ids=RandomIds(),
        )
        made = await Backups(parts).create(given.folder, region=given.region, tell=_tell)
        _tell("")
        print(f"wrote {made.path}: {made.records} records of {len(_named(made.header))} tenants")
        print(f"  keys: {made.path.with_name(SEALED)}, replaced; keep no older copy of it")
        for each in made.left_out:
            print(f"  not in it: {each}")
        return GOOD

    return in_a_stack(work)


def run_list(given: argparse.Namespace) -> int:
    """``sordino backup list DIR``"""
    rows: list[dict[str, object]] = []
    for path, header in listed(given.folder):
        if isinstance(header, BackupInvalid):
            rows.append({"file": path.name, "fault": header.message})
        else:
            whose = _named(header)
            rows.append({"file": path.name, "made": header.made, "region": header.region, "key": header.key_id, "tenants": whose})
    if given.format == "json":
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            told = row.get("fault") or f"{row['made']}  {row['region']}  key {row['key']}  {', '.join(row['tenants'])}"  # type: ignore[arg-type]
            print(f"{row['file']}  {told}")
    return FOUND if any("fault" in row for row in rows) else GOOD


def run_restore(given: argparse.Namespace) -> int:
    """``sordino backup restore FILE --into PLACE``"""
    settings = Settings.from_env(os.environ, policies=given.policies)
    into_store = given.into.startswith(_URLS)
    data = (given.data or settings.data) if into_store else Path(given.into)
    target = _target(settings, data, given.into if into_store else None)

    async def work(running: AsyncExitStack) -> int:
        sources = await _sources(given, settings, target, running)
        done = await _restore(given, target, sources, running, kind=RESTORED)
        _say(given, done, f"restored into {given.into}")
        print("  not in backups: API keys. Make new ones: sordino tenants keys create TENANT")
        print(f"  not in backups: {data / 'keys'}: bring your own copy of the signing key")
        return GOOD

    return in_a_stack(work)


def run_drill(given: argparse.Namespace) -> int:
    """``sordino backup drill FILE``"""
    settings = Settings.from_env(os.environ, policies=given.policies)

    async def work(running: AsyncExitStack) -> int:
        store, ledger = await attach(settings, running)
        await _check_newer(given.file, store, running)
        scratch = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="sordino-drill-")))
        done = await _restore(given, _target(settings, scratch, None), [ledger], running, kind=DRILLED, record_in=ledger)
        _say(given, done, "the drill was passed, and is written down")
        return GOOD

    return in_a_stack(work)


def _target(settings: Settings, data: Path, url: str | None) -> Settings:
    """The same gateway elsewhere: its master key, wherever that is, and other places."""
    inside = settings.master_key is None and settings.master_key_file is None
    file = settings.data / "keys" / "master.key" if inside else settings.master_key_file
    return replace(settings, data=data, redis_url=url, master_key_file=file)


async def _restore(
    given: argparse.Namespace,
    target: Settings,
    sources: Sequence[Source],
    running: AsyncExitStack,
    *,
    kind: str,
    record_in: RedisLedger | None = None,
) -> Restored:
    folder = PolicyFolder.open(target.policies)
    if target.redis_url is None:
        await running.enter_async_context(EmbeddedValkey(target.data))
    store, ledger = await attach(target, running)
    masters = master_keys(target)

    async def open_holdings() -> Sequence[Holding]:
        return (await attach_data_desk(target, folder, running)).holdings

    parts = RestoreParts(
        store=store,
        snapshot=await running.enter_async_context(Snapshot(store)),
        ledger=ledger,
        data=target.data,
        shelf=RedisKeyShelf(store, masters),
        masters=masters,
        open_holdings=open_holdings,
        clock=SystemClock(),
        ids=RandomIds(),
    )
    restoring = Restoring(parts, tell=_tell)
    done = await restoring.run(given.file, given.keys or given.file.with_name(SEALED), sources)
    await restoring.record(done, kind, record_in or ledger)
    return done


async def _sources(given: argparse.Namespace, settings: Settings, target: Settings, running: AsyncExitStack) -> list[Source]:
    """Where newer evidence is. Raises InvalidRequest: nobody said."""
    if given.without_newer_evidence:
        return []
    found: list[Source] = [await _source(place, given.key, settings, running) for place in given.evidence]
    if not found:
        if (settings.redis_url, settings.data.absolute()) == (target.redis_url, target.data.absolute()):
            raise InvalidRequest("nothing tells what was deleted since the backup", hint=_NEWER)
        store, ledger = await attach(settings, running)
        await _check_newer(given.file, store, running)
        found.append(ledger)
    return found


async def _source(place: str, key: str | None, settings: Settings, running: AsyncExitStack) -> Source:
    if place.startswith(_URLS):
        return await running.enter_async_context(RedisLedger(await running.enter_async_context(Store(place))))
    path = Path(place)
    if await asyncio.to_thread(path.is_dir):
        return (await attach(replace(settings, data=path, redis_url=None), running))[1]
    return await asyncio.to_thread(_bundle, path, key, settings.data / "keys" / "signing.pub")


def _bundle(path: Path, given: str | None, public: Path) -> BundleSource:
    """What it says is done, so it must be known who says it."""
    if not is_bundle(path):
        raise InvalidRequest(f"{path} is no bundle of evidence", hint="make one: sordino evidence export")
    key = trusted_key(str(public) if given is None and public.is_file() else given)
    if key is None:
        raise InvalidRequest(
            f"anybody could have signed {path}: the key of the gateway whose evidence it is is not here",
            hint="give it: --key signing.pub, from SORDINO_DATA/keys of that gateway or from who keeps it for you",
        )
    return BundleSource(path, key)


async def _check_newer(file: Path, store: Store, running: AsyncExitStack) -> None:
    """The store must be the one that the backup was made of. Raises InvalidRequest."""
    snapshot = await running.enter_async_context(Snapshot(store))
    for section in (await asyncio.to_thread(read_header, file)).sections:
        seq, head = await snapshot.head(section.tenant)
        if seq < section.seq or (seq == section.seq and seq and head != section.head):
            raise InvalidRequest(
                f"the gateway's store has older evidence of tenant {section.tenant} than the backup has", hint=_NEWER
            )


_NEWER = "name the newest evidence: --evidence PLACE; if there is none: --without-newer-evidence"


def _say(given: argparse.Namespace, done: Restored, what: str) -> None:
    _tell("")
    print(f"{what}: backup {done.header.id} of {done.header.made}, keys of {done.keys_made}")
    for tenant, of in done.tenants.items():
        since = of.since
        gone = " (its key was destroyed: its data is not readable)" if of.unreadable else ""
        whose = "the gateway itself" if tenant == HOUSE else tenant
        print(f"  {whose}: {of.records} records, {of.files} files{gone}; evidence verified to entry {of.entries}")
        print(f"    since then: {since.deletions} deletions, {since.deleted_again} done again, 0 came back; {since.holds} holds")
        print(f"    {since.objections} objections and withdrawals and {since.consents} agreements known again")
        if since.consents_unknown:
            print(f"    {since.consents_unknown} agreements are not: the evidence does not name them; import them again")
        for whose in since.rectified:
            print(f"    put right since, and wrong in the backup: words of {whose}; they were taken out")
    if given.report is not None:
        given.report.write_text(json.dumps(done.document(), indent=2) + "\n", encoding="utf-8")


def _named(header: Header) -> list[str]:
    """The tenants in a backup; what is of the gateway itself is in every one."""
    return [str(tenant) for tenant in header.tenants if tenant != HOUSE]


def _tell(text: str) -> None:
    """How far it is, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def in_a_stack(work: Callable[[AsyncExitStack], Awaitable[int]]) -> int:
    async def inside() -> int:
        async with AsyncExitStack() as running:
            return await work(running)

    return asyncio.run(inside())
