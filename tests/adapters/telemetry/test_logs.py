"""Logs never hold a caller's words, whoever logs and however."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import enum
import io
import json
import logging
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from livekit.agents.cli.log import JsonFormatter

from gateway.adapters.telemetry.logs import LogFilter, describe, install_log_filter
from gateway.errors import Finding, Location, Misconfigured, StoreUnavailable
from gateway.values import HIDDEN, Private

SECRET = "Anna Keller, card 4532118096612345"
LOGGERS = [
    "livekit.agents",
    "livekit.plugins.silero",
    "aiohttp.access",
    "aiohttp.server",
    "presidio-analyzer",
    "openai._base_client",
    "redis",
    "asyncio",
    "opentelemetry.sdk",
    "py.warnings",
    "gatewayish",
    "agents.receptionist",
    "root",
]


class Outcome(enum.Enum):
    PLAYED = "played"


class Everywhere(logging.Handler):
    """A foreign handler that shows all that a record holds, as the worst of them do."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        shown = [record.getMessage(), JsonFormatter().format(record), logging.Formatter().format(record)]
        held = [getattr(record, name, "") for name in ("msg", "args", "exc_info", "exc_text", "stack_info", "transcript")]
        self.text += repr([shown, held, vars(record), record.__dict__, copy.copy(record).__dict__])
        with contextlib.suppress(TypeError, pickle.PicklingError):  # a traceback is not pickled
            self.text += repr(pickle.dumps(record))


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def installed(out: io.StringIO) -> Iterator[LogFilter]:
    with install_log_filter(logging.DEBUG, out) as log_filter:
        yield log_filter


@pytest.fixture
def foreign() -> Iterator[Everywhere]:
    """A handler that a library adds to the root logger after us."""
    handler = Everywhere()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def fail() -> None:
    raise ValueError(SECRET)


def in_message(logger: logging.Logger) -> None:
    logger.warning(f"heard: {SECRET}")  # noqa: G004 - that is how libraries do it


def in_argument(logger: logging.Logger) -> None:
    logger.warning("heard: %s", SECRET)


def in_mapping(logger: logging.Logger) -> None:
    logger.warning("heard: %(text)s", {"text": SECRET})


def in_extra(logger: logging.Logger) -> None:
    logger.warning("heard", extra={"transcript": SECRET, "lk.pii": {"text": SECRET}})


def in_adapter(logger: logging.Logger) -> None:
    logging.LoggerAdapter(logger, {"transcript": SECRET}).warning("heard")


def in_exception(logger: logging.Logger) -> None:
    try:
        fail()
    except ValueError:
        logger.exception("failed")


def in_cause(logger: logging.Logger) -> None:
    try:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError("failed") from error
    except RuntimeError as error:
        logger.error("failed", exc_info=error)  # noqa: TRY400 - the other way to give an exception


def in_stack(logger: logging.Logger) -> None:
    logger.warning("Anna Keller, card 4532118096612345", stack_info=True)


def in_object(logger: logging.Logger) -> None:
    logger.warning({"transcript": SECRET})


WAYS = [in_message, in_argument, in_mapping, in_extra, in_adapter, in_exception, in_cause, in_stack, in_object]
OWN_WAYS = [in_argument, in_mapping, in_extra, in_adapter, in_exception, in_cause, in_object]


def leaks(text: str) -> bool:
    """The search: each word of the secret by itself."""
    return any(word in text for word in ("Anna", "Keller", "4532118096612345", "heard: "))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", LOGGERS)
def test_what_a_library_logs_reaches_no_handler(
    installed: LogFilter, out: io.StringIO, foreign: Everywhere, name: str, way: Callable[[logging.Logger], None]
) -> None:
    """Neither ours nor a handler that was added later, in no attribute, copy or pickle of the record."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    way(logger)
    assert foreign.text
    assert not leaks(foreign.text)
    assert not leaks(out.getvalue())
    (line,) = out.getvalue().splitlines()
    assert f" {name} test_logs:" in line
    assert "(message withheld)" in line


@pytest.mark.parametrize("way", WAYS)
def test_the_search_finds_each_of_them_without_the_filter(foreign: Everywhere, way: Callable[[logging.Logger], None]) -> None:
    """So the test above would fail if the filter did not work."""
    logger = logging.getLogger("livekit.agents")
    logger.setLevel(logging.DEBUG)
    way(logger)
    assert leaks(foreign.text)


@pytest.mark.parametrize("way", OWN_WAYS)
def test_our_own_records_hold_no_text_in_arguments(
    installed: LogFilter, out: io.StringIO, foreign: Everywhere, way: Callable[[logging.Logger], None]
) -> None:
    """A mistake of ours, a caller's words as an argument, is hidden too."""
    way(logging.getLogger("gateway.runner.call"))
    assert foreign.text
    assert not leaks(foreign.text.replace("heard: ", ""))
    assert not leaks(out.getvalue().replace("heard: ", ""))


SHOWN = [
    (7, "7"),
    (12.5, "12.5"),
    (True, "True"),
    (None, "None"),
    (Outcome.PLAYED, "Outcome.PLAYED"),
    (Private(SECRET), HIDDEN),
    (ValueError, "ValueError"),
    ("policy_refused", "policy_refused"),
    ("call_01jb3x9q7n5t8v2w4y6z0a1c3e", "call_01jb3x9q7n5t8v2w4y6z0a1c3e"),
    ("mistral-eu", "mistral-eu"),
    (Path("/etc/sordino/policies"), "/etc/sordino/policies"),
    ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("TimeoutError", "TimeoutError"),
    (Misconfigured("no port", hint="set one"), "no port (set one)"),
    (Finding("unknown key", Location("acme.yaml", 3, 1)), "acme.yaml:3:1: unknown key"),
    (StoreUnavailable("Anna"), "gateway.errors.StoreUnavailable [store_unavailable]"),
]
HIDDEN_ARGUMENTS = [
    SECRET,
    "Anna",
    "AnnaKeller",
    "anna keller",
    "anna@example.org",
    "4532118096612345",
    "4532-1180-9661-2345",
    "+14155550132",
    4532118096612345,
    b"Anna",
    ["Anna"],
    object(),
    "ünlü",
    "a\nb",
    "",
]


@pytest.mark.parametrize(("argument", "shown"), SHOWN)
def test_our_records_show_names_and_numbers(installed: LogFilter, out: io.StringIO, argument: object, shown: str) -> None:
    """A line of ours says what happened, to which call, how often."""
    logging.getLogger("gateway.runner.call").info("it was %s then", argument)
    assert out.getvalue().endswith(f" gateway.runner.call test_logs:{line_above()} it was {shown} then\n")


def line_above() -> int:
    frame = sys._getframe(1)
    return frame.f_lineno - 1


@pytest.mark.parametrize("argument", HIDDEN_ARGUMENTS)
def test_our_records_hide_what_may_be_text(installed: LogFilter, out: io.StringIO, argument: object) -> None:
    """Whatever is not known to be safe is shown in its hidden form."""
    logging.getLogger("gateway.runner.call").info("it was %s then", argument)
    assert f"it was {HIDDEN} then" in out.getvalue()


def test_an_error_is_described_by_types_codes_and_places(installed: LogFilter, out: io.StringIO) -> None:
    """Enough to find the fault: the whole chain of causes, where each was raised."""
    try:
        try:
            fail()
        except ValueError as cause:
            raise StoreUnavailable(SECRET) from cause
    except StoreUnavailable as error:
        logging.getLogger("gateway.stores").error("no answer", exc_info=error)  # noqa: TRY400
    line = out.getvalue()
    assert "no answer gateway.errors.StoreUnavailable [store_unavailable] at adapters/telemetry/test_logs.py:" in line
    assert " from ValueError at adapters/telemetry/test_logs.py:" in line
    assert not leaks(line)


def test_a_group_of_errors_is_described_by_its_types() -> None:
    """``TaskGroup`` and anyio raise these."""
    assert describe(ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])) == "ExceptionGroup(ValueError, KeyError)"


def test_a_malformed_log_call_is_named_and_shows_nothing(installed: LogFilter, out: io.StringIO) -> None:
    """logging itself would print the arguments to stderr."""
    logging.getLogger("gateway.x").info("%d frames", "Anna Keller")
    assert "malformed log call at test_logs:" in out.getvalue()
    assert not leaks(out.getvalue())


def test_lines_of_libraries_begin_at_warning(out: io.StringIO) -> None:
    """With the message withheld a library's INFO line says nothing worth reading; ours do."""
    with install_log_filter("info", out):
        logging.getLogger("livekit.agents").info("starting")
        logging.getLogger("livekit.agents").warning("slow")
        logging.getLogger("gateway.app").info("ready")
        logging.getLogger("gateway.app").debug("detail")
    assert [line.split()[1:3] for line in out.getvalue().splitlines()] == [["WARNING", "livekit.agents"], ["INFO", "gateway.app"]]


def test_json_lines_are_for_machines(out: io.StringIO) -> None:
    """One object a line, with time in UTC."""
    with install_log_filter(logging.INFO, out, as_json=True):
        logging.getLogger("gateway.app").info("ready on port %d", 8080)
    line = json.loads(out.getvalue())
    assert line.keys() == {"at", "level", "logger", "place", "message"}
    assert line["message"] == "ready on port 8080"
    assert line["at"].endswith("Z")


def test_a_record_from_a_process_without_the_filter_is_withheld(installed: LogFilter, out: io.StringIO) -> None:
    """livekit's workers send pickled records to their parent: our handler shows nothing of one it does not know."""
    plain = logging.LogRecord("gateway.x", logging.ERROR, "x.py", 1, SECRET, (), None)
    logging.getLogger("livekit.agents").callHandlers(plain)
    assert "(message withheld)" in out.getvalue()
    assert not leaks(out.getvalue())


def test_a_record_survives_copy_pickle_and_make_log_record(installed: LogFilter, foreign: Everywhere, out: io.StringIO) -> None:
    """Queue handlers and worker processes keep working."""
    record = logging.getLogger("gateway.x").makeRecord("gateway.x", logging.INFO, "x.py", 3, "ready %d", (7,), None)
    for again in (copy.copy(record), pickle.loads(pickle.dumps(record))):  # noqa: S301 - our own bytes
        assert again.getMessage() == "ready 7"
        assert (again.name, again.lineno, again.levelno) == ("gateway.x", 3, logging.INFO)
    made = logging.makeLogRecord({"name": "livekit", "msg": SECRET, "levelno": logging.ERROR})
    assert not leaks(repr(made.__dict__))
    logging.getLogger().handle(made)


def test_warnings_show_kind_and_place(installed: LogFilter, out: io.StringIO) -> None:
    """A library's warning may quote what it was given."""
    warnings.showwarning(SECRET, UserWarning, "/usr/lib/x/livekit/agents/llm.py", 12)
    warnings.showwarning(DeprecationWarning(SECRET), DeprecationWarning, "/usr/lib/x/spacy/util.py", 9)
    first, second = out.getvalue().splitlines()
    assert first.endswith("UserWarning at livekit/agents/llm.py:12")
    assert second.endswith("DeprecationWarning at x/spacy/util.py:9")
    assert not leaks(out.getvalue())


async def test_what_nobody_awaited_shows_kind_and_place(installed: LogFilter, out: io.StringIO) -> None:
    """asyncio would print the exception's message and the task's coroutine."""
    loop = asyncio.get_running_loop()
    installed.watch(loop)
    loop.call_exception_handler({"message": SECRET, "exception": ValueError(SECRET), "task": SECRET})
    loop.call_soon(fail)
    await asyncio.sleep(0)
    loop.set_exception_handler(None)
    assert out.getvalue().count("an error that nobody awaited ValueError") == 2
    assert not leaks(out.getvalue())


def test_threads_and_finalizers_show_kind_and_place(
    installed: LogFilter, out: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Python would print a traceback with the message."""
    thread = threading.Thread(target=fail, name=SECRET)
    thread.start()
    thread.join()
    assert "a thread ended by an error ValueError at" in out.getvalue()
    assert not leaks(out.getvalue())
    assert not leaks(capfd.readouterr().err)


CRASH = f"""
import logging, sys
from gateway.adapters.telemetry.logs import install_log_filter
if sys.argv[1] == "filtered":
    install_log_filter(logging.INFO)
class Finalized:
    def __del__(self):
        raise KeyError({SECRET!r})
def crash(text):
    raise ValueError(text)
Finalized()
crash({SECRET!r})
"""


@pytest.mark.parametrize(("mode", "leaked"), [("filtered", False), ("plain", True)])
def test_a_crash_of_the_process_shows_kind_and_place(tmp_path: Path, mode: str, leaked: bool) -> None:
    """No traceback with the words that were in hand, nor a finalizer's; without the filter the search finds them."""
    script = tmp_path / "crash.py"
    script.write_text(CRASH)
    ended = subprocess.run(
        [sys.executable, str(script), mode],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert ended.returncode == 1
    assert leaks(ended.stderr) is leaked
    assert ("stopped by an error ValueError at" in ended.stderr) is not leaked
    assert ("an error in a finalizer KeyError at" in ended.stderr) is not leaked


def test_uninstalling_puts_everything_back(out: io.StringIO) -> None:
    """The filter is for a process of ours, and leaves no trace in somebody else's."""

    def state() -> tuple[object, ...]:
        root = logging.getLogger()
        hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning)
        return (logging.getLogRecordFactory(), logging.raiseExceptions, root.level, list(root.handlers), hooks)

    before = state()
    with install_log_filter(logging.DEBUG, out):
        assert state() != before
    assert state() == before
