"""Law 1 as rules over the syntax tree: only ``policy/egress.py`` makes a Grant, and what sends takes one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields

from gateway.policy.egress import Grant
from tests.laws.tree import Source, annotation, at, dotted, functions, imported, parameters, resolved

MAKER = "gateway/policy/egress.py"
PATH = "gateway.policy.egress.Grant"
GRANT_ONLY = {field.name for field in fields(Grant)} - {
    "id",
    "tenant",
    "call",
    "hop",
    "processor",
    "model",
    "purpose",
    "region",
    "training",
}
"""Fields that nothing else of ours is copied with."""
COPIERS = {"dataclasses.replace", "copy.replace", "copy.copy", "copy.deepcopy", "pickle.loads"}
SENDING = {
    "connect_tcp",
    "create_connection",
    "delete_async",
    "get_async",
    "open_connection",
    "patch",
    "post",
    "put_async",
    "put_object",
    "request",
    "send_bytes",
    "send_json",
    "send_str",
    "sendto",
    "urlopen",
    "ws_connect",
}
SESSION_VERBS = {"get", "put", "delete", "head", "options", "send"}
"""Words that send when they are said to a session or a client."""


def makes_a_grant(source: Source) -> Iterator[str]:
    """Outside its own file a Grant may be named in an annotation, an ``isinstance`` and a pattern; nowhere else."""
    if source.path == MAKER:
        return
    names = imported(source.tree)
    harmless = set(_harmless(source.tree))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "gateway.policy.egress" and any(n.name == "*" for n in node.names):
            yield f"{at(source, node)}: takes everything out of egress.py; name what is meant"
        if isinstance(node, ast.Name | ast.Attribute) and resolved(node, names) == PATH and id(node) not in harmless:
            yield f"{at(source, node)}: uses the class Grant; only {MAKER} makes one"
        if isinstance(node, ast.Call):
            yield from _made_around(source, node, names)


def _made_around(source: Source, call: ast.Call, names: dict[str, str]) -> Iterator[str]:
    target = resolved(call.func, names)
    first = call.args[0] if call.args else None
    if target == "object.__new__" or (target.endswith(".__new__") and not target.startswith("super")):
        yield f"{at(source, call)}: makes an object past its constructor"
    if target == "object.__setattr__" and not _is_self(first):
        yield f"{at(source, call)}: changes a frozen object"
    if target in COPIERS and (_grantish(source, first) or GRANT_ONLY & {word.arg for word in call.keywords}):
        yield f"{at(source, call)}: copies a Grant; ask for a new one"
    if target.endswith((".__replace__", ".__reduce__", ".__class__")) and "grant" in target.lower():
        yield f"{at(source, call)}: makes a Grant out of a Grant"
    if (
        isinstance(call.func, ast.Call)
        and dotted(call.func.func) == "type"
        and call.func.args
        and _grantish(source, call.func.args[0])
    ):
        yield f"{at(source, call)}: makes a Grant by its type"
    if target in {"getattr", "operator.attrgetter"} and any(
        isinstance(a, ast.Constant) and a.value == "Grant" for a in call.args
    ):
        yield f"{at(source, call)}: fetches the class Grant by its name"


def _is_self(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _grantish(source: Source, node: ast.AST | None) -> bool:
    """A name or attribute called something with grant, or a parameter that is annotated as one."""
    if node is None:
        return False
    name = dotted(node).rsplit(".", 1)[-1]
    if "grant" in name.lower():
        return True
    takers = (argument for function in functions(source.tree) for argument in parameters(function))
    return any(argument.arg == name and annotation(argument).split("|")[0].strip() == "Grant" for argument in takers)


def _harmless(tree: ast.Module) -> Iterator[int]:
    """The ids of nodes that name a class without using it: annotations, type arguments, isinstance, patterns."""
    for node in ast.walk(tree):
        spots: list[ast.AST | None] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            spots += [node.returns, *(argument.annotation for argument in parameters(node))]
        elif isinstance(node, ast.AnnAssign):
            spots.append(node.annotation)
        elif isinstance(node, ast.Subscript):
            spots.append(node.slice)
        elif isinstance(node, ast.MatchClass):
            spots.append(node.cls)
        elif isinstance(node, ast.Call) and dotted(node.func) in {"isinstance", "issubclass"}:
            spots += node.args[1:]
        for spot in spots:
            if spot is not None:
                yield from (id(inner) for inner in ast.walk(spot))


def sends_without_a_grant(source: Source) -> Iterator[str]:
    """A function that sends something out of the machine has a parameter of type Grant."""
    for function in functions(source.tree):
        if any(annotation(argument) == "Grant" for argument in parameters(function)):
            continue
        for node in _own_nodes(function):
            if isinstance(node, ast.Call) and _sends(node):
                yield f"{at(source, node)}: {function.name} sends ({dotted(node.func)}) and takes no Grant"


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _own_nodes(node)


def _sends(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in SENDING
    if not isinstance(call.func, ast.Attribute):
        return False
    receiver = dotted(call.func.value).lower()
    to_a_session = any(word in receiver for word in ("session", "client", "http", "socket", "websocket"))
    return call.func.attr in SENDING or (call.func.attr in SESSION_VERBS and to_a_session)
