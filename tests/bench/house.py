"""``python -m tests.bench.house FOLDER MODEL_URL [--why]``: a whole gateway with taps, in a process of its own."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from gateway.adapters.conversation import LiveKitConversation
from gateway.adapters.telemetry.logs import install_log_filter
from gateway.app import Gateway
from gateway.call.events import CallerAudio
from gateway.call.flow import Event, Outcome
from gateway.runner.call_runner import CallParts, CallRunner
from gateway.settings import Settings
from gateway.tasks import TaskOwner
from tests.bench import child
from tests.bench.numbers import Json
from tests.bench.parts import Parts
from tests.bench.policies import AUTH_TOKEN
from tests.bench.taps import Calls, Collections, Frames, LoopLag, Places, Work


class House:
    """The handlers beside those of ``Parts``."""

    def __init__(self, *, why: bool) -> None:
        self.lag = LoopLag()
        self.frames = Frames()
        self.calls = Calls()
        self.collections = Collections()
        self._places = Places(self.lag) if why else None
        self.work = Work()

    def start(self, tasks: TaskOwner) -> None:
        tasks.start(self.lag.run(), name="lag")
        if self._places is not None:
            self._places.start()

    async def reset(self, *, frames: bool = False, calls: bool = True) -> Json:
        """Begin to measure. ``frames``: the callers stamp their frames."""
        self.lag.reset()
        self.collections.reset()
        self.frames.reset(on=frames)
        if calls:
            self.calls.reset()
        self.work.reset()
        return {}

    async def read(self) -> Json:
        """What was measured since."""
        seen = {**self.work.read(), **self.lag.read(), **self.collections.read()}
        return {**seen, "frames": self.frames.read(), "calls": self.calls.read()}

    async def places(self) -> Json:
        return {"places": self._places.read() if self._places else []}

    def taps(self) -> tuple[type[CallRunner], type[LiveKitConversation]]:
        """The runner and the conversation, with a tap each; nothing else about them is changed."""
        frames, calls = self.frames, self.calls

        class TappedRunner(CallRunner):
            def __init__(self, parts: CallParts) -> None:
                super().__init__(parts)

            async def _happen(self, event: Event) -> Outcome | None:
                outcome = await super()._happen(event)
                if isinstance(event, CallerAudio):
                    frames.handled(event, self._flow.phase)
                return outcome

            async def run(self) -> Outcome:
                outcome = await super().run()
                calls.ended(outcome)
                return outcome

        class TappedConversation(LiveKitConversation):
            async def start(self) -> None:
                began = time.perf_counter()
                await super().start()
                calls.opened_ms.append((time.perf_counter() - began) * 1000)

        return TappedRunner, TappedConversation


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("model_url")
    parser.add_argument("--why", action="store_true")
    given = parser.parse_args()
    house = House(why=given.why)
    settings = Settings(data=given.folder / "data", policies=given.folder / "policies", port=0, demo_llm=given.model_url)
    env = {**os.environ, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}
    runner, conversation = house.taps()
    began = time.monotonic()
    with (
        install_log_filter(logging.WARNING, sys.stderr),
        patch("gateway.calling.CallRunner", runner),
        patch("gateway.calling.LiveKitConversation", conversation),
    ):
        async with TaskOwner("house", on_failure=_report) as tasks, Gateway(settings, env=env, observer=house.calls) as gateway:
            house.start(tasks)
            ready_s = time.monotonic() - began
            parts = Parts(gateway)

            async def ready() -> Json:
                return {"url": gateway.url, "ready_s": ready_s}

            async def idle() -> Json:
                await gateway.idle()
                return {}

            handlers: dict[str, Any] = {
                "ready": ready,
                "idle": idle,
                "reset": house.reset,
                "read": house.read,
                "places": house.places,
                "frame": parts.frame,
                "mask": parts.mask,
                "route": parts.route,
                "unmask": parts.unmask,
            }
            await child.answer_requests(handlers)


def _report(name: str, failure: BaseException) -> None:
    sys.stderr.write(f"{name}: {type(failure).__name__}\n")


if __name__ == "__main__":
    child.run(main)
