"""What came in one read is told in few pieces, and tells the very same."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.providers.joining import joined
from gateway.ports import ChatDelta, ToolCall

CALL, OTHER = ToolCall("a", "send", "{}"), ToolCall("b", "call", "{}")
COUNTS = ChatDelta(prompt_tokens=9, completion_tokens=4)


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (
            [ChatDelta("One "), ChatDelta("two"), ChatDelta(finish="stop"), COUNTS],
            [ChatDelta("One two", (), 9, 4, finish="stop")],
        ),
        ([ChatDelta("I "), ChatDelta(tool_calls=(CALL,)), ChatDelta(tool_calls=(OTHER,))], [ChatDelta("I ", (CALL, OTHER))]),
        ([ChatDelta("a"), ChatDelta("b", choice=1)], [ChatDelta("a"), ChatDelta("b", choice=1)]),
        ([ChatDelta("a"), ChatDelta("no", refusal=True)], [ChatDelta("a"), ChatDelta("no", refusal=True)]),
        ([ChatDelta(tool_calls=(CALL,)), ChatDelta("then")], [ChatDelta(tool_calls=(CALL,)), ChatDelta("then")]),
        ([ChatDelta("b", choice=1, finish="stop"), COUNTS], [ChatDelta("b", (), 9, 4, choice=1, finish="stop")]),
        ([], []),
    ],
    ids=[
        "words, end, counts",
        "tool calls",
        "two choices",
        "a refusal",
        "words behind a call",
        "counts of any choice",
        "nothing",
    ],
)
def test_what_may_be_told_together_is(came: list[ChatDelta], told: list[ChatDelta]) -> None:
    assert joined(came) == told


deltas = st.builds(
    ChatDelta,
    text=st.sampled_from(["", "a", "b ", "<PER"]),
    tool_calls=st.sampled_from([(), (CALL,), (OTHER, CALL)]),
    prompt_tokens=st.integers(0, 9),
    completion_tokens=st.integers(0, 9),
    choice=st.integers(0, 2),
    refusal=st.booleans(),
    finish=st.sampled_from(["", "", "stop", "length"]),
)


def steps(answer: list[ChatDelta]) -> dict[int, list[object]]:
    """For each choice what is said in order, letter by letter."""
    found: dict[int, list[object]] = {}
    for delta in answer:
        said = found.setdefault(delta.choice, [])
        said += [(letter, delta.refusal) for letter in delta.text]
        said += delta.tool_calls
        said += [delta.finish] if delta.finish else []
    return {choice: said for choice, said in found.items() if said}


@given(st.lists(deltas, max_size=12))
def test_every_choice_says_the_same_in_the_same_order_and_no_count_is_lost(answer: list[ChatDelta]) -> None:
    told = joined(answer)
    assert steps(told) == steps(answer)
    for name in ("prompt_tokens", "completion_tokens"):
        assert max((getattr(each, name) for each in told), default=0) == max((getattr(each, name) for each in answer), default=0)
    assert len(told) <= len(answer)
    assert Counter(each.finish for each in told if each.finish) == Counter(each.finish for each in answer if each.finish)
