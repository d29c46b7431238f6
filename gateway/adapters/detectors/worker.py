"""The life of a detector's worker process, and what it does. A question a line comes in, an answer a line goes out: plain data.

The worker shows nothing of what it reads: its streams are closed, its logging is off, and when something fails only the name of
the error's type goes back. It ends with its parent, and ends itself when one text takes too long.
"""

from __future__ import annotations

import gc
import json
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from presidio_anonymizer import AnonymizerEngine

    from gateway.adapters.detectors.engine import Engine, Row

_NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"})
_COLLECT_AFTER = (20_000, 10, 20)
"""New objects before the collector looks at them (``gc.set_threshold``): what a text leaves is nearly all freed by counting."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(slots=True)
class Answer:
    """What a worker answers. ``failure`` is the name of an error's type, or empty; never a message."""

    rows: list[Row] = field(default_factory=list)
    text: str = ""
    failure: str = ""
    pid: int = field(default_factory=os.getpid)


class _Wordless:
    """Turns whatever is raised inside into the bare name of its type: a detector's own words may quote the text."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        self._answer.failure = kind.__name__
        return True


@dataclass(slots=True)
class _Process:
    """What this process has loaded."""

    limit_s: float = 5.0
    engine: Engine | None = None
    anonymizer: AnonymizerEngine | None = None
    failure: str = "NotStarted"


_here = _Process()


def serve(line: Connection, regions: tuple[str, ...], limit_s: float) -> None:
    """The whole life: load, say how that went, then answer one question after the other until the line ends."""
    begin(regions, limit_s)
    _say(line.fileno(), warm())
    with open(line.fileno(), "rb", closefd=False) as questions:
        for question in questions:
            work, *arguments = json.loads(question)
            _say(line.fileno(), WORKS[work](*arguments))


def _say(line: int, answer: Answer) -> None:
    said = {"rows": answer.rows, "text": answer.text, "failure": answer.failure, "pid": answer.pid}
    left = memoryview(json.dumps(said).encode("ascii") + b"\n")
    while left:
        left = left[os.write(line, left) :]


def begin(regions: tuple[str, ...], limit_s: float) -> None:
    """Silence, solitude, models. Does not raise: ``warm`` tells how it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    logging.disable(logging.CRITICAL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    sys.addaudithook(_no_network)
    _here.limit_s = limit_s
    answer = Answer()
    with _Wordless(answer):
        _load(regions)
    _here.failure = answer.failure


def _load(regions: tuple[str, ...]) -> None:
    from presidio_anonymizer import AnonymizerEngine

    from gateway.adapters.detectors.engine import Engine

    _here.anonymizer = AnonymizerEngine()  # type: ignore[no-untyped-call]
    _here.engine = Engine(regions)
    _here.engine.analyze("My name is Mary Smith, my number is 415 555 2671.", "")
    # What is loaded stays until the end: the collector has no reason to go through it again, in the middle of somebody's text.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)


def _no_network(event: str, arguments: tuple[object, ...]) -> None:
    if event in _NETWORK:
        raise PermissionError("a detector has no business on the network")


def warm() -> Answer:
    """Whether this process is ready."""
    return Answer(failure=_here.failure)


def analyze(text: str, previous: str, language: str = "en") -> Answer:
    """The findings in a text. A text that takes longer than the limit ends the process: nobody waits for it any more."""
    answer = Answer(failure=_here.failure)
    engine = _here.engine
    if engine is None or answer.failure:
        return answer
    signal.setitimer(signal.ITIMER_REAL, _here.limit_s)
    with _Wordless(answer):
        answer.rows = engine.analyze(text, previous, language)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return answer


def anonymize(text: str, replacements: list[tuple[int, int, str]]) -> Answer:
    """Presidio's anonymizer puts each token in its place. Every replacement is a kind of its own, so that none is merged."""
    answer = Answer(failure=_here.failure)
    engine = _here.anonymizer
    if engine is None or answer.failure:
        return answer
    with _Wordless(answer):
        from presidio_anonymizer.entities import ConflictResolutionStrategy, OperatorConfig, RecognizerResult

        done = engine.anonymize(
            text,
            [RecognizerResult(f"AT_{start}", start, end, 1.0) for start, end, _ in replacements],
            {f"AT_{start}": OperatorConfig("replace", {"new_value": token}) for start, _, token in replacements},
            conflict_resolution=ConflictResolutionStrategy.MERGE_SIMILAR_OR_CONTAINED,
            merge_entities_with_spaces=False,
        )
        answer.text = done.text
    return answer


WORKS: dict[str, Callable[..., Answer]] = {"analyze": analyze, "anonymize": anonymize}
"""What may be asked for, by name."""
