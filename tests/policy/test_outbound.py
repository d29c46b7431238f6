"""Before a number is dialled: every rule both ways, each no as a sentence (promises 13, 30 and 31)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.consent import ANY_PURPOSE, Answer, ConsentRecord, How, consent_for
from gateway.policy.dialling import CallingWindow, Outbound
from gateway.policy.jurisdiction import Basis, Whereabouts, locate
from gateway.policy.outbound import RULES, DialAnswer, DialQuestion, Known, ListHit, may_dial
from gateway.values import Private

NOON = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
AUSTIN = locate(Private("+15125550100"))
AGREED = ConsentRecord(Answer.GIVEN, "reminder", How.WRITTEN, NOON - timedelta(days=90), "form 17")
LIST = ListHit("ftc", date(2026, 11, 1), listed=False)
GOOD = Known(lists=(LIST,), consents=(AGREED,))
RULES_OF_ACME = Outbound(
    countries=("us",), calling_hours=(CallingWindow(between="09:00-18:00"),), do_not_call=("ftc",), attempts_per_day=2
)


def ask(known: Known = GOOD, rules: Outbound = RULES_OF_ACME, **changes: Any) -> DialAnswer:
    question = DialQuestion(changes.get("where", AUSTIN), changes.get("purpose", "reminder"), changes.get("at", NOON))
    return may_dial(rules, question, known)


def test_a_call_that_keeps_every_rule_is_permitted_and_names_its_consent() -> None:
    """The record goes into the evidence of the call."""
    assert ask() == DialAnswer((), AGREED)
    assert ask().permitted


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("country", {"where": locate(Private("+4930901820"))}, "de is not among the countries that may be called (us)"),
    ("no country", {"where": Whereabouts((), (), Basis.NOTHING, ())}, "the country of this number is not known"),
    ("opted out", {"known": replace(GOOD, opted_out=NOON - timedelta(days=2))}, "they asked on 2026-11-22 not to be called"),
    ("no list", {"known": replace(GOOD, lists=())}, "the do-not-call list ftc was never imported"),
    (
        "stale list",
        {"known": replace(GOOD, lists=(replace(LIST, as_of=date(2026, 10, 23)),))},
        "is of 2026-10-23, older than 31 days",
    ),
    (
        "list of tomorrow",
        {"known": replace(GOOD, lists=(replace(LIST, as_of=date(2026, 11, 25)),))},
        "a date that is still to come",
    ),
    ("listed", {"known": replace(GOOD, lists=(replace(LIST, listed=True),))}, "stands on the do-not-call list ftc"),
    ("listed elsewhere", {"known": replace(GOOD, lists=(LIST, ListHit("own", None, listed=True)))}, "the do-not-call list own"),
    ("no consent", {"known": replace(GOOD, consents=())}, "no consent to reminder is on record"),
    ("another purpose", {"purpose": "marketing"}, "no consent to marketing is on record"),
    ("too early", {"at": NOON.replace(hour=14)}, "it is 08:00 on Tuesday in America/Chicago"),
    ("holiday", {"at": NOON + timedelta(days=2)}, "it is Thanksgiving Day where the called party may be"),
    ("too often", {"known": replace(GOOD, attempts=2)}, "they were called 2 times in 24 hours, and 2 a day are allowed"),
]


@pytest.mark.parametrize(("changes", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_each_rule_says_no_in_a_sentence(changes: dict[str, Any], says: str) -> None:
    """One thing is wrong, and the answer names it."""
    answer = ask(**changes)
    assert not answer.permitted
    assert answer.consent is None
    assert says in "; ".join(answer.reasons)


def test_every_reason_is_told_at_once() -> None:
    """Not one after the other, a call at a time."""
    answer = ask(Known(opted_out=NOON, attempts=9), where=locate(Private("+4930901820")), at=NOON.replace(hour=3))
    assert len(answer.reasons) >= 5


@pytest.mark.parametrize(
    ("age_days", "longest", "stale"),
    [
        (31, timedelta(days=31), False),
        (32, timedelta(days=31), True),
        (32, timedelta(days=90), True),
        (8, timedelta(days=7), True),
    ],
)
def test_a_list_is_fresh_for_31_days_at_most(age_days: int, longest: timedelta, stale: bool) -> None:
    """16 CFR 310.4(b)(3)(iv); a tenant may ask for fresher ones and never for older ones."""
    rules = RULES_OF_ACME.model_copy(update={"do_not_call_max_age": longest})
    hit = replace(LIST, as_of=NOON.date() - timedelta(days=age_days))
    assert ask(replace(GOOD, lists=(hit,)), rules).permitted is not stale


def test_by_default_nobody_may_be_called() -> None:
    """A tenant that says nothing about outbound calls has no country to call."""
    assert "us is not among the countries that may be called (none)" in ask(GOOD, Outbound()).reasons


def test_where_no_consent_is_asked_for_a_withdrawal_still_counts() -> None:
    """Whoever has said no once is not called under a looser policy."""
    rules = RULES_OF_ACME.model_copy(update={"consent": False})
    assert ask(replace(GOOD, consents=()), rules).permitted
    gone = replace(AGREED, answer=Answer.WITHDRAWN, at=NOON - timedelta(days=1))
    assert ask(replace(GOOD, consents=(AGREED, gone)), rules).reasons == ("consent to reminder was withdrawn on 2026-11-23",)


def test_a_number_in_two_zones_must_be_right_in_both() -> None:
    """Pensacola at eight in the morning is nine in Tallahassee."""
    panhandle = locate(Private("+18505550100"))
    assert not ask(where=panhandle, at=datetime(2026, 11, 24, 14, 30, tzinfo=UTC)).permitted
    assert ask(where=panhandle, at=datetime(2026, 11, 24, 15, 30, tzinfo=UTC)).permitted


SAID = [
    ([], False),
    ([("given", 10, "reminder")], True),
    ([("given", 10, "reminder"), ("withdrawn", 5, "reminder")], False),
    ([("withdrawn", 10, "reminder"), ("given", 5, "reminder")], True),
    ([("given", 10, "reminder"), ("withdrawn", 5, ANY_PURPOSE)], False),
    ([("given", 10, ANY_PURPOSE)], False),
    ([("given", 5, "reminder"), ("withdrawn", 5, "reminder")], False),
    ([("withdrawn", 5, "reminder"), ("given", 5, "reminder")], False),
    ([("given", -1, "reminder")], False),
    ([("given", 10, "reminder"), ("withdrawn", -1, "reminder")], True),
    ([("given", 10, "reminder"), ("withdrawn", 5, "marketing")], True),
]


@pytest.mark.parametrize(("said", "holds"), SAID)
def test_the_last_word_counts(said: list[tuple[str, int, str]], holds: bool) -> None:
    """Per purpose; a withdrawal of everything ends every consent; what is said tomorrow counts tomorrow."""
    records = [
        ConsentRecord(Answer(answer), purpose, How.SPOKEN, NOON - timedelta(days=days), "call 1")
        for answer, days, purpose in said
    ]
    assert consent_for(records, "reminder", NOON).holds is holds


def test_a_consent_may_end_by_itself() -> None:
    """At its moment, not after it."""
    record = replace(AGREED, until=NOON)
    assert consent_for([record], "reminder", NOON - timedelta(microseconds=1)).holds
    assert consent_for([record], "reminder", NOON).why == "consent to reminder ended on 2026-11-24"


KNOWN = st.builds(
    Known,
    lists=st.lists(
        st.builds(
            ListHit, st.sampled_from(["ftc", "own"]), st.none() | st.dates(date(2026, 9, 1), date(2026, 12, 1)), st.booleans()
        ),
        max_size=2,
    ).map(tuple),
    opted_out=st.none() | st.just(NOON),
    consents=st.lists(st.sampled_from([AGREED, replace(AGREED, answer=Answer.WITHDRAWN, at=NOON)]), max_size=2).map(tuple),
    attempts=st.integers(0, 4),
)


@given(KNOWN, st.integers(0, 60 * 24))
def test_an_opt_out_and_one_more_attempt_never_permit_more(known: Known, minutes: int) -> None:
    """More on record against a call never opens it; permitted means that every rule was silent."""
    at = NOON + timedelta(minutes=minutes)
    answer = ask(known, at=at)
    assert answer.permitted is all(not rule(RULES_OF_ACME, DialQuestion(AUSTIN, "reminder", at), known) for rule in RULES)
    assert set(answer.reasons) <= set(ask(replace(known, opted_out=NOON), at=at).reasons) | {
        f"they asked on {NOON.date()} not to be called"
    }
    assert not (ask(replace(known, attempts=known.attempts + 1), at=at).permitted and not answer.permitted)
