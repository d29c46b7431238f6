"""Commands of the gateway in processes of their own, each killed (SIGKILL) at the moment that a test names.

A moment is what others see of a process: a command that it sends to its store, or a file that it renames, links or removes. It
dies right before it, with everything it had in memory, and no handler of it runs.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from redis.asyncio.connection import AbstractConnection

from gateway.adapters.stores import line
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.cli import holds, offboarding, rights  # noqa: F401  (every process begins as a copy of one that has them at hand)
from gateway.cli.main import main, parser

PATIENCE_S = 60.0
_PARSER = parser()
"""Built once, for every process: it takes as long as a short command."""
_FILES = frozenset({"os.remove", "os.rename", "os.link"})
_LOOK = b"$4\r\nINFO\r\n"
"""Asked as often as the server needs to rewrite its file: a count with them would name another moment each time."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process came to its end. ``code``: what it answered; None: it was killed. ``moments``: how many it lived through."""

    code: int | None
    moments: int = 0
    said: str = ""


def run(command: Sequence[str], environment: Mapping[str, str], *, kill: int = 0) -> Ended:
    """Run ``sordino COMMAND``; it is killed at that moment, counted from 1; 0: at none."""
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload(["__main__", __name__])
    ours, theirs = start.Pipe(duplex=False)
    process = start.Process(target=_live, args=(theirs, list(command), dict(environment), kill), daemon=True)
    process.start()
    theirs.close()
    try:
        told = ours.recv() if ours.poll(PATIENCE_S) else None
    except EOFError:
        told = None
    finally:
        ours.close()
    process.join(PATIENCE_S)
    if told is None:
        assert process.exitcode == -signal.SIGKILL, f"it ended by itself, without an answer: {process.exitcode}"
        return Ended(None, kill)
    return Ended(*told)


def _live(theirs: Connection, command: list[str], environment: dict[str, str], kill: int) -> None:
    os.environ.update(environment)
    moments = _Moments(kill)
    _count(moments)
    setattr(sys.modules[main.__module__], parser.__name__, lambda: _PARSER)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = main(command)
    theirs.send((code, moments.lived, said.getvalue()))


class _Moments:
    def __init__(self, kill: int) -> None:
        self.lived = 0
        self._kill = kill

    def __call__(self) -> None:
        self.lived += 1
        if self.lived == self._kill:
            os.kill(os.getpid(), signal.SIGKILL)


def _count(moments: _Moments) -> None:
    """Nothing is taken back: this process is nobody else's."""
    send, send_packed = line._Wire.send, AbstractConnection.send_packed_command

    def sending(self: Any, command: tuple[line.Part, ...]) -> Any:
        moments()
        return send(self, command)

    async def sending_packed(self: Any, command: Any, *how: Any, **more: Any) -> None:
        command = [command] if isinstance(command, bytes) else list(command)
        if _LOOK not in b"".join(command):
            moments()
        await send_packed(self, command, *how, **more)

    setattr(line._Wire, "send", sending)  # noqa: B010
    setattr(AbstractConnection, "send_packed_command", sending_packed)  # noqa: B010
    sys.addaudithook(lambda event, _: moments() if event in _FILES else None)
    for patient in (Store, RedisLedger):
        (patient.__init__.__kwdefaults__ or {})["timeout_s"] = PATIENCE_S  # the machine may be busy with other tests
