"""Session descriptions of a browser's call: its offer read strictly, our answer written. No socket, no clock, no library.

We take one audio stream in both directions over one DTLS transport: Opus, RTP and RTCP on one port. Whatever else an offer holds
is refused by name before any library sees it, and nothing of what was sent stands in an error but the number of its line.

Sources: SDP RFC 8866, its use by browsers RFC 9429, ICE attributes RFC 8839, DTLS RFC 8842 and 8122, RTCP on one port RFC 5761,
Opus RFC 7587, key presses RFC 4733, fragments with further candidates RFC 8840.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.errors import InvalidRequest, PayloadTooLarge

MOST_BYTES = 16 * 1024
MOST_LINES = 400
MOST_CANDIDATES = 40
OPUS_HZ = 48_000

_LINE = re.compile(r"([a-z])=(.*)")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_MID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,16}")
_FINGERPRINT = re.compile(r"(sha-256|sha-384|sha-512) +((?:[0-9A-F]{2}:){31,63}[0-9A-F]{2})", re.IGNORECASE)
_DIGEST_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_AUDIO = re.compile(r"audio \d{1,5} UDP/TLS/RTP/SAVPF((?: \d{1,3})+)", re.ASCII)
_FORMAT = re.compile(r"(\d{1,3}) (opus|telephone-event)/48000(/2)?", re.IGNORECASE | re.ASCII)
_CANDIDATE = re.compile(
    r"[A-Za-z0-9+/]{1,32} (?P<component>\d{1,3}) (?P<protocol>\w{1,8}) (?P<priority>\d{1,10}) (?P<host>\S{1,255}) "
    r"(?P<port>\d{1,5}) typ (?P<type>host|srflx|prflx|relay)(?: .{0,512})?",
    re.ASCII,
)
_DYNAMIC = range(96, 128)
_ONE_WAY = ("sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address where somebody may be reached by UDP. ``host`` is an address, never a name that would have to be looked up."""

    host: str
    port: int
    priority: int
    type: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a browser offers. The password and the fingerprints are nobody else's business."""

    mid: str
    ufrag: str
    password: str = field(repr=False)
    fingerprints: tuple[tuple[str, str], ...] = field(repr=False)
    """Algorithm and digest of its certificates."""
    opus: int
    """The payload type of Opus."""
    keys: int | None
    """The payload type of key presses; None: it sends none."""
    bundled: bool
    candidates: tuple[Candidate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fragment:
    """Further candidates, or a wish for new ICE credentials."""

    ufrag: str
    password: str = field(repr=False)
    candidates: tuple[Candidate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ours:
    """What our answer says of us."""

    ufrag: str
    password: str = field(repr=False)
    fingerprints: tuple[tuple[str, str], ...] = field(repr=False)
    candidates: tuple[str, ...]
    """Lines as RFC 8839 has them, without ``a=candidate:``."""
    host: str
    port: int
    ssrc: int
    cname: str


def read_offer(body: bytes) -> Offer:
    """Raises InvalidRequest or PayloadTooLarge: nothing else, whatever the bytes are."""
    session, sections = _sections(body)
    if session.first("v") != "0":
        raise InvalidRequest("this is no SDP", hint="send the offer of an RTCPeerConnection")
    audio = _only_audio(sections)
    both = _Both(session, audio)
    formats = _formats(audio)
    if both.one("setup") != "actpass":
        raise InvalidRequest("the offer leaves us no choice of the DTLS role", hint="offer a=setup:actpass (RFC 8842)")
    if session.has("ice-lite"):
        raise InvalidRequest("an ICE lite agent cannot call in", hint="offer with full ICE, as browsers do")
    if not audio.has("rtcp-mux"):
        raise InvalidRequest("the offer has no a=rtcp-mux", hint="RTP and RTCP go over one port here (RFC 5761)")
    if any(both.has(way) for way in _ONE_WAY):
        raise InvalidRequest(
            "the audio goes one way only",
            hint="offer a=sendrecv: who cannot hear cannot be told, and who is not told is not heard",
        )
    return Offer(
        mid=_matching(_MID, both.one("mid"), "mid"),
        ufrag=_matching(_UFRAG, both.one("ice-ufrag"), "ice-ufrag"),
        password=_matching(_PASSWORD, both.one("ice-pwd"), "ice-pwd"),
        fingerprints=_fingerprints(both),
        opus=formats["opus"],
        keys=formats.get("telephone-event"),
        bundled=any(value.startswith("BUNDLE ") for value in session.all("group")),
        candidates=_candidates(audio),
    )


def read_fragment(body: bytes) -> Fragment:
    """The body of a PATCH, ``application/trickle-ice-sdpfrag``. Raises InvalidRequest or PayloadTooLarge."""
    session, sections = _sections(body)
    if len(sections) > 1:
        raise InvalidRequest("the fragment is about several streams; this call has one")
    both = _Both(session, sections[0] if sections else session)
    return Fragment(
        ufrag=_matching(_UFRAG, both.one("ice-ufrag"), "ice-ufrag"),
        password=_matching(_PASSWORD, both.one("ice-pwd"), "ice-pwd"),
        candidates=tuple(each for part in (session, *sections) for each in _candidates(part)),
    )


def write_answer(offer: Offer, ours: Ours, *, session: int) -> str:
    """Our side of the call; all our candidates stand in it. ``session``: a number of this session's own."""
    version = ipaddress.ip_address(ours.host).version
    formats = [offer.opus] if offer.keys is None else [offer.opus, offer.keys]
    lines = [
        "v=0",
        f"o=- {session} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        *([f"a=group:BUNDLE {offer.mid}"] if offer.bundled else []),
        "a=msid-semantic:WMS *",
        f"m=audio {ours.port} UDP/TLS/RTP/SAVPF {' '.join(map(str, formats))}",
        f"c=IN IP{version} {ours.host}",
        f"a=mid:{offer.mid}",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=msid:sordino voice",
        f"a=rtpmap:{offer.opus} opus/48000/2",
        f"a=fmtp:{offer.opus} stereo=0;usedtx=0;useinbandfec=0",
        *([] if offer.keys is None else [f"a=rtpmap:{offer.keys} telephone-event/48000", f"a=fmtp:{offer.keys} 0-15"]),
        "a=ptime:20",
        f"a=ssrc:{ours.ssrc} cname:{ours.cname}",
        *(f"a=candidate:{candidate}" for candidate in ours.candidates),
        "a=end-of-candidates",
        f"a=ice-ufrag:{ours.ufrag}",
        f"a=ice-pwd:{ours.password}",
        *(f"a=fingerprint:{algorithm} {digest}" for algorithm, digest in ours.fingerprints),
        "a=setup:active",
    ]
    return "\r\n".join(lines) + "\r\n"


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Section:
    """The lines of the session, or of one stream, in order."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def first(self, kind: str) -> str:
        return next((value for each, value in self.lines if each == kind), "")

    def all(self, attribute: str) -> Iterator[str]:
        begins = f"{attribute}:"
        return (value.removeprefix(begins) for kind, value in self.lines if kind == "a" and value.startswith(begins))

    def has(self, flag: str) -> bool:
        return ("a", flag) in self.lines


@dataclass(frozen=True, slots=True)
class _Both:
    """A stream with what holds for the whole session behind it."""

    session: _Section
    stream: _Section

    def has(self, flag: str) -> bool:
        return self.stream.has(flag) or self.session.has(flag)

    def all(self, attribute: str) -> list[str]:
        return list(self.stream.all(attribute)) or list(self.session.all(attribute))

    def one(self, attribute: str) -> str:
        found = self.all(attribute)
        if len(found) != 1:
            raise InvalidRequest(f"a={attribute} stands {'twice or more' if found else 'nowhere'}; it is needed once")
        return found[0]


def _sections(body: bytes) -> tuple[_Section, list[_Section]]:
    if len(body) > MOST_BYTES:
        raise PayloadTooLarge(f"a session description has at most {MOST_BYTES} bytes here")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("the session description is not UTF-8") from None
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MOST_LINES:
        raise PayloadTooLarge(f"a session description has at most {MOST_LINES} lines here")
    sections = [_Section()]
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or not line.isprintable():
            raise InvalidRequest(f"line {number} of the session description is no line of SDP")
        if match[1] == "m":
            sections.append(_Section())
        sections[-1].lines.append((match[1], match[2]))
    return sections[0], sections[1:]


def _only_audio(sections: list[_Section]) -> _Section:
    kinds = [section.first("m").partition(" ")[0] for section in sections]
    if "video" in kinds:
        raise InvalidRequest("the offer has a video stream", hint="offer one audio stream and nothing else")
    if "application" in kinds:
        raise InvalidRequest("the offer has a data channel", hint="offer one audio stream and nothing else")
    if kinds != ["audio"]:
        raise InvalidRequest("the offer has not one audio stream", hint="offer one audio stream and nothing else")
    return sections[0]


def _formats(audio: _Section) -> dict[str, int]:
    """Opus and key presses by their payload types. Raises InvalidRequest without Opus."""
    media = _AUDIO.fullmatch(audio.first("m"))
    if media is None:
        raise InvalidRequest("the audio is not offered over DTLS-SRTP", hint="offer UDP/TLS/RTP/SAVPF (RFC 5764)")
    offered = {int(number) for number in media[1].split()}
    found: dict[str, int] = {}
    for value in audio.all("rtpmap"):
        match = _FORMAT.fullmatch(value)
        if match is None:
            continue
        name, number = match[2].lower(), int(match[1])
        if number in offered and number in _DYNAMIC and bool(match[3]) == (name == "opus"):
            found.setdefault(name, number)
    if "opus" not in found:
        raise InvalidRequest("the offer has no Opus", hint="offer opus/48000/2 (RFC 7587)")
    if len(set(found.values())) != len(found):
        raise InvalidRequest("one payload type stands for two formats")
    return found


def _fingerprints(both: _Both) -> tuple[tuple[str, str], ...]:
    found = []
    for value in both.all("fingerprint")[:8]:
        match = _FINGERPRINT.fullmatch(value.strip())
        if match is not None and len(match[2]) == _DIGEST_BYTES[match[1].lower()] * 3 - 1:
            found.append((match[1].lower(), match[2].upper()))
    if not found:
        raise InvalidRequest("the offer names no certificate that we can check", hint="a=fingerprint:sha-256 … (RFC 8122)")
    return tuple(found)


def _candidates(section: _Section) -> tuple[Candidate, ...]:
    lines = list(section.all("candidate"))
    if len(lines) > MOST_CANDIDATES:
        raise PayloadTooLarge(f"at most {MOST_CANDIDATES} candidates are read here")
    return tuple(_usable(lines))


def _usable(lines: Iterable[str]) -> Iterator[Candidate]:
    """Names (mDNS), TCP and the second component are no fault, and nothing that we use."""
    for line in lines:
        match = _CANDIDATE.fullmatch(line)
        if match is None or not 0 < int(match["port"]) < 65_536 or int(match["priority"]) >= 1 << 32:
            raise InvalidRequest("a candidate is not written as RFC 8839 has it")
        if match["component"] != "1" or match["protocol"].lower() != "udp":
            continue
        try:
            host = str(ipaddress.ip_address(match["host"]))
        except ValueError:
            continue
        yield Candidate(host, int(match["port"]), int(match["priority"]), match["type"])


def _matching(form: re.Pattern[str], value: str, name: str) -> str:
    if form.fullmatch(value) is None:
        raise InvalidRequest(f"a={name} has not the form that it must have")
    return value
