"""One conversation that every client holds: four turns with every kind of personal data, and a tool that gets and gives some."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.http.proxy.anthropic_model import speaks_anthropic
from tests.http.proxy.model import PLACEHOLDER, Model, placeholders
from tests.peers.proxy.people import SPOKEN, WRITTEN, Secret, leaked, missing

SYSTEM = "You are the assistant of a shop. The owner is Cornelius Abernathy, c.abernathy@example.com."
IN_SYSTEM = (
    Secret("PERSON", SYSTEM, "Cornelius Abernathy", ("Abernathy",)),
    Secret("EMAIL_ADDRESS", SYSTEM, "c.abernathy@example.com"),
)
OF_TOOL = (
    Secret("PERSON", "His neighbour is Philomena Oakhurst.", "Philomena Oakhurst", ("Oakhurst",)),
    Secret("PHONE_NUMBER", "The neighbour's phone number is (303) 555-0148.", "(303) 555-0148"),
)
HALF = len(WRITTEN) // 2
TURNS = (
    " ".join(each.said for each in WRITTEN[:HALF]),
    ", and ".join(each.said for each in SPOKEN[:HALF]),
    "Please look me up. " + " ".join(each.said for each in WRITTEN[HALF:]),
    ", and ".join(each.said for each in SPOKEN[HALF:]),
)
TOOL = "look_up"
TOOL_DESCRIPTION = "Looks somebody up."
TOOL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"notes": {"type": "array", "items": {"type": "string"}}, "reason": {"type": "string"}},
    "required": ["notes", "reason"],
}
Say = Callable[[str], Awaitable[str]]
"""A client says a turn and gives the whole answer, tool calls and all."""


@dataclass(slots=True)
class LookUp:
    """The client's own tool: it keeps what it got, and tells of a neighbour."""

    got: list[str] = field(default_factory=list)

    def __call__(self, notes: list[str], reason: str) -> str:
        self.got += [*notes, reason]
        return json.dumps({"found": [each.said for each in OF_TOOL], "again": self.got})


async def knows_all(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """A model that repeats all it was told, calls the tool when it is asked to look up, and cuts its words anew each time."""
    model.piece = len(model.raw) % 3 + 1
    last = json.dumps(body["messages"][-1])
    asked = body.get("tools") and "look me up" in last and "tool_result" not in last
    seen = list(dict.fromkeys(PLACEHOLDER.findall(json.dumps(body, ensure_ascii=False))))
    arguments = {"notes": seen, "reason": 'about "' + " ".join(seen[:2]) + '"'}
    model.calls = [{"name": TOOL, "arguments": arguments}] if asked else None
    model.says = lambda body: "I have noted " + ", ".join(placeholders(body)) + "."
    if "max_tokens" in body and "anthropic-version" in request.headers:
        return await speaks_anthropic(model, request, body)
    return await model.answer(request, body)


async def hold(say: Say, model: Model, look_up: LookUp) -> list[str]:
    """All four turns. Nothing of anybody reached the model, and everything came back to the client, and to its tool.

    Gives the answers.
    """
    model.script = knows_all
    answers = [await say(turn) for turn in TURNS]
    everything = (*WRITTEN, *SPOKEN, *IN_SYSTEM, *OF_TOOL)
    assert leaked([model.record, *model.raw], everything) == []
    assert missing(answers, (*WRITTEN, *SPOKEN, *OF_TOOL)) == []
    assert missing(look_up.got, (*WRITTEN, *SPOKEN[:HALF], *IN_SYSTEM)) == []
    assert PLACEHOLDER.findall("".join([*answers, *look_up.got])) == []
    return answers
