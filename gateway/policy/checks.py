"""What packs and tenants say that each value alone is right, and all together are not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from gateway.policy import dialling, loosening, masks, merge
from gateway.policy.announcing import RECORDING, AnnouncementMode, Disclosure
from gateway.policy.faults import did_you_mean
from gateway.policy.fields import Mask
from gateway.policy.model import PackFile, Settings, TenantFile
from gateway.policy.regions import is_region
from gateway.policy.transcripts import TRANSCRIPT
from gateway.policy.transfer import why_not
from gateway.values import Hop

_PAID = "add `payment: [{processor: NAME}]` to its route; NAME is an entry of kind payment in subprocessors.yaml"


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault, where it stands in its file (keys and indexes from the top), and how to mend it."""

    message: str
    path: tuple[int | str, ...]
    hint: str
    at_key: bool = False


def settings(said: Settings, entities: Collection[str] | None) -> Iterator[Problem]:
    """Faults in what packs and tenants have in common. ``entities``: the kinds of data that the detector finds; None: any."""
    for kind in said.masking or {}:
        if entities is not None and kind != masks.DEFAULT and kind not in entities:
            message = f"`{kind}` is not a kind of personal data that we find"
            yield Problem(message, ("masking", kind), did_you_mean(kind, entities), at_key=True)
    for kind, key in masks.wrongly_kept(said.masking or {}):
        message = f"`{kind}` may not be kept: payment and identity numbers never reach a model"
        yield Problem(message, ("masking", kind, key), "write drop, category, pseudonym or last4")


def tenant(said: TenantFile, packs: Mapping[str, PackFile], processors: Collection[str] | None) -> Iterator[Problem]:
    """Faults between a tenant's file and the packs it extends. ``processors``: those there are; None: not known."""
    for category, recipients in (said.sensitive or {}).items():
        for index, name in enumerate(recipients):
            if processors is not None and not is_region(name) and name not in processors:
                hint = did_you_mean(name, processors)
                yield Problem(f"there is no sub-processor `{name}`", ("sensitive", category.value, index), hint)
    yield from _unpaid(said)
    yield from _undialled(said, packs)
    yield from _laxer(said, packs)
    yield from _loosens(said, packs)
    yield from _untold(said, packs)
    yield from _recorded(said, packs)
    yield from _written_down(said, packs)
    yield from _never_noted(said, packs)


def _unpaid(said: TenantFile) -> Iterator[Problem]:
    """Card data that is taken and handed to nobody."""
    if said.payment is not None and not said.route.payment:
        yield Problem("card data is taken, and the route names nobody who receives it", ("payment",), _PAID, at_key=True)


def _undialled(said: TenantFile, packs: Mapping[str, PackFile]) -> Iterator[Problem]:
    """A person whose number no policy permits to dial (promise 30)."""
    if said.transfer is not None:
        stated = [each.outbound for each in (*packs.values(), said) if each.outbound is not None]
        for reason in why_not(said.transfer, dialling.joined(stated)):
            hint = "add its country to outbound: {countries: […]}, or name another number"
            yield Problem(f"callers cannot be handed over: {reason}", ("transfer", "to"), hint)


def _laxer(said: TenantFile, packs: Mapping[str, PackFile]) -> Iterator[Problem]:
    named = {(each.setting, each.pack) for each in said.loosens}
    for name, pack in packs.items():
        for setting, asked in loosening.laxer(said, pack):
            if (setting, name) not in named:
                hint = f"to loosen it write loosens: [{{setting: {setting}, pack: {name}, reason: …}}]"
                yield Problem(f"{name} asks for {setting}: {asked}", tuple(setting.split(".")), hint)


def _loosens(said: TenantFile, packs: Mapping[str, PackFile]) -> Iterator[Problem]:
    for index, each in enumerate(said.loosens):
        pack = packs.get(each.pack)
        if each.pack not in said.extends:
            hint = did_you_mean(each.pack, said.extends, otherwise="this tenant extends")
            yield Problem(f"this tenant does not extend `{each.pack}`", ("loosens", index, "pack"), hint)
        elif pack is not None and not loosening.stated(pack, each.setting):
            laxer = [name for name, _ in (*loosening.laxer(said, pack), *_less_told(said, pack))]
            general = "name one of its settings as it stands there: training, masking.CVV, retention.audio"
            hint = did_you_mean(each.setting, laxer, otherwise="what this file says laxer than it is") if laxer else general
            yield Problem(f"{each.pack} says nothing of {each.setting}", ("loosens", index, "setting"), hint)
        elif pack is not None and each.setting not in {
            name for name, _ in (*loosening.laxer(said, pack), *_less_told(said, pack))
        }:
            message = f"this file says nothing laxer than {each.pack} of {each.setting}"
            yield Problem(message, ("loosens", index), "remove the entry, or write the laxer value")


def _told(said: Settings) -> set[Disclosure]:
    return {told for announcement in said.announcements or () for told in announcement.says}


def _less_told(said: TenantFile, pack: PackFile) -> Iterator[tuple[str, str]]:
    for each in pack.disclose or ():
        if each not in _told(said):
            yield f"disclose.{each.value}", each.value


def _untold(said: TenantFile, packs: Mapping[str, PackFile]) -> Iterator[Problem]:
    """What must be told to callers and stands in no announcement."""
    told = _told(said).union(*(_told(pack) for pack in packs.values()))
    if said.recording is None or not said.recording.enabled:
        told.add(Disclosure.RECORDING)
    loosened = {(each.setting, each.pack) for each in said.loosens}
    for name, pack in packs.items():
        for each in pack.disclose or ():
            if each not in told and (f"disclose.{each.value}", name) not in loosened:
                path = ("extends", said.extends.index(name))
                yield Problem(f"{name} asks that callers are told `{each.value}`", path, _telling(each))
    for index, each in enumerate(said.disclose or ()):
        if each not in told:
            yield Problem(f"no announcement tells callers `{each.value}`", ("disclose", index), _telling(each))


def _telling(each: Disclosure) -> str:
    return f"add `says: [{each.value}]` to the announcement that tells it, or add such an announcement"


def _recorded(said: TenantFile, packs: Mapping[str, PackFile]) -> Iterator[Problem]:
    """What a recording needs: somebody who asks, a place to keep it, and a time to keep it for (promises 11 and 14)."""
    if said.recording is None or not said.recording.enabled:
        return
    announcements = [each for file in (said, *packs.values()) for each in file.announcements or ()]
    if not any(each.mode is not AnnouncementMode.NOTIFY and each.purpose == RECORDING for each in announcements):
        yield _missing("no announcement asks whether callers agree", "add one with mode: stay-on-line, key-press or spoken-yes")
    if not said.route.storage:
        yield _missing("the route names no storage", "add to the route: storage: [{processor: local-recordings}]")
    if said.retention is None or not said.retention.audio:
        yield _missing("nothing says how long recordings are kept", "write retention: {audio: 30d}")


def _missing(what: str, hint: str) -> Problem:
    return Problem(f"recording is on, and {what}", ("recording", "enabled"), hint)


def _written_down(said: TenantFile, packs: Mapping[str, PackFile]) -> Iterator[Problem]:
    """What a transcript needs: somebody who asks, and a time to keep it for (promises 11 and 14)."""
    if said.transcripts is None or not said.transcripts.enabled:
        return
    at, on = ("transcripts", "enabled"), "transcripts are on, and "
    announcements = [each for file in (said, *packs.values()) for each in file.announcements or ()]
    asked = [each for each in announcements if each.mode is not AnnouncementMode.NOTIFY]
    if not any(each.purpose in (RECORDING, TRANSCRIPT) for each in asked):
        hint = "add one with mode: stay-on-line, key-press or spoken-yes; asks: transcript asks for this alone"
        yield Problem(f"{on}no announcement asks whether callers agree", at, hint)
    if said.retention is None or not said.retention.transcript:
        yield Problem(f"{on}nothing says how long they are kept", at, "write retention: {transcript: 30d}")


def _never_noted(said: TenantFile, packs: Mapping[str, PackFile]) -> Iterator[Problem]:
    """Kinds by which callers are to be found, and of which the mask leaves nothing to be found by."""
    kinds = () if said.rights is None else said.rights.spoken_identity
    if not kinds:
        return
    policy = merge.effective(said, [packs[name] for name in said.extends if name in packs])
    for kind in kinds:
        mask = policy.masking_for(kind, Hop.LLM)
        if mask not in (Mask.PSEUDONYM, Mask.SURROGATE):
            message = f"nobody can be found by `{kind}`: masking towards the model ({mask.value}) leaves nothing to note"
            hint = f"write masking: {{{kind}: pseudonym}}, or leave {kind} out here"
            yield Problem(message, ("rights", "spoken_identity"), hint, at_key=True)
