"""Deadlines of laws and contracts: when a period that begins now ends, and which breach clock is the shortest.

Law counts generously: an hour or a day in which something happens is not counted, and a period that ends on a holiday ends later
(Regulation (EEC, Euratom) 1182/71, article 3). We do not use that: a period of hours ends on the minute, one of days or months at
the same time of day. So what is done by our deadline is done by the law's.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from gateway.errors import InvalidRequest
from gateway.policy.load import PolicySet
from gateway.values import TenantId

Unit = Literal["h", "d", "mo"]
_PERIOD = re.compile(r"([1-9][0-9]{0,4})(h|d|mo)")
MOST: Mapping[str, int] = {"h": 24 * 3_660, "d": 3_660, "mo": 120}


@dataclass(frozen=True, slots=True)
class Period:
    """``24h``, ``30d``, ``1mo``: hours that pass, days or months of a calendar."""

    count: int
    unit: Unit

    @staticmethod
    def read(text: str) -> Period:
        """Raises InvalidRequest."""
        found = _PERIOD.fullmatch(text)
        if found is None or int(found[1]) > MOST[found[2]]:
            raise InvalidRequest(f"{text[:20]!r} is not a period", hint="write 24h, 30d or 1mo: at most ten years")
        unit: Unit = "h" if found[2] == "h" else "d" if found[2] == "d" else "mo"
        return Period(int(found[1]), unit)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def ends(start: datetime, period: Period, zone: tzinfo = UTC) -> datetime:
    """When ``period`` is over that begins at ``start`` (aware). Aware, in UTC.

    Hours are hours, whatever the clocks on the wall do. Days and months end at the wall's time of day in ``zone``: on the same
    day of the month, or on the month's last where it has none such. A time that the wall skips in spring is taken as the one an
    hour before, a time that comes twice in autumn as the first: never later than the wall says.

    Raises:
        InvalidRequest: the calendar ends before it.
    """
    if period.unit == "h":
        return start.astimezone(UTC) + timedelta(hours=period.count)
    wall = start.astimezone(zone).replace(tzinfo=None)
    try:
        if period.unit == "d":
            wall += timedelta(days=period.count)
        else:
            months = wall.year * 12 + wall.month - 1 + period.count
            year, month = months // 12, months % 12 + 1
            wall = wall.replace(year=year, month=month, day=min(wall.day, calendar.monthrange(year, month)[1]))
    except (ValueError, OverflowError):
        raise InvalidRequest("a period ends behind the calendar's last year") from None
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    return min(first.astimezone(UTC), second.astimezone(UTC))


USUAL_BREACH_HOURS = 24
"""What a policy that says nothing asks for, too."""


@dataclass(frozen=True, slots=True)
class BreachClock:
    """Until when one tenant must have been told of a breach, and every rule that says so or asks for less."""

    tenant: str
    hours: int
    due: datetime
    why: tuple[str, ...]


def breach_clocks(policies: PolicySet, tenants: Iterable[str], aware: datetime) -> tuple[BreachClock, ...]:
    """A clock for each tenant, counted from ``aware`` (when the breach became known); the shortest first: that one holds for all.

    A tenant that no file names any more has the usual one: that it is gone does not make it any less its callers' breach.
    """
    clocks = [_clock(policies, tenant, aware) for tenant in sorted(set(tenants))]
    return tuple(sorted(clocks, key=lambda each: (each.due, each.tenant)))


def _clock(policies: PolicySet, tenant: str, aware: datetime) -> BreachClock:
    policy = policies.tenants.get(TenantId(tenant))
    if policy is None:
        why_usual = f"no policy names {tenant} any more: the usual {USUAL_BREACH_HOURS} h, counted from {_moment(aware)}"
        return BreachClock(tenant, USUAL_BREACH_HOURS, ends(aware, Period(USUAL_BREACH_HOURS, "h")), (why_usual,))
    due = ends(aware, Period(policy.breach_hours, "h"))
    why = [f"the policy of {tenant} asks for {policy.breach_hours} h, counted from {_moment(aware)}"]
    for name in policy.extends:
        pack = policies.packs.get(name)
        if pack is None or pack.breach_hours is None:
            continue
        sources = "; ".join(fact.source for fact in pack.facts if "breach_hours" in fact.settings)
        why.append(f"the pack {name} asks for {pack.breach_hours} h" + (f" ({sources})" if sources else ""))
    why += [f"the pack {each.pack} is loosened: {each.reason}" for each in policy.loosened if each.setting == "breach_hours"]
    return BreachClock(tenant, policy.breach_hours, due, tuple(why))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
