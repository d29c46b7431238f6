"""``python -m tests.bench.phone``: whole calls by a real caller, one after the other, in a process of its own."""

from __future__ import annotations

from gateway.caller import Caller
from gateway.values import Private
from tests.bench import child
from tests.bench.numbers import Json
from tests.bench.policies import AUTH_TOKEN, CALLING
from tests.bench.speech import speech


async def call(url: str, turns: list[str]) -> Json:
    """One call. ``delays``: ms from the last sound of each turn to the first sound of its answer."""
    async with Caller.dial(url, to=CALLING, from_="+15550199", auth_token=Private(AUTH_TOKEN)) as caller:
        await caller.announcement_over()
        await caller.listen(until_silent_ms=700, timeout_s=15)
        answered = 0
        for name in turns:
            if not await caller.say(speech(name)):
                break
            answered += (await caller.listen(until_silent_ms=700, timeout_s=20)).ended.value == "silent"
        await caller.hang_up()
    delays = caller.timeline.answer_delays()
    return {"delays": [delays[turn] for turn in sorted(delays)], "turns": len(turns), "answered": answered}


async def main() -> None:
    await child.answer_requests({"call": call})


if __name__ == "__main__":
    child.run(main)
