"""The ear for yes and no: this machine's speech-to-text, under a Grant for consent, with nobody behind it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

from gateway.adapters.conversation.ears import Listening, StretchCutter
from gateway.adapters.conversation.phone import CallerInput
from gateway.errors import PolicyRefused
from gateway.policy.regions import LOCAL
from gateway.policy.rules import CONSENT
from gateway.ports import Egress, SpeechToText
from gateway.values import DataCategory, Hop, Pcm, Private

SHORT = Listening(pause_ms=160, silence_ms=480, longest_ms=8_000)
"""A yes ends sooner than a sentence does."""


class LocalAnswerEar:
    """Implements ``gateway.runner.answering.AnswerEar`` for one answer."""

    def __init__(
        self, recognisers: Mapping[str, SpeechToText], egress: Egress, ready: Callable[[], Awaitable[None]], language: str
    ) -> None:
        """``recognisers`` by dialect; ``ready`` returns when they are warm: until then the answer waits."""
        self._recognisers = recognisers
        self._egress = egress
        self._ready = ready
        self._language = language
        self._caller = CallerInput()
        self._cutter = StretchCutter(SHORT)
        self._recognising = True
        """Also until the recogniser is warm: what is said by then waits for it."""

    @property
    def busy(self) -> bool:
        return self._cutter.speaking or self._recognising

    def hear(self, pcm: Private[Pcm]) -> None:
        self._caller.hear(pcm)

    def close(self) -> None:
        self._caller.close()

    async def words(self) -> AsyncGenerator[Private[str], None]:
        """Each stretch of speech in words, until closed.

        Raises:
            NoPermittedRoute, EvidenceUnavailable: no Grant for it.
            PolicyRefused: the Grant is for a processor that is not on this machine.
            UpstreamFailed, UpstreamTimeout: it was not understood.
        """
        grant = await self._egress.grant(Hop.STT, frozenset({DataCategory.VOICE}), purpose=CONSENT)
        if grant.region != LOCAL or grant.dialect not in self._recognisers:
            raise PolicyRefused("a caller's answer is heard on this machine only", hint="put a local processor into route.stt")
        await self._ready()
        self._recognising = False
        async for frame in self._caller:
            for stretch in self._cutter.push(bytes(frame.data)):
                if stretch.whole:
                    self._recognising = True
                    words = await self._recognisers[grant.dialect].transcribe(
                        grant, Private(stretch.pcm), language=self._language
                    )
                    self._recognising = False
                    yield words
