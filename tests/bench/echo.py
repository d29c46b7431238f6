"""``python -m tests.bench.echo``: a bare aiohttp WebSocket that sends every frame back; and a loop that is mostly still.

It says what the machine and the library cost without us: the other half of every ratio.
"""

from __future__ import annotations

from array import array

from aiohttp import WSMsgType, web

from gateway.tasks import TaskOwner
from tests.bench import child
from tests.bench.numbers import Json, spread
from tests.bench.taps import LATE_MS, STAMP_NS, LoopLag, Work, stamp

_FIELD = '"timestamp": "'


class Echo:
    def __init__(self) -> None:
        self.url = ""
        self.lag = LoopLag()
        self._late_ms = array("d")
        self._work = Work()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=64 * 1024, compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                at = message.data.find(_FIELD)
                if at >= 0:
                    sent = int(message.data[at + len(_FIELD) : message.data.index('"', at + len(_FIELD))])
                    self._late_ms.append((stamp() - sent) * STAMP_NS / 1e6)
                await socket.send_str(message.data)
        return socket

    async def ready(self) -> Json:
        return {"url": self.url}

    async def reset(self, *, frames: bool) -> Json:
        """``frames`` is for the gateway's process: here every frame is stamped."""
        self.lag.reset()
        del self._late_ms[:]
        self._work.reset()
        return {}

    async def read(self) -> Json:
        late = sum(each > LATE_MS for each in self._late_ms)
        frames = {**(spread(self._late_ms) or {}), "late": late}
        return {**self._work.read(), "frames": {"echo": frames}, **self.lag.read()}


async def main() -> None:
    echo = Echo()
    app = web.Application()
    app.router.add_get("/echo", echo.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    echo.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/echo"
    try:
        async with TaskOwner("echo", on_failure=lambda name, error: None) as tasks:
            tasks.start(echo.lag.run(), name="lag")
            await child.answer_requests({"ready": echo.ready, "reset": echo.reset, "read": echo.read})
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    child.run(main)
