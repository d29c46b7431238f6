"""When somebody may be called: their local time, in every zone that may be theirs, by law and by the tenant's policy together.

The law of the United States holds whatever a policy says: 8 to 21 (47 CFR 64.1200(c)(1)); Texas 9 to 21, and 12 to 21 on Sunday
(Business and Commerce Code 301.051); Florida 8 to 20 (Statutes 501.616(6)(a)). Read in secondary sources on 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.policy.dialling import USUAL_HOURS, CallingWindow, Weekday
from gateway.policy.regions import ancestors

WEEKDAYS = tuple(Weekday)
_BUT_SUNDAY = WEEKDAYS[:-1]

STATUTES: tuple[tuple[str, CallingWindow], ...] = (
    ("47 CFR 64.1200(c)(1)", CallingWindow(places=("us",), between="08:00-21:00")),
    ("Texas law (Bus. & Com. Code 301.051)", CallingWindow(places=("us/tx",), days=_BUT_SUNDAY, between="09:00-21:00")),
    ("Texas law (Bus. & Com. Code 301.051)", CallingWindow(places=("us/tx",), days=(Weekday.SUNDAY,), between="12:00-21:00")),
    ("Florida law (Statutes 501.616(6)(a))", CallingWindow(places=("us/fl",), between="08:00-20:00")),
)
"""What a law allows, with its source. A country whose state is not known is as strict as all of its states together."""

Quiet = Callable[[date], str | None]
"""The name of the holiday on which nobody is called, or None."""


def refusals(
    at: datetime,
    places: Collection[str],
    zones: Collection[str],
    windows: Sequence[CallingWindow] = (),
    quiet: Quiet = lambda _: None,
) -> tuple[str, ...]:
    """Why nobody who may be in ``places`` may be called at ``at`` (aware): a sentence a zone and rule; empty: it is a good time.

    Args:
        zones: IANA names of every zone that may be theirs; none: their local time is not known, and that refuses.
        windows: the tenant's calling hours; where none of them fits the place and day, ``USUAL_HOURS`` holds.
        quiet: the days on which nobody there is called, by their local date.
    """
    if not zones or not places:
        return ("the local time of the called party is not known",)
    found: list[str] = []
    for zone in sorted(zones):
        local = _local(at, zone)
        if local is None:
            found.append(f"the time zone {zone} is not known here, so the called party's local time is not")
            continue
        if (holiday := quiet(local.date())) is not None:
            found.append(f"it is {holiday} where the called party may be, and nobody is called on that day")
        found += _outside(local, zone, places, windows)
    return tuple(dict.fromkeys(found))


def _outside(local: datetime, zone: str, places: Collection[str], windows: Sequence[CallingWindow]) -> Iterable[str]:
    own = [("the tenant's calling hours", window) for window in windows if _fits(window, local, places)]
    law = [(source, window) for source, window in STATUTES if _fits(window, local, places)]
    for source, window in (*law, *(own or [("the usual calling hours", USUAL_HOURS)])):
        first, no_more = window.minutes
        # The wall clock is what the rules speak of, so an hour that summer time repeats or skips needs no more than this.
        if not first <= local.hour * 60 + local.minute < no_more:
            day = WEEKDAYS[local.weekday()].value.capitalize()
            allows = "never" if window.between == "never" else window.between.replace("-", " to ")
            yield f"it is {local:%H:%M} on {day} in {zone}, and {source}: {allows}"


def _fits(window: CallingWindow, local: datetime, places: Collection[str]) -> bool:
    if WEEKDAYS[local.weekday()] not in window.days:
        return False
    wanted = window.places
    return not wanted or any(each in ancestors(place) or place in ancestors(each) for place in places for each in wanted)


def _local(at: datetime, zone: str) -> datetime | None:
    try:
        return at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return None
