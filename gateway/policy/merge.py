"""Joins a tenant's file with the packs it extends. The stricter value wins, whatever the order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.policy import children, dialling, loosening, masks, recording, retention, transcripts, where
from gateway.policy.announcing import RequiredAnnouncement
from gateway.policy.fields import Training, Unknown, strictest_tls
from gateway.policy.model import (
    CONVERSATION,
    Answers,
    PackFile,
    Settings,
    TenantFile,
    TenantPolicy,
)
from gateway.policy.regions import LOCAL
from gateway.values import DataCategory

DEFAULT_NOTICE_DAYS = 30


def effective(tenant: TenantFile, packs: Sequence[PackFile]) -> TenantPolicy:
    """The policy in force: regions and purposes are what all layers allow, everything else is the strictest of what they say."""
    taken = [loosening.without(pack, tenant) for pack in packs]
    layers: tuple[Settings, ...] = (*taken, tenant)
    regions = [layer.regions for layer in layers if layer.regions is not None]
    masking = [layer.masking for layer in layers if layer.masking]
    return TenantPolicy(
        tenant=tenant.tenant,
        extends=tuple(sorted(tenant.extends)),
        loosened=tuple(sorted(tenant.loosens, key=lambda each: (each.pack, each.setting))),
        language=tenant.language,
        regions=where.general(regions),
        regions_apart=where.apart(regions),
        origins=tuple(sorted({origin for layer in layers for origin in layer.origins or ()} - {LOCAL})),
        presumed_origins=tuple(sorted({law for layer in layers if not layer.origins for law in where.laws(layer.regions)})),
        training=_training(layers),
        tls=strictest_tls(*(layer.tls for layer in layers)),
        purposes=_purposes(layers),
        sensitive=_sensitive(layers),
        masking=masks.joined(masking),
        masking_apart=masks.joined_apart(masking),
        answers=_answers(layers),
        recording=recording.joined(layer.recording for layer in layers),
        transcripts=transcripts.joined(layer.transcripts for layer in layers),
        children=children.joined(layer.children for layer in layers),
        announcements=_announcements(tenant, taken),
        disclose=_union(layers, "disclose"),
        retention=retention.joined(layer.retention for layer in layers),
        holidays=_union(layers, "holidays"),
        outbound=dialling.joined(layer.outbound for layer in layers if layer.outbound is not None),
        route=tenant.route,
        numbers=tuple(sorted(tenant.numbers)),
        carrier=tenant.carrier,
        agent=tenant.agent,
        contacts=tenant.contacts,
        payment=tenant.payment,
        transfer=tenant.transfer,
        notify_policy_changes=tenant.notify_policy_changes,
        **_clocks(layers),
    )


_AS_WRITTEN = ("language", "route", "carrier", "agent", "contacts", "payment", "transfer", "notify_policy_changes")
_OF_ONE = ("tenant", "numbers", "announcements", *_AS_WRITTEN)


def alike(tenant: TenantFile, packs: Sequence[PackFile]) -> tuple[object, ...]:
    """A key that two tenants share whose joined settings are the same, whatever they are called and say to callers.

    Parts are told apart by identity, so it holds as long as the files themselves are held.
    """
    stated = tuple(value if isinstance(value, str) else id(value) for key, value in tenant.__dict__.items() if key not in _OF_ONE)
    return (*stated, *(id(pack) for pack in packs))


def effective_like(known: TenantPolicy, tenant: TenantFile, packs: Sequence[PackFile]) -> TenantPolicy:
    """What ``effective`` gives, taking over the settings of a policy whose files are ``alike``."""
    joined = {key: known.__dict__[key] for key in TenantPolicy.model_fields}
    taken = [loosening.without(pack, tenant) for pack in packs] if tenant.loosens else packs
    own = {key: getattr(tenant, key) for key in _AS_WRITTEN}
    announcements = _announcements(tenant, taken)
    numbers = tuple(sorted(tenant.numbers))
    return TenantPolicy.model_construct(
        **{**joined, **own, "announcements": announcements, "numbers": numbers, "tenant": tenant.tenant}
    )


_LONGEST: dict[str, int] = {"notice_days": DEFAULT_NOTICE_DAYS, "notice_business_days": 0}
_SHORTEST = ("processor_retention", "objection_days", "breach_hours")


def _clocks(layers: Iterable[Settings]) -> dict[str, Any]:
    """Notice is the longest that one asks for, every other clock the shortest."""
    stated: dict[str, list[Any]] = {}
    for layer in layers:
        for key in (*_LONGEST, *_SHORTEST):
            if (value := getattr(layer, key)) is not None:
                stated.setdefault(key, []).append(value)
    chosen = {key: (max if key in _LONGEST else min)(values) for key, values in stated.items()}
    return {**_LONGEST, **chosen}


def _union(layers: Iterable[Settings], key: str) -> tuple[Any, ...]:
    return tuple(sorted({each for layer in layers for each in getattr(layer, key) or ()}))


def _sensitive(layers: Iterable[Settings]) -> dict[DataCategory, tuple[tuple[str, ...], ...]]:
    """Every list that some file has for a kind: all of them must name whoever receives it."""
    lists: dict[DataCategory, set[tuple[str, ...]]] = {}
    for layer in layers:
        for category, recipients in (layer.sensitive or {}).items():
            lists.setdefault(category, set()).add(tuple(sorted(set(recipients))))
    return {category: tuple(sorted(lists[category])) for category in sorted(lists)}


def _training(layers: Iterable[Settings]) -> Training:
    stated = [layer.training for layer in layers if layer.training is not None]
    return min(stated, key=lambda training: training.laxity, default=Training.PROHIBITED)


def _answers(layers: Iterable[Settings]) -> Answers:
    stated = [layer.answers.unknown for layer in layers if layer.answers is not None and layer.answers.unknown is not None]
    return Answers(unknown=min(stated, key=lambda unknown: unknown.laxity, default=Unknown.PASS))


def _purposes(layers: Iterable[Settings]) -> tuple[str, ...]:
    stated = [set(layer.purposes) for layer in layers if layer.purposes is not None]
    return tuple(sorted(set.intersection(*stated) if stated else {CONVERSATION}))


def _announcements(tenant: TenantFile, packs: Sequence[PackFile]) -> tuple[RequiredAnnouncement, ...]:
    """Packs' first, then the tenant's. The same id and language twice is one announcement, in the words of the pack."""
    joined: dict[tuple[str, str], RequiredAnnouncement] = {}
    layers = [(f"pack:{pack.pack}", pack.announcements) for pack in sorted(packs, key=lambda pack: pack.pack)]
    for rule, announcements in (*layers, (f"tenant:{tenant.tenant}", tenant.announcements)):
        for announcement in announcements or ():
            required = RequiredAnnouncement(**announcement.model_dump(), rule=rule)
            joined.setdefault((announcement.id, announcement.language), required)
    return tuple(joined.values())
