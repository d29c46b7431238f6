"""Where data may go: one list of regions, or a list of its own for a hop or a kind of data (promises 7 and 34)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gateway.policy.fields import REGION_PATTERN, Model, Region, fault
from gateway.policy.regions import LOCAL, narrower, simplest
from gateway.values import DataCategory, Hop

Places = tuple[Region, ...]


class Regions(Model):
    """``[eu]`` for everything, or a mapping: ``default``, and a list of its own for a hop or for a kind of data.

    What is named has its own list instead of the default; where a hop and what it carries are both named, both must allow it.
    A kind of data counts where it is really sent; for turns that are about it, masked, there is ``sensitive``.
    """

    default: Places | None = None
    telephony: Places | None = None
    stt: Places | None = None
    llm: Places | None = None
    tts: Places | None = None
    realtime: Places | None = None
    storage: Places | None = None
    telemetry: Places | None = None
    voice: Places | None = None
    transcript: Places | None = None
    masked_transcript: Places | None = None
    contact: Places | None = None
    payment: Places | None = None
    identity: Places | None = None
    health: Places | None = None
    metadata: Places | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"default": value}
        if not isinstance(value, dict | Regions):
            raise fault("this must be a list of regions", "write [eu, in], or a list for each: {default: [eu], stt: [de]}")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        one = {"type": "string", "pattern": REGION_PATTERN}
        return {"anyOf": [{"type": "array", "items": one}, handler(core_schema)]}

    def limits(self, hop: Hop, category: DataCategory) -> list[Places]:
        """The lists that must all allow this kind of data at this hop; none: this says nothing about it."""
        named: list[Places | None] = [getattr(self, hop.value), getattr(self, category.value)]
        stated = [places for places in named if places is not None]
        return stated or ([self.default] if self.default is not None else [])

    @property
    def stated(self) -> Mapping[str, Places]:
        """Every list that was written, by its key."""
        written = self.model_fields_set
        named = {key: getattr(self, key) for key in Regions.model_fields if key in written}
        return {key: places for key, places in named.items() if places is not None}

    @property
    def mentioned(self) -> frozenset[str]:
        """Every place in any of the lists."""
        return frozenset(place for places in self.stated.values() for place in places)


def general(layers: Iterable[Regions]) -> Places:
    """The regions that hold wherever nothing more is said: what every default allows."""
    return _all_of([layer.default for layer in layers if layer.default is not None])


def apart(layers: Sequence[Regions]) -> dict[str, Places]:
    """``hop/category`` to its regions, for each pair whose regions are not the general ones."""
    usual = general(layers)
    named = {key for layer in layers for key in layer.stated} - {"default"}
    touched = [(hop, category) for hop in Hop for category in DataCategory if hop in named or category in named] if named else []
    pairs = {f"{hop}/{category}": _limits(layers, hop, category) for hop, category in touched}
    return {pair: places for pair, places in pairs.items() if places != usual}


def _limits(layers: Sequence[Regions], hop: Hop, category: DataCategory) -> Places:
    return _all_of([places for layer in layers for places in layer.limits(hop, category)])


def _all_of(stated: Sequence[Places]) -> Places:
    return simplest(reduce(narrower, stated)) if stated else ()


def laws(regions: Regions | None) -> frozenset[str]:
    """The places whose law may protect callers when a file says where data may go, but not where callers are."""
    return regions.mentioned - {LOCAL} if regions is not None else frozenset()
