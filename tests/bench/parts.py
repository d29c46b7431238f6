"""One stage at a time, on the gateway's real parts: its codec and gate, its detector's process, its vault and its ledger."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable

from gateway.adapters.carriers.twilio import TwilioMedia
from gateway.adapters.conversation.phone import CallerInput
from gateway.app import Gateway
from gateway.call.events import CallerAudio, MarkReturned
from gateway.call.flow import Announcement, CallFlow, Hear, PlayedOut
from gateway.caller.wire import TwilioWire
from gateway.demo.script import pieces
from gateway.policy.egress import Ask
from gateway.redaction.unmask import Unmasker
from gateway.runner.account import CallAccount
from gateway.runner.egress import CallEgress
from gateway.runner.showing import Nobody, showing
from gateway.serving import masker_of
from gateway.values import CallId, DataCategory, Hop, Pcm, Placeholder, Private, TenantId
from tests.bench import routing
from tests.bench.numbers import Json, spread
from tests.bench.speech import TAPE, frames, sentences

TENANT = TenantId("talking")
MASKED = frozenset({DataCategory.MASKED_TRANSCRIPT})
PLAIN = ("no thank you", "can you hear me", "how much does it cost", "thank you very much")
ANSWER = (
    "Thank you, <PERSON_1>. I have sent the confirmation to <EMAIL_ADDRESS_1>. We will call you on <PHONE_NUMBER_1> "
    "about the delivery to <STREET_ADDRESS_1>. Is there anything else that I can do for you today? Goodbye, <PERSON_1>."
)
VALUES = {
    "<PERSON_1>": "Jonathan Miller",
    "<EMAIL_ADDRESS_1>": "john dot smith at example dot com",
    "<PHONE_NUMBER_1>": "five five five two three four nine eight seven six",
    "<STREET_ADDRESS_1>": "forty two oak street",
}
_ANNOUNCEMENT = Announcement("bench", "bench", "en", "", "", 1_000)
_RULE_OFF_EVERY = 64


class Parts:
    """The handlers of ``python -m tests.bench.house`` that measure a part alone. Samples in ms."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def frame(self, times: int) -> Json:
        """One Twilio media message: through codec and gate (announcing: dropped), through to the conversation's input, and the
        bare decoding of the same message beside it."""
        kinds: dict[str, list[float]] = {"bare": [], "gate": [], "conversation": [], "out": []}
        announcing, listening, out = _Stream(heard=False), _Stream(heard=True), _Stream(heard=True)
        spoken = [frame for name in TAPE for frame in frames(name)]
        pcm = [out.codec_pcm(frame) for frame in spoken[:500]]
        for index in range(times):
            frame = spoken[index % len(spoken)]
            kinds["gate"].append(announcing.take(frame))
            kinds["conversation"].append(listening.take(frame))
            kinds["bare"].append(_timed(_bare, listening.text))
            kinds["out"].append(_timed(out.codec.audio, pcm[index % len(pcm)]))
            await listening.drain()
            if index % _RULE_OFF_EVERY == 0:
                await asyncio.sleep(0)
        return {name: spread(samples) for name, samples in kinds.items()}

    async def mask(self, times: int) -> Json:
        """A caller's sentence: with values in it (detector, anonymizer, vault with fsync) and without."""
        tenant = self._gateway.policies.tenant(TENANT)
        values, plain = _samples(), _samples()
        for _ in range(times):
            vault = await self._gateway.calls.vault(tenant).open(TENANT, CallId(self._gateway._ids.new("call")))
            masker = masker_of(tenant, self._gateway.detector, vault)
            for text in (*sentences(), *PLAIN):
                began = time.perf_counter()
                masked = await masker.mask(Private(text))
                (values if masked.counts else plain).append((time.perf_counter() - began) * 1000)
        return {"values": spread(values), "plain": spread(plain)}

    async def route(self, times: int) -> Json:
        """The policy's decision on three candidates; and the same with the answer written down and confirmed by fsync."""
        gateway = self._gateway
        call = CallId(gateway._ids.new("call"))
        account = CallAccount(TENANT, call, gateway.ledger, gateway._clock)
        shown = showing(Nobody(), call)
        egress = CallEgress(gateway.policies, account, gateway._clock, gateway._ids, gateway.telemetry, shown, origin="us")
        ask = Ask(
            tenant=TENANT,
            call=call,
            hop=Hop.LLM,
            categories=MASKED,
            purpose="conversation",
            at=gateway._clock.now(),
            grant_id="grant_bench",
            origin="us",
        )
        decided = [_timed(gateway.policies.decide, ask) for _ in range(times * 10)]
        written = _samples()
        durable = "memory"
        for _ in range(times):
            began = time.perf_counter()
            await egress.grant(Hop.LLM, MASKED)
            written.append((time.perf_counter() - began) * 1000)
            durable = account.entries[-1].durable
        fifty = routing.measure(times * 10)["again"]
        return {"decide": spread(decided), "fifty": fifty, "written": spread(written), "durable": durable}

    async def unmask(self, times: int) -> Json:
        """A streamed answer with five placeholders, by chunk of about four characters and as a whole."""
        chunks, answers = _samples(), _samples()
        for _ in range(times):
            unmasker, whole = Unmasker(_restore), 0.0
            for piece in pieces(ANSWER):
                chunks.append(_timed(unmasker.feed, piece))
                whole += chunks[-1]
            answers.append(whole + _timed(unmasker.flush))
            await asyncio.sleep(0)
        return {"chunk": spread(chunks), "answer": spread(answers), "characters": len(ANSWER)}


class _Stream:
    """One media stream with a gate behind it, before or after the announcement."""

    def __init__(self, *, heard: bool) -> None:
        self.codec = TwilioMedia()
        self._wire = TwilioWire("CA" + "0" * 32, "MZ" + "0" * 32, "AC" + "0" * 32)
        self._flow = CallFlow((_ANNOUNCEMENT,))
        self._input = CallerInput()
        self._now = 0
        self.text = ""
        self.codec.receive(self._wire.connected())
        for event in self.codec.receive(self._wire.start()):
            self._flow.on(event, 0)
        if heard:
            self._flow.on(PlayedOut(_ANNOUNCEMENT.id), 1_000)
            self._flow.on(MarkReturned(_ANNOUNCEMENT.mark(1)), 1_000)

    def take(self, frame: bytes) -> float:
        """One frame through codec, gate and, if it opens, the conversation's input. How long it took, in ms."""
        self._now += 20
        self.text = self._wire.media(frame)
        return _timed(self._take)

    def _take(self) -> None:
        for event in self.codec.receive(self.text):
            for command in self._flow.on(event, self._now):
                if isinstance(command, Hear):
                    self._input.hear(command.pcm)

    async def drain(self) -> None:
        while not self._input._frames.empty():
            await anext(self._input)

    def codec_pcm(self, frame: bytes) -> Pcm:
        (event,) = self.codec.receive(self._wire.media(frame))
        assert isinstance(event, CallerAudio)
        return event.pcm.reveal()


def _bare(text: str) -> bytes:
    return base64.b64decode(json.loads(text)["media"]["payload"])


def _restore(placeholder: Placeholder) -> Private[str] | None:
    value = VALUES.get(placeholder)
    return None if value is None else Private(value)


def _samples() -> list[float]:
    return []


def _timed(work: Callable[..., object], *given: object) -> float:
    began = time.perf_counter_ns()
    work(*given)
    return (time.perf_counter_ns() - began) / 1e6
