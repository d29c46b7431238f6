"""Wiring of anchors: who sees the heads of our chains from outside, as the environment says. Nobody, where it says nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.x509 import Certificate
from pydantic import TypeAdapter, ValidationError

from gateway.adapters.audit.authority import Authority
from gateway.adapters.audit.second_place import SecondPlace
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.anchors import RedisAnchors
from gateway.adapters.stores.chains import RedisChains
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceInvalid, Misconfigured, SordinoError
from gateway.evidence.anchor import read_roots
from gateway.policy.fields import Duration
from gateway.ports import Clock, Ids, Telemetry
from gateway.runner.anchoring import Anchoring, AnchoringParts, Witness
from gateway.values import TenantId

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
URL, ROOTS, FOLDER, EVERY = "SORDINO_TSA_URL", "SORDINO_TSA_ROOTS", "SORDINO_ANCHOR_DIR", "SORDINO_ANCHOR_EVERY"
USUALLY = "1h"
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


@dataclass(frozen=True, slots=True)
class AnchoringNeeds:
    """What anchoring stands on."""

    store: Store
    ledger: RedisLedger
    signing: SigningKey
    tenants: Callable[[], Iterable[TenantId]]
    env: Mapping[str, str]
    clock: Clock
    ids: Ids
    telemetry: Telemetry


async def open_anchoring(needs: AnchoringNeeds, running: AsyncExitStack) -> Anchoring | None:
    """None where no witness is named. Raises Misconfigured."""
    witnesses: list[Witness] = []
    if url := needs.env.get(URL):
        witnesses.append(await running.enter_async_context(Authority(url, _roots(needs.env.get(ROOTS, "")))))
    if folder := needs.env.get(FOLDER):
        witnesses.append(SecondPlace(Path(folder)))
    if not witnesses:
        return None
    parts = AnchoringParts(
        witnesses=witnesses,
        anchors=RedisAnchors(needs.store),
        chain=needs.ledger,
        lease=RedisLease(needs.store, needs.ids.new("gateway")),
        tenants=RedisChains(needs.store, needs.tenants, needs.clock),
        sign=needs.signing.sign,
        public_key=needs.signing.public_key,
        clock=needs.clock,
        telemetry=needs.telemetry,
        every=_every(needs.env.get(EVERY) or USUALLY),
    )
    return Anchoring(parts)


def witnesses_said(env: Mapping[str, str]) -> str:
    """Who is to see the chains, and how often, in words. Raises Misconfigured: a setting is wrong."""
    _roots(env.get(ROOTS, ""))
    if (folder := env.get(FOLDER)) and not Path(folder).is_dir():
        raise Misconfigured(f"{FOLDER}: there is no folder {folder}", hint="mount it, or make it")
    named = [place for place in (env.get(URL), folder) if place]
    if not named:
        return f"nobody sees the evidence's chains but this gateway (set {FOLDER} or {URL})"
    _every(env.get(EVERY) or USUALLY)
    return f"chains are shown to {' and '.join(named)} every {env.get(EVERY) or USUALLY}"


async def keep_anchoring(anchoring: Anchoring) -> None:
    """Anchor what is due, again and again, until cancelled. A failure waits for the next round."""
    while True:
        try:
            await anchoring.round()
        except SordinoError as error:
            log.warning("chains could not be anchored now: %s", error.code)
        await asyncio.sleep(LOOK_EVERY_S)


def _roots(path: str) -> list[Certificate]:
    if not path:
        return []
    try:
        return read_roots(Path(path).read_bytes())
    except OSError as error:
        raise Misconfigured(f"{ROOTS}: {path} cannot be read: {error.strerror}") from None
    except EvidenceInvalid as error:
        raise Misconfigured(f"{ROOTS}: {error.message}", hint=error.hint) from None


def _every(text: str) -> timedelta:
    try:
        found = _DURATION.validate_python(text)
    except ValidationError:
        found = timedelta(0)
    if found <= timedelta(0):
        raise Misconfigured(f"{EVERY} is no duration", hint="write a whole number and a unit: 15m, 1h or 1d")
    return found
