"""The media leg of a call, whatever carries it: what the runner needs of a socket or a room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol, runtime_checkable

from gateway.call.events import LegEvent
from gateway.values import Pcm

FRAME_MS = 20
"""How long a piece of audio is that every leg takes."""


class Leg(Protocol):
    """One call's audio in both directions. Sending never raises for a leg that has gone: the event stream says so."""

    @property
    def rate(self) -> int:
        """Sample rate of the audio to send, in Hz."""
        ...

    @property
    def acknowledges(self) -> str:
        """Whose word a returned mark is: ``mark``, the carrier's; ``playout``, our own (see ``evidence.facts.PROOFS``)."""
        ...

    def events(self) -> AsyncIterator[LegEvent]:
        """What happens on the leg, in order; ends after LegStopped."""
        ...

    async def listen(self) -> None:
        """From now on the caller may be heard. A leg that can leave the caller's audio where it is does so until then."""
        ...

    async def send_audio(self, pcm: Pcm) -> None:
        """One frame at ``rate``, played by the carrier after those before it."""
        ...

    async def send_mark(self, name: str) -> None:
        """Ask the carrier to return ``name`` once everything sent so far was played."""
        ...

    async def send_clear(self) -> None:
        """Throw away what the carrier has not played yet."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class MeetingLeg(Protocol):
    """A leg on which others may join the caller. It tells of them by ``ParticipantJoined`` and leaves their audio where it is."""

    async def admit(self, joined: int, *, to_answer: bool) -> None:
        """Whoever came by the ``joined``-th ParticipantJoined may be heard now; ``to_answer``: for their answer only.

        ``joined`` 0: nobody but those who were there from the beginning.
        """
        ...


@runtime_checkable
class CoarseLeg(Protocol):
    """A leg that takes longer pieces than 20 ms: a third of the messages, and of the work for each call."""

    @property
    def frame_ms(self) -> int:
        """How long a piece is to be, in ms."""
        ...


def frame_ms_of(leg: Leg) -> int:
    """How long the pieces are that this leg is sent, in ms."""
    return leg.frame_ms if isinstance(leg, CoarseLeg) else FRAME_MS


@runtime_checkable
class EncryptedLeg(Protocol):
    """A leg that we encrypt ourselves, and that knows how."""

    @property
    def transport(self) -> Mapping[str, str]:
        """For the record: versions and ciphers as they were agreed (promise 24)."""
        ...


@runtime_checkable
class TransferringLeg(Protocol):
    """A leg whose carrier can hand the caller over to a person."""

    async def transfer(self) -> bool:
        """Have the carrier dial whom the tenant named, as soon as the leg is closed. False: it cannot, and closing it hangs up.

        Raises StoreUnavailable: as False.
        """
        ...
