"""What callers of one call are told first: the tenant's announcements, and what the law of both ends wants besides.

A tenant need not have extended the pack of a law for that law to hold: a caller from California is told of the assistant by a
tenant in Texas, too. Where no announcement of the tenant tells it, ours does, if it can be true of everybody (``STANDARD``); what
only the tenant can say (who calls, what becomes of the data) is written down as untold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.policy.announcing import Disclosure, RequiredAnnouncement, chosen
from gateway.policy.jurisdiction import Jurisdiction
from gateway.policy.model import PackFile, TenantPolicy

_AI = {
    "en": "Hello. You are speaking with an automated assistant.",
    "es": "Hola. Está hablando con un asistente automático.",
    "fr": "Bonjour. Vous parlez avec un assistant automatique.",
    "hi": "नमस्ते। आप एक स्वचालित सहायक से बात कर रहे हैं।",
    "it": "Buongiorno. Sta parlando con un assistente automatico.",
    "pt": "Olá. Você está falando com um assistente automático.",
}
NOWHERE = "eu-ai-act"
"""The pack that counts where nobody can say of an end where it is: the strictest of those that ask for the word about the AI."""
STANDARD = tuple(
    RequiredAnnouncement(
        id="standard-ai",
        language=language,
        text=text,
        asset=f"ai.{language}.wav",
        says=(Disclosure.AI,),
        rule=f"pack:{NOWHERE}",
    )
    for language, text in _AI.items()
)
"""What is true of every tenant, in the languages that we have recorded."""


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What a call hears first, in its order; what of the law nobody tells; and a sentence for whatever the law added or lacks."""

    announcements: tuple[RequiredAnnouncement, ...]
    untold: tuple[Disclosure, ...] = ()
    reasons: tuple[str, ...] = ()

    def record(self, law: Jurisdiction) -> dict[str, list[str] | bool]:
        """What a receipt holds of the law of a call and of what it added to the tenant's words."""
        return law.record() | {"reasons": [*law.reasons, *self.reasons], "untold": [each.value for each in self.untold]}


def first_words(policy: TenantPolicy, packs: Mapping[str, PackFile], law: Jurisdiction | None, language: str = "") -> FirstWords:
    """What a call of this tenant hears first under ``law``; None: nothing is known of its ends, and the files alone count.

    A tenant that extends a pack and loosens one of its disclosures, with a reason, is not overruled.
    """
    own = policy.announcements_for(language, law.places if law is not None else None)
    if law is None:
        return FirstWords(own)
    told = {each for announcement in own for each in announcement.says}
    wanted = {each: pack for pack, each in _wanted(policy, packs, law) if each not in told}
    added: list[RequiredAnnouncement] = []
    reasons: list[str] = []
    for each in chosen(STANDARD, language or policy.language, None):
        for disclosure in each.says:
            if (pack := wanted.pop(disclosure, None)) is not None:
                added.append(each.model_copy(update={"rule": f"pack:{pack}"}))
                reasons.append(f"{pack} wants callers told `{disclosure}`, and no announcement of the tenant says so: ours does")
    reasons += [f"{pack} wants callers told `{each}`, and no announcement of the tenant says so" for each, pack in wanted.items()]
    return FirstWords((*added, *own), tuple(wanted), tuple(reasons))


def all_first_words(policy: TenantPolicy) -> FirstWords:
    """Whatever a call of this tenant may hear first, wherever its ends are."""
    return FirstWords((*policy.announcements_for(), *STANDARD))


def _wanted(policy: TenantPolicy, packs: Mapping[str, PackFile], law: Jurisdiction) -> Iterator[tuple[str, Disclosure]]:
    """Pack and what it wants told, for the packs of the law and those that the tenant extends, backwards by their names."""
    named = {*law.packs, *policy.extends} | ({NOWHERE} if law.places is None else set())
    loosened = {(each.pack, each.setting) for each in policy.loosened}
    for name in sorted(named, reverse=True):
        for each in (packs[name].disclose or ()) if name in packs else ():
            if each is Disclosure.RECORDING and not policy.recording.enabled:
                continue
            if (name, f"disclose.{each.value}") not in loosened:
                yield name, each
