"""A LiveKit room as a call's media leg: the caller's microphone in, one audio track of ours out, and nothing else.

The room is joined without subscriptions. Until the call may be heard (``listen``) not one packet of the caller's voice is asked
of the server, so nothing has to be dropped. Nothing is ever written to the room's data channel: no transcript, no state.

A room has no carrier that could acknowledge what was played. A mark comes back when our own source of audio has played all that
was sent before it and the network had its time; the record calls that ``playout``, because nobody else has confirmed it. What
can be known is used: we speak only after the server said that somebody takes our track, and a mark whose audio fell into a
broken connection never comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from livekit import rtc
from livekit.agents.utils import wait_for_participant
from livekit.rtc.participant import PublishTrackError

from gateway.adapters.conversation.phone import HEARING_HZ
from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.errors import CarrierProtocolError
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private

ROOM_HZ = 24_000
FRAME_MS = 20
ON_THE_WAY_S = 0.25
"""What lies between our source and the caller's ear when the network is well: a packet's way and the jitter buffer."""
TAKEN_WITHIN_S = 15.0
"""How long the room may take to subscribe to our voice."""
WAITING_FRAMES = 50

CALLERS = [
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
]
"""Who may be a caller: people. Agents, recorders and streams that feed a room are not."""
SAFE_ATTRIBUTES = frozenset({"sip.callID", "sip.trunkID", "sip.ruleID"})
"""Ids of LiveKit's own. Telephone numbers and what a SIP header carries stay where they are."""

Nothing = Callable[[], Awaitable[None]]


async def wait_for_caller(room: rtc.Room, *, within_s: float) -> rtc.RemoteParticipant:
    """The first person in the room: the caller. Whoever comes later is not listened to.

    Raises:
        CarrierProtocolError: nobody came in time, or the room was closed.
    """
    try:
        async with asyncio.timeout(within_s):
            return await wait_for_participant(room, kind=CALLERS)
    except (TimeoutError, RuntimeError):
        raise CarrierProtocolError("no_caller", "no caller came into the room") from None


class RoomLeg:
    """One caller in one room, as the runner's Leg (``gateway.runner.leg``). The room is connected, without subscriptions."""

    rate = ROOM_HZ
    acknowledges = "playout"

    def __init__(self, room: rtc.Room, caller: rtc.RemoteParticipant, *, send_away: Nothing | None = None) -> None:
        """``send_away``: hangs up on the caller. Without it we leave, and a caller from a telephone would stay in silence."""
        self._room = room
        self._caller = caller
        self._send_away = send_away
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._tasks = TaskOwner("room", on_failure=lambda _name, _error: self._stop("audio_failed"))
        self._source = rtc.AudioSource(ROOM_HZ, 1)
        self._taken_or_over = asyncio.Event()
        self._marks: dict[str, asyncio.TimerHandle] = {}
        self._microphone: str | None = None
        self._heard_ms = 0
        self._listening = False
        self._stopped = False
        self._closed = False
        self._handlers: dict[rtc.room.EventTypes, Callable[..., None]] = {
            "participant_disconnected": self._participant_left,
            "disconnected": lambda *_: self._stop("room_closed"),
            "reconnecting": lambda *_: self._lose_marks(),
            "sip_dtmf_received": self._key_pressed,
            "local_track_subscribed": lambda *_: self._taken_or_over.set(),
            "track_published": self._track_published,
            "track_unpublished": self._track_gone,
            "track_subscribed": self._track_subscribed,
        }

    async def open(self) -> None:
        """Publish our voice and wait until the room takes it: an announcement before that would be heard by nobody.

        Raises:
            CarrierProtocolError: it cannot be published, or nobody took it in time.
        """
        for event, handler in self._handlers.items():
            self._room.on(event, handler)
        try:
            async with asyncio.timeout(TAKEN_WITHIN_S):
                self._events.put_nowait(await self._started())
                await self._speak_up()
        except PublishTrackError:
            raise CarrierProtocolError("not_published", "the room does not let us speak") from None
        except TimeoutError:
            raise CarrierProtocolError("not_taken", "nobody in the room takes our voice") from None

    async def _speak_up(self) -> None:
        if not self._room.isconnected() or self._caller.identity not in self._room.remote_participants:
            self._stop("hung_up")
            return
        voice = rtc.LocalAudioTrack.create_audio_track("voice", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(voice, options)
        await self._taken_or_over.wait()

    async def _started(self) -> LegStarted:
        safe = {key: value for key, value in self._caller.attributes.items() if key in SAFE_ATTRIBUTES}
        return LegStarted(leg=self._room.name, carrier_call=await self._room.sid, parameters=safe)

    # --- in ---------------------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[LegEvent]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, LegStopped):
                return

    async def listen(self) -> None:
        """Only now is the caller's microphone subscribed."""
        self._listening = True
        self._subscribe()

    def _subscribe(self) -> None:
        if not self._listening or self._stopped or self._microphone is not None:
            return
        for publication in self._caller.track_publications.values():
            if _is_microphone(publication):
                self._microphone = publication.sid
                publication.set_subscribed(True)
                return

    def _track_published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._caller.identity:
            self._subscribe()

    def _track_gone(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if publication.sid == self._microphone:
            self._microphone = None
            self._subscribe()

    def _track_subscribed(
        self, track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if self._listening and publication.sid == self._microphone:
            self._tasks.start(self._hear(track), name="hear")

    async def _hear(self, track: rtc.RemoteTrack) -> None:
        stream = rtc.AudioStream(track, sample_rate=HEARING_HZ, num_channels=1, frame_size_ms=FRAME_MS, capacity=WAITING_FRAMES)
        try:
            async for heard in stream:
                pcm = Pcm(bytes(heard.frame.data), heard.frame.sample_rate)
                self._events.put_nowait(CallerAudio(Private(pcm), at_ms=self._heard_ms))
                self._heard_ms += FRAME_MS
        finally:
            await stream.aclose()

    def _key_pressed(self, dtmf: rtc.SipDTMF) -> None:
        if dtmf.participant is not None and dtmf.participant.identity == self._caller.identity:
            self._events.put_nowait(KeyPressed(Private(dtmf.digit)))

    def _participant_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._caller.identity:
            self._stop("hung_up")

    def _stop(self, why: str) -> None:
        """The leg is over, once."""
        self._taken_or_over.set()
        self._lose_marks()
        if not self._stopped:
            self._stopped = True
            self._events.put_nowait(LegStopped(why))

    # --- out --------------------------------------------------------------------------------------------------------

    async def send_audio(self, pcm: Pcm) -> None:
        if not self._stopped:
            await self._source.capture_frame(rtc.AudioFrame(pcm.samples, pcm.rate, 1, len(pcm.samples) // 2))

    async def send_mark(self, name: str) -> None:
        if not self._stopped:
            after_s = self._source.queued_duration + ON_THE_WAY_S
            self._marks[name] = self._loop.call_later(after_s, self._played, name)

    def _played(self, name: str) -> None:
        del self._marks[name]
        self._events.put_nowait(MarkReturned(name))

    async def send_clear(self) -> None:
        self._lose_marks()
        if not self._stopped:
            self._source.clear_queue()

    def _lose_marks(self) -> None:
        """What they stand for was not played, or nobody can say so."""
        for mark in self._marks.values():
            mark.cancel()
        self._marks.clear()

    async def close(self) -> None:
        """Hang up on the caller, if there still is one, and leave the room. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        if not self._stopped and self._send_away is not None:
            await self._send_away()
        self._stop("closed")
        for event, handler in self._handlers.items():
            self._room.off(event, handler)
        await self._tasks.aclose()
        await self._source.aclose()
        await self._room.disconnect()


def _is_microphone(publication: rtc.RemoteTrackPublication) -> bool:
    return publication.kind == rtc.TrackKind.KIND_AUDIO and publication.source != rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO
