"""The words of a payment pause (promise 33): what can happen in it, what is to be done, and what it leaves on record.

While a caller gives card data nobody hears, reads or keeps anything of the call. Keys go to the payment processor, and to
nobody else. ``gateway.call.payment_flow`` has the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.evidence.entries import Json
from gateway.values import Private

MOST_KEYS = 32
"""The longest card number has 19 digits. Keys beyond this are counted and go nowhere."""
SUBMIT, AGAIN = "#", "*"
"""Keys that are no data: hand over what was keyed, and begin it anew."""


class Why(StrEnum):
    """What began a pause: the agent's tool, the agent's question, or card data in what the caller said."""

    AGENT = "agent"
    QUESTION = "question"
    DETECTED = "detected"


class CardField(StrEnum):
    """What the caller is asked to key in; ``more`` is whatever the processor wants next."""

    NUMBER = "number"
    EXPIRY = "expiry"
    CODE = "code"
    MORE = "more"


class Verdict(StrEnum):
    """What came of one hand-over. ``failed``: no answer that could be understood, so nothing is known to be taken."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    MORE = "more"
    FAILED = "failed"


class Ended(StrEnum):
    """How a pause ended. The last three end it without listening again."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    FAILED = "failed"
    AGENT = "agent"
    TIMED = "timed"
    UNAVAILABLE = "unavailable"
    """It never began: the call was not listening."""
    OVERDUE = "overdue"
    LEFT = "left"
    """The call ended, or somebody joined, while it lasted."""


PROMPTS: Mapping[CardField, str] = {each: f"payment-{each}" for each in CardField}
"""The recorded message that asks for each."""
TOLD: Mapping[Ended, str] = {
    Ended.ACCEPTED: "payment-accepted",
    Ended.DECLINED: "payment-declined",
    Ended.FAILED: "payment-failed",
    Ended.TIMED: "payment-failed",
}
"""What the caller hears at the end of a pause."""
OVERDUE = "payment-overdue"
"""What the caller hears when a pause ends the call."""
MESSAGES = tuple(sorted({*PROMPTS.values(), *TOLD.values(), OVERDUE}))


# --- what can happen ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PaymentExpected:
    """Card data is about to be given."""

    why: Why
    field: CardField = CardField.NUMBER


@dataclass(frozen=True, slots=True)
class PaymentAnswered:
    """The processor's answer to the ``handed``-th hand-over of the ``pause``-th pause. ``field``: what it wants next."""

    pause: int
    handed: int
    verdict: Verdict
    field: CardField = CardField.MORE


@dataclass(frozen=True, slots=True)
class PaymentOverdue:
    """The ``pause``-th pause had its time."""

    pause: int


@dataclass(frozen=True, slots=True)
class PaymentResumed:
    """The agent says that no card data is expected any more."""


PaymentEvent = PaymentExpected | PaymentAnswered | PaymentOverdue | PaymentResumed


# --- what is to be done ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GoBlind:
    """From now on nobody hears, reads or keeps anything: ears, recorder, model. Comes before anything else of a pause."""

    why: Why


@dataclass(frozen=True, slots=True)
class AskForKeys:
    """Play the recorded message that asks for it."""

    field: CardField


@dataclass(frozen=True, slots=True)
class AwaitPayment:
    """Send PaymentOverdue after so many ms."""

    pause: int
    within_ms: int


@dataclass(frozen=True, slots=True)
class TakeKey:
    """Hold this key, in memory only."""

    key: Private[str]


@dataclass(frozen=True, slots=True)
class ForgetKeys:
    """Wipe what is held."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give what is held to the payment processor, under a Grant, and wipe it. Send PaymentAnswered."""

    pause: int
    handed: int
    field: CardField


@dataclass(frozen=True, slots=True)
class SeeAgain:
    """The pause is over: tell the caller how, then hear, read and keep as before."""

    ended: Ended


@dataclass(frozen=True, slots=True)
class Keyed:
    """What is handed over, beside the keys: which pause of the call, which piece of it, and what was asked for."""

    pause: int
    handed: int
    field: CardField


PaymentCommand = GoBlind | AskForKeys | AwaitPayment | TakeKey | ForgetKeys | HandOver | SeeAgain


@dataclass(slots=True)
class Pause:
    """One pause as it goes on. It counts keys and holds none."""

    number: int
    why: Why
    field: CardField
    began_ms: int
    held: int = 0
    """Keys that wait to be handed over."""
    pressed: int = 0
    """All key presses of the pause."""
    handed: int = 0
    waiting: bool = False
    """Whether the processor's answer is awaited."""
    submitted: bool = False
    """The caller has keyed in the next piece already, and closed it."""
    frames: int = 0
    """Frames of the caller that nobody heard."""

    def marker(self, ended: Ended, at_ms: int) -> dict[str, Json]:
        """The gap's second marker: how long, how many keys, and none of them."""
        return {
            "pause": self.number,
            "reason": ended.value,
            "ms": at_ms - self.began_ms,
            "keys": self.pressed,
            "handed_over": self.handed,
            "frames_unheard": self.frames,
        }
