"""A LiveKit room as a call's media leg: people's microphones in, one audio track of ours out, and nothing else.

The room is joined without subscriptions. Until the call may be heard (``listen``) not one packet of the caller's voice is asked
of the server, so nothing has to be dropped; and none of anybody else's until they were announced to (``admit``). Nothing is ever
written to the room's data channel: no transcript, no state.

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
from livekit.agents.utils.participant import wait_for_participant_attribute
from livekit.rtc.participant import PublishTrackError

from gateway.adapters.conversation.encryption import BROKEN, is_sealed, unsealed
from gateway.adapters.conversation.meeting import Meeting, Mixer
from gateway.adapters.conversation.phone import HEARING_HZ
from gateway.call.child import ChildSignalled, Sign
from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned, ParticipantJoined
from gateway.errors import CarrierProtocolError, PolicyRefused, SordinoError
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private

ROOM_HZ = 24_000
FRAME_MS = 20
ON_THE_WAY_S = 0.25
"""What lies between our source and the caller's ear when the network is well: a packet's way and the jitter buffer."""
TAKEN_WITHIN_S = 15.0
"""How long the room may take to subscribe to our voice."""
SETTLED_AFTER_S = 1.0
"""How long after somebody joined their client takes our voice, when the network is well. LiveKit tells a publisher of its first
listener only, so for later ones there is nothing else to wait for."""
WAITING_FRAMES = 50

CALLERS = [
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
]
"""Who may be a caller: people. Agents, recorders and streams that feed a room are not."""
SAFE_ATTRIBUTES = frozenset({"sip.callID", "sip.trunkID", "sip.ruleID"})
"""Ids of LiveKit's own. Telephone numbers and what a SIP header carries stay where they are."""

STATUS, ANSWERED = "sip.callStatus", "active"
CHILD = "sordino.child"
"""The attribute by which other software in the room tells that a participant is a child: any value but ``0``."""

Nothing = Callable[[], Awaitable[None]]


async def wait_for_caller(room: rtc.Room, *, within_s: float) -> rtc.RemoteParticipant:
    """The first person in the room: the caller; of several, one on a telephone, whose numbers say whose law holds.

    Somebody whom LiveKit SIP is still ringing is there when they have answered.

    Raises:
        CarrierProtocolError: nobody came in time, or the room was closed.
    """
    try:
        async with asyncio.timeout(within_s):
            await wait_for_participant(room, kind=CALLERS)
            caller = min(filter(_is_caller, room.remote_participants.values()), key=_telephones_first)
            if not _there(caller):
                await wait_for_participant_attribute(room, identity=caller.identity, attribute=STATUS, value=ANSWERED)
            return caller
    except (TimeoutError, RuntimeError, ValueError):
        # They may be gone again as soon as they came.
        raise CarrierProtocolError("no_caller", "no caller came into the room") from None


class RoomLeg:
    """A caller and whoever else is in a room, as the runner's Leg and MeetingLeg (``gateway.runner.leg``).

    The room is connected, without subscriptions. The call is the caller's: it ends when they leave.
    """

    rate = ROOM_HZ
    acknowledges = "playout"

    def __init__(
        self,
        room: rtc.Room,
        caller: rtc.RemoteParticipant,
        *,
        send_away: Nothing | None = None,
        each_asked: bool = True,
        encrypted: bool = False,
    ) -> None:
        """``send_away``: hangs up on the caller. Without it we leave, and a caller from a telephone would stay in silence.

        ``each_asked`` False: nothing is asked of anybody, so one announcement will do for all who hear it. ``encrypted``: the
        room was joined with a key, and nobody is heard whose media is not under it.
        """
        self._room = room
        self._caller = caller
        self._send_away = send_away
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[LegEvent | SordinoError] = asyncio.Queue()
        self._meeting = Meeting(caller.identity, each_asked=each_asked)
        self._mixer = Mixer()
        self._encrypted = encrypted
        self._barred: set[str] = set()
        """Others whose media is not under the room's key."""
        self._tasks = TaskOwner("room", on_failure=lambda _name, _error: self._stop("audio_failed"))
        self._source = rtc.AudioSource(ROOM_HZ, 1)
        self._taken_or_over = asyncio.Event()
        self._marks: dict[str, asyncio.TimerHandle] = {}
        self._settling: dict[str, asyncio.TimerHandle] = {}
        self._microphones: dict[str, str] = {}
        """The track that is subscribed of each person."""
        self._heard_ms = 0
        self._listening = False
        self._stopped = False
        self._closed = False
        self._handlers: dict[rtc.room.EventTypes, Callable[..., None]] = {
            "participant_connected": self._arrived,
            "participant_active": self._arrived,
            "participant_attributes_changed": lambda _changed, participant: self._attributes_changed(participant),
            "participant_disconnected": self._participant_left,
            "room_updated": lambda *_: self._not_recorded(),
            "e2ee_state_changed": self._key_tried,
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
            PolicyRefused: LiveKit records the room.
        """
        if self._room.is_recording:
            raise _recorded()
        for event, handler in self._handlers.items():
            self._room.on(event, handler)
        try:
            async with asyncio.timeout(TAKEN_WITHIN_S):
                self._events.put_nowait(await self._started())
                await self._speak_up()
            self._look_around()
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

    def _look_around(self) -> None:
        """Who is there by now takes our voice as the caller does."""
        self._look_for_child(self._caller)
        for other in sorted(self._room.remote_participants.values(), key=lambda each: each.identity):
            if other.identity != self._caller.identity and other.identity not in self._settling and _there(other):
                self._meeting.present(other.identity)

    async def _started(self) -> LegStarted:
        safe = {key: value for key, value in self._caller.attributes.items() if key in SAFE_ATTRIBUTES}
        return LegStarted(leg=self._room.name, carrier_call=await self._room.sid, parameters=safe)

    # --- in ---------------------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[LegEvent]:
        """Raises PolicyRefused when the room turns out to be one that this call may not go on in."""
        while True:
            event = await self._events.get()
            if isinstance(event, SordinoError):
                raise event
            yield event
            if isinstance(event, LegStopped):
                return

    async def listen(self) -> None:
        """Only now is the caller's microphone subscribed."""
        self._listening = True
        if self._meeting.rounds == 0:
            self._meeting.answer(0)
        self._subscribe()

    async def admit(self, joined: int, *, to_answer: bool) -> None:
        """Only now are the microphones of those subscribed who came by the ``joined``-th ParticipantJoined."""
        if to_answer:
            self._listening = True
            self._meeting.answer(joined)
        else:
            self._meeting.over(joined)
        self._subscribe()
        self._next_round()

    def _subscribe(self) -> None:
        if not self._listening or self._stopped:
            return
        for who in self._meeting.audible:
            person = self._room.remote_participants.get(who)
            if person is not None and who not in self._microphones:
                self._subscribe_to(person)

    def _subscribe_to(self, person: rtc.RemoteParticipant) -> None:
        for publication in person.track_publications.values():
            if _is_microphone(publication):
                if self._encrypted and not is_sealed(publication):
                    return self._not_understood(person.identity)
                self._microphones[person.identity] = publication.sid
                publication.set_subscribed(True)
                return None
        return None

    def _track_published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        self._subscribe()

    def _track_gone(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if publication.sid == self._microphones.get(participant.identity):
            del self._microphones[participant.identity]
            self._subscribe()

    def _track_subscribed(
        self, track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if self._listening and publication.sid == self._microphones.get(participant.identity):
            self._tasks.start(self._hear(track, participant.identity), name="hear")

    async def _hear(self, track: rtc.RemoteTrack, who: str) -> None:
        stream = rtc.AudioStream(track, sample_rate=HEARING_HZ, num_channels=1, frame_size_ms=FRAME_MS, capacity=WAITING_FRAMES)
        try:
            async for heard in stream:
                together = [each for each in self._meeting.audible if each in self._microphones]
                mixed = self._mixer.push(who, bytes(heard.frame.data), together)
                if mixed is not None:
                    pcm = Pcm(mixed, heard.frame.sample_rate)
                    self._events.put_nowait(CallerAudio(Private(pcm), at_ms=self._heard_ms))
                    self._heard_ms += FRAME_MS
        finally:
            await stream.aclose()

    def _key_pressed(self, dtmf: rtc.SipDTMF) -> None:
        who = dtmf.participant.identity if dtmf.participant is not None else ""
        if who in self._meeting.people:
            self._events.put_nowait(KeyPressed(Private(dtmf.digit), asked=self._meeting.is_asked(who)))

    # --- others -----------------------------------------------------------------------------------------------------

    def _attributes_changed(self, participant: rtc.Participant) -> None:
        self._look_for_child(participant)
        self._arrived(participant)

    def _look_for_child(self, participant: rtc.Participant) -> None:
        if participant.attributes.get(CHILD, "0") not in ("", "0") and not self._stopped:
            self._events.put_nowait(ChildSignalled(Sign.ROOM))

    def _arrived(self, participant: rtc.Participant) -> None:
        """Somebody is in the room, perhaps; they are announced to when they can hear it."""
        who = participant.identity
        known = who == self._caller.identity or who in self._settling or who in self._meeting.people or who in self._barred
        if not known and isinstance(participant, rtc.RemoteParticipant) and _there(participant) and not self._stopped:
            self._settling[who] = self._loop.call_later(SETTLED_AFTER_S, self._settled, who)

    def _settled(self, who: str) -> None:
        del self._settling[who]
        self._meeting.came(who)
        self._next_round()

    def _next_round(self) -> None:
        if not self._stopped and self._meeting.next_round():
            self._events.put_nowait(ParticipantJoined())

    def _participant_left(self, participant: rtc.RemoteParticipant) -> None:
        who = participant.identity
        if who == self._caller.identity:
            self._stop("hung_up")
        if who in self._settling:
            self._settling.pop(who).cancel()
        self._microphones.pop(who, None)
        self._barred.discard(who)
        self._meeting.left(who)

    def _key_tried(self, participant: rtc.Participant, state: rtc.EncryptionState.ValueType) -> None:
        if state in BROKEN:
            self._not_understood(participant.identity)

    def _not_understood(self, who: str) -> None:
        """Without the caller there is no call; anybody else is in the room and not in the call."""
        if who in (self._caller.identity, self._room.local_participant.identity):
            self._refuse(unsealed())
        else:
            self._barred.add(who)
            self._microphones.pop(who, None)
            self._meeting.left(who)

    def _not_recorded(self) -> None:
        """What LiveKit records has no consent, no pause and no retention of ours."""
        if self._room.is_recording:
            self._refuse(_recorded())

    def _refuse(self, error: SordinoError) -> None:
        if not self._stopped:
            self._events.put_nowait(error)

    def _stop(self, why: str) -> None:
        """The leg is over, once."""
        self._taken_or_over.set()
        self._lose_marks()
        for settling in self._settling.values():
            settling.cancel()
        self._settling.clear()
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


def _recorded() -> PolicyRefused:
    return PolicyRefused("LiveKit records the room", hint="start no egress there: the gateway alone may record its calls")


def _telephones_first(participant: rtc.RemoteParticipant) -> tuple[bool, float, str]:
    joined = participant.joined_at
    since = joined.timestamp() if joined else 0.0
    return participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_SIP, since, participant.identity


def _is_caller(participant: rtc.RemoteParticipant) -> bool:
    return participant.kind in CALLERS and participant.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE


def _there(participant: rtc.RemoteParticipant) -> bool:
    """Whether it is a person who can hear: connected, and not a telephone that still rings."""
    return _is_caller(participant) and participant.attributes.get(STATUS, ANSWERED) == ANSWERED


def _is_microphone(publication: rtc.RemoteTrackPublication) -> bool:
    return publication.kind == rtc.TrackKind.KIND_AUDIO and publication.source != rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO
