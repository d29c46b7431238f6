"""Before a number is dialled: may this person be called, now, for this? Every no is a sentence (promises 13, 30 and 31).

Pure: what the stores know comes as ``Known``, the place of the number as ``Whereabouts``. No answer holds the number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gateway.policy.calendar import holiday_names, is_calendar
from gateway.policy.calling_hours import Quiet, refusals
from gateway.policy.consent import Answer, ConsentRecord, consent_for
from gateway.policy.dialling import Outbound
from gateway.policy.jurisdiction import Whereabouts

FRESH_FOR = timedelta(days=31)
"""A version of the national registry obtained no more than 31 days before the call (16 CFR 310.4(b)(3)(iv))."""


@dataclass(frozen=True, slots=True)
class ListHit:
    """What one do-not-call list says: when its content was obtained (None: never imported), and whether it has the number."""

    name: str
    as_of: date | None
    listed: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record about the called number, from before the call. ``opted_out``: when they asked not to be called."""

    lists: tuple[ListHit, ...] = ()
    opted_out: datetime | None = None
    consents: tuple[ConsentRecord, ...] = ()
    attempts: int = 0
    """Calls to this number in the 24 hours before."""


@dataclass(frozen=True, slots=True)
class DialQuestion:
    """May somebody who may be at ``where`` be called for ``purpose`` at ``at`` (aware)?"""

    where: Whereabouts
    purpose: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DialAnswer:
    """Permitted, or every reason against it. ``consent`` is the record that a permitted call rests on."""

    reasons: tuple[str, ...]
    consent: ConsentRecord | None = None

    @property
    def permitted(self) -> bool:
        return not self.reasons


Rule = Callable[[Outbound, DialQuestion, Known], Sequence[str]]


def country(rules: Outbound, question: DialQuestion, known: Known) -> Sequence[str]:
    """Promise 30: only countries that the tenant names; where the number leaves several open, each must be named."""
    if not question.where.places:
        return ["the country of this number is not known"]
    named = ", ".join(rules.countries) or "none"
    return [f"{each} is not among the countries that may be called ({named})" for each in _outside(rules, question.where)]


def opt_out(rules: Outbound, question: DialQuestion, known: Known) -> Sequence[str]:
    """Promise 31: who asked not to be called is not called, whatever else is on record."""
    if known.opted_out is None:
        return []
    return [f"they asked on {known.opted_out.date()} not to be called"]


def do_not_call(rules: Outbound, question: DialQuestion, known: Known) -> Sequence[str]:
    """Each list that the policy names must be there, be fresh, and not have the number. Other lists that have it count too."""
    found: list[str] = []
    hits = {hit.name: hit for hit in known.lists}
    today = question.at.astimezone(UTC).date()
    longest = min(rules.do_not_call_max_age, FRESH_FOR)
    for name in rules.do_not_call:
        as_of = hits[name].as_of if name in hits else None
        if as_of is None:
            found.append(f"the do-not-call list {name} was never imported")
        elif as_of > today:
            found.append(f"the do-not-call list {name} has a date that is still to come ({as_of})")
        elif today - as_of > longest:
            found.append(f"the do-not-call list {name} is of {as_of}, older than {longest.days} days")
    found += [f"the number stands on the do-not-call list {hit.name}" for hit in known.lists if hit.listed]
    return found


def consent(rules: Outbound, question: DialQuestion, known: Known) -> Sequence[str]:
    """Promise 13: they agreed before, to this purpose. A withdrawal counts even where no consent is asked for."""
    state = consent_for(known.consents, question.purpose, question.at)
    withdrawn = state.record is not None and state.record.answer is Answer.WITHDRAWN
    return [state.why] if not state.holds and (rules.consent or withdrawn) else []


def hours(rules: Outbound, question: DialQuestion, known: Known) -> Sequence[str]:
    """Promise 31: the called party's own local time, in every zone that may be theirs."""
    where = question.where
    quiet = _quiet(where) if rules.quiet_holidays else _never
    return refusals(question.at, where.places, where.zones, rules.calling_hours, quiet)


def attempts(rules: Outbound, question: DialQuestion, known: Known) -> Sequence[str]:
    allowed = rules.attempts_per_day
    if known.attempts < allowed:
        return []
    return [f"they were called {known.attempts} times in 24 hours, and {allowed} a day are allowed"]


RULES: tuple[Rule, ...] = (country, opt_out, do_not_call, consent, hours, attempts)
"""Every rule that a call must pass before it is dialled, in the order in which their sentences are shown."""


def may_dial(rules: Outbound, question: DialQuestion, known: Known) -> DialAnswer:
    """Ask every rule. The same question gets the same answer."""
    reasons = tuple(sentence for rule in RULES for sentence in rule(rules, question, known))
    state = consent_for(known.consents, question.purpose, question.at)
    return DialAnswer(reasons, state.record if state.holds and not reasons else None)


def _outside(rules: Outbound, where: Whereabouts) -> list[str]:
    return [each for each in where.countries if each not in rules.countries]


def _quiet(where: Whereabouts) -> Quiet:
    calendars = {place if is_calendar(place) else place.split("/")[0] for place in where.places}

    def name(day: date) -> str | None:
        return next((named for each in sorted(calendars) if (named := holiday_names(each, day.year).get(day))), None)

    return name


def _never(_: date) -> str | None:
    return None
