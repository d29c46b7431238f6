"""What a policy says about placing calls: to which countries, when, how often, to whom never (promises 13, 30 and 31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from gateway.policy.fields import Duration, Model, Region, Slug, fault
from gateway.policy.regions import COUNTRIES


class Weekday(StrEnum):
    """Days in the order of ``datetime.date.weekday()``: monday is 0."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


def _country(value: str) -> str:
    if value not in COUNTRIES:
        raise fault(f"{value[:40]!r} is not a country", "write two small letters of ISO 3166: us, de, in")
    return value


def _between(value: str) -> str:
    if value == "never":
        return value
    start, _, end = value.partition("-")
    if (first := _minutes(start)) is None or (last := _minutes(end)) is None or first >= last:
        raise fault("this is not a span of hours", "write local times of one day: 08:00-21:00, or never")
    return value


def _minutes(clock: str) -> int | None:
    hours, colon, minutes = clock.partition(":")
    if not (colon and len(hours) == len(minutes) == 2 and clock.replace(":", "").isascii() and (hours + minutes).isdecimal()):
        return None
    total = int(hours) * 60 + int(minutes)
    return total if int(minutes) < 60 and total <= 24 * 60 else None


Country = Annotated[str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[a-z]{2}$"})]
Between = Annotated[
    str, AfterValidator(_between), WithJsonSchema({"type": "string", "pattern": r"^([0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d|never)$"})
]
"""``08:00-21:00`` of the called person's local time, the end not included; ``never`` for no time at all."""


class CallingWindow(Model):
    """Calls are placed only inside this window. Of several that fit a place and day, all must allow the time."""

    places: tuple[Region, ...] = ()
    """Where the called person is; left out: everywhere."""
    days: tuple[Weekday, ...] = tuple(Weekday)
    """On which days of the week."""
    between: Between
    """From when until when, in local time: ``08:00-21:00``; ``never`` for not at all."""

    @cached_property
    def minutes(self) -> tuple[int, int]:
        """Minutes after local midnight: first, and first no more. ``(0, 0)`` for never."""
        if self.between == "never":
            return 0, 0
        start, _, end = self.between.partition("-")
        return _minutes(start) or 0, _minutes(end) or 0


USUAL_HOURS = CallingWindow(between="09:00-20:00")
"""Holds for every place and day of which no file says anything."""


class OutboundStated(Model):
    """What a file says about placing calls."""

    countries: tuple[Country, ...] | None = None
    """Where calls may go."""
    calling_hours: tuple[CallingWindow, ...] | None = None
    """When calls may be placed; of several windows all must allow a time."""
    quiet_holidays: Annotated[bool, Field(strict=True)] | None = None
    """No calls on the public holidays of the called person's country."""
    do_not_call: tuple[Slug, ...] | None = None
    """Names of the lists that must have been imported and be fresh before anybody is called."""
    do_not_call_max_age: Duration | None = None
    """How old such a list may be."""
    consent: Annotated[bool, Field(strict=True)] | None = None
    """Whether the called person must have agreed before."""
    attempts_per_day: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    """How often one person may be called in a day."""


class Outbound(Model):
    """The rules in force for placing calls. By default no country may be called."""

    countries: tuple[Country, ...] = ()
    calling_hours: tuple[CallingWindow, ...] = ()
    quiet_holidays: bool = True
    do_not_call: tuple[Slug, ...] = ()
    do_not_call_max_age: Duration = timedelta(days=31)
    consent: bool = True
    attempts_per_day: int = 1


def joined(layers: Iterable[OutboundStated]) -> Outbound:
    """The strictest of what all files say: common countries, every window and list, the shortest age, the fewest attempts."""
    stated: dict[str, list[Any]] = {}
    for layer in layers:
        for key in OutboundStated.model_fields:
            if (value := getattr(layer, key)) is not None:
                stated.setdefault(key, []).append(value)
    return Outbound(**{key: _STRICTEST[key](values) for key, values in stated.items()})


def _common(lists: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted(set.intersection(*(set(each) for each in lists))))


def _union(lists: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({name for each in lists for name in each}))


def _windows(lists: list[tuple[CallingWindow, ...]]) -> tuple[CallingWindow, ...]:
    """Each window once, in an order that does not depend on the files'."""
    each_once = {window.model_dump_json(): window for windows in lists for window in windows}
    return tuple(each_once[text] for text in sorted(each_once))


_STRICTEST: Mapping[str, Any] = {
    "countries": _common,
    "calling_hours": _windows,
    "quiet_holidays": any,
    "do_not_call": _union,
    "do_not_call_max_age": min,
    "consent": any,
    "attempts_per_day": min,
}
