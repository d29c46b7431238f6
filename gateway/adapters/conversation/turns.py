"""What the guarded parts of one call share: the mask, the door, the record, the spans and the clock of each turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.adapters.conversation.said import Said
from gateway.adapters.conversation.taking import Taking
from gateway.errors import SordinoError
from gateway.ports import Clock, ConversationEvents, Egress, Masker, SpanHandle, Tape, Telemetry, TurnShown
from gateway.values import EntityType, MaskedText, Placeholder, Private


class Turn:
    """One turn: from the end of the caller's speech to the first sound of the answer."""

    def __init__(self, number: int, turns: CallTurns, *, silent_s: float = 0.0) -> None:
        self.number = number
        self._turns = turns
        self._began = turns.clock.monotonic() - silent_s
        self._span = turns.telemetry.begin("sordino.turn", turns.call_span, turn=number)
        self._open = True

    @contextmanager
    def stage(self, name: str, span: str = "", **facts: str | int | float | bool) -> Iterator[SpanHandle]:
        """Time one stage of the turn (``listen``, ``mask``, ``route``, ``model``, ``speak``)."""
        turns = self._turns
        began = turns.clock.monotonic()
        handle = turns.telemetry.begin(span or f"sordino.{name}", self._span, **facts)
        try:
            yield handle
        except SordinoError as error:
            handle.fail(error.code)
            raise
        finally:
            handle.end()
            self.observe(name, turns.clock.monotonic() - began)

    def observe(self, stage: str, seconds: float) -> None:
        self._turns.telemetry.observe("sordino_turn_seconds", seconds, stage=stage)
        self._turns.events.show(TurnShown("latency", facts={"turn": self.number, "stage": stage, "ms": round(seconds * 1000, 1)}))

    async def mask(self, heard: Private[str]) -> MaskedText:
        """The caller's words as a model may see them, with the counts on record."""
        turns = self._turns
        if turns.taking.pauses is None:
            turns.events.show(TurnShown("heard", text=heard, facts={"turn": self.number}))
        with self.stage("mask") as span:
            masked = await turns.masker.mask(heard, previous=turns.last_said)
            span.set(masked=sum(masked.counts.values()))
        if turns.taking.blind:
            return MaskedText("")
        if turns.taking.pauses is not None:
            # Not before it is known that the words hold no card data.
            turns.events.show(TurnShown("heard", text=heard, facts={"turn": self.number}))
        turns.kinds |= masked.counts.keys()
        if masked.counts:
            for entity, count in masked.counts.items():
                turns.telemetry.count("sordino_masked_total", count, entity=entity)
            counts = {str(entity): count for entity, count in sorted(masked.counts.items())}
            await turns.events.record("masked", {"turn": self.number, "counts": counts})
        turns.know(masked.text)
        if turns.on_heard is not None and masked.text:
            turns.on_heard(masked.text)
        turns.events.show(TurnShown("masked", masked=masked.text, facts={"turn": self.number}))
        return masked.text

    def first_sound(self) -> None:
        """The answer begins to be heard."""
        if self._open:
            self.observe("first_audio", self._turns.clock.monotonic() - self._began)
            self.end()

    def end(self) -> None:
        if self._open:
            self._open = False
            self._span.end()


class CallTurns:
    """One call's turns, and the texts of it that are known to be masked."""

    def __init__(
        self,
        *,
        masker: Masker,
        egress: Egress,
        events: ConversationEvents,
        telemetry: Telemetry,
        clock: Clock,
        call_span: SpanHandle,
        on_failure: Callable[[SordinoError], None],
        tape: Tape | None = None,
        taking: Taking | None = None,
    ) -> None:
        """``tape``: the recorder to tell what may be kept of what is heard; then ``said`` knows it of what is spoken."""
        self.on_heard: Callable[[MaskedText], None] | None = None
        """Who writes the caller's turns down, masked; None: nobody."""
        self.masker = masker
        self.tape = tape
        self.said = Said() if tape is not None else None
        self.egress = egress
        self.events = events
        self.telemetry = telemetry
        self.clock = clock
        self.call_span = call_span
        self._on_failure = on_failure
        self.taking = taking or Taking()
        self.last_said = ""
        """The agent's last words, masked: an answer is understood by its question."""
        self.kinds: set[EntityType] = set()
        """Kinds of private data in the call so far: the history holds them, so every later request is about them too."""
        self._masked: set[str] = set()
        self._made: dict[str, MaskedText] = {}
        self._turn: Turn | None = None
        self._count = 0

    def next_turn(self, *, silent_s: float = 0.0) -> Turn:
        """The caller has said something, and was silent for ``silent_s`` since: a new turn; the one before is over."""
        if self._turn is not None:
            self._turn.end()
        self._count += 1
        self._turn = Turn(self._count, self, silent_s=silent_s)
        return self._turn

    @property
    def turn(self) -> Turn:
        """The turn that an answer belongs to. Before the caller's first words it is the greeting's own, number 0."""
        if self._turn is None:
            self._turn = Turn(0, self)
        return self._turn

    @property
    def heard(self) -> bool:
        """Whether the caller has said anything yet."""
        return self._count > 0

    def know(self, text: str) -> None:
        """``text`` went through the mask, or is the tenant's own instruction from before the call."""
        self._masked.add(text)

    async def ahead(self, heard: Private[str]) -> None:
        """Read what the caller has said so far: the mask has less left to do when the turn is over. Nothing is shown or kept."""
        await self.masker.ahead(heard, previous=self.last_said)

    async def masked(self, text: str, *, ours: bool = False, said: bool = False) -> MaskedText:
        """``text`` as a model may see it now. What is known to be masked is not analysed again, so a long history costs nothing;
        where a later turn told that words in it were private, it is masked with them.

        ``ours``: it was made from masked text (by the model, or joined by livekit), so the placeholders in it are ours. ``said``:
        somebody said it, in contrast to a tool's result or an instruction.

        Raises:
            RedactionUnavailable, StoreUnavailable: then the text stays in.
        """
        if text in self._masked:
            return self.masker.current(MaskedText(text))
        if text not in self._made:
            result = await self.masker.mask(Private(text), from_model=ours, said=said)
            self.kinds |= result.counts.keys()
            self._made[text] = result.text
            self._masked.add(result.text)
        return self.masker.current(self._made[text])

    def known(self, text: str) -> MaskedText | None:
        """``text`` as it is to be kept by now, where it has been through the mask; else None."""
        made = MaskedText(text) if text in self._masked else self._made.get(text)
        return None if made is None else self.masker.current(made)

    def restore(self, placeholder: Placeholder) -> Private[str] | None:
        return self.masker.restore(placeholder)

    def failed(self, error: SordinoError) -> None:
        """A guarded part cannot answer: the call ends as the law of fail-closed says."""
        self._on_failure(error)

    def end(self) -> None:
        if self._turn is not None:
            self._turn.end()
