"""What a tenant says of keeping what was said: whether, and what becomes of it when the agreement is taken back (promise 11)."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.policy.fields import Model
from gateway.policy.recording import OnWithdrawal, Switch, laxity

TRANSCRIPT = "transcript"
"""The purpose of an announcement that asks for this alone. Where none does, the agreement to be recorded counts."""


class TranscriptsStated(Model):
    """Whether what was said is kept, masked, as far as a file says. Off unless the tenant says so (promise 11)."""

    enabled: Switch = False
    """Whether calls whose callers agreed are kept as text. Somebody must be asked, and ``retention.transcript`` be written."""
    on_withdrawal: OnWithdrawal | None = None
    """What becomes of a transcript when the agreement is taken back."""


class Transcripts(Model):
    """What is in force of transcripts."""

    enabled: bool = False
    on_withdrawal: OnWithdrawal = OnWithdrawal.DELETE


def joined(stated: Iterable[TranscriptsStated | None]) -> Transcripts:
    """On where everybody who speaks of it says so; of the choices the strictest that was made."""
    said = [each for each in stated if each is not None]
    chosen = [each.on_withdrawal for each in said if each.on_withdrawal is not None]
    enabled = bool(said) and all(each.enabled for each in said)
    return Transcripts(enabled=enabled, on_withdrawal=min(chosen, key=laxity, default=OnWithdrawal.DELETE))


def laxer(mine: TranscriptsStated | None, asked: TranscriptsStated | None) -> Iterable[tuple[str, str]]:
    """Each setting that one file states laxer than another asks for it, and what that one asks for."""
    if mine is None or asked is None:
        return
    if mine.enabled and not asked.enabled:
        yield "transcripts", "{enabled: false}"
    given, wanted = mine.on_withdrawal, asked.on_withdrawal
    if given is not None and wanted is not None and laxity(given) > laxity(wanted):
        yield "transcripts.on_withdrawal", wanted.value
