"""``sordino doctor``: what is configured, reachable, safe; what is not, and how to mend it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from gateway.adapters.keys.files import read_key
from gateway.adapters.keys.master import NEXT, PREVIOUS
from gateway.adapters.keys.oidc import oidc_settings
from gateway.adapters.keys.service import place_of
from gateway.adapters.sounds import APOLOGY, REFUSED, Sounds
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenants import tenants_with_evidence
from gateway.adapters.system import Secrets, SystemClock
from gateway.adapters.telemetry.otlp import endpoint_from_env
from gateway.anchoring import FOLDER, witnesses_said
from gateway.errors import Misconfigured, SordinoError
from gateway.evidence.chain import FSYNC
from gateway.keeping import master_keys
from gateway.policy.announcing import Announcement
from gateway.policy.model import TenantPolicy
from gateway.policy.offboarding import Status
from gateway.policy.retention import Hold
from gateway.settings import Settings
from gateway.talking import BROWSERS_NEED
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, NOT_WELL = 0, 1
PARTS = {
    "moonshine_voice": "speech to text",
    "hibari": "voice",
    "presidio_analyzer": "detector",
    "livekit.agents": "conversation",
}
"""Package: what needs it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``mend`` is empty when it is well."""

    what: str
    well: bool
    says: str
    mend: str = ""


def add_parser(subparsers: Subparsers) -> None:
    """Add ``doctor``."""
    parser = subparsers.add_parser(
        "doctor",
        help="what is configured, reachable and safe, and how to mend what is not",
        description="Look at everything that a gateway needs, without starting one.",
        epilog="example: sordino doctor --policies policies",
    )
    parser.add_argument(
        "--policies", type=Path, metavar="DIR", help="the folder of subprocessors.yaml and tenants/ (SORDINO_POLICIES)"
    )
    parser.add_argument("--format", default="text", choices=["text", "json"])
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """0 when all is well, 1 when something is not."""
    found = list(examine(Settings.from_env(os.environ, policies=given.policies), os.environ))
    if given.format == "json":
        json.dump([asdict(finding) for finding in found], sys.stdout, indent=2)
        print()
    else:
        _show(found)
    return GOOD if all(finding.well for finding in found) else NOT_WELL


def examine(settings: Settings, env: Mapping[str, str]) -> Iterator[Finding]:
    """Look at one thing after the other. Nothing is started, and nothing is written."""
    for module, what in PARTS.items():
        there = find_spec(module) is not None
        yield Finding(what, there, "installed" if there else f"{module} is missing", "" if there else "run make setup")
    policies = PolicyFolder(settings.policies)
    policies.reload_if_changed()
    for fault in policies.findings:
        yield Finding("policy", False, f"{fault.where}: {fault.message}", fault.hint)
    yield from _keys(settings)
    yield _looked("store", lambda: _store(settings), "see SORDINO_REDIS_URL")
    yield _looked("telemetry", lambda: _telemetry(env), "see OTEL_EXPORTER_OTLP_ENDPOINT")
    if not policies.findings:
        yield Finding("policy", True, f"{len(policies.policies.tenants)} tenant(s) in {settings.policies}")
        for tenant in policies.policies.tenants.values():
            yield from _tenant(tenant, policies, Secrets(settings.data / "secrets", env))
        yield from _holds(settings, [TenantId(name) for name in policies.policies.tenants])
        yield from _without_file(settings, [TenantId(name) for name in policies.policies.tenants])
    yield _public_url(settings)
    yield _looked("sign-in", lambda: _sign_in(env, Secrets(settings.data / "secrets", env)), "see SORDINO_OIDC_ISSUER")
    yield _looked("anchors", lambda: witnesses_said(env), f"see {FOLDER}")
    yield _browsers()


def _keys(settings: Settings) -> Iterator[Finding]:
    if settings.master_key is not None:
        yield _looked("master key", lambda: str(master_keys(settings)), "see SORDINO_MASTER_KEY")
        return
    if settings.master_key_url is not None:
        yield _looked(
            "master key", lambda: f"locked by {place_of(settings.master_key_url or '').kind}", "see SORDINO_MASTER_KEY_URL"
        )
        return
    path = settings.master_key_file or settings.data / "keys" / "master.key"
    if not path.exists() and settings.master_key_file is None:
        yield Finding("master key", True, f"will be made at first start: {path}")
        return
    yield _looked(
        "master key", lambda: f"{path} is readable for its owner only" if read_key(path) else "", "see SORDINO_MASTER_KEY_FILE"
    )
    if any(path.with_name(path.name + ending).exists() for ending in (NEXT, PREVIOUS)):
        yield Finding("master key", False, "a change to another one has not ended", "run sordino keys rotate")


def _store(settings: Settings) -> str:
    if settings.redis_url is None:
        return f"embedded Valkey under {settings.data}"
    return asyncio.run(_reach(settings.redis_url))


async def _reach(url: str) -> str:
    async with Store(url) as store:
        await store.ping()
        async with RedisLedger(store) as ledger:
            how = await ledger.durability()
    if how != FSYNC:
        raise Misconfigured(
            "the store answers, and does not write to disk before it confirms", hint="set appendonly yes, appendfsync always"
        )
    return "answers, and confirms after fsync"


def _holds(settings: Settings, tenants: Sequence[TenantId]) -> Iterator[Finding]:
    """Legal holds whose review is past due: they never end by themselves. Where no store runs, nobody is asked."""
    try:
        overdue = asyncio.run(_overdue(settings, tenants))
    except SordinoError:
        return  # that the store does not answer is told already
    for tenant, holds in overdue.items():
        named = ", ".join(hold.id for hold in holds)
        mend = f"look at them, then lift them or place new ones: sordino holds list --tenant {tenant}"
        yield Finding(f"tenant {tenant}", False, f"legal holds past their review: {named}", mend)


async def _overdue(settings: Settings, tenants: Sequence[TenantId]) -> Mapping[TenantId, Sequence[Hold]]:
    url = settings.redis_url or await EmbeddedValkey.address(settings.data)
    if url is None:
        return {}
    today = SystemClock().now().date()
    async with Store(url) as store:
        holds = {tenant: [hold for hold in (await RedisHolds(store).now(tenant))[1] if hold.overdue(today)] for tenant in tenants}
    return {tenant: found for tenant, found in holds.items() if found}


def _without_file(settings: Settings, tenants: Sequence[TenantId]) -> Iterator[Finding]:
    """Tenants who have data and no file, and have not left. Where no store runs, nobody is asked."""
    try:
        found = asyncio.run(_with_data(settings))
    except SordinoError:
        return  # that the store does not answer is told already
    for tenant in found:
        if tenant not in tenants:
            says = "has data here and no policy: it goes by what was promised, and nobody can ask for the rest"
            mend = f"put its file back, then end it: sordino tenants offboard {tenant} --reason WHY"
            yield Finding(f"tenant {tenant}", False, says, mend)


async def _with_data(settings: Settings) -> Sequence[TenantId]:
    url = settings.redis_url or await EmbeddedValkey.address(settings.data)
    if url is None:
        return ()
    async with Store(url) as store:
        ends = RedisOffboarding(store)
        ended = {each: await ends.find(each) for each in await tenants_with_evidence(store)}
    return [tenant for tenant, end in ended.items() if end is None or end.status is not Status.DONE]


def _telemetry(env: Mapping[str, str]) -> str:
    endpoint = endpoint_from_env(env)
    return f"spans go to {endpoint.host}" if endpoint else "nothing leaves the process (no collector is set)"


def _tenant(tenant: TenantPolicy, policies: PolicyFolder, secrets: Secrets) -> Iterator[Finding]:
    name = f"tenant {tenant.tenant}"
    sounds = Sounds(policies.announcement)
    for announcement in tenant.announcements:
        yield _looked(f"{name}, announcement {announcement.id}", partial(_announced, sounds, announcement), "")
    for message in (APOLOGY, REFUSED):
        yield _looked(f"{name}, {message}", partial(_sound, sounds, f"{message}.en.wav"), "")
    for carrier, secret in tenant.carrier.secrets().items():
        yield _looked(f"{name}, {carrier.title()}", partial(_set, secrets, secret), "")


def _set(secrets: Secrets, name: str) -> str:
    return f"the secret {name} is set" if secrets.read(name) else ""


def _announced(sounds: Sounds, announcement: Announcement) -> str:
    if announcement.asset is None:
        return "this machine's voice speaks it when the gateway starts"
    return _sound(sounds, announcement.asset)


def _sound(sounds: Sounds, asset: str) -> str:
    return f"{asset} plays {sounds.asset(asset).pcm.ms / 1000:.1f} s"


def _public_url(settings: Settings) -> Finding:
    if settings.public_url is None:
        return Finding("public address", True, "none: only this machine can call in (set SORDINO_PUBLIC_URL for a carrier)")
    well = settings.public_url.startswith("https://")
    return Finding("public address", well, settings.public_url, "" if well else "carriers must call https://")


def _sign_in(env: Mapping[str, str], secrets: Secrets) -> str:
    provider = oidc_settings(env, secrets)
    if provider is None:
        return "by keys alone: sordino access keys create (set SORDINO_OIDC_ISSUER for people)"
    factor = f"with {' or '.join(provider.mfa)}" if provider.mfa else "and no second factor is asked for"
    return f"people sign in at {provider.issuer}, {factor}"


def _browsers() -> Finding:
    there = find_spec("aiortc") is not None
    says = "may call in" if there else f"cannot call in: their package is not installed ({BROWSERS_NEED})"
    return Finding("browsers", True, says)


def _looked(what: str, look: Callable[[], str], mend: str) -> Finding:
    try:
        return Finding(what, True, look())
    except SordinoError as error:
        return Finding(what, False, error.message, error.hint or mend)


def _show(found: list[Finding]) -> None:
    console = Console(highlight=False)
    for finding in found:
        sign = ("✓", "green") if finding.well else ("✗", "red")
        console.print(Text.assemble("  ", sign, " ", (f"{finding.what}: ", "bold"), finding.says), soft_wrap=True)
        if finding.mend:
            console.print(Text(f"      to mend it: {finding.mend}", style="dim"), soft_wrap=True)
    faults = sum(not finding.well for finding in found)
    console.print(f"\n{faults} thing(s) to mend." if faults else "\nAll is well.")
