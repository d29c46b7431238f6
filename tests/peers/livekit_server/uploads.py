"""One worker, one job, and whether its logs went to the server: a process of its own, as they are set up once a process.

python -m tests.peers.livekit_server.uploads recording|no-recording
"""

from __future__ import annotations

import asyncio
import os
import sys

from livekit.agents import AgentServer

from tests.peers.livekit_server.entrypoints import SPOKEN, hang_up_early
from tests.peers.livekit_server.server import LiveKitServer, running_worker


async def uploaded(*, enable_recording: bool) -> bool:
    """Whether the server was sent what a library logged during the job."""
    async with LiveKitServer() as server:
        os.environ["LIVEKIT_OBSERVABILITY_URL"] = server.http_url
        worker = AgentServer()
        worker.rtc_session(hang_up_early)
        async with running_worker(server, worker):
            job = await server.agents.dispatch(server.room("call"), enable_recording=enable_recording)
            await server.agents.ended(job)
        return any(SPOKEN.encode() in upload.body for upload in server.uploads)


if __name__ == "__main__":
    sys.stdout.write("uploaded" if asyncio.run(uploaded(enable_recording=sys.argv[1] == "recording")) else "kept")
