"""``sordino tenants``: who they are, and the keys and limits with which their programs use the model proxy."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import SCOPES, TenantKey, TenantKeys
from gateway.cli.offboarding import add_offboard
from gateway.errors import InvalidRequest, Misconfigured, PolicyInvalid
from gateway.settings import Settings
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_FILE = """# yaml-language-server: $schema=../schema/tenant.json
tenant: {tenant}
extends: [{packs}]
regions: [{regions}]
origins: [{origins}]
training: prohibited
route:
  llm: [{{processor: local-llm, model: "*"}}]      # `sordino policy explain --tenant {tenant}` says who else may be asked
masking: {{default: pseudonym}}
announcements: []
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add ``tenants`` and its commands."""
    tenants = subparsers.add_parser(
        "tenants",
        help="tenants, and the keys of their programs",
        description="Tenants, and the keys and limits with which their programs use the model proxy.",
        epilog="example: sordino tenants keys create acme",
    )
    commands = tenants.add_subparsers(required=True, metavar="COMMAND")
    each = _command(commands, "list", run_list, "the tenants of the policies, and how many keys each has", "tenants list")
    each.add_argument("--format", default="text", choices=["text", "json"])
    each = _command(commands, "create", run_create, "write the file of a new tenant", "tenants create acme --region eu")
    each.add_argument("tenant", metavar="TENANT")
    each.add_argument("--extends", action="append", default=[], metavar="PACK", help="take over a pack's rules (repeatable)")
    each.add_argument(
        "--region", action="append", default=[], metavar="R", help="where data may go (repeatable; local always may)"
    )
    each.add_argument("--origin", action="append", default=[], metavar="R", help="whose law protects the callers (repeatable)")
    each = _command(
        commands, "limits", run_limits, "show or set how much a tenant may ask for", "tenants limits acme --concurrent 50"
    )
    each.add_argument("tenant", metavar="TENANT")
    for name, what in (("per-minute", "requests a minute"), ("burst", "at one moment"), ("concurrent", "in progress at once")):
        each.add_argument(f"--{name}", type=int, metavar="N", help=what)
    add_offboard(commands)
    keys = commands.add_parser(
        "keys", help="a tenant's keys", description="A tenant's keys.", epilog="example: sordino tenants keys list acme"
    )
    _add_keys(keys.add_subparsers(required=True, metavar="COMMAND"))


def _add_keys(commands: Subparsers) -> None:
    each = _command(commands, "create", run_create_key, "make a key; it is shown once", "tenants keys create acme --expires 90d")
    each.add_argument("tenant", metavar="TENANT")
    each.add_argument("--name", default="", help="what it is for")
    each.add_argument("--scope", action="append", choices=sorted(SCOPES), help="what it may be used for (repeatable; all)")
    each.add_argument("--expires", type=_span, metavar="90d", help="how long it is good (for ever)")
    each = _command(commands, "list", run_list_keys, "every key that there was, without its secret", "tenants keys list acme")
    each.add_argument("tenant", metavar="TENANT")
    each.add_argument("--format", default="text", choices=["text", "json"])
    each = _command(commands, "rotate", run_rotate, "a new key in place of one", "tenants keys rotate acme key_0123 --grace 24h")
    each.add_argument("tenant", metavar="TENANT")
    each.add_argument("key", metavar="KEY_ID")
    each.add_argument("--grace", type=_span, default=timedelta(0), metavar="24h", help="how long the old one stays good (0s)")
    each = _command(commands, "revoke", run_revoke, "nobody is let in by it any more", "tenants keys revoke acme key_0123")
    each.add_argument("tenant", metavar="TENANT")
    each.add_argument("key", metavar="KEY_ID")


def _command(
    commands: Subparsers, name: str, run: Callable[[argparse.Namespace], int], what: str, example: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what, epilog=f"example: sordino {example}")
    parser.add_argument(
        "--policies", type=Path, metavar="DIR", help="the folder of subprocessors.yaml and tenants/ (SORDINO_POLICIES)"
    )
    parser.set_defaults(run=run)
    return parser


def run_list(given: argparse.Namespace) -> int:
    async def work(keys: TenantKeys, policies: PolicyFolder) -> None:
        now = datetime.now(UTC)
        rows = [
            {"tenant": name, "keys": sum(key.usable(now) for key in await keys.of(TenantId(name)))}
            for name in sorted(policies.policies.tenants)
        ]
        if given.format == "json":
            json.dump(rows, sys.stdout, indent=2)
            print()
        else:
            for row in rows:
                print(f"{row['tenant']}  {row['keys']} key(s)")

    return _run(given, work)


def run_create(given: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ, policies=given.policies)
    if not _NAME.fullmatch(given.tenant):
        raise InvalidRequest("a tenant's name is 1 to 63 small letters, digits and hyphens, and begins with a letter")
    path = settings.policies / "tenants" / f"{given.tenant}.yaml"
    if path.exists():
        raise Misconfigured(f"{path} is there already", hint="edit it, or choose another name")
    text = _FILE.format(
        tenant=given.tenant,
        packs=", ".join(given.extends),
        regions=", ".join(given.region or ["local"]),
        origins=", ".join(given.origin),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    policies = PolicyFolder(settings.policies)
    policies.reload_if_changed()
    if policies.findings:
        path.unlink()
        raise PolicyInvalid(policies.findings)
    print(f"wrote {path}")
    print(f"a key for it: sordino tenants keys create {given.tenant}")
    return 0


def run_limits(given: argparse.Namespace) -> int:
    async def work(keys: TenantKeys, policies: PolicyFolder) -> None:
        tenant = _tenant(policies, given.tenant)
        wanted = {name: value for name in ("per_minute", "burst", "concurrent") if (value := getattr(given, name)) is not None}
        limits = replace(await keys.limits(tenant), **wanted)
        if wanted:
            await keys.limit(tenant, limits)
        print(
            f"{given.tenant}: {limits.per_minute} a minute, {limits.burst} at one moment, {limits.concurrent} in progress at once"
        )

    return _run(given, work)


def run_create_key(given: argparse.Namespace) -> int:
    async def work(keys: TenantKeys, policies: PolicyFolder) -> None:
        tenant = _tenant(policies, given.tenant)
        key, secret = await keys.create(
            tenant, now=datetime.now(UTC), name=given.name, scopes=given.scope or SCOPES, lives=given.expires
        )
        _show_once(key, secret.reveal())

    return _run(given, work)


def run_list_keys(given: argparse.Namespace) -> int:
    async def work(keys: TenantKeys, policies: PolicyFolder) -> None:
        found = await keys.of(_tenant(policies, given.tenant))
        if given.format == "json":
            json.dump([asdict(key) for key in found], sys.stdout, indent=2)
            print()
            return
        now = datetime.now(UTC)
        for key in found:
            state = "revoked" if key.revoked_at else "good" if key.usable(now) else "expired"
            until = f" until {key.expires_at[:16]}" if key.expires_at else ""
            print(f"{key.id}  {state}{until}  {','.join(key.scopes)}  made {key.created_at[:16]}  {key.name}".rstrip())

    return _run(given, work)


def run_rotate(given: argparse.Namespace) -> int:
    async def work(keys: TenantKeys, policies: PolicyFolder) -> None:
        tenant = _tenant(policies, given.tenant)
        key, secret = await keys.rotate(tenant, given.key, now=datetime.now(UTC), grace=given.grace)
        _show_once(key, secret.reveal())

    return _run(given, work)


def run_revoke(given: argparse.Namespace) -> int:
    async def work(keys: TenantKeys, policies: PolicyFolder) -> None:
        await keys.revoke(_tenant(policies, given.tenant), given.key, now=datetime.now(UTC))
        print(f"{given.key} lets nobody in any more")

    return _run(given, work)


def _show_once(key: TenantKey, secret: str) -> None:
    """The secret alone on stdout, so that a script can take it."""
    print(f"{key.id} of {key.tenant}, for {', '.join(key.scopes)}. It is shown this once:", file=sys.stderr)
    print(secret)


def _run(given: argparse.Namespace, work: Callable[[TenantKeys, PolicyFolder], Awaitable[None]]) -> int:
    settings = Settings.from_env(os.environ, policies=given.policies)
    policies = PolicyFolder(settings.policies)
    policies.reload_if_changed()
    if policies.findings:
        raise PolicyInvalid(policies.findings)

    async def with_store() -> None:
        async with _store(settings) as store:
            await work(TenantKeys(store), policies)

    asyncio.run(with_store())
    return 0


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    """The gateway's own store: the one that is named, that of the gateway that runs here, or the files of one that does not."""
    url = settings.redis_url or await EmbeddedValkey.address(settings.data)
    if url is not None:
        async with Store(url) as store:
            yield store
        return
    async with EmbeddedValkey(settings.data) as valkey, Store(valkey.url) as store:
        yield store


def _tenant(policies: PolicyFolder, name: str) -> TenantId:
    if name not in policies.policies.tenants:
        known = ", ".join(sorted(policies.policies.tenants)) or "none"
        raise InvalidRequest("there is no such tenant in the policies", hint=f"known: {known}; sordino tenants create NAME")
    return TenantId(name)


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError("write a whole number and a unit: 90d, 24h, 30m, 0s")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
