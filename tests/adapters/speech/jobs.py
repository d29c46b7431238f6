"""Jobs for a worker process that go wrong. They run in the spawned process, as a native library would."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time


def ready() -> None:
    """A model that needs no loading."""


def never_ready() -> None:
    time.sleep(3600)


def cannot_start() -> None:
    raise RuntimeError("secret words")


def add(a: int, b: int) -> int:
    return a + b


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def fail_with(text: str) -> None:
    raise KeyError(text)


def hang() -> None:
    time.sleep(3600)


def wait_for(path: str) -> str:
    """Until the file exists."""
    while not os.path.exists(path):  # noqa: PTH110
        time.sleep(0.01)
    return path


def touch_and_wait_for(begun: str, path: str) -> str:
    touch(begun)
    return wait_for(path)


def touch(path: str) -> None:
    with open(path, "w", encoding="utf-8"):  # noqa: PTH123
        pass


def shout(text: str) -> None:
    print(text)  # noqa: T201
    print(text, file=sys.stderr)  # noqa: T201
    os.write(1, text.encode())
    os.write(2, text.encode())


def reach_out(port: int) -> str:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError as refused:
        return str(refused)
    return "connected"


def resource_limits() -> tuple[int, int]:
    import resource

    return resource.getrlimit(resource.RLIMIT_CORE)
