"""The trunk: takes INVITEs of known peers, finds whose number was called, and hands a leg to whoever runs calls."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiosipua import SipRequest, SipResponse, SipUAS
from aiosipua.dialog import DialogState
from aiosipua.incoming_call import IncomingCall
from aiosipua.sdp import SdpMessage
from aiosipua.transport import MessageCallback

from gateway.adapters.sip.leg import SipLeg
from gateway.adapters.sip.network import Place, is_private
from gateway.adapters.sip.wire import PeerTransport, be_silent
from gateway.errors import InvalidRequest, Misconfigured, SordinoError
from gateway.ports import Ids, Telemetry
from gateway.tasks import TaskOwner
from gateway.values import Private

AGENT = "Sordino"
SESSION_S = 1_800
"""A call whose other side does not answer our refreshing within this is over (RFC 4028)."""
MOST_INVITES = 10_000
CLOSE_WITHIN_S = 5.0
FORBIDDEN, NOT_FOUND, NOT_ACCEPTABLE, BROKEN, UNAVAILABLE = 403, 404, 488, 500, 503
_NUMBER = re.compile(r"sips?:\+?([1-9][0-9]{6,14})(?:[;@].*)?", re.ASCII)

TakeCall = Callable[[SipLeg, Private[str], Private[str]], Awaitable[None]]
"""Runs the call to its end: its leg, who calls and who is called (E.164, or empty). Raises a SordinoError if it may not begin."""
MayCall = Callable[[Private[str]], bool]
"""Whether somebody of ours takes calls of the trunk at this number. Raises NotFound when the number is nobody's."""


@dataclass(frozen=True, slots=True)
class TrunkParts:
    take: TakeCall
    may_call: MayCall
    ids: Ids
    telemetry: Telemetry


class Trunk:
    """``async with Trunk(place, parts):`` it takes calls until the block is left; those that go on are hung up then."""

    def __init__(self, place: Place, parts: TrunkParts) -> None:
        self._place = place
        self._parts = parts
        self._legs: dict[str, SipLeg] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._invites: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._read: MessageCallback | None = None
        self._tasks = TaskOwner("trunk", on_failure=lambda _name, _error: self._count("broken"))
        self._wire = PeerTransport((place.host, place.port), peers=place.peers, stranger=lambda: self._count("stranger"))
        self._uas = SipUAS(self._wire, user_agent=AGENT, session_expires=SESSION_S)
        self._uas.on_invite = self._invited
        self._uas.on_reinvite = self._invited_again
        self._uas.on_bye = lambda call, _request: self._gone(call, "hung_up")
        self._uas.on_cancel = lambda request, _source: self._stop(request.call_id or "", "cancelled")
        self._uas.on_ack_timeout = lambda call: self._gone(call, "not_acknowledged")
        self._uas.on_session_expired = lambda call: self._gone(call, "expired")

    @property
    def port(self) -> int:
        return self._wire.local_addr[1]

    async def __aenter__(self) -> Trunk:
        """Raises Misconfigured: the address is not ours, or taken."""
        be_silent()
        try:
            await self._uas.start()
        except OSError as error:
            raise Misconfigured(
                f"SORDINO_SIP_LISTEN cannot be listened at: {error.strerror}", hint="is it an address of this machine, and free?"
            ) from None
        read, self._wire.on_message = self._wire.on_message, self._once
        self._read = read
        return self

    async def __aexit__(self, *_: object) -> None:
        for leg in tuple(self._legs.values()):
            leg.stop("closing")
        if self._running:
            await asyncio.wait(self._running, timeout=CLOSE_WITHIN_S)
        await self._tasks.aclose()
        await self._uas.stop()

    # --- what comes in ------------------------------------------------------------------------------------------------

    def _once(self, message: SipRequest | SipResponse, source: tuple[str, int]) -> None:
        """An INVITE that is sent again because its answer is on its way is no second call (RFC 3261, 17.2.1)."""
        if isinstance(message, SipRequest) and message.method == "INVITE":
            name = (message.call_id or "", str(message.headers.get_first("cseq")))
            if name in self._invites:
                return
            self._invites[name] = None
            while len(self._invites) > MOST_INVITES:
                self._invites.popitem(last=False)
        if self._read is not None:
            self._read(message, source)

    def _invited(self, call: IncomingCall) -> None:
        task = self._tasks.start(self._answer(call), name="call")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, call: IncomingCall) -> None:
        called, caller = _number(str(call.invite.uri)) or _number(call.callee), _number(call.caller)
        try:
            refusal = self._refusal(call, called)
        except SordinoError as error:
            refusal = NOT_FOUND if error.http_status == NOT_FOUND else UNAVAILABLE
        if refusal:
            self._count(f"refused_{refusal}")
            call.reject(refusal)
            return
        leg = SipLeg(self._parts.ids.new("sip"), self._place.host)
        self._legs[call.call_id] = leg
        try:
            await self._run(call, leg, caller, called)
        finally:
            self._legs.pop(call.call_id, None)
            await leg.close()
            if call.dialog.state is DialogState.EARLY:
                call.reject(BROKEN)  # something of ours failed: the other side is not to wait for it
            call.hangup()

    async def _run(self, call: IncomingCall, leg: SipLeg, caller: str, called: str) -> None:
        try:
            answer = await leg.open(call.sdp_offer)
        except (InvalidRequest, OSError):
            self._count("no_media")
            call.reject(NOT_ACCEPTABLE)
            return
        call.accept(answer)
        try:
            await self._parts.take(leg, Private(caller), Private(called))
        except SordinoError as error:
            self._count(error.code)

    def _refusal(self, call: IncomingCall, called: str) -> int:
        """How the call is to be refused; 0: it is not."""
        if not called:
            return NOT_FOUND
        if not self._parts.may_call(Private(called)):
            return FORBIDDEN
        return 0 if _hears_at_home(call.sdp_offer) else NOT_ACCEPTABLE

    def _invited_again(self, call: IncomingCall) -> None:
        """Hold, or the media move: within the private network only."""
        leg = self._legs.get(call.call_id)
        answer = _moved(leg, call.sdp_offer) if leg is not None and _hears_at_home(call.sdp_offer) else None
        if answer is not None:
            call.accept(answer)
            return
        self._count(f"refused_{NOT_ACCEPTABLE}")
        call._send_response(NOT_ACCEPTABLE, "Not Acceptable Here")  # noqa: SLF001  (``reject`` would end the call that goes on)

    def _gone(self, call: IncomingCall, why: str) -> None:
        self._stop(call.call_id, why)

    def _stop(self, call_id: str, why: str) -> None:
        leg = self._legs.get(call_id)
        if leg is not None:
            leg.stop(why)

    def _count(self, kind: str) -> None:
        self._parts.telemetry.count("sordino_carrier_faults_total", kind=f"sip_{kind}")


def _hears_at_home(offer: SdpMessage | None) -> bool:
    """Whether what we say would stay on the private network."""
    address = offer.rtp_address if offer is not None else None
    return address is not None and is_private(address[0])


def _moved(leg: SipLeg, offer: SdpMessage | None) -> SdpMessage | None:
    try:
        return leg.move(offer)
    except InvalidRequest:
        return None


def _number(uri: str) -> str:
    """The number in a SIP address in E.164 form; empty where it has none (withheld, or a name)."""
    match = _NUMBER.search(uri)
    return f"+{match[1]}" if match else ""
