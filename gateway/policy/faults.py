"""What the models found wrong, as findings for the person who wrote the file: line, column, sentence, and how to mend it."""

from __future__ import annotations

import difflib
import types
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from gateway.errors import Finding
from gateway.policy.documents import Source
from gateway.policy.yaml_text import Plain

M = TypeVar("M", bound=BaseModel)
Path = Sequence[int | str]

_EXPECTED = {
    "string_type": ("this must be text", "put it in quotes"),
    "int_type": ("this must be a whole number", "write digits alone, without quotes or a unit"),
    "bool_type": ("this must be true or false", "write true or false, without quotes"),
    "tuple_type": ("this must be a list", "write [one, two], or one `- item` a line"),
    "dict_type": ("this must be a mapping", "write `key: value` lines below it"),
    "model_type": ("this must be a mapping", "write `key: value` lines below it"),
    "date_type": ("this must be a date", "write year-month-day: 2026-05-01"),
    "date_from_datetime_parsing": ("this is not a date", "write year-month-day: 2026-05-01"),
    "date_parsing": ("this is not a date", "write year-month-day: 2026-05-01"),
    "date_from_datetime_inexact": ("this is not a date", "write year-month-day, without a time: 2026-05-01"),
}


def read_model(model: type[M], value: Plain, source: Source) -> tuple[M | None, tuple[Finding, ...]]:
    """``value`` as ``model``, or None and every fault in it."""
    try:
        return model.model_validate(value), ()
    except ValidationError as invalid:
        faults = (_finding(model, source, error) for error in invalid.errors(include_url=False, include_input=True))
        return None, tuple(dict.fromkeys(faults))


def did_you_mean(written: str, known: Collection[str], *, otherwise: str = "known here") -> str:
    """The name that was probably meant, or all of them."""
    close = difflib.get_close_matches(written, list(known), n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    names = sorted(known)
    listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"{otherwise}: {listed}" if names else f"{otherwise}: nothing"


def _finding(model: type[BaseModel], source: Source, error: ErrorDetails) -> Finding:
    kind, path = error["type"], error["loc"]
    last = str(path[-1])[:40] if path else ""
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(model, path[:-1])
        return Finding(
            f"unknown key `{last}`",
            source.at(*path, key=True),
            did_you_mean(last, known, otherwise="the keys here are"),
        )
    if kind == "missing":
        return Finding(f"the key `{last}` is missing", source.at(*path[:-1]), f"add `{last}: …`")
    # A fault of a mapping's key carries the marker [key] as its last part.
    at_key = last == "[key]"
    where = source.at(*(path[:-1] if at_key else path), key=at_key)
    if kind == "policy":
        return Finding(str(context["message"]), where, str(context["hint"]))
    if kind in ("enum", "literal_error"):
        choices = _choices(model, path[:-1] if at_key else path, key=at_key)
        return Finding(
            f"{_shown(error['input'])} is not possible here",
            where,
            did_you_mean(str(error["input"]), choices, otherwise="write one of"),
        )
    message, hint = _EXPECTED.get(kind, (error["msg"][:1].lower() + error["msg"][1:], ""))
    if kind == "model_type" and (known := _keys_at(model, path)):
        hint = f"write `key: value` lines below it, or {{key: value}}; the keys here are: {', '.join(known[:20])}"
    return Finding(message, where, hint)


def _shown(value: object) -> str:
    text = str(value)
    return f"`{text[:40]}…`" if len(text) > 40 else f"`{text}`"


def _keys_at(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    for candidate in _types_at(model, path):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return tuple(candidate.model_fields)
    return ()


def _choices(model: type[BaseModel], path: Path, *, key: bool) -> tuple[str, ...]:
    for candidate in _types_at(model, path, key=key):
        if isinstance(candidate, type) and issubclass(candidate, Enum):
            return tuple(str(member.value) for member in candidate)
        if get_origin(candidate) is Literal:
            return tuple(str(choice) for choice in get_args(candidate))
    return ()


def _types_at(model: type[BaseModel], path: Path, *, key: bool = False) -> tuple[Any, ...]:
    """The types that may stand at ``path`` below ``model``."""
    found: tuple[Any, ...] = (model,)
    for index, part in enumerate(path):
        of_key = key and index == len(path) - 1
        found = tuple(inner for outer in found for inner in _step(outer, part, of_key=of_key)) or found
    return found


def _step(outer: Any, part: int | str, *, of_key: bool) -> Iterable[Any]:
    if isinstance(outer, type) and issubclass(outer, BaseModel):
        field = outer.model_fields.get(str(part))
        return _alternatives(field.annotation) if field is not None else ()
    arguments = get_args(outer)
    if get_origin(outer) is dict:
        return _alternatives(arguments[0] if of_key else arguments[1])
    if get_origin(outer) is tuple and isinstance(part, int):
        return _alternatives(arguments[0])
    return ()


def _alternatives(annotation: Any) -> Iterable[Any]:
    if get_origin(annotation) is Annotated:
        inner, *said = get_args(annotation)
        # Where the schema offers editors less than the type holds, no message offers more.
        schemas = [each.json_schema or {} for each in said if isinstance(each, WithJsonSchema)]
        offered = [tuple(schema["enum"]) for schema in schemas if "enum" in schema]
        return (Literal.__getitem__(offered[0]),) if offered else _alternatives(inner)
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(inner for option in get_args(annotation) for inner in _alternatives(option))
    return (annotation,)
