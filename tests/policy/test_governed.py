"""Notice, objection and jurisdiction as the rules of egress see them: the barred get no Grant, more law never permits more."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.egress import decide
from gateway.values import ProcessorId
from tests.policy.samples import NOW, TENANT, ask, loaded, with_entry

EU_LLM, HOME = ProcessorId("eu-llm"), ProcessorId("home-llm")


def reasons(registry_changes: dict[str, object], **question: object) -> tuple[str, ...]:
    decision = decide(loaded().tenant("acme"), with_entry(**registry_changes), ask(**question))
    return decision.verdicts[0].reasons


def test_a_pending_one_is_permitted_when_its_notice_has_run_out() -> None:
    """For the tenant that was told; without that it stays out."""
    assert reasons({"status": "pending"}) == ("it is pending: it is not in use yet",)
    assert reasons({"status": "pending"}, noticed=frozenset({EU_LLM})) == ()
    assert reasons({"status": "pending"}, noticed=frozenset({HOME})) != ()


def test_a_notice_that_ran_out_opens_nothing_else() -> None:
    """Every other rule still holds."""
    assert reasons({"status": "pending", "training": "permitted"}, noticed=frozenset({EU_LLM})) != ()


def test_who_is_barred_is_refused_with_the_sentence() -> None:
    """And the next one of the route is asked."""
    decision = decide(loaded().tenant("acme"), loaded().registry, ask(barred={EU_LLM: "the tenant objected to it"}))
    assert decision.verdicts[0].reasons == ("the tenant objected to it",)
    assert decision.grant is not None
    assert decision.grant.processor == HOME


def test_business_days_of_a_file_count_its_holidays() -> None:
    """Announced on 22 December, ten business days in Germany: Christmas and New Year are none."""
    tenant = TENANT + "notice_days: 0\nnotice_business_days: 10\n"
    told = {"status": None, "announced_on": date(2026, 12, 22)}
    for holidays, day in (("", "2027-01-05"), ("holidays: [de]\n", "2027-01-07")):
        policy = loaded(tenant + holidays).tenant("acme")
        decision = decide(policy, with_entry(**told), ask(at=NOW.replace(month=12, day=28)))
        assert decision.verdicts[0].reasons == (f"it is pending: announced on 2026-12-22, it may be used from {day}",)


@pytest.mark.parametrize(
    ("origins", "missing"),
    [((), ""), (("de",), ""), (("gb",), ""), (("us",), "us"), (("de", "us"), "us"), (("in", "us"), "in and us")],
)
def test_every_law_of_both_ends_needs_its_mechanism(origins: tuple[str, ...], missing: str) -> None:
    """A call between Berlin and Austin stands under both laws."""
    said = reasons({}, origins=frozenset(origins))
    assert said == ((f"no transfer mechanism from {missing} to eu is known",) if missing else ())


LAWS = st.frozensets(st.sampled_from(["de", "gb", "us", "in", "ch"]), min_size=1)


@given(LAWS, LAWS)
def test_one_more_law_never_permits_more(some: frozenset[str], more: frozenset[str]) -> None:
    """The strictest of the candidates wins."""
    fewer = decide(loaded().tenant("acme"), loaded().registry, ask(origins=some))
    both = decide(loaded().tenant("acme"), loaded().registry, ask(origins=some | more))
    permitted = {verdict.processor for verdict in fewer.verdicts if verdict.permitted}
    assert {verdict.processor for verdict in both.verdicts if verdict.permitted} <= permitted
