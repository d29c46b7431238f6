"""What stands in a request that is about to be sent: the fields of its query, its form and its JSON, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any

import aiohttp
from aiohttp import MultipartWriter, hdrs
from aiohttp.multipart import parse_content_disposition
from yarl import URL

from gateway.errors import PolicyRefused

_LONGEST = 256
"""Characters of a value that may decide anything; text that is longer is content."""


@dataclass(frozen=True, slots=True)
class Sent:
    """``fields`` in order, repeated ones repeatedly; ``body`` is what was read, to be sent as it is."""

    fields: list[tuple[str, str]]
    body: Any = None
    is_json: bool = False


def fields_of(url: URL, *, json: Any = None, data: Any = None, raw: bool = False) -> Sent:
    """Raises PolicyRefused for a body that cannot be read: then nobody knows what is in it."""
    fields = list(url.query.items())
    if isinstance(json, Mapping) and data is None:
        return Sent([*fields, *_flat(json)], dumps(json).encode(), is_json=True)
    if json is not None:
        raise PolicyRefused("only one JSON object can be compared with a Grant")
    if isinstance(data, aiohttp.FormData):
        data = data()
        if not isinstance(data, MultipartWriter):
            raise PolicyRefused("only a form with parts can be compared with a Grant")
        fields += _parts(data)
    elif data is not None and not (raw and isinstance(data, bytes | str)):
        raise PolicyRefused("this body cannot be compared with a Grant")
    return Sent(fields, data)


def flags_of(send: Mapping[str, object]) -> dict[str, str]:
    """A Grant's flags as they stand on the wire."""
    return dict(_flat(send))


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        named = f"{above}{name}"
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{named}.")
        elif isinstance(inner, list | tuple):
            for each in inner:
                yield from _flat({name: each}, above)
        else:
            yield named, _text(inner)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)[:_LONGEST]


def _parts(form: MultipartWriter) -> Iterator[tuple[str, str]]:
    for payload, _, _ in form:
        _, parameters = parse_content_disposition(payload.headers.get(hdrs.CONTENT_DISPOSITION))
        name = parameters.get("name", "")
        yield name, "" if "filename" in parameters else payload.decode()[:_LONGEST]
