"""Joins a tenant's file with the packs it extends. The stricter value wins, whatever the order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import reduce

from gateway.policy.fields import Mask, Training
from gateway.policy.model import (
    CONVERSATION,
    PackFile,
    Recording,
    RequiredAnnouncement,
    Retention,
    Settings,
    TenantFile,
    TenantPolicy,
)
from gateway.policy.regions import LOCAL, narrower, simplest

DEFAULT_NOTICE_DAYS = 30


def effective(tenant: TenantFile, packs: Sequence[PackFile]) -> TenantPolicy:
    """The policy in force: regions and purposes are what all layers allow, everything else is the strictest of what they say."""
    layers: tuple[Settings, ...] = (*packs, tenant)
    return TenantPolicy(
        tenant=tenant.tenant,
        extends=tuple(sorted(tenant.extends)),
        language=tenant.language,
        regions=_regions(layers),
        origins=tuple(sorted({origin for layer in layers for origin in layer.origins or ()} - {LOCAL})),
        presumed_origins=tuple(
            sorted({place for layer in layers if not layer.origins for place in layer.regions or ()} - {LOCAL})
        ),
        training=_training(layers),
        purposes=_purposes(layers),
        masking=_masking(layers),
        recording=Recording(enabled=_recording(layers)),
        announcements=_announcements(tenant, packs),
        retention=_retention(layers),
        notice_days=max((layer.notice_days for layer in layers if layer.notice_days is not None), default=DEFAULT_NOTICE_DAYS),
        route=tenant.route,
        numbers=tuple(sorted(tenant.numbers)),
        carrier=tenant.carrier,
        agent=tenant.agent,
    )


def _regions(layers: Iterable[Settings]) -> tuple[str, ...]:
    stated = [layer.regions for layer in layers if layer.regions is not None]
    return simplest(reduce(narrower, stated)) if stated else ()


def _training(layers: Iterable[Settings]) -> Training:
    stated = [layer.training for layer in layers if layer.training is not None]
    return min(stated, key=lambda training: training.laxity, default=Training.PROHIBITED)


def _purposes(layers: Iterable[Settings]) -> tuple[str, ...]:
    stated = [set(layer.purposes) for layer in layers if layer.purposes is not None]
    return tuple(sorted(set.intersection(*stated) if stated else {CONVERSATION}))


def _masking(layers: Iterable[Settings]) -> dict[str, Mask]:
    stated = [layer.masking for layer in layers if layer.masking]
    kinds = sorted({"default", *(kind for masking in stated for kind in masking)})
    joined: dict[str, Mask] = {}
    for kind in kinds:
        said = [mask for masking in stated if (mask := masking.get(kind, masking.get("default"))) is not None]
        joined[kind] = min(said, key=lambda mask: mask.laxity, default=Mask.PSEUDONYM)
    return joined


def _recording(layers: Iterable[Settings]) -> bool:
    stated = [layer.recording.enabled for layer in layers if layer.recording is not None]
    return bool(stated) and all(stated)


def _announcements(tenant: TenantFile, packs: Sequence[PackFile]) -> tuple[RequiredAnnouncement, ...]:
    """Packs' first, then the tenant's. The same id twice is one announcement, in the words of the pack."""
    joined: dict[str, RequiredAnnouncement] = {}
    layers = [(f"pack:{pack.pack}", pack.announcements) for pack in sorted(packs, key=lambda pack: pack.pack)]
    for rule, announcements in (*layers, (f"tenant:{tenant.tenant}", tenant.announcements)):
        for announcement in announcements or ():
            joined.setdefault(announcement.id, RequiredAnnouncement(**announcement.model_dump(), rule=rule))
    return tuple(joined.values())


def _retention(layers: Iterable[Settings]) -> Retention:
    shortest: dict[str, timedelta] = {}
    for layer in layers:
        for kind in Retention.model_fields:
            stated = getattr(layer.retention, kind) if layer.retention is not None else None
            if stated is not None:
                shortest[kind] = min(stated, shortest.get(kind, stated))
    return Retention(**shortest)
