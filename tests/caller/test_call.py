"""A caller of ours lives a call as a person with a telephone does, over a real socket, and never waits for ever."""

from __future__ import annotations

import io
import socket
import wave
from itertools import pairwise

import numpy as np
import pytest
from aiohttp import web

from gateway.audio import level
from gateway.call.events import CallerAudio, KeyPressed, LegStopped, MarkReturned
from gateway.caller import Behaviour, Caller, Closed, ClosedBy, Ended, Kind, Marks, StreamTarget
from gateway.errors import Forbidden, UpstreamFailed
from gateway.values import Pcm, Private
from tests.caller.line import Line, gateway, quiet, tone

FAST = 4.0
NOTICE = "announcement:ai"


def kinds(caller: Caller) -> list[Kind]:
    return [moment.kind for moment in caller.timeline.moments]


def sides(recording: bytes) -> tuple[np.ndarray[tuple[int], np.dtype[np.int16]], np.ndarray[tuple[int], np.dtype[np.int16]]]:
    with wave.open(io.BytesIO(recording)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        both = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return both[0::2], both[1::2]


async def polite(line: Line) -> None:
    """Announces, hears one turn, answers it, goes on until the caller hangs up."""
    await line.speak(tone(400), NOTICE)
    await line.until(MarkReturned)
    assert await line.voice()
    assert await line.silence(200)
    await line.speak(tone(300, hz=880), "answer:1")
    await line.rest()


async def test_a_whole_call_is_announced_said_answered_and_hung_up() -> None:
    async with gateway(polite) as there:
        async with there.caller(Behaviour(speed=FAST)) as call:
            announcement = await call.announcement_over()
            assert await call.say(tone(400, hz=300))
            reply = await call.listen(until_silent_ms=200)
        line = await there.ended()
    assert announcement.ended is reply.ended is Ended.SILENT
    assert announcement.pcm.ms == pytest.approx(400, abs=20)
    assert reply.pcm.ms == pytest.approx(300, abs=20)
    assert line.events[-1] == LegStopped()
    assert line.media.faults == {}
    assert call.faults == {}
    assert call.closed == Closed(ClosedBy.CALLER)
    in_order = [
        Kind.CONNECTED,
        Kind.ANNOUNCEMENT_STARTED,
        Kind.ANNOUNCEMENT_ENDED,
        Kind.TURN_STARTED,
        Kind.TURN_ENDED,
        Kind.FIRST_ANSWER,
        Kind.HUNG_UP,
    ]
    assert [kind for kind in kinds(call) if kind in in_order] == in_order
    assert call.timeline.answer_delays()[1] == pytest.approx(reply.from_ms - call.timeline.all(Kind.TURN_ENDED)[0].at_ms, abs=200)


async def test_the_recording_has_both_sides_aligned_in_time() -> None:
    async with gateway(polite) as there, there.caller(Behaviour(speed=FAST)) as call:
        await call.announcement_over()
        await call.say(tone(400, hz=300))
        reply = await call.listen(until_silent_ms=200)
    left, right = sides(call.recording())
    loud_left, loud_right = np.flatnonzero(np.abs(left) > 500), np.flatnonzero(np.abs(right) > 500)
    first_said, last_said = loud_left[0] / 8, loud_left[-1] / 8
    assert last_said - first_said == pytest.approx(400, abs=5)
    assert not np.any((loud_right / 8 > first_said) & (loud_right / 8 < last_said)), "nobody spoke over the caller"
    assert loud_right[loud_right / 8 > last_said][0] / 8 == pytest.approx(reply.from_ms, abs=5)


async def test_between_turns_the_telephone_sends_silence_in_real_time() -> None:
    async def listen(line: Line) -> None:
        for _ in range(10):
            await line.until(CallerAudio)

    async with gateway(listen) as there, there.caller(Behaviour(speed=FAST)):
        line = await there.ended()
    frames = [event for event in line.events if isinstance(event, CallerAudio)]
    assert [frame.at_ms for frame in frames] == list(range(0, 200, 20))
    assert {frame.pcm.reveal() for frame in frames} == {quiet(20)}


async def test_what_is_said_arrives_as_it_was_said_at_any_rate() -> None:
    async def listen(line: Line) -> None:
        await line.voice()
        await line.silence(200)

    async with gateway(listen) as there, there.caller(Behaviour(speed=FAST)) as call:
        assert await call.say(tone(300, hz=500, rate=16000))
        line = await there.ended()
    samples = b"".join(event.pcm.reveal().samples for event in line.events if isinstance(event, CallerAudio))
    loud = np.flatnonzero(np.abs(np.frombuffer(samples, dtype="<i2")) > 500)
    assert (loud[-1] - loud[0]) / 8 == pytest.approx(300, abs=10)
    crossings = np.count_nonzero(np.diff(np.signbit(np.frombuffer(samples, dtype="<i2")[loud[0] : loud[-1]])))
    assert crossings == pytest.approx(300, abs=6), "500 Hz for 0.3 s"


async def test_two_announcements_are_one_opening() -> None:
    async def announce(line: Line) -> None:
        await line.speak(tone(200), NOTICE)
        await line.until(MarkReturned)
        await line.speak(tone(200), "announcement:recording")
        await line.rest()

    async with gateway(announce) as there, there.caller(Behaviour(speed=FAST)) as call:
        heard = await call.announcement_over(quiet_ms=500)
        assert heard.ended is Ended.SILENT
        assert [moment.name for moment in call.timeline.all(Kind.ANNOUNCEMENT_ENDED)] == [NOTICE, "announcement:recording"]


async def test_a_mark_comes_back_only_after_its_sounds_were_played() -> None:
    counted: list[int] = []

    async def count(line: Line) -> None:
        await line.speak(tone(500), NOTICE)
        await line.until(MarkReturned)
        counted.append(sum(isinstance(event, CallerAudio) for event in line.events))

    async with gateway(count) as there, there.caller(Behaviour(speed=FAST)):
        await there.ended()
    assert counted[0] >= 25, "500 ms of the caller's own voice came in the meantime"


async def test_a_mark_of_nothing_comes_back_soon() -> None:
    async def ask(line: Line) -> None:
        await line.ws.send_str(line.media.mark("m"))
        assert await line.until(MarkReturned) == MarkReturned("m")

    async with gateway(ask) as there, there.caller(Behaviour(speed=FAST)):
        await there.ended()


async def test_a_carrier_can_keep_the_marks() -> None:
    async def announce(line: Line) -> None:
        await line.speak(tone(200), NOTICE)
        await line.rest()

    async with gateway(announce) as there:
        async with there.caller(Behaviour(marks=Marks.NEVER, speed=FAST)) as call:
            heard = await call.announcement_over(timeout_s=2)
        line = await there.ended()
    assert heard.ended is Ended.TIMEOUT
    assert heard.pcm.ms == pytest.approx(200, abs=20)
    assert not any(isinstance(event, MarkReturned) for event in line.events)


async def test_a_carrier_can_return_marks_before_anything_was_played() -> None:
    early: list[bool] = []

    async def announce(line: Line) -> None:
        await line.speak(tone(5_000), NOTICE)
        await line.until(MarkReturned)
        early.append(sum(isinstance(event, CallerAudio) for event in line.events) < 100)

    async with gateway(announce) as there, there.caller(Behaviour(marks=Marks.AT_ONCE)):
        await there.ended()
    assert early == [True]


async def test_a_caller_can_hang_up_during_the_announcement() -> None:
    async def announce(line: Line) -> None:
        await line.speak(tone(3_000), NOTICE)
        await line.rest()

    async with gateway(announce) as there:
        async with there.caller(Behaviour(hang_up_after_ms=300, speed=FAST)) as call:
            heard = await call.announcement_over()
            assert await call.wait_closed() == Closed(ClosedBy.CALLER)
            assert not await call.say(tone(100))
        line = await there.ended()
    assert heard.ended is Ended.CLOSED
    assert line.events[-1] == LegStopped()
    assert kinds(call)[-1] is Kind.HUNG_UP
    assert not any(isinstance(event, MarkReturned) for event in line.events)


async def test_a_caller_can_speak_over_the_announcement() -> None:
    async def announce(line: Line) -> None:
        await line.speak(tone(1_500), NOTICE)
        assert await line.voice()
        assert not any(isinstance(event, MarkReturned) for event in line.events)
        await line.rest()

    async with gateway(announce) as there:
        async with there.caller(Behaviour(speed=FAST)) as call:
            assert await call.agent_speaking(for_ms=200)
            await call.say(tone(200))
        await there.ended()


async def test_a_caller_who_interrupts_hears_the_voice_stop_and_the_marks_come_back() -> None:
    async def talk(line: Line) -> None:
        await line.speak(tone(20_000), "long")
        assert await line.voice()
        await line.ws.send_str(line.media.clear())
        assert await line.until(MarkReturned) == MarkReturned("long")
        await line.silence(100)
        await line.speak(tone(200))
        await line.rest()

    async with gateway(talk) as there:
        async with there.caller(Behaviour(speed=FAST)) as call:
            assert await call.agent_speaking(for_ms=300)
            await call.say(tone(300))
            reply = await call.listen(until_silent_ms=300)
        await there.ended()
    assert reply.pcm.ms == pytest.approx(200, abs=20)
    cleared, stopped = call.timeline.first(Kind.CLEARED), call.timeline.first(Kind.AGENT_STOPPED)
    started = call.timeline.first(Kind.TURN_STARTED)
    assert cleared is not None
    assert stopped is not None
    assert started is not None
    assert started.at_ms <= cleared.at_ms <= stopped.at_ms
    assert call.timeline.answer_delays().keys() == {1}


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (Behaviour(duplicate_every=5, speed=FAST), {"duplicate"}),
        (Behaviour(skip_every=5, speed=FAST), {"sequence_gap"}),
        (Behaviour(late_every=5, speed=FAST), {"sequence_gap", "late"}),
        (
            Behaviour(junk_every=1, speed=FAST),
            {"malformed", "unknown_event", "wrong_stream", "binary", "oversized"},
        ),
    ],
    ids=["double", "missing", "late", "junk"],
)
async def test_a_bad_line_is_counted_and_the_call_goes_on(behaviour: Behaviour, expected: set[str]) -> None:
    async with gateway(polite) as there:
        async with there.caller(behaviour) as call:
            await call.announcement_over()
            await call.say(tone(400))
            reply = await call.listen(until_silent_ms=200)
        line = await there.ended()
    assert reply.ended is Ended.SILENT
    assert set(line.media.faults) == expected
    heard = [event.at_ms for event in line.events if isinstance(event, CallerAudio)]
    assert all(one < other for one, other in pairwise(heard)), "nothing twice, nothing backwards"


async def test_a_gateway_that_hangs_up_ends_every_wait() -> None:
    async def leave(line: Line) -> None:
        await line.speak(tone(100))
        await line.voice()
        await line.ws.close(code=1000)

    async with gateway(leave) as there, there.caller(Behaviour(speed=FAST)) as call:
        assert not await call.say(tone(10_000))
        assert (await call.listen()).ended is Ended.CLOSED
        assert (await call.announcement_over()).ended is Ended.CLOSED
        assert not await call.agent_speaking()
        assert await call.wait_closed() == Closed(ClosedBy.GATEWAY, 1000)
        await call.press("1")
    assert kinds(call)[-1] is Kind.CLOSED_BY_GATEWAY


async def test_a_connection_that_breaks_is_told_from_one_that_was_closed() -> None:
    async def die(line: Line) -> None:
        await line.voice()
        transport = line.request.transport
        assert transport is not None
        transport.abort()

    async with gateway(die) as there, there.caller(Behaviour(speed=FAST)) as call:
        assert not await call.say(tone(10_000))
        closed = await call.wait_closed()
    assert closed is not None
    assert closed.by is ClosedBy.BROKEN


async def test_listening_to_nobody_ends_in_time_with_nothing() -> None:
    async with gateway(Line.rest) as there, there.caller(Behaviour(speed=FAST)) as call:
        heard = await call.listen(timeout_s=0.5)
        assert (heard.ended, heard.pcm) == (Ended.TIMEOUT, Pcm(b"", 8000))
        assert await call.wait_closed(timeout_s=0.2) is None


async def test_an_answer_that_came_while_nobody_listened_is_not_lost() -> None:
    async with gateway(polite) as there, there.caller(Behaviour(speed=FAST)) as call:
        await call.announcement_over()
        await call.say(Pcm(tone(200).samples + quiet(1500).samples, 8000))
        reply = await call.listen(until_silent_ms=100)
    assert reply.pcm.ms == pytest.approx(300, abs=20)
    assert level(reply.pcm) > 1000


async def test_the_silence_at_the_end_of_a_file_is_no_part_of_the_turn() -> None:
    async with gateway(Line.rest) as there, there.caller(Behaviour(speed=FAST)) as call:
        await call.say(Pcm(tone(200).samples + quiet(600).samples, 8000))
    started, ended = call.timeline.first(Kind.TURN_STARTED), call.timeline.first(Kind.TURN_ENDED)
    assert started is not None
    assert ended is not None
    said = np.flatnonzero(np.abs(sides(call.recording())[0]) > 500)
    assert (said[-1] - said[0]) / 8 == pytest.approx(200, abs=5)
    assert ended.at_ms - started.at_ms < 600


async def test_a_key_can_be_pressed() -> None:
    async def menu(line: Line) -> None:
        assert await line.until(KeyPressed) == KeyPressed(Private("7"))

    async with gateway(menu) as there, there.caller(Behaviour(speed=FAST)) as call:
        await call.press("7")
        await there.ended()
    assert Kind.KEY_PRESSED in kinds(call)


async def test_a_gateway_that_breaks_the_protocol_is_found_out() -> None:
    async def babble(line: Line) -> None:
        await line.ws.send_str("hello")
        await line.ws.send_str('{"event":"clear","streamSid":"MZ another"}')
        await line.ws.send_bytes(b"\x00")
        await line.until(CallerAudio)

    async with gateway(babble) as there, there.caller() as call:
        await there.ended()
        await call.wait_closed()
    assert call.faults == {"unreadable": 2, "binary": 1}


# --- the call through the webhook ---


def number(url: str) -> Caller:
    return Caller.dial(url, to="+493012345", from_="+4915112345678", auth_token=Private("secret"))


async def test_where_nobody_answers_the_caller_is_told_how_to_start_a_gateway() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(UpstreamFailed, match="sordino serve"):
        await number(url).__aenter__()


@pytest.mark.parametrize(
    ("answer", "error", "reasons"),
    [
        (web.json_response({"error": {"sordino": {"reasons": ["no line"]}}}, status=403), Forbidden, ("no line",)),
        (web.json_response({"error": "odd"}, status=403), Forbidden, ()),
        (web.Response(status=500), UpstreamFailed, ()),
        (web.Response(text='<Response><Reject reason="busy"/></Response>'), Forbidden, ()),
    ],
    ids=["refused", "refused without reasons", "broken", "busy"],
)
async def test_a_call_that_is_not_taken_is_told_with_the_gateways_reasons(
    answer: web.Response, error: type[Forbidden | UpstreamFailed], reasons: tuple[str, ...]
) -> None:
    async def webhook(_: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_post("/voice/twilio", webhook)
    runner = web.AppRunner(app)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    try:
        with pytest.raises(error) as refused:
            await number(f"http://127.0.0.1:{listening.getsockname()[1]}").__aenter__()
    finally:
        await runner.cleanup()
    assert refused.value.reasons == reasons


async def test_a_media_socket_that_is_not_there_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}/media/twilio"
    with pytest.raises(UpstreamFailed, match="media socket"):
        await Caller(StreamTarget(url=url)).__aenter__()
