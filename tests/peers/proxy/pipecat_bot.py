"""A bot of Pipecat's, run by ``test_pipecat.py`` under a Python that has Pipecat: it knows its base URL, not the gateway.

Lines of JSON come in (``{"user": …}``, ``{"result": …}``) and go out (``{"call": …}``, ``{"said": …}``, ``{"error": …}``).
The first that comes in is ``{"url", "key", "system", "tool": {"name", "description", "schema"}}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import EndFrame, ErrorFrame, Frame, LLMFullResponseEndFrame, LLMMessagesAppendFrame, LLMTextFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.workers.runner import WorkerRunner


def out(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def read() -> dict[str, Any]:
    line = await asyncio.to_thread(sys.stdin.readline)
    found: dict[str, Any] = json.loads(line) if line else {}
    return found


class Ear(FrameProcessor):  # type: ignore[misc]
    """Where a voice would be: it hears what the bot says, and when it has said it."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMTextFrame):
            self.words.append(frame.text)
        # An answer without words was a call of a tool: its result makes another answer.
        if isinstance(frame, LLMFullResponseEndFrame) and self.words:
            out(said="".join(self.words))
            self.words.clear()
        await self.push_frame(frame, direction)


async def main() -> None:
    asked = await read()
    tool = asked["tool"]
    results: asyncio.Queue[str] = asyncio.Queue()
    llm = OpenAILLMService(api_key=asked["key"], base_url=asked["url"], settings=OpenAILLMService.Settings(model="m"))

    async def look_up(params: FunctionCallParams) -> None:
        out(call=dict(params.arguments))
        await params.result_callback(await results.get())

    llm.register_function(tool["name"], look_up)
    schema = FunctionSchema(tool["name"], tool["description"], tool["schema"]["properties"], tool["schema"]["required"])
    context = LLMContext([{"role": "system", "content": asked["system"]}], ToolsSchema([schema]))
    pair = LLMContextAggregatorPair(context)
    worker = PipelineWorker(Pipeline([pair.user(), llm, Ear(), pair.assistant()]))

    @worker.event_handler("on_pipeline_error")  # type: ignore[untyped-decorator]
    async def failed(_: PipelineWorker, frame: ErrorFrame) -> None:
        out(error=frame.error)

    async def listen() -> None:
        while line := await read():
            if "result" in line:
                results.put_nowait(line["result"])
                continue
            await worker.queue_frame(LLMMessagesAppendFrame([{"role": "user", "content": line["user"]}], run_llm=True))
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner(handle_sigint=False)
    await asyncio.gather(runner.run(worker), listen())


if __name__ == "__main__":
    asyncio.run(main())
