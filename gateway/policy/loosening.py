"""Where a tenant's file is laxer than a pack it extends: found by name, refused without a reason, taken with one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.policy import children, dialling, masks, recording, retention, transcripts
from gateway.policy.fields import Mask, Tls, Training
from gateway.policy.model import Loosening, PackFile, Settings, TenantFile
from gateway.policy.regions import within
from gateway.policy.where import Regions

_ORDERED = ("training", "tls", "processor_retention", "breach_hours", "objection_days", "notice_days", "notice_business_days")


def laxer(tenant: TenantFile, pack: PackFile) -> Iterator[tuple[str, str]]:
    """Each setting that ``tenant`` states laxer than ``pack``, as it is named under ``loosens``, and what the pack asks for."""
    for key in _ORDERED:
        mine, asked = getattr(tenant, key), getattr(pack, key)
        if mine is not None and asked is not None and _more(key, mine, asked):
            yield key, _shown(pack, key)
    if tenant.purposes is not None and pack.purposes is not None and set(tenant.purposes) - set(pack.purposes):
        yield "purposes", _shown(pack, "purposes")
    yield from recording.laxer(tenant.recording, pack.recording)
    yield from transcripts.laxer(tenant.transcripts, pack.transcripts)
    yield from children.laxer(tenant.children, pack.children)
    mine_unknown, asked_unknown = getattr(tenant.answers, "unknown", None), getattr(pack.answers, "unknown", None)
    if mine_unknown is not None and asked_unknown is not None and mine_unknown.laxity > asked_unknown.laxity:
        yield "answers.unknown", asked_unknown.value
    yield from _regions(tenant.regions, pack.regions)
    yield from _masking(tenant.masking or {}, pack.masking or {})
    yield from retention.laxer(tenant.retention, pack.retention)
    yield from _outbound(tenant.outbound, pack.outbound)
    for category, recipients in (tenant.sensitive or {}).items():
        asked = (pack.sensitive or {}).get(category)
        if asked is not None and not all(each in asked or within(each, asked) for each in recipients):
            yield f"sensitive.{category.value}", _shown(pack, "sensitive", category.value)


def _more(key: str, mine: Any, asked: Any) -> bool:
    if isinstance(mine, Training | Tls):
        return bool(mine.laxity > asked.laxity)
    return bool(mine < asked) if key.startswith("notice") else bool(mine > asked)


def _regions(mine: Regions | None, asked: Regions | None) -> Iterator[tuple[str, str]]:
    if mine is None or asked is None:
        return
    for key, places in mine.stated.items():
        limit = asked.stated.get(key, asked.default)
        if limit is not None and not all(within(place, limit) for place in places):
            yield ("regions" if key == masks.DEFAULT else f"regions.{key}"), f"[{', '.join(limit)}]"


def _masking(mine: masks.Masking, asked: masks.Masking) -> Iterator[tuple[str, str]]:
    for kind, stated in mine.items():
        for hop in stated.hops:
            wanted, given = masks.said(asked, kind, hop), stated.at(hop)
            if wanted is not None and given is not None and given.laxity > wanted.laxity:
                yield f"masking.{kind}", wanted.value
                break


def _outbound(mine: dialling.OutboundStated | None, asked: dialling.OutboundStated | None) -> Iterator[tuple[str, str]]:
    """Calling windows and do-not-call lists of all files hold together, so a tenant's own only add to a pack's."""
    if mine is None or asked is None:
        return
    plain = asked.model_dump(mode="json")
    if mine.countries is not None and asked.countries is not None and set(mine.countries) - set(asked.countries):
        yield "outbound.countries", f"[{', '.join(asked.countries)}]"
    for key in ("consent", "quiet_holidays"):
        if getattr(mine, key) is False and getattr(asked, key) is True:
            yield f"outbound.{key}", "true"
    for key in ("attempts_per_day", "do_not_call_max_age"):
        given, limit = getattr(mine, key), getattr(asked, key)
        if given is not None and limit is not None and given > limit:
            yield f"outbound.{key}", str(plain[key])


def _shown(pack: PackFile, key: str, inner: str = "") -> str:
    value = pack.model_dump(mode="json")[key]
    value = value[inner] if inner else value
    return f"[{', '.join(value)}]" if isinstance(value, list | tuple) else str(value)


def stated(settings: Settings, name: str) -> bool:
    """Whether a file says anything of the setting called ``name``."""
    key, _, inner = name.partition(".")
    value = getattr(settings, key, None) if key in Settings.model_fields else None
    if value is None or not inner:
        return value is not None
    if isinstance(value, Regions):
        return bool({inner, masks.DEFAULT} & set(value.stated))
    if key == "masking":
        return bool({inner, masks.DEFAULT} & set(value))
    if isinstance(value, dict | tuple):
        return inner in value
    return getattr(value, inner, None) is not None


def without(pack: PackFile, tenant: TenantFile) -> PackFile:
    """``pack`` as this tenant takes it over: without the settings that it loosens with a reason."""
    named = [each for each in tenant.loosens if each.pack == pack.pack]
    for each in named:
        pack = _less(pack, each, tenant)
    return pack


def _less(pack: PackFile, loosened: Loosening, tenant: TenantFile) -> PackFile:
    key, _, inner = loosened.setting.partition(".")
    value = getattr(pack, key, None)
    if value is None:
        return pack
    if not inner:
        left: Any = value.model_copy(update={"default": None}) if isinstance(value, Regions) else None
    elif key == "masking":
        # The pack's default would hold for the kind again, so what the tenant says of it stands in its place.
        own = (tenant.masking or {}).get(inner, masks.MaskFor(default=Mask.KEEP))
        left = {**value, inner: own} if inner != masks.DEFAULT else {k: v for k, v in value.items() if k != inner}
    elif isinstance(value, Regions):
        # The same of a list of its own: it takes the place of the pack's.
        left = value.model_copy(update={inner: getattr(tenant.regions, inner, None)})
    elif isinstance(value, dict):
        left = {each: said for each, said in value.items() if each != inner}
    elif isinstance(value, tuple):
        left = tuple(each for each in value if each != inner)
    else:
        left = value.model_copy(update={inner: None})
    return pack.model_copy(update={key: left})
