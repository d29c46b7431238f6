"""Who fails often is left alone for a while, then tried by one request at a time. Time is an argument."""

from __future__ import annotations

from gateway.runner.proxy.breaker import FAILURES, OPEN_S, WITHIN_S, Breakers
from gateway.values import ProcessorId

ONE, OTHER = ProcessorId("one"), ProcessorId("other")


def failing(times: int, every_s: float = 1.0) -> Breakers:
    breakers = Breakers()
    for count in range(times):
        breakers.failed(ONE, count * every_s)
    return breakers


def test_a_few_failures_are_nothing() -> None:
    assert failing(FAILURES - 1).resting(FAILURES) == frozenset()


def test_who_fails_often_in_a_short_time_is_left_alone_and_nobody_else_is() -> None:
    breakers = failing(FAILURES)
    breakers.failed(OTHER, 0)
    assert breakers.resting(FAILURES) == {ONE}
    assert breakers.opens_again_in(FAILURES - 1) == OPEN_S


def test_failures_that_lie_far_apart_are_nothing() -> None:
    assert failing(FAILURES, every_s=WITHIN_S).resting(FAILURES * WITHIN_S) == frozenset()


def test_an_answer_in_between_forgets_the_failures_before() -> None:
    breakers = failing(FAILURES - 1)
    breakers.served(ONE)
    breakers.failed(ONE, FAILURES)
    assert breakers.resting(FAILURES) == frozenset()


def test_after_the_rest_one_request_tries_and_the_others_wait_for_it() -> None:
    breakers = failing(FAILURES)
    later = FAILURES + OPEN_S
    assert breakers.resting(later) == frozenset()
    breakers.asked(ONE, later)
    assert breakers.resting(later) == {ONE}


def test_when_the_one_that_tried_fails_the_rest_begins_anew() -> None:
    breakers = failing(FAILURES)
    later = FAILURES + OPEN_S
    breakers.asked(ONE, later)
    breakers.failed(ONE, later + 1)
    assert breakers.resting(later + OPEN_S) == {ONE}
    assert breakers.resting(later + 1 + OPEN_S) == frozenset()


def test_when_the_one_that_tried_is_answered_everybody_may_ask_again() -> None:
    breakers = failing(FAILURES)
    later = FAILURES + OPEN_S
    breakers.asked(ONE, later)
    breakers.served(ONE)
    assert breakers.resting(later) == frozenset()
    assert breakers.opens_again_in(later) is None


def test_when_the_one_that_tried_never_comes_back_another_may_try_later() -> None:
    breakers = failing(FAILURES)
    later = FAILURES + OPEN_S
    breakers.asked(ONE, later)
    assert breakers.resting(later + OPEN_S) == frozenset()
