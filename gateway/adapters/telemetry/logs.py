"""Logs that cannot hold a caller's words, whatever a library writes into them.

livekit, Presidio, aiohttp, openai, redis and asyncio all log texts: transcripts in messages and ``extra``, bodies in exceptions.
So a record is reduced when it is made, before any handler, ours or a library's own, now or later, can see it:

* a record of a logger outside ``gateway`` keeps its logger's name, level, time, place in the code and the type of its exception.
  Its message, arguments, ``extra``, traceback and stack are gone.
* a record of ours keeps its message, because ours are constants, and those arguments that cannot be text: numbers, flags,
  enums, ids and file names of a known shape, ``Private`` (which hides itself). Its exception is reduced the same way.

The hook is ``logging.setLogRecordFactory``, with a record class that refuses what ``Logger.makeRecord`` adds after the factory
(that is where ``extra`` comes in, through ``__dict__``).

Left open, because ``logging`` cannot close it: a library that writes to stdout or stderr by itself, native code, a logger class
that overrides ``makeRecord`` without the factory, a record that another process made without this filter (our own handler
withholds its message, a library's handler would not: install the filter in every process), and a logger whose *name* is private.
"""

from __future__ import annotations

import asyncio
import enum
import json
import logging
import re
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from pathlib import PurePath
from types import TracebackType
from typing import Any, TextIO

from gateway.errors import Finding, Location, Misconfigured, PolicyInvalid, SordinoError
from gateway.values import HIDDEN, Private

OURS = "gateway"
REDUCED = "(message withheld)"

_real_dict = logging.LogRecord.__dict__["__dict__"]
_NAME = re.compile(r"[a-z0-9_./<:-][\w.:/<>-]{0,95}", re.ASCII)
_CLASS = re.compile(r"[A-Z][A-Za-z]{2,60}(?:Error|Exception|Warning|Failed|Timeout|Unavailable|Refused|Invalid|Group)")
_LONG_DIGITS = re.compile(r"\d(?:[-_./:]?\d){8,}")
_IP_ADDRESS = re.compile(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?!\d)")
_OWN_ID = re.compile(r"[a-z]{2,12}_[0-9a-z]{16,40}")


class SafeRecord(logging.LogRecord):
    """A record that holds only what is safe, from the moment it exists.

    ``exception``: type and place of what was raised (``ValueError at gateway/runner/leg.py:41``), or an empty string.
    """

    exception: str

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        # ``Logger.makeRecord`` writes ``extra`` into ``record.__dict__``: into a copy, so that it is lost.
        return dict(_real_dict.__get__(self))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        _real_dict.__get__(self).update(state)


def make_record(
    name: str,
    level: int,
    pathname: str,
    lineno: int,
    msg: object,
    args: Any,
    exc_info: Any,
    func: str | None = None,
    sinfo: str | None = None,
    **kwargs: Any,
) -> SafeRecord:
    """The factory. Takes what ``logging.LogRecord`` takes."""
    # ``logging.makeLogRecord`` gives None for both: its record shows nothing then.
    name, level = name or "", level or logging.NOTSET
    ours = is_ours(name)
    shown: object = msg if ours and isinstance(msg, str) else REDUCED
    kept = safe_arguments(args) if ours else ()
    record = SafeRecord(name, level, pathname, lineno, shown, kept, None, func, None, **kwargs)
    record.taskName = None  # whoever made the task named it: from Python 3.12 on it would be shown
    record.exception = describe(exc_info[1]) if isinstance(exc_info, tuple) and len(exc_info) > 1 else ""
    return record


def is_ours(logger: str) -> bool:
    return logger == OURS or logger.startswith(f"{OURS}.")


def safe_arguments(args: Any) -> tuple[object, ...]:
    """The arguments of a message of ours, each replaced by the hidden form unless it cannot be private text."""
    given = args if isinstance(args, tuple) else (args,)
    return tuple(safe(value) for value in given)


def safe(value: object) -> object:
    """``value`` when it is a number, flag, enum, type, ``Private``, or shaped like an id or a path; otherwise the hidden form.

    A single word in small letters has the shape of an id: no shape can tell ``mistral`` from ``anna``. Callers' words are
    ``Private`` before they come near a logger; this is the net below.
    """
    if isinstance(value, type):
        return value.__qualname__
    if value is None or isinstance(value, bool | enum.Enum | Private):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 1e9 else HIDDEN
    if isinstance(value, Misconfigured | PolicyInvalid | Finding | Location):
        # About files and settings that an operator wrote: no caller's words come near them.
        return str(value)
    if isinstance(value, BaseException):
        return describe(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) and key.isidentifier() for key in value):
        return {key: safe(inner) for key, inner in value.items()}
    if isinstance(value, str | PurePath) and _looks_like_a_name(str(value)):
        return str(value)
    return HIDDEN


def _looks_like_a_name(text: str) -> bool:
    if _OWN_ID.fullmatch(text) or _CLASS.fullmatch(text):
        return True
    return _NAME.fullmatch(text) is not None and not _LONG_DIGITS.search(_IP_ADDRESS.sub("", text))


def describe(error: BaseException | None) -> str:
    """Type, code and place of an error and of what caused it; never a word of its message."""
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(parts) < 5:
        seen.add(id(error))
        code = f" [{error.code}]" if isinstance(error, SordinoError) else ""
        parts.append(_type(error) + code + _place(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " from ".join(parts)


def _type(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, BaseExceptionGroup):
        name += f"({', '.join(_type(inner) for inner in error.exceptions[:3])})"
    return name


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    if trace is None:
        return ""
    last, own = trace, None
    while trace is not None:
        last = trace
        if is_ours(trace.tb_frame.f_globals.get("__name__", "")):
            own = trace
        trace = trace.tb_next
    places = [_frame(last)] if own in (None, last) else [_frame(last), f"through {_frame(own)}"]
    return " at " + " ".join(places)


def _frame(trace: TracebackType | None) -> str:
    if trace is None:
        return ""
    path = PurePath(trace.tb_frame.f_code.co_filename)
    return f"{'/'.join(path.parts[-3:])}:{trace.tb_lineno}"


class Lines(logging.Handler):
    """One line a record: for people, or JSON for machines."""

    def __init__(self, stream: TextIO, *, as_json: bool, foreign_level: int = logging.WARNING) -> None:
        """``foreign_level``: records of others below it are not worth a line, with nothing left to read in them."""
        super().__init__()
        self._stream = stream
        self._as_json = as_json
        self._foreign_level = foreign_level

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < self._foreign_level and not is_ours(record.name):
            return
        try:
            line = _json(record) if self._as_json else _plain(record)
        except (TypeError, ValueError):
            # A message and its arguments do not go together: say where, show neither.
            line = f"ERROR {__name__} malformed log call at {record.module}:{record.lineno}"
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads us any more (closed pipe, closed stream): a log line is no reason to stop a call.
            return


def _message(record: logging.LogRecord) -> str:
    if not isinstance(record, SafeRecord):
        # Made before the filter was there, or by hand from a dictionary: nothing is known of it.
        return REDUCED
    return " ".join(part for part in (record.getMessage(), record.exception) if part)


def _plain(record: logging.LogRecord) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(record.created))
    return f"{at} {record.levelname:<8} {record.name} {record.module}:{record.lineno} {_message(record)}"


def _json(record: logging.LogRecord) -> str:
    seconds, ms = int(record.created), int(record.msecs)
    line = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{ms:03d}Z",
        "level": record.levelname,
        "logger": record.name,
        "place": f"{record.module}:{record.lineno}",
        "message": _message(record),
    }
    return json.dumps(line, ensure_ascii=False)


class LogFilter:
    """What ``install_log_filter`` put in place. ``uninstall()`` puts back what was there; it is a context manager that does."""

    def __init__(self, handler: logging.Handler, level: int) -> None:
        self._handler = handler
        root = logging.getLogger()
        self._level = root.level
        self._factory = logging.getLogRecordFactory()
        self._excepthook = sys.excepthook
        self._thread_hook = threading.excepthook
        self._unraisable_hook = sys.unraisablehook
        self._showwarning = warnings.showwarning
        self._raise = logging.raiseExceptions
        logging.setLogRecordFactory(make_record)
        # A library's handler that fails would print a traceback with our records' arguments in its frames.
        logging.raiseExceptions = False
        sys.excepthook = self._on_exception
        sys.unraisablehook = self._on_unraisable
        threading.excepthook = self._on_thread_exception
        warnings.showwarning = self._on_warning
        root.addHandler(handler)
        root.setLevel(level)

    def uninstall(self) -> None:
        logging.setLogRecordFactory(self._factory)
        logging.raiseExceptions = self._raise
        sys.excepthook = self._excepthook
        sys.unraisablehook = self._unraisable_hook
        threading.excepthook = self._thread_hook
        warnings.showwarning = self._showwarning
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level)

    def __enter__(self) -> LogFilter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.uninstall()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the loop report what nobody awaited by type and place."""
        loop.set_exception_handler(self._on_loop_error)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        _log.critical("stopped by an error", exc_info=(kind, error, trace))

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            _log.error("a thread ended by an error", exc_info=args.exc_value)

    def _on_unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        _log.error("an error in a finalizer", exc_info=unraisable.exc_value)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        _log.error("an error that nobody awaited", exc_info=error if isinstance(error, BaseException) else None)

    def _on_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: object = None,
    ) -> None:
        _log.warning("%s at %s:%d", category, "/".join(PurePath(filename).parts[-3:]), lineno)


_log = logging.getLogger(__name__)


def install_log_filter(level: int | str = logging.INFO, stream: TextIO | None = None, *, as_json: bool = False) -> LogFilter:
    """Reduce every log record of this process from now on, and write one line for each to ``stream`` (default: stderr).

    ``level``: of the root logger, as ``logging`` takes it; records of other packages get a line from WARNING on (all at DEBUG).
    Returns the handle that takes it away again. Once a process; a second one must be uninstalled before the first.
    """
    number = logging.getLevelNamesMapping()[level.upper()] if isinstance(level, str) else level
    foreign = number if number <= logging.DEBUG else max(number, logging.WARNING)
    return LogFilter(Lines(stream or sys.stderr, as_json=as_json, foreign_level=foreign), number)
