"""A Pipecat pipeline, guarded by base URL alone. Here it reads lines and writes lines; a transport takes their place in a call.

pip install "pipecat-ai==1.14.0" openai
SORDINO_URL=http://127.0.0.1:8080 SORDINO_KEY=… python agents/examples/pipecat_by_url.py
"""

from __future__ import annotations

import asyncio
import os
import sys

from pipecat.frames.frames import EndFrame, Frame, LLMFullResponseEndFrame, LLMMessagesAppendFrame, LLMTextFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.workers.runner import WorkerRunner


class Lines(FrameProcessor):  # type: ignore[misc]
    """Where a voice would be: writes each answer as a line."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMTextFrame):
            sys.stdout.write(frame.text)
        if isinstance(frame, LLMFullResponseEndFrame):
            sys.stdout.write("\n")
            sys.stdout.flush()
        await self.push_frame(frame, direction)


def model(url: str, key: str) -> OpenAILLMService:
    """The one line that is different from a pipeline without Sordino: the address."""
    return OpenAILLMService(api_key=key, base_url=f"{url}/v1", settings=OpenAILLMService.Settings(model="default"))


async def main() -> None:
    context = LLMContext([{"role": "system", "content": "Be brief."}])
    pair = LLMContextAggregatorPair(context)
    llm = model(os.environ["SORDINO_URL"], os.environ["SORDINO_KEY"])
    worker = PipelineWorker(Pipeline([pair.user(), llm, Lines(), pair.assistant()]))

    async def read() -> None:
        while line := await asyncio.to_thread(sys.stdin.readline):
            said = [{"role": "user", "content": line.strip()}]
            await worker.queue_frame(LLMMessagesAppendFrame(said, run_llm=True))
        await worker.queue_frame(EndFrame())

    await asyncio.gather(WorkerRunner(handle_sigint=False).run(worker), read())


if __name__ == "__main__":
    asyncio.run(main())
