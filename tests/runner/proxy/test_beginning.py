"""The beginning of a history is known again by its digest alone, and by nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.runner.proxy.beginning import Digesting, without_calls
from gateway.runner.proxy.request import ASSISTANT, TOOL, USER, PlainCall, PlainMessage
from gateway.values import Private

KEY = b"a key of this test"
messages = st.lists(
    st.builds(lambda role, text: PlainMessage(role, Private(text)), st.sampled_from([USER, ASSISTANT]), st.text()), max_size=6
)


@given(messages, st.integers(0, 6))
def test_the_digest_does_not_depend_on_the_steps_in_which_messages_came(history: list[PlainMessage], cut: int) -> None:
    in_steps = Digesting(KEY)
    in_steps.add(history[:cut])
    assert in_steps.add(history[cut:]) == Digesting(KEY).add(history)


@given(messages, messages)
def test_two_histories_have_one_digest_only_if_they_are_the_same(one: list[PlainMessage], other: list[PlainMessage]) -> None:
    assert (Digesting(KEY).add(one) == Digesting(KEY).add(other)) == (one == other)


def test_words_cannot_move_from_one_message_into_the_next() -> None:
    def digest(*texts: str) -> bytes:
        return Digesting(KEY).add([PlainMessage(USER, Private(text)) for text in texts])

    assert len({digest("a", "b"), digest("ab", ""), digest("", "ab"), digest("a4,1:userb"), digest("ab")}) == 5


def test_another_process_has_another_digest() -> None:
    history = [PlainMessage(USER, Private("Hello"))]
    assert Digesting(KEY).add(history) != Digesting(b"another").add(history)


def test_it_ends_before_the_first_message_that_has_to_do_with_a_tool() -> None:
    words = PlainMessage(USER, Private("Hello"))
    call = PlainMessage(ASSISTANT, Private(""), (PlainCall("a", "send", Private("{}")),))
    result = PlainMessage(TOOL, Private("sent"), call_id="a")
    assert [without_calls(each) for each in ([], [words], [words, call, result, words], [words, result])] == [0, 1, 1, 1]
