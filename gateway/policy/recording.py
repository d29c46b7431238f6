"""What a tenant says of recording its calls: whether, what is taken out of the sound, what becomes of it (promises 11, 14)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gateway.policy.fields import Model

Switch = Annotated[bool, Field(strict=True)]


class OnWithdrawal(StrEnum):
    """What becomes of a recording whose caller takes the agreement back; strictest first."""

    DELETE = "delete"
    """All of it is deleted, with its key."""
    KEEP_UNTIL_THEN = "keep-until-then"
    """What was recorded before that moment stays."""


class Redact(StrEnum):
    """What becomes of spoken personal data in a recording; strictest first, and the first two hide the same."""

    SILENCE = "silence"
    BLEEP = "bleep"
    NONE = "none"
    """It stays as it was said."""


class WithoutStorage(StrEnum):
    """What becomes of a call that is to be recorded, and no storage is permitted; strictest first."""

    CONTINUE_UNRECORDED = "continue-unrecorded"
    HANG_UP = "hang-up"
    """The caller is told that the call cannot go on."""


class RecordingStated(Model):
    """Whether the sound of calls is kept, as far as a file says. Off unless the tenant says so (promise 11)."""

    enabled: Switch = False
    """Whether calls whose callers agreed are recorded. Somebody must be asked, and a storage and ``retention.audio`` named."""
    on_withdrawal: OnWithdrawal | None = None
    """What becomes of a recording when the agreement is taken back."""
    redact: Redact | None = None
    """What becomes of personal data in the sound."""
    without_storage: WithoutStorage | None = None
    """What becomes of a call when no storage is permitted."""


class Recording(Model):
    """What is in force of recording."""

    enabled: bool = False
    on_withdrawal: OnWithdrawal = OnWithdrawal.DELETE
    redact: Redact = Redact.SILENCE
    without_storage: WithoutStorage = WithoutStorage.CONTINUE_UNRECORDED


CHOICES: tuple[str, ...] = ("on_withdrawal", "redact", "without_storage")


def joined(stated: Iterable[RecordingStated | None]) -> Recording:
    """On where everybody who speaks of it says so; of every choice the strictest that was made, else the strictest there is."""
    said = [each for each in stated if each is not None]
    enabled = bool(said) and all(each.enabled for each in said)
    chosen = {key: [value for each in said if (value := getattr(each, key)) is not None] for key in CHOICES}
    return Recording(enabled=enabled, **{key: min(values, key=laxity) for key, values in chosen.items() if values})


def laxity(choice: StrEnum) -> int:
    """Place in the order from the strictest: 0, 1…"""
    return list(type(choice)).index(choice)


def laxer(mine: RecordingStated | None, asked: RecordingStated | None) -> Iterable[tuple[str, str]]:
    """Each setting that one file states laxer than another asks for it, and what that one asks for."""
    if mine is None or asked is None:
        return
    if mine.enabled and not asked.enabled:
        yield "recording", "{enabled: false}"
    for key in CHOICES:
        given, wanted = getattr(mine, key), getattr(asked, key)
        hidden = key == "redact" and given is Redact.BLEEP
        if given is not None and wanted is not None and laxity(given) > laxity(wanted) and not hidden:
            yield f"recording.{key}", wanted.value
