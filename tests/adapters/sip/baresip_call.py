"""``python -m tests.adapters.sip.baresip_call PORT NUMBER``: baresip, a SIP telephone, places one call and tells what it heard.

In a process of its own: baresip has threads and a log of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress

from baresip import Account, Config, Runtime, UserAgent
from baresip.errors import AudioNotActive

FRAME_S = 0.02
TONE = b"\x00\x20" * 8 + b"\x00\xe0" * 8
FRAME = (TONE * 10)[:320]
ANSWERED_WITHIN = 1_000


async def call(port: int, number: str) -> dict[str, int]:
    runtime = Runtime()
    await runtime.start(Config(net_interface="127.0.0.1"))
    try:
        agent = await UserAgent.create(runtime, Account(user="+15550199", domain="127.0.0.1", password="", reg_interval=0))
        line = await agent.dial(f"sip:{number}@127.0.0.1:{port}")
        # Not by ``wait_established``: its event may come before anybody can wait for it, so quickly the trunk answers.
        for _ in range(ANSWERED_WITHIN):
            with suppress(AudioNotActive):
                if line.audio.info().rx_buffered:
                    break
            await asyncio.sleep(FRAME_S)
        heard = bytearray()
        for _ in range(100):
            line.audio.write(FRAME)
            heard += line.audio.read(1 << 16)
            await asyncio.sleep(FRAME_S)
        await line.send_dtmf("7")
        for _ in range(25):
            heard += line.audio.read(1 << 16)
            await asyncio.sleep(FRAME_S)
        await line.hangup()
    finally:
        await runtime.close()
    samples = memoryview(bytes(heard)).cast("h")
    return {"heard": len(samples), "loudest": max((abs(each) for each in samples), default=0)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(call(int(sys.argv[1]), sys.argv[2]))))
