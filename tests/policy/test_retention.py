"""How long a class of data is kept, and what a legal hold covers: questions to facts (promises 14 to 16)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequest, PolicyInvalid
from gateway.policy.retention import Hold, HoldScope, Retention, due, reason_of_a_person, said
from gateway.values import CallId, DataClass, TenantId
from tests.policy.samples import TENANT, loaded

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_of_all_files_the_shortest_time_holds() -> None:
    pack = "pack: strict\ntitle: short\nretention: {consent: 365d, evidence: 1000d}\n"
    policy = loaded(TENANT + "extends: [strict]\nretention: {consent: 30d, contact: 10d}\n", strict=pack).tenant("acme")
    kept = policy.retention
    assert (kept.consent, kept.evidence, kept.contact) == (30 * DAY, 1000 * DAY, 10 * DAY)


@pytest.mark.parametrize("key", ["contact", "consent", "evidence", "audio"])
def test_who_keeps_longer_than_a_pack_asks_says_so_with_a_reason(key: str) -> None:
    pack = f"pack: strict\ntitle: short\nretention: {{{key}: 10d}}\n"
    longer = TENANT + f"extends: [strict]\nretention: {{{key}: 20d}}\n"
    with pytest.raises(PolicyInvalid, match=f"retention.{key}"):
        loaded(longer, strict=pack)
    loosened = longer + f"loosens: [{{setting: retention.{key}, pack: strict, reason: the law of our trade}}]\n"
    assert getattr(loaded(loosened, strict=pack).tenant("acme").retention, key) == 20 * DAY


HOUR = timedelta(hours=1)
DOCUMENTED = {
    DataClass.AUDIO: (0 * DAY, AT),
    DataClass.TRANSCRIPT: (0 * DAY, AT),
    DataClass.VAULT: (4 * HOUR, None),
    DataClass.METADATA: (30 * DAY, AT + 30 * DAY),
    DataClass.CONTACT: (20 * DAY, AT + 120 * DAY),
    DataClass.CONSENT: (1_461 * DAY, AT + 1_461 * DAY),
    DataClass.EVIDENCE: (2_192 * DAY, None),
    DataClass.TRACES: (7 * DAY, None),
}
"""Of each class how long it is kept where nobody says otherwise, and when a thing of ``AT`` is due of a tenant that left after
100 days."""


@pytest.mark.parametrize(("data_class", "kept", "gone"), [(each, *times) for each, times in DOCUMENTED.items()])
def test_every_class_has_its_time(data_class: DataClass, kept: timedelta, gone: datetime | None) -> None:
    """Sound and words are not kept at all unless a policy says so; the vault, evidence and traces have clocks of their own."""
    assert Retention().of(data_class) == kept
    assert due(data_class, AT, None, Retention(), ended=AT + 100 * DAY) == gone


def test_no_class_is_without_a_time() -> None:
    assert set(DOCUMENTED) == set(DataClass)


@given(
    st.sampled_from([DataClass.AUDIO, DataClass.TRANSCRIPT, DataClass.METADATA, DataClass.CONSENT]),
    st.none() | st.integers(0, 10_000),
    st.integers(0, 10_000),
)
def test_neither_the_promise_of_its_call_nor_todays_policy_is_outlived(
    data_class: DataClass, promised: int | None, today: int
) -> None:
    keep = None if promised is None else timedelta(days=promised)
    found = due(data_class, AT, keep, Retention(**{data_class.value: timedelta(days=today)}))
    assert found == AT + timedelta(days=today if promised is None else min(today, promised))


def test_number_data_waits_for_the_end_of_the_contract_and_then_goes() -> None:
    assert due(DataClass.CONTACT, AT, None, Retention()) is None
    assert due(DataClass.CONTACT, AT, None, Retention(), ended=AT + 100 * DAY) == AT + 120 * DAY


@given(st.data())
def test_the_more_a_hold_names_the_less_it_covers(data: st.DataObject) -> None:
    times = st.integers(0, 5).map(lambda days: AT + timedelta(days=days))
    wide = HoldScope(
        call=data.draw(st.none() | st.just(CallId("c"))),
        subject=data.draw(st.none() | st.just("s")),
        data_class=data.draw(st.none() | st.sampled_from(DataClass)),
    )
    narrow = HoldScope(wide.call, wide.subject, wide.data_class, data.draw(st.none() | times), data.draw(st.none() | times))
    item = (data.draw(st.sampled_from(DataClass)), data.draw(st.sampled_from(["c", "s", "x"])), data.draw(times))
    subject = data.draw(st.none() | st.sampled_from(["s", "x"]))
    assert HoldScope().covers(*item, subject=subject)
    assert wide.covers(*item, subject=subject) or not narrow.covers(*item, subject=subject)


@pytest.mark.parametrize(
    ("scope", "kept"),
    [
        (HoldScope(subject="s", data_class=DataClass.AUDIO), True),
        (HoldScope(subject="s", end=AT), True),
        (HoldScope(subject="s", call=CallId("other")), True),
        (HoldScope(subject="x", data_class=DataClass.AUDIO), False),
        (HoldScope(data_class=DataClass.AUDIO), False),
    ],
)
def test_an_order_about_a_person_keeps_whose_their_calls_are_whatever_else_it_names(scope: HoldScope, kept: bool) -> None:
    late = AT + 30 * DAY
    assert scope.covers(DataClass.METADATA, "c", late, subject="s", link=True) is kept
    assert scope.covers(DataClass.CONTACT, "s", late, subject=None, link=True) is kept


def test_a_hold_is_overdue_from_the_day_behind_its_review_on() -> None:
    hold = Hold("hold_1", TenantId("acme"), HoldScope(), "case 7", "A. Judge", date(2027, 1, 31), AT, "operator")
    assert not hold.overdue(date(2027, 1, 31))
    assert hold.overdue(date(2027, 2, 1))


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 501])
def test_a_reason_is_some_words(reason: str) -> None:
    with pytest.raises(InvalidRequest):
        said(reason)
    assert said(" case \n 7 ") == "case 7"


@pytest.mark.parametrize(
    "reason", ["asked by +15550301", "call 555 867 5309 back", "from 0151 12345678", "anne@example.org asked", "(030) 901820-123"]
)
def test_a_reason_that_names_somebody_gets_into_no_evidence(reason: str) -> None:
    """What stands in the evidence stands there for good."""
    with pytest.raises(InvalidRequest, match="number or an address") as refused:
        reason_of_a_person(reason)
    assert reason not in str(refused.value)


@pytest.mark.parametrize("reason", ["court order of 2026-03-01", "Az. 12 O 3456/2026", "case 1:26-cv-01234", "ticket 1234567"])
def test_references_and_days_are_reasons(reason: str) -> None:
    assert reason_of_a_person(reason) == reason
