"""A real headless Chromium, driven over its DevTools protocol. Its microphone plays a WAV file in a loop."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_S = 100
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--remote-debugging-port=0",
    "--window-size=900,1100",
)


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0
        self.complaints: list[str] = []
        """What the page's console called an error: a script that failed, a resource that its policy refused."""

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol, and its result."""
        self._asked += 1
        number = self._asked
        async with asyncio.timeout(PATIENCE_S):
            await self._socket.send_json({"id": number, "method": method, "params": parameters})
            while True:
                said = await self._socket.receive_json()
                self._note(said)
                if said.get("id") == number:
                    assert "error" not in said, said
                    result: dict[str, Any] = said["result"]
                    return result

    def _note(self, said: dict[str, Any]) -> None:
        if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
            self.complaints.append(said["params"]["entry"]["text"])
        if said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(said["params"]["exceptionDetails"]["text"])

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to; a promise is awaited."""
        wish = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        result = await self.ask("Runtime.evaluate", expression=expression, **wish)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def open(self, url: str) -> None:
        await self.ask("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def until(self, condition: str) -> None:
        """Wait until the expression is true, looked at with every change of the page. When it never is, the page is shown."""
        happened = await self.value(
            "new Promise((done) => { const look = () => { if (!(" + condition + ")) return false; done(true); return true; };"
            "if (look()) return; const seen = new MutationObserver(() => look() && seen.disconnect());"
            "seen.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });"
            f"addEventListener('load', look); setTimeout(() => done(document.body.innerText), {(PATIENCE_S - 10) * 1000}); }})"
        )
        assert happened is True, (condition, happened, self.complaints)

    async def click(self, selector: str) -> None:
        """As a person does it: at the middle of the element."""
        where = await self.value(
            f"(() => {{ const box = document.querySelector({selector!r}).getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1)

    async def picture(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode((await self.ask("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def chromium(folder: Path, microphone: Path) -> AsyncIterator[Page]:
    """A browser with one empty tab, gone with everything that it started when the block is left."""
    assert BINARY is not None
    flags = [*FLAGS, f"--user-data-dir={folder / 'profile'}", f"--use-file-for-fake-audio-capture={microphone}"]
    process = await asyncio.create_subprocess_exec(
        BINARY,
        *flags,
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "HOME": str(folder)},
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = b""
            while b"DevTools listening on " not in line:
                line = await process.stderr.readline()
                assert line, "the browser ended before it could be asked anything"
        address = line.decode().partition("DevTools listening on ")[2].strip()
        reading = asyncio.get_running_loop().create_task(_drain(process.stderr))
        try:
            async with aiohttp.ClientSession() as client:
                async with client.get(address.replace("ws://", "http://").partition("/devtools")[0] + "/json/list") as answer:
                    tab = next(each for each in await answer.json() if each["type"] == "page")
                async with client.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    page = Page(socket)
                    for domain in ("Page", "Runtime", "Log"):
                        await page.ask(f"{domain}.enable")
                    yield page
        finally:
            reading.cancel()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass
