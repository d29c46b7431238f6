"""Anthropic's events, put together: whatever comes, it is an answer or one typed error."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.providers.anthropic_events import MessageReader
from gateway.adapters.providers.exchange import AnswerBroken
from gateway.ports import ChatDelta, ToolCall

START = {"type": "message_start", "message": {"usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 1}}}
STOP = {"type": "message_stop"}


def began(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def went_on(index: int, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def ended(reason: str) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}}


def taken(*events: dict[str, Any]) -> list[ChatDelta]:
    reader = MessageReader()
    return [delta for event in events for delta in reader.take(json.dumps(event))]


def test_text_comes_at_once_and_tokens_at_the_end() -> None:
    said = taken(START, began(0, type="text", text=""), went_on(0, type="text_delta", text="<PER"), ended("end_turn"), STOP)
    assert said == [ChatDelta(text="<PER"), ChatDelta(finish="stop"), ChatDelta(prompt_tokens=7, completion_tokens=9)]


def test_a_tool_call_in_pieces_comes_whole() -> None:
    pieces = [went_on(1, type="input_json_delta", partial_json=piece) for piece in ('{"to": "<EM', 'AIL_ADDRESS_1>"}')]
    said = taken(began(1, type="tool_use", id="t1", name="send", input={}), *pieces, ended("tool_use"), STOP)
    assert said[0] == ChatDelta(tool_calls=(ToolCall("t1", "send", '{"to": "<EMAIL_ADDRESS_1>"}'),))
    assert said[1].finish == "tool_calls"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("refusal", "content_filter"),
        ("new_one", "stop"),
    ],
)
def test_each_reason_to_stop_has_a_word_of_ours(reason: str, finish: str) -> None:
    assert taken(ended(reason), STOP)[0].finish == finish


def test_only_the_end_mark_makes_an_answer_whole() -> None:
    reader = MessageReader()
    reader.take(json.dumps(ended("end_turn")))
    assert not reader.whole
    reader.take(json.dumps(STOP))
    assert (reader.whole, reader.done) == (True, True)


def test_what_is_not_known_is_passed_over() -> None:
    thought: tuple[dict[str, Any], ...] = (
        began(0, type="thinking", thinking="hm"),
        went_on(0, type="thinking_delta", thinking="hm"),
        {"type": "ping"},
        {},
    )
    assert taken(*thought, STOP) == [ChatDelta(finish="stop")]


BROKEN = [
    "x",
    "[]",
    json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "their words"}}),
    json.dumps(went_on(5, type="input_json_delta", partial_json="{")),
    json.dumps(began(-1, type="text", text="")),
    json.dumps({"type": "content_block_start", "index": 0, "content_block": []}),
    json.dumps(went_on(0, type="text_delta", text="x" * (1 << 19))),
]


@pytest.mark.parametrize("data", BROKEN)
def test_what_does_not_fit_is_one_error_without_their_words(data: str) -> None:
    with pytest.raises(AnswerBroken) as broken:
        MessageReader().take(data)
    assert "their words" not in str(broken.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
KINDS = st.sampled_from(["message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"])
BLOCKS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_use", "text_delta", "input_json_delta"])},
    optional={"text": JSON, "id": JSON, "name": JSON, "input": JSON, "partial_json": JSON},
)
EVENTS = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "index": st.integers(-1, 3),
        "content_block": BLOCKS | JSON,
        "delta": BLOCKS | JSON,
        "usage": JSON,
        "message": JSON,
    },
)


@given(st.lists(EVENTS, max_size=8))
def test_no_sequence_of_events_breaks_it_in_another_way(sequence: list[Any]) -> None:
    reader = MessageReader()
    with contextlib.suppress(AnswerBroken):
        for event in sequence:
            for delta in reader.take(json.dumps(event)):
                assert all(isinstance(json.loads(call.arguments), dict) for call in delta.tool_calls)
