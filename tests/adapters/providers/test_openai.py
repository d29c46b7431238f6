"""The OpenAI dialect against a processor that behaves badly: what comes out is whole and right, or a typed error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from gateway.adapters.providers.openai import Limits, OpenAIChat
from gateway.adapters.providers.outbound import TlsContexts, outbound_session, tls_context, tls_contexts
from gateway.errors import Misconfigured, PolicyRefused, SordinoError, UpstreamBusy, UpstreamFailed, UpstreamTimeout
from gateway.policy.egress import Grant
from gateway.policy.fields import Tls
from gateway.ports import ChatDelta, ChatMessage, ChatRequest, ToolCall, ToolSpec
from gateway.values import Hop, MaskedText, Private
from tests.adapters.providers.certificates import authority_and_server
from tests.adapters.providers.grants import llm_grant
from tests.adapters.providers.upstream import Script, Talk, event, upstream

SECRET = "The customer is Maria Garcia"
HELLO = ChatRequest((ChatMessage("user", MaskedText("I am <PERSON_1>.")),))


class Keys:
    def read(self, name: str) -> Private[str]:
        if name == "MISSING":
            raise Misconfigured("the secret MISSING is not set")
        return Private({"GOOD": "sk-good\n", "BROKEN": "sk-\r\nX-Other: 1"}[name])


@contextlib.asynccontextmanager
async def chatting(**options: Any) -> AsyncIterator[OpenAIChat]:
    async with outbound_session() as session:
        yield OpenAIChat(session, Keys(), **options)


async def answered(
    script: Script, request: ChatRequest = HELLO, *, limits: Limits | None = None, **grant: Any
) -> list[ChatDelta]:
    async with upstream(script) as there, chatting(limits=limits) as chat, asyncio.timeout(20):
        found = [delta._replace(finish="") async for delta in chat.stream(llm_grant(there.base_url, **grant), request)]
        return [delta for delta in found if delta != ChatDelta()]


def words(deltas: list[ChatDelta]) -> str:
    return "".join(delta.text for delta in deltas)


async def good(talk: Talk) -> None:
    await talk.head()
    await talk.chunk(role="assistant", content="Hello, <PERSON_1>.")
    await talk.chunk("stop")
    await talk.send(event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}), b"data: [DONE]\n\n")


# --- what is sent ---------------------------------------------------------------------------------------------------


async def sent(request: ChatRequest, **grant: Any) -> tuple[dict[str, Any], dict[str, str]]:
    async with upstream(good) as there, chatting() as chat:
        async for _ in chat.stream(llm_grant(there.base_url, **grant), request):
            pass
        (received,) = there.requests
        assert received.line == "POST /v1/chat/completions HTTP/1.1"
        return received.body, received.headers


async def test_the_processor_gets_the_masked_words_the_granted_model_and_nothing_about_the_call() -> None:
    body, headers = await sent(HELLO)
    assert body == {
        "model": "small",
        "messages": [{"role": "user", "content": "I am <PERSON_1>."}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert headers.keys() == {"host", "content-type", "content-length", "accept", "accept-encoding", "user-agent"}
    assert headers["user-agent"] == "sordino"


async def test_tools_their_calls_and_their_results_are_sent_as_the_dialect_has_them() -> None:
    call = ToolCall("call_1", "send_confirmation", '{"email":"<EMAIL_ADDRESS_1>"}')
    request = ChatRequest(
        (
            ChatMessage("assistant", MaskedText(""), tool_calls=(call,)),
            ChatMessage("tool", MaskedText("Sent to <EMAIL_ADDRESS_1>."), tool_call_id="call_1"),
        ),
        tools=(ToolSpec("send_confirmation", "Confirm by e-mail", {"type": "object"}),),
        temperature=0.2,
    )
    body, _ = await sent(request)
    assert body["messages"] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": call.name, "arguments": call.arguments}},
            ],
        },
        {"role": "tool", "content": "Sent to <EMAIL_ADDRESS_1>.", "tool_call_id": "call_1"},
    ]
    assert body["tools"] == [
        {
            "type": "function",
            "function": {"name": "send_confirmation", "description": "Confirm by e-mail", "parameters": {"type": "object"}},
        }
    ]
    assert body["temperature"] == 0.2


async def test_a_flag_of_the_grant_stands_above_what_the_request_wishes() -> None:
    """promise 10: what keeps a provider from training is in every request."""
    flags = {"store": False, "temperature": 0, "provider": {"data_collection": "deny", "zdr": True}}
    body, _ = await sent(ChatRequest(HELLO.messages, temperature=1.5), send=flags)
    assert {key: body[key] for key in flags} == flags


@pytest.mark.parametrize("flag", ["messages", "model", "stream", "tools"])
async def test_no_flag_may_change_the_words_the_model_or_the_way_of_the_answer(flag: str) -> None:
    with pytest.raises(PolicyRefused, match=flag):
        await sent(HELLO, send={flag: None})


async def test_the_key_is_read_by_its_name_and_sent_as_a_bearer() -> None:
    _, headers = await sent(HELLO, secret="GOOD")
    assert headers["authorization"] == "Bearer sk-good"


@pytest.mark.parametrize("secret", ["MISSING", "BROKEN"])
async def test_without_a_usable_key_nothing_is_sent_and_the_error_names_only_the_secret(secret: str) -> None:
    async with upstream(good) as there, chatting() as chat:
        with pytest.raises(Misconfigured, match=secret) as refused:
            await anext(chat.stream(llm_grant(there.base_url, secret=secret), HELLO))
        assert there.requests == []
        assert "sk-" not in str(refused.value)


# --- where it may be sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"hop": Hop.STT},
        {"dialect": "anthropic"},
        {"model": "*"},
        {"model": ""},
        {"host": "127.0.0.2"},
        {"host": ""},
        {"base_url": "http://192.0.2.1/v1", "host": "192.0.2.1"},
        {"base_url": "http://llm.example/v1", "host": "llm.example"},
        {"base_url": "http://127.0.0.1.example/v1", "host": "127.0.0.1.example"},
        {"base_url": "http://127.0.0.1@llm.example/v1"},
        {"base_url": "http://user:pass@127.0.0.1/v1"},
        {"base_url": "http://llm.example#@127.0.0.1/v1"},
        {"base_url": "http://llm.example\\@127.0.0.1/v1"},
        {"base_url": "https://127.0.0.1/v1?next=1"},
        {"base_url": "ftp://127.0.0.1/v1"},
        {"base_url": "127.0.0.1/v1"},
        {"base_url": "http://127.0.0.1:notaport/v1"},
        {"base_url": "in-process", "host": "in-process"},
    ],
)
async def test_a_grant_that_does_not_fit_the_place_sends_nothing(wrong: dict[str, Any]) -> None:
    async with chatting() as chat:
        with pytest.raises(PolicyRefused):
            await anext(chat.stream(llm_grant(**{"base_url": "http://127.0.0.1:9/v1", **wrong}), HELLO))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status: int) -> None:
    async with upstream(good) as elsewhere:

        async def script(talk: Talk) -> None:
            await talk.head(f"{status} Moved", Location=f"{elsewhere.base_url}/chat/completions", Content_Length="0")

        with pytest.raises(UpstreamFailed, match="redirect"):
            await answered(script)
        assert elsewhere.requests == []


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with upstream(good) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert words(await answered(good)) == "Hello, <PERSON_1>."
        assert proxy.requests == []


async def test_cookies_of_one_answer_never_come_back_with_the_next_question() -> None:
    async def script(talk: Talk) -> None:
        await talk.head(Set_Cookie="visitor=7; Path=/")
        await talk.chunk("stop", content="Yes.")

    async with upstream(script) as there, chatting() as chat:
        for _ in range(2):
            grant = llm_grant(there.base_url.replace("127.0.0.1", "localhost"), host="localhost")
            assert words([delta async for delta in chat.stream(grant, HELLO)]) == "Yes."
        assert ["cookie" in request.headers for request in there.requests] == [False, False]


async def test_a_session_that_could_send_data_elsewhere_is_refused_at_the_start() -> None:
    async with aiohttp.ClientSession(trust_env=True, cookie_jar=aiohttp.DummyCookieJar()) as trusting:
        with pytest.raises(Misconfigured):
            OpenAIChat(trusting, Keys())
    async with aiohttp.ClientSession() as remembering:
        with pytest.raises(Misconfigured):
            OpenAIChat(remembering, Keys())


async def test_a_tls_context_that_checks_less_than_ours_is_refused_at_the_start() -> None:
    unchecked = tls_context(least=Tls.V1_3)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    usual, strict = tls_context(), tls_context(least=Tls.V1_3)
    async with outbound_session() as session:
        for contexts in (TlsContexts(unchecked, strict), TlsContexts(usual, unchecked), TlsContexts(usual, usual)):
            with pytest.raises(Misconfigured):
                OpenAIChat(session, Keys(), tls=contexts)
        OpenAIChat(session, Keys(), tls=TlsContexts(usual, strict))


async def test_over_tls_a_processor_is_believed_only_with_a_certificate_that_we_trust() -> None:
    authority, server = authority_and_server("127.0.0.1")
    async with upstream(good, tls=server) as there:
        async with chatting(tls=tls_contexts(authority)) as chat:
            assert words([delta async for delta in chat.stream(llm_grant(there.base_url), HELLO)]) == "Hello, <PERSON_1>."
        async with chatting() as chat:
            with pytest.raises(UpstreamFailed, match="could not be reached"):
                await anext(chat.stream(llm_grant(there.base_url), HELLO))
        assert len(there.requests) == 1


# --- what comes back ------------------------------------------------------------------------------------------------


async def test_an_answer_comes_in_pieces_and_ends_with_the_token_counts() -> None:
    deltas = await answered(good)
    assert words(deltas) == "Hello, <PERSON_1>."
    assert (deltas[-1].prompt_tokens, deltas[-1].completion_tokens) == (9, 4)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
async def test_a_placeholder_split_into_single_bytes_comes_out_right(newline: bytes) -> None:
    text = "Grüße, <PERSON_1>."

    async def script(talk: Talk) -> None:
        await talk.head()
        stream = b"".join(event({"choices": [{"delta": {"content": character}}]}) for character in text)
        stream += event({"choices": [{"delta": {}, "finish_reason": "stop"}]}) + b"data: [DONE]\n\n"
        await talk.send(*(bytes([byte]) for byte in stream.replace(b"\n", newline)))

    assert words(await answered(script)) == text


async def test_a_tool_call_in_pieces_comes_whole() -> None:
    async def script(talk: Talk) -> None:
        await talk.head()
        await talk.chunk(tool_calls=[{"index": 0, "id": "call_1", "function": {"name": "send", "arguments": '{"email": "<EM'}}])
        await talk.chunk(tool_calls=[{"index": 0, "function": {"arguments": 'AIL_ADDRESS_1>"}'}}])
        await talk.chunk("tool_calls")

    assert await answered(script) == [ChatDelta(tool_calls=(ToolCall("call_1", "send", '{"email": "<EMAIL_ADDRESS_1>"}'),))]


async def test_comments_that_keep_the_connection_alive_are_passed_over() -> None:
    async def script(talk: Talk) -> None:
        await talk.head()
        await talk.send(b": PROCESSING\n\n", b": PROCESSING\n\n")
        await talk.chunk("stop", content="Yes.")

    assert words(await answered(script)) == "Yes."


async def test_an_answer_is_whole_with_done_alone_or_a_finish_reason_alone() -> None:
    async def done(talk: Talk) -> None:
        await talk.head()
        await talk.chunk(content="Yes.")
        await talk.send(b"data: [DONE]")

    async def finished(talk: Talk) -> None:
        await talk.head()
        await talk.chunk("stop", content="Yes.")

    assert words(await answered(done)) == words(await answered(finished)) == "Yes."


async def test_what_was_whole_stays_whole_when_the_connection_then_breaks() -> None:
    async def broken(talk: Talk) -> None:
        await talk.head(Transfer_Encoding="chunked")
        piece = event({"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]})
        await talk.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    async def hanging(talk: Talk) -> None:
        await talk.head()
        await talk.chunk("stop", content="Yes.")
        await talk.gone()

    assert words(await answered(broken)) == "Yes."
    assert words(await answered(hanging, limits=Limits(between_chunks_s=0.2))) == "Yes."


@pytest.mark.parametrize("fault", [b"data: {broken\n\n", b"data: \xff\n\n", b'data: {"error": {"message": "no"}}\n\n'])
async def test_good_words_come_before_the_fault_that_arrived_with_them(fault: bytes) -> None:
    good = event({"choices": [{"delta": {"content": "Once "}}]}) + event({"choices": [{"delta": {"content": "upon"}}]})

    async def script(talk: Talk) -> None:
        await talk.head()
        await talk.send(good + fault)
        await talk.gone()

    async with upstream(script) as there, chatting() as chat, asyncio.timeout(20):
        deltas = chat.stream(llm_grant(there.base_url), HELLO)
        assert [await anext(deltas), await anext(deltas)] == [ChatDelta("Once "), ChatDelta("upon")]
        with pytest.raises(UpstreamFailed, match="cannot be understood"):
            await anext(deltas)


# --- what goes wrong ------------------------------------------------------------------------------------------------


async def failure(script: Script, *, limits: Limits | None = None) -> SordinoError:
    with pytest.raises(UpstreamFailed) as failed:
        await answered(script, limits=limits)
    assert SECRET not in str(failed.value)
    assert failed.value.__cause__ is None
    return failed.value


async def cut(talk: Talk) -> None:
    await talk.head()
    await talk.chunk(content=SECRET)


async def cut_in_a_chunk(talk: Talk) -> None:
    await talk.head(Transfer_Encoding="chunked")
    await talk.send(b"400\r\ndata: " + SECRET.encode())


async def cut_by_length(talk: Talk) -> None:
    await talk.head(Content_Length="5000")
    await talk.chunk(content=SECRET)


async def cut_tool_call(talk: Talk) -> None:
    await talk.head()
    await talk.chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "send", "arguments": "{}"}}])


async def nothing(talk: Talk) -> None:
    await talk.head()


@pytest.mark.parametrize("script", [cut, cut_in_a_chunk, cut_by_length, cut_tool_call, nothing])
async def test_a_cut_answer_is_never_taken_for_a_whole_one(script: Script) -> None:
    assert "cut" in (await failure(script)).message


async def test_what_came_before_the_cut_has_already_been_given() -> None:
    async with upstream(cut) as there, chatting() as chat:
        answer = chat.stream(llm_grant(there.base_url), HELLO)
        assert (await anext(answer)).text == SECRET
        with pytest.raises(UpstreamFailed):
            await anext(answer)


@pytest.mark.parametrize(
    ("status", "says"),
    [("400 Bad Request", "4xx"), ("401 Unauthorized", "4xx"), ("404 Not Found", "4xx"), ("500 Oh", "5xx"), ("503 Oh", "5xx")],
)
async def test_a_refusal_is_told_by_its_class_without_the_processors_words(status: str, says: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.head(status, "application/json", X_Note=SECRET)
        await talk.send(f'{{"error": {{"message": "{SECRET}"}}}}'.encode())

    assert says in (await failure(script)).message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("999999", 3600.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-3", None), ("nan", None)],
)
async def test_a_busy_processor_says_when_to_come_back(header: str, seconds: float | None) -> None:
    async def script(talk: Talk) -> None:
        await talk.head("429 Too Many Requests", Retry_After=header, Content_Length="0")

    busy = await failure(script)
    assert isinstance(busy, UpstreamBusy)
    assert busy.retryable
    assert busy.retry_after_s == seconds


async def wrong_type(talk: Talk) -> None:
    await talk.head(content_type="text/html")
    await talk.send(SECRET.encode())


async def compressed(talk: Talk) -> None:
    await talk.head(Content_Encoding="gzip")


async def error_in_the_stream(talk: Talk) -> None:
    await talk.head()
    await talk.send(event({"error": {"message": SECRET}}))


async def no_json(talk: Talk) -> None:
    await talk.head()
    await talk.send(f"data: {SECRET}\n\n".encode())


async def no_utf8(talk: Talk) -> None:
    await talk.head()
    await talk.send(b"data: " + SECRET.encode() + b"\xff\n\n")


async def no_http(talk: Talk) -> None:
    await talk.send(SECRET.encode() + b"\r\n\r\n")


async def huge_event(talk: Talk) -> None:
    await talk.head()
    await talk.send(b"data: ", *(b"x" * 65_536 for _ in range(17)))


@pytest.mark.parametrize("script", [wrong_type, compressed, error_in_the_stream, no_json, no_utf8, no_http, huge_event])
async def test_what_is_no_answer_of_the_dialect_fails_without_its_words(script: Script) -> None:
    await failure(script)


async def test_an_answer_that_never_ends_is_cut_off_by_its_size() -> None:
    async def script(talk: Talk) -> None:
        await talk.head()
        while True:
            await talk.send(b": keeping you busy\n" * 100)

    assert "more than" in (await failure(script, limits=Limits(most_bytes=100_000))).message


async def never_answers(talk: Talk) -> None:
    await talk.gone()


async def stops_in_the_middle(talk: Talk) -> None:
    await talk.head()
    await talk.chunk(content=SECRET)
    await talk.gone()


async def drips(talk: Talk) -> None:
    await talk.head()
    while True:
        await talk.send(b": still here\n")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("script", "limits"),
    [
        (never_answers, Limits(connect_s=0.1, first_byte_s=0.1)),
        (stops_in_the_middle, Limits(between_chunks_s=0.1)),
        (drips, Limits(whole_s=0.3)),
    ],
)
async def test_who_makes_us_wait_too_long_is_left(script: Script, limits: Limits) -> None:
    failed = await failure(script, limits=limits)
    assert isinstance(failed, UpstreamTimeout)
    assert failed.code == "upstream_timeout"


async def test_a_slow_listener_is_not_the_processors_fault() -> None:
    """Only the time that we wait for the processor counts, not the time in which nobody asks for more."""
    async with upstream(good) as there, chatting(limits=Limits(whole_s=1.0)) as chat:
        answer = chat.stream(llm_grant(there.base_url), HELLO)
        first = await anext(answer)
        await asyncio.sleep(1.1)
        assert words([first, *[delta async for delta in answer]]) == "Hello, <PERSON_1>."


async def test_nobody_there_is_a_failed_upstream() -> None:
    async with upstream(good) as there:
        gone: Grant = llm_grant(there.base_url)
    async with chatting() as chat:
        with pytest.raises(UpstreamFailed, match="could not be reached"):
            await anext(chat.stream(gone, HELLO))


async def test_closing_the_answer_ends_the_request_at_once() -> None:
    left = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.head()
        await talk.chunk(content="A long story begins")
        await talk.gone()
        left.set()

    async with upstream(script) as there, chatting() as chat:
        answer = chat.stream(llm_grant(there.base_url), HELLO)
        assert (await anext(answer)).text == "A long story begins"
        await answer.aclose()
        async with asyncio.timeout(5):
            await left.wait()


async def test_cancelling_the_listener_ends_the_request_at_once() -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def script(talk: Talk) -> None:
        asked.set()
        await talk.gone()
        left.set()

    async with upstream(script) as there, chatting() as chat, asyncio.timeout(5), asyncio.TaskGroup() as tasks:

        async def listen() -> None:
            async for _ in chat.stream(llm_grant(there.base_url), HELLO):
                pass

        listening = tasks.create_task(listen())
        await asked.wait()
        listening.cancel()
        await left.wait()


async def test_a_failed_request_is_not_tried_again() -> None:
    async def script(talk: Talk) -> None:
        talk.writer.close()

    async with upstream(script) as there, chatting() as chat:
        with pytest.raises(UpstreamFailed):
            await anext(chat.stream(llm_grant(there.base_url), HELLO))
        assert len(there.requests) == 1


async def test_neither_the_words_nor_the_key_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiohttp.client").debug("the log is being kept")
    await answered(good, secret="GOOD")
    await failure(error_in_the_stream)
    assert "the log is being kept" in caplog.text
    for private in ("<PERSON_1>", "sk-good", SECRET):
        assert private not in caplog.text
