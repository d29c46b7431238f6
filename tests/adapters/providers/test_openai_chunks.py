"""OpenAI's chunks: text at once, tool calls whole, and nothing that is not in the dialect."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.providers.openai_chunks import MOST_TOOL_CALLS, Assembler, ChunkBroken
from gateway.ports import ChatDelta, ToolCall


def chunk(finish: str | None = None, **delta: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def call(arguments: str | None, **more: Any) -> dict[str, Any]:
    name = more.pop("name", None)
    function = {key: value for key, value in {"name": name, "arguments": arguments}.items() if value is not None}
    return {"function": function, **more}


def taken(*chunks: str) -> list[ChatDelta]:
    assembler = Assembler()
    return [delta for data in chunks for delta in assembler.take(data) if not delta.finish]


def test_text_comes_at_once_and_in_order() -> None:
    assert taken(chunk(role="assistant", content=""), chunk(content="<PER"), chunk(content="SON_1>"), chunk("stop")) == [
        ChatDelta(text="<PER"),
        ChatDelta(text="SON_1>"),
    ]


def test_a_refusal_is_words_too() -> None:
    assert taken(chunk(content=None, refusal="I may not.")) == [ChatDelta(text="I may not.", refusal=True)]


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(
            [
                chunk(tool_calls=[call("", index=0, id="a", type="function", name="send")]),
                chunk(tool_calls=[call('{"email": "<EMAIL_', index=0)]),
                chunk(tool_calls=[call('ADDRESS_1>"}', index=0)]),
                chunk("tool_calls"),
            ],
            id="in pieces",
        ),
        pytest.param(
            [chunk("tool_calls", tool_calls=[call('{"email": "<EMAIL_ADDRESS_1>"}', id="a", name="send")])], id="whole, no index"
        ),
        pytest.param(
            [chunk(tool_calls=[call('{"email": "<EMAIL_ADDRESS_1>"}', index=0, id="a", name="send")]), "[DONE]"],
            id="no finish reason",
        ),
    ],
)
def test_a_tool_call_comes_whole_however_it_was_sent(chunks: list[str]) -> None:
    assert taken(*chunks) == [ChatDelta(tool_calls=(ToolCall("a", "send", '{"email": "<EMAIL_ADDRESS_1>"}'),))]


def test_several_tool_calls_that_come_interleaved_are_told_apart() -> None:
    found = taken(
        chunk(tool_calls=[call("{", index=1, id="b", name="second"), call("{", index=0, id="a", name="first")]),
        chunk(tool_calls=[call("}", index=0), call("}", index=1)]),
        chunk("tool_calls"),
    )
    assert found == [ChatDelta(tool_calls=(ToolCall("a", "first", "{}"), ToolCall("b", "second", "{}")))]


def test_a_tool_without_arguments_gets_an_empty_object_and_a_call_without_id_gets_one() -> None:
    assert taken(chunk("tool_calls", tool_calls=[call("", name="hang_up")])) == [
        ChatDelta(tool_calls=(ToolCall("call_0", "hang_up", "{}"),))
    ]


def test_token_counts_are_passed_on_when_the_processor_tells_them() -> None:
    assert taken(json.dumps({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})) == [
        ChatDelta(prompt_tokens=7, completion_tokens=3)
    ]


def test_only_a_finish_reason_or_done_makes_an_answer_whole() -> None:
    assembler = Assembler()
    assembler.take(chunk(content="All of it."))
    assert not assembler.whole
    assembler.take(chunk("length"))
    assert (assembler.whole, assembler.done) == (True, False)
    assembler.take("[DONE]")
    assert assembler.done


@pytest.mark.parametrize(
    "data",
    [
        "secret words",
        '["secret"]',
        '{"error": {"message": "secret words"}}',
        '{"choices": "secret"}',
        '{"choices": [{"delta": {"content": ["secret"]}}]}',
        '{"choices": [{"delta": {"tool_calls": ["secret"]}}]}',
        '{"choices": [{"delta": {"tool_calls": {"secret": 1}}}]}',
        '{"choices": [{"delta": {"tool_calls": [{"index": "secret"}]}}]}',
        json.dumps({"choices": [{"delta": {"tool_calls": [{"index": MOST_TOOL_CALLS, "id": "secret"}]}}]}),
        chunk("tool_calls", tool_calls=[call('{"email": "secret', index=0, name="send")]),
        chunk("tool_calls", tool_calls=[call('"secret"', index=0, name="send")]),
        chunk("tool_calls", tool_calls=[call("{}", index=0, id="secret")]),
        chunk(content="secret" * 100_000),
        chunk(tool_calls=[call("secret" * 100_000, index=0)]),
        "[" * 100_000,
    ],
)
def test_what_is_not_in_the_dialect_is_refused_without_being_shown(data: str) -> None:
    with pytest.raises(ChunkBroken) as refused:
        taken(data)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


odd = st.none() | st.booleans() | st.integers(-2, 99) | st.text(max_size=4) | st.lists(st.none(), max_size=1)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with any of these fields, each right or odd; or something odd in its place."""
    return odd | st.fixed_dictionaries({}, optional={name: value | odd for name, value in fields.items()})


def listed(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(of, max_size=3)


functions = some(name=st.text(max_size=3), arguments=st.sampled_from(["", "{", "{}", "[]"]))
calls = some(index=st.integers(0, 3), id=st.text(max_size=3), function=functions)
deltas = some(content=st.text(), refusal=st.text(), tool_calls=listed(calls))
choices = some(index=st.integers(0, 1), delta=deltas, finish_reason=st.sampled_from(["stop", "tool_calls"]))
chunks = some(choices=listed(choices), usage=some(prompt_tokens=st.integers()), error=st.none())


@given(listed(chunks))
def test_no_sequence_of_chunks_breaks_it_in_another_way(sequence: list[Any]) -> None:
    assembler = Assembler()
    with contextlib.suppress(ChunkBroken):
        found = [delta for data in sequence for delta in assembler.take(json.dumps(data))]
        assert all(isinstance(json.loads(call.arguments), dict) for delta in found for call in delta.tool_calls)
