"""The smaller laws of the code as rules over the syntax tree: pure core, owned tasks, narrow excepts, constant messages, size."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.laws.tree import Source, at, dotted, functions, imported, resolved

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
IMPURE_MODULES = {
    "aiohttp",
    "asyncio",
    "http",
    "logging",
    "multiprocessing",
    "os",
    "random",
    "redis",
    "requests",
    "secrets",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
PURE_PARTS = {"urllib.parse"}
CLOCKS = {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"}
FILES = {"read_text", "read_bytes", "write_text", "write_bytes", "open", "unlink", "mkdir", "iterdir", "rglob"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def broad_except(source: Source) -> Iterator[str]:
    """What is caught is named: a broad ``except`` turns a fault into silence. One that cleans up and raises on may stay."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        last = node.body[-1]
        if isinstance(last, ast.Raise) and last.exc is None:
            continue
        if any(kind is None or dotted(kind) in {"Exception", "BaseException"} for kind in caught):
            yield f"{at(source, node)}: catches everything; name what can be raised"


def stray_task(source: Source) -> Iterator[str]:
    """Every task has an owner that reports how it ended: ``gateway.tasks.TaskOwner``, or an ``asyncio.TaskGroup``."""
    names = imported(source.tree)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        target = resolved(node.func, names)
        loose = target in {"asyncio.create_task", "asyncio.ensure_future", "asyncio.tasks.create_task"}
        by_loop = target.endswith(".create_task") and "loop" in target.lower()
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
            by_loop = node.func.attr == "create_task" and "loop" in dotted(node.func.value.func)
        if loose or by_loop:
            yield f"{at(source, node)}: starts a task that nobody owns; use gateway.tasks.TaskOwner"


def impure(source: Source) -> Iterator[str]:
    """The core gets time, randomness and files as arguments."""
    names = imported(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for module in modules:
                if module.split(".")[0] in IMPURE_MODULES and module not in PURE_PARTS:
                    yield f"{at(source, node)}: the core imports {module}"
        if not isinstance(node, ast.Call):
            continue
        if resolved(node.func, names) in CLOCKS:
            yield f"{at(source, node)}: the core reads the clock"
        if resolved(node.func, names) in {"open", "print", "input"}:
            yield f"{at(source, node)}: the core does input or output"
        if isinstance(node.func, ast.Attribute) and node.func.attr in FILES and not isinstance(node.func.value, ast.Constant):
            yield f"{at(source, node)}: the core touches files"


def variable_log_message(source: Source) -> Iterator[str]:
    """A log message is a constant, so that what varies goes through the arguments, which the log filter looks at."""
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS):
            continue
        if dotted(node.func.value).rsplit(".", 1)[-1].lstrip("_") not in {"log", "logger", "LOG", "logging"}:
            continue
        message = node.args[1] if node.func.attr == "log" and len(node.args) > 1 else (node.args[0] if node.args else None)
        if not (isinstance(message, ast.Constant) and isinstance(message.value, str)):
            yield f"{at(source, node)}: the log message is not a constant"


def too_long(source: Source) -> Iterator[str]:
    """One file a reason to change; a function fits on a screen."""
    if source.lines > LONGEST_MODULE:
        yield f"{source.path}:1: {source.lines} lines; at most {LONGEST_MODULE}"
    for function in functions(source.tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > LONGEST_FUNCTION:
            yield f"{at(source, function)}: {function.name} has {length} lines; at most {LONGEST_FUNCTION}"


def mutable_global(source: Source) -> Iterator[str]:
    """No module keeps state between calls."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield f"{at(source, node)}: changes a module's global {', '.join(node.names)}"
