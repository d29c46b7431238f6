"""What came at once is passed on at once: the deltas of one read in as few pieces as tell the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.ports import ChatDelta, ToolCall


@dataclass(slots=True)
class _Open:
    """A delta that may still grow: text, then tool calls, then the finish reason and the counts, as a delta is read."""

    choice: int
    refusal: bool = False
    texts: list[str] = field(default_factory=list)
    calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    prompt: int = 0
    completion: int = 0

    def takes(self, delta: ChatDelta) -> bool:
        """Whether the delta may be told together with this one."""
        if delta.text and (self.calls or self.finish or (self.texts and delta.refusal is not self.refusal)):
            return False
        if (delta.tool_calls or delta.finish) and self.finish:
            return False
        says_something = delta.text or delta.tool_calls or delta.finish
        return delta.choice == self.choice or not says_something

    def add(self, delta: ChatDelta) -> None:
        if delta.text:
            self.texts.append(delta.text)
            self.refusal = delta.refusal
        self.calls += delta.tool_calls
        self.finish = self.finish or delta.finish
        self.prompt, self.completion = max(self.prompt, delta.prompt_tokens), max(self.completion, delta.completion_tokens)

    def whole(self) -> ChatDelta:
        text = "".join(self.texts)
        return ChatDelta(text, self.calls, self.prompt, self.completion, self.choice, self.refusal, self.finish)


def joined(deltas: Iterable[ChatDelta]) -> list[ChatDelta]:
    """The same answer. The order in which each choice says things stays, and a count is never lost."""
    found: list[_Open] = []
    for delta in deltas:
        if not found or not found[-1].takes(delta):
            found.append(_Open(delta.choice, delta.refusal))
        found[-1].add(delta)
    return [each.whole() for each in found]
