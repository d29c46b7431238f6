"""Each turn of a conversation, handed to whoever writes down what was said: as masked text, and as it is masked later on."""

from __future__ import annotations

from typing import Protocol

from livekit.agents import ConversationItemAddedEvent, llm

from gateway.adapters.conversation.turns import CallTurns
from gateway.values import MaskedText, Placeholder, Private


class Uttered:
    """One turn. ``text`` is what the history holds of it: of the agent's, what the caller heard before they spoke up."""

    def __init__(self, turns: CallTurns, speaker: str, text: str, *, cut: bool = False) -> None:
        self.speaker = speaker
        self.cut = cut
        self._turns = turns
        self._text = text

    def now(self) -> MaskedText | None:
        """As it is to be kept by now; None: it has not been through the mask yet, so it may not be kept."""
        return self._turns.known(self._text)

    async def settle(self) -> MaskedText:
        """As it is to be kept. For the end of a call: on a call the mask comes to it in its turn.

        Raises RedactionUnavailable or StoreUnavailable: then it may not be kept.
        """
        return await self._turns.masked(self._text, ours=True, said=True)

    def value(self, placeholder: Placeholder) -> Private[str] | None:
        return self._turns.restore(placeholder)


class Scribe(Protocol):
    """Writes down what is said, for as long as it may. Nothing here waits or raises."""

    def add(self, turn: Uttered) -> None: ...


def spoken(turns: CallTurns, scribe: Scribe, event: ConversationItemAddedEvent) -> None:
    """What the agent said, when it is over. The caller's turns come from the ear itself."""
    said = event.item
    if isinstance(said, llm.ChatMessage) and said.role == "assistant" and (text := said.raw_text_content):
        scribe.add(Uttered(turns, "agent", text, cut=said.interrupted))
