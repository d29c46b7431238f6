"""What a request of a person is: which right, who brought it, by when it is to be answered, and what must come first.

Deadlines: one month (GDPR art. 12(3)) or the 30 days that contracts name, whichever ends first; 15 days where a whole account
goes; 24 hours to pass on what a person asked of us directly, and a regulator's question. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.errors import Forbidden, InvalidRequest
from gateway.evidence.entries import Json
from gateway.policy.cases import Case, CaseEvent
from gateway.policy.clocks import Period, ends
from gateway.policy.free_text import looks_personal
from gateway.policy.notice_message import NoticeMessage, moment

FAMILY = "rights."
"""The beginning of the kinds of these cases."""
IDENTIFIED, RELEASED, BEGUN, NOTHING_FOUND = "identity.checked", "released", "begun", "nothing.found"
ANSWER, FORWARD, TOLD = "answer", "forward", "notify"
SPOKEN = "spoken"
"""The fact of a case whose person is known by what they said: of which kind that was."""
CLAIMED = (
    "what somebody said on a call is a claim, and no proof: who knows it can say it, and can ask with it. "
    "Record how the identity of who asks was checked by other means"
)
ANSWER_WITHIN, ACCOUNT_WITHIN, FORWARD_WITHIN = timedelta(days=30), timedelta(days=15), timedelta(hours=24)
A_MONTH = Period(1, "mo")
LONGEST_TEXT = 200


class Right(StrEnum):
    """What a person may ask for. ``export`` is portability (GDPR art. 20)."""

    ACCESS = "access"
    EXPORT = "export"
    KNOW = "know"
    ERASE = "erase"
    RECTIFY = "rectify"
    RESTRICT = "restrict"
    LIFT = "lift"

    @property
    def hands_out(self) -> bool:
        """Whether something is given to whoever asks."""
        return self in (Right.ACCESS, Right.EXPORT, Right.KNOW)

    @property
    def needs_identity(self) -> bool:
        """Whether it must be on record first how it was checked who asks: for all but a restriction.

        Who knows somebody's number could else read their data, alter it or have it destroyed. A restriction protects, and can be
        ended: it is applied at once, and to end it takes the check (GDPR art. 12(6), 18).
        """
        return self is not Right.RESTRICT


class Via(StrEnum):
    """Who brought it: the tenant for the person, the person to us directly, or a regulator."""

    TENANT = "tenant"
    DIRECT = "direct"
    REGULATOR = "regulator"


def kind_of(right: Right) -> str:
    return FAMILY + right.value


def right_of(case: Case) -> Right:
    """Raises InvalidRequest for a case of another kind."""
    try:
        return Right(case.kind.removeprefix(FAMILY)) if case.kind.startswith(FAMILY) else Right("")
    except ValueError:
        raise InvalidRequest(f"the case {case.id} is no request of a person", hint="sordino rights list shows those") from None


def via_of(case: Case) -> Via:
    return Via(str(case.facts.get("via", Via.TENANT)))


def spoken_of(case: Case) -> str:
    """The kind of what was said by which the person is known; empty: it is a number."""
    return str(case.facts.get(SPOKEN, ""))


def deadlines(via: Via, at: datetime, *, account: bool) -> dict[str, datetime]:
    """By when: an answer to the person; where it came to us, the tenant's notice of it. ``account``: all of an account goes."""
    found = {ANSWER: at + ACCOUNT_WITHIN if account else min(at + ANSWER_WITHIN, ends(at, A_MONTH))}
    if via is Via.DIRECT:
        found[FORWARD] = at + FORWARD_WITHIN
    if via is Via.REGULATOR:
        found[TOLD] = at + FORWARD_WITHIN
    return found


def letter_of(case: Case) -> NoticeMessage:
    """What the tenant is told of a request that came to us: which right, about whom (a keyed hash), until when."""
    right, via = right_of(case), via_of(case)
    who = "A regulator" if via is Via.REGULATOR else "A person"
    due = case.deadlines[ANSWER].at
    lines = (
        f"{who} has asked us directly: {right.value}. We pass it on to you, and give no answer of our own.",
        "",
        f"  Case:            {case.id}",
        f"  Person:          {case.about} (keyed hash of the {spoken_of(case) or 'number'})",
        f"  Received:        {moment(case.opened_at)}",
        f"  To be answered:  {moment(due)}",
        "",
        "Nothing is handed out, altered or erased before the identity of who asks was checked"
        + (" and a second person has released it with a written authorisation." if via is Via.REGULATOR else "."),
        f"To see it: sordino rights show --tenant {case.tenant} --case {case.id}",
        "",
    )
    data = {
        "tenant": case.tenant,
        "case": case.id,
        "right": right.value,
        "via": via.value,
        "subject": case.about,
        "received_at": moment(case.opened_at),
        "answer_by": moment(due),
    }
    title = f"Request of a {'regulator' if via is Via.REGULATOR else 'person'}: {right.value}"
    return NoticeMessage(f"rights_{case.id}", "rights.received", case.opened_at, title, "\n".join(lines), data)


def last(case: Case, what: str) -> CaseEvent | None:
    """The newest event of that name."""
    return next((event for event in reversed(case.events) if event.what == what), None)


def identity(case: Case) -> Mapping[str, Json] | None:
    """How and by whom the identity was checked, and when; None: nobody has."""
    event = last(case, IDENTIFIED)
    return None if event is None else {**event.facts, "at": moment(event.at)}


def lacks_identity(case: Case) -> bool:
    """Whether its right needs the check of who asks, or what was said only claims it, and nobody has recorded one."""
    return (right_of(case).needs_identity or bool(spoken_of(case))) and identity(case) is None


def mends(case: Case) -> str:
    """The command for the first thing that must come before the case is carried out; empty: there is none to give."""
    of = f"--tenant {case.tenant} --case {case.id}"
    if not case.open:
        return ""
    if lacks_identity(case):
        return f'sordino rights identify {of} --identity "how it was checked"'
    if via_of(case) is Via.REGULATOR and last(case, RELEASED) is None:
        return f"sordino rights release {of} --authorisation REFERENCE, by a second person"
    return ""


def why_not(case: Case) -> tuple[str, ...]:
    """Every reason why the case may not be carried out now, as a sentence that says what to do."""
    via, found = via_of(case), list[str]()
    if not case.open:
        found.append("the case is closed: open a new one")
    if lacks_identity(case):
        found.append(CLAIMED if spoken_of(case) else "nobody has recorded how the identity of who asks was checked")
    if via is Via.REGULATOR:
        told = case.deadlines.get(TOLD)
        if told is not None and told.met_at is None:
            found.append("the tenant has not got the notice of it yet: it is sent again until it arrives")
        if last(case, RELEASED) is None:
            found.append("nobody has released it: a second person does, with the reference of a written authorisation")
    return tuple(found)


def check_release(case: Case, by: str) -> None:
    """Raises Forbidden: who releases took part already. InvalidRequest: there is nothing to release."""
    if via_of(case) is not Via.REGULATOR:
        raise InvalidRequest("only a regulator's request is released", hint="this one needs no release")
    hands = {_name(str(event.facts.get("by", ""))) for event in case.events}
    if _name(by) in hands:
        raise Forbidden("who opened a request or checked it does not release it", hint="ask a second person")


def said(text: str, what: str) -> str:
    """The text as one line that may stand in the evidence.

    Raises:
        InvalidRequest: there is none, it is a whole story, or it looks as if it held a number or an address of somebody.
    """
    line = " ".join(text.split())
    if not line or len(line) > LONGEST_TEXT or not line.isprintable():
        raise InvalidRequest(f"{what} is missing, or no short text", hint=f"1 to {LONGEST_TEXT} characters on one line")
    if looks_personal(line):
        raise InvalidRequest(
            f"{what} looks as if it held a number or an address", hint="it stands in the evidence: no personal data"
        )
    return line


def of_person(cases: Iterable[Case], subject: str | None) -> list[Case]:
    """The requests among all cases, of one person or of all."""
    return [case for case in cases if case.kind.startswith(FAMILY) and subject in (None, case.about)]


def _name(name: str) -> str:
    return " ".join(name.casefold().split())
