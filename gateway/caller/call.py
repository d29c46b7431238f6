"""A caller on a telephone, at the other end of the line: it does what its carrier does, in real time, over a real socket."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

import aiohttp

from gateway.adapters.carriers import g711
from gateway.audio import resample
from gateway.caller.behaviour import JUNK, Behaviour, Marks
from gateway.caller.dialling import Number, StreamTarget, dial, new_sid
from gateway.caller.playout import SLOT_BYTES, SLOT_MS, Playout
from gateway.caller.tape import Tape, voiced
from gateway.caller.timeline import Kind, Moment, Timeline
from gateway.caller.wire import Clear, Mark, Play
from gateway.caller.wires import wire_of
from gateway.errors import UpstreamFailed
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private

CONNECT_PATIENCE_S = 15
SEND_PATIENCE_S = 10
"""A gateway that does not take our messages for so long is as good as gone."""
ANNOUNCEMENT_MARK = "announcement:"
_SILENT_SLOT = g711.SILENCE * SLOT_BYTES


class Ended(StrEnum):
    """Why listening ended."""

    SILENT = "silent"
    """The other side had spoken and then was silent."""
    TIMEOUT = "timeout"
    CLOSED = "closed"


class ClosedBy(StrEnum):
    CALLER = "caller"
    GATEWAY = "gateway"
    BROKEN = "broken"
    """The connection broke, or the gateway did not take our messages any more."""


@dataclass(frozen=True, slots=True)
class Closed:
    by: ClosedBy
    code: int | None = None
    """The WebSocket's close code, where there was one."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller heard, from the first sound to the last (empty: nothing), and why listening ended."""

    pcm: Pcm
    ended: Ended
    from_ms: float = 0.0
    to_ms: float = 0.0


@dataclass(slots=True)
class _Turn:
    number: int
    slots: list[bytes]
    last_sound: int
    next: int = 0


class Caller:
    """One call. ``async with Caller.dial(url, to=…, from_=…, auth_token=…) as call:`` and then, as on a telephone::

        await call.announcement_over()
        await call.say(pcm)
        reply = await call.listen(until_silent_ms=700)

    Between turns it sends silence, as a telephone does. Nothing here waits for ever: every wait ends with the call at the
    latest. Times and timeouts are in ms or s of the call; ``behaviour.speed`` makes them pass faster.
    """

    def __init__(
        self, target: Number | StreamTarget, behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.timeline = Timeline()
        self.faults: Counter[str] = Counter()
        """Messages of the gateway that the carrier would not take."""
        self.closed: Closed | None = None
        self.call_sid = ""
        self._target = target
        self._tls = tls
        self._tape = Tape(self.timeline)
        self._playout = Playout()
        self._turns: deque[_Turn] = deque()
        self._turn_count = 0
        self._unanswered = 0
        self._cursor = 0
        self._began = 0.0
        self._sent = 0
        self._held_back: str | bytes | None = None
        self._announced_at: int | None = None
        self._pulse = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks = TaskOwner("caller", on_failure=self._broken)

    @classmethod
    def dial(
        cls,
        url: str,
        *,
        to: str,
        from_: str,
        auth_token: Private[str],
        behaviour: Behaviour | None = None,
        public_url: str | None = None,
        carrier: str = "twilio",
        tls: ssl.SSLContext | None = None,
    ) -> Caller:
        """A call through the webhook of the gateway at ``url``. Entering it raises Forbidden, UpstreamFailed, InvalidRequest.

        ``tls``: whose certificates are trusted; None: those that this machine trusts.
        """
        number = Number(url=url, to=to, from_=from_, auth_token=auth_token, public_url=public_url, carrier=carrier)
        return cls(number, behaviour, tls=tls)

    # --- the call's beginning and end ---

    async def __aenter__(self) -> Caller:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._tls or True))
        try:
            target = await dial(self._session, self._target) if isinstance(self._target, Number) else self._target
            async with asyncio.timeout(CONNECT_PATIENCE_S):
                self._socket = await self._session.ws_connect(target.url, timeout=aiohttp.ClientWSTimeout(ws_close=2))
        except (aiohttp.ClientError, TimeoutError):
            await self._session.close()
            raise UpstreamFailed("the media socket of the gateway does not answer", hint="check SORDINO_PUBLIC_URL") from None
        except BaseException:
            await self._session.close()
            raise
        self.call_sid = target.call_sid
        self._wire = wire_of(target.carrier, target.call_sid, new_sid("MZ"), target.account_sid, target.parameters)
        self._began = time.monotonic()
        for message in self._wire.opening():
            await self._send(message)
        self._note(Kind.CONNECTED)
        self._tasks.start(self._read(), name="read")
        self._tasks.start(self._live(), name="live")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self.hang_up()
        finally:
            await self._tasks.aclose()
            await self._socket.close()
            await self._session.close()

    async def hang_up(self) -> None:
        """End the call as a carrier does: ``stop``, then the socket closes. Harmless on a call that is over."""
        if self.closed is None:
            self._note(Kind.HUNG_UP)
            self._over(Closed(ClosedBy.CALLER))
            if (stop := self._wire.stop()) is not None:
                await self._send(stop, last=True)
            await self._socket.close()

    async def wait_closed(self, timeout_s: float = 30) -> Closed | None:
        """How the call ended; None when it still goes on after ``timeout_s``."""
        await self._until(lambda: False, timeout_s)
        return self.closed

    # --- speaking and listening ---

    async def say(self, pcm: Pcm) -> bool:
        """Speak in real time, any rate; back when the last sample was sent. False: the call ended before."""
        ulaw = g711.encode(pcm if pcm.rate == g711.RATE else resample(pcm, g711.RATE))
        slots = [ulaw[at : at + SLOT_BYTES].ljust(SLOT_BYTES, g711.SILENCE) for at in range(0, len(ulaw), SLOT_BYTES)]
        if not slots:
            return self.closed is None
        self._turn_count += 1
        last = max((index for index, slot in enumerate(slots) if voiced(slot)), default=len(slots) - 1)
        turn = _Turn(self._turn_count, slots, last)
        self._turns.append(turn)
        await self._until(lambda: turn.next >= len(slots), timeout_s=None)
        return turn.next >= len(slots)

    async def press(self, key: str) -> None:
        """Press a key of the telephone."""
        if self.closed is None:
            await self._send(self._wire.dtmf(key))
            self._note(Kind.KEY_PRESSED)

    async def listen(self, *, until_silent_ms: float = 700, timeout_s: float = 20) -> Heard:
        """Listen until the other side has spoken and then was silent for ``until_silent_ms``.

        It begins where the caller's last turn ended, or the announcement, or where the last listening ended; so an answer that
        came in the meantime is not lost.
        """
        start = self._cursor
        done = await self._until(lambda: self._answered(start, until_silent_ms), timeout_s)
        return self._heard(start, done)

    async def announcement_over(self, *, timeout_s: float = 60, quiet_ms: float = 300) -> Heard:
        """Listen to the announcements: until the mark of the last one was returned and nothing followed for ``quiet_ms``.

        A caller that never returns marks, or a gateway that announces nothing, makes it end with TIMEOUT or CLOSED.
        """
        done = await self._until(lambda: self._announcements_done(quiet_ms), timeout_s)
        start, end = self._cursor, self._tape.slots if self._announced_at is None else self._announced_at
        heard = self._heard(start, done, end)
        self._cursor = end
        return heard

    async def agent_speaking(self, *, for_ms: float = 300, timeout_s: float = 30) -> bool:
        """Wait until the other side has been heard for ``for_ms`` in one stretch: the moment to interrupt. False: it was not."""
        return await self._until(lambda: self._tape.speaking_ms >= for_ms, timeout_s)

    def recording(self) -> bytes:
        """The call so far as a stereo WAV file, 8000 Hz: caller left, agent right, aligned in time."""
        return self._tape.wav()

    # --- how the waits see the call ---

    def _answered(self, start: int, until_silent_ms: float) -> bool:
        return self._tape.heard_since(start) is not None and self._tape.quiet_ms >= until_silent_ms

    def _announcements_done(self, quiet_ms: float) -> bool:
        if self._announced_at is None:
            return False
        since = (self._tape.slots - self._announced_at) * SLOT_MS
        return self._playout.empty and min(since, self._tape.quiet_ms) >= quiet_ms

    def _heard(self, start: int, done: bool, end: int | None = None) -> Heard:
        sounds = self._tape.heard_since(start)
        ended = Ended.SILENT if done else Ended.TIMEOUT if self.closed is None else Ended.CLOSED
        self._cursor = self._tape.slots
        if sounds is None:
            return Heard(Pcm(b"", g711.RATE), ended)
        first, last = sounds[0], sounds[1] if end is None else max(sounds[0], min(sounds[1], end))
        return Heard(self._tape.agent(first, last), ended, float(first * SLOT_MS), float((last + 1) * SLOT_MS))

    async def _until(self, true: Callable[[], bool], timeout_s: float | None) -> bool:
        """Looks again after every slot. The time limit counts slots, so it is the call's time."""
        limit = None if timeout_s is None else self._tape.slots + timeout_s * 1000 / SLOT_MS
        while not true():
            if self._failure is not None:
                raise self._failure
            if self.closed is not None or (limit is not None and self._tape.slots >= limit):
                return False
            await self._pulse.wait()
        return True

    # --- what the carrier does ---

    async def _live(self) -> None:
        """One slot every 20 ms, and after a delay as many as are due."""
        while self.closed is None:
            ahead = self._tape.slots * SLOT_MS / 1000 / self.behaviour.speed - (time.monotonic() - self._began)
            await asyncio.sleep(max(0.0, ahead))
            if self.closed is None:
                await self._slot()

    async def _slot(self) -> None:
        slot = self._playout.play()
        for name in slot.marks:
            await self._return(name)
        said = self._next_said()
        if self._tape.add(said, slot.ulaw, self._now_ms):
            self._agent_began()
        await self._send_voice(said)
        limit = self.behaviour.hang_up_after_ms
        if limit is not None and self._tape.slots * SLOT_MS >= limit:
            await self.hang_up()
        self._wake()

    def _next_said(self) -> bytes:
        if not self._turns:
            return _SILENT_SLOT
        turn = self._turns[0]
        if turn.next == 0:
            self._note(Kind.TURN_STARTED, turn=turn.number)
        if turn.next == turn.last_sound:
            self._note(Kind.TURN_ENDED, turn=turn.number)
            self._unanswered = turn.number
            self._cursor = self._tape.slots + 1
        slot = turn.slots[turn.next]
        turn.next += 1
        if turn.next == len(turn.slots):
            self._turns.popleft()
        return slot

    def _agent_began(self) -> None:
        if self._announced_at is None and self.timeline.first(Kind.ANNOUNCEMENT_STARTED) is None:
            self._note(Kind.ANNOUNCEMENT_STARTED)
        if self._unanswered:
            self._note(Kind.FIRST_ANSWER, turn=self._unanswered)
            self._unanswered = 0

    async def _send_voice(self, ulaw: bytes) -> None:
        self._sent += 1
        how = self.behaviour
        if _every(how.junk_every, self._sent):
            await self._send(JUNK[self._sent // how.junk_every % len(JUNK)])
        message = self._wire.media(ulaw)
        if _every(how.skip_every, self._sent):
            return
        if _every(how.late_every, self._sent) and self._held_back is None:
            self._held_back = message
            return
        await self._send(message)
        if _every(how.duplicate_every, self._sent):
            await self._send(message)
        if self._held_back is not None:
            late, self._held_back = self._held_back, None
            await self._send(late)

    async def _return(self, name: str) -> None:
        if self.behaviour.marks is Marks.NEVER:
            return
        await self._send(self._wire.mark(name))
        self._note(Kind.MARK_RETURNED, name=name)
        if name.startswith(ANNOUNCEMENT_MARK):
            self._announced_at = self._tape.slots
            self._note(Kind.ANNOUNCEMENT_ENDED, name=name)

    async def _read(self) -> None:
        async for message in self._socket:
            asked = self._wire.read(message.data)
            if asked is None and message.type is not aiohttp.WSMsgType.TEXT:
                self.faults[message.type.name.lower()] += 1
                continue
            match asked:
                case Play(ulaw):
                    self._playout.add(ulaw)
                case Mark(name):
                    await self._take_mark(name)
                case Clear():
                    await self._clear()
                case None:
                    self.faults["unreadable"] += 1
        broken = self._socket.close_code in (None, aiohttp.WSCloseCode.ABNORMAL_CLOSURE)
        if self.closed is None and not broken:
            self._note(Kind.CLOSED_BY_GATEWAY)
        self._over(Closed(ClosedBy.BROKEN if broken else ClosedBy.GATEWAY, self._socket.close_code))

    async def _take_mark(self, name: str) -> None:
        if self.behaviour.marks is Marks.AT_ONCE:
            await self._return(name)
        else:
            self._playout.mark(name)

    async def _clear(self) -> None:
        self._note(Kind.CLEARED)
        marks = self._playout.clear()
        self._tape.agent_cut(self._now_ms)
        for name in marks if self._wire.returns_cleared else ():
            await self._return(name)
        if (cleared := self._wire.cleared()) is not None:
            await self._send(cleared)

    async def _send(self, text: str | bytes, *, last: bool = False) -> None:
        if self.closed is not None and not last:
            return
        try:
            async with asyncio.timeout(SEND_PATIENCE_S):
                await (self._socket.send_str(text) if isinstance(text, str) else self._socket.send_bytes(text))
        except (ConnectionError, TimeoutError, RuntimeError):
            # aiohttp raises RuntimeError too when the socket closes under a writer. Then the reader knows how it closed.
            if not self._socket.closed:
                self._over(Closed(ClosedBy.BROKEN))

    def _over(self, how: Closed) -> None:
        self.closed = self.closed or how
        self._wake()

    def _broken(self, _task: str, error: BaseException) -> None:
        self._failure = error
        self._over(Closed(ClosedBy.BROKEN))

    def _wake(self) -> None:
        self._pulse.set()
        self._pulse = asyncio.Event()

    @property
    def _now_ms(self) -> float:
        return (time.monotonic() - self._began) * 1000 * self.behaviour.speed

    def _note(self, kind: Kind, *, name: str = "", turn: int = 0) -> None:
        self.timeline.add(Moment(self._now_ms, kind, name, turn))


def _every(n: int, count: int) -> bool:
    return n > 0 and count % n == 0
