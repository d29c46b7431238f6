"""An offer is read strictly before any library sees it: what we can answer is taken, all else is refused by name."""

from __future__ import annotations

from contextlib import suppress

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.adapters.webrtc.sdp import (
    MOST_BYTES,
    MOST_CANDIDATES,
    Candidate,
    Ours,
    read_fragment,
    read_offer,
    write_answer,
)
from gateway.errors import InvalidRequest, PayloadTooLarge
from tests.adapters.webrtc.offers import CHROMIUM, FINGERPRINT, changed

CANDIDATE = "a=candidate:1467250027 1 udp 2122260223 192.0.2.7 54321 typ host generation 0 network-id 1"
VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n"
FRAGMENT = (
    f"a=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{CANDIDATE}\r\n"
)


class TestAnOfferThatWeTake:
    def test_tells_what_the_answer_needs(self) -> None:
        """Names that would have to be looked up, and TCP, are no fault and are not used."""
        offer = read_offer(CHROMIUM.encode())
        assert (offer.mid, offer.ufrag, offer.password, offer.bundled) == ("0", "EsAw", "bP+XJMM09aR8AiX1jdukzR6Y", True)
        assert (offer.opus, offer.keys) == (111, 110)
        assert offer.fingerprints == (("sha-256", FINGERPRINT),)
        assert offer.candidates == (Candidate("192.0.2.7", 54321, 2122260223, "host"),)

    @pytest.mark.parametrize(
        "offer",
        [
            pytest.param(changed(("\r\n", "\n")), id="bare line feeds"),
            pytest.param(changed(("a=sendrecv\r\n", "")), id="no direction: both ways"),
            pytest.param(changed(("a=setup:actpass\r\n", ""), ("t=0 0", "t=0 0\r\na=setup:actpass")), id="for the whole session"),
            pytest.param(changed(("a=rtpmap:110 telephone-event/48000\r\n", "")), id="no key presses"),
            pytest.param(changed((" 111 63", " 63 111")), id="another codec is preferred"),
        ],
    )
    def test_may_be_written_otherwise(self, offer: bytes) -> None:
        """As other browsers do."""
        assert read_offer(offer).opus == 111

    def test_keeps_its_password_to_itself(self) -> None:
        """In logs and errors."""
        assert "bP+XJMM" not in repr(read_offer(CHROMIUM.encode()))


REFUSED = [
    pytest.param(CHROMIUM.encode() + VIDEO.encode(), "video", id="video"),
    pytest.param(CHROMIUM.encode() + DATA.encode(), "data channel", id="data channel"),
    pytest.param(CHROMIUM.encode() + CHROMIUM[CHROMIUM.index("m=audio") :].encode(), "not one audio", id="two audio streams"),
    pytest.param(CHROMIUM[: CHROMIUM.index("m=audio")].encode(), "not one audio", id="no stream"),
    pytest.param(changed(("UDP/TLS/RTP/SAVPF", "RTP/AVP")), "DTLS-SRTP", id="not encrypted"),
    pytest.param(changed(("UDP/TLS/RTP/SAVPF", "RTP/SAVP")), "DTLS-SRTP", id="keys in the SDP"),
    pytest.param(changed(("opus/48000/2", "opus/8000/1")), "no Opus", id="no Opus that is one"),
    pytest.param(changed((" 111 63", " 63")), "no Opus", id="Opus described and not offered"),
    pytest.param(changed(("111", "72")), "no Opus", id="a payload type that RTCP has"),
    pytest.param(changed(("a=rtpmap:110", "a=rtpmap:111")), "two formats", id="one number for two formats"),
    pytest.param(changed(("setup:actpass", "setup:active")), "DTLS role", id="it wants to begin"),
    pytest.param(changed(("a=rtcp-mux\r\n", "")), "rtcp-mux", id="two ports"),
    pytest.param(changed(("a=sendrecv", "a=recvonly")), "one way", id="it says nothing"),
    pytest.param(changed(("a=sendrecv", "a=sendonly")), "one way", id="it cannot be told anything"),
    pytest.param(changed(("t=0 0", "t=0 0\r\na=ice-lite")), "ICE lite", id="ICE lite"),
    pytest.param(changed(("a=ice-ufrag:EsAw\r\n", "")), "a=ice-ufrag stands nowhere", id="no user name"),
    pytest.param(changed(("a=ice-pwd:bP", "a=ice-pwd:x\r\na=ice-pwd:bP")), "a=ice-pwd stands twice", id="two passwords"),
    pytest.param(
        changed(("bP+XJMM09aR8AiX1jdukzR6Y", "short")), "a=ice-pwd has not the form", id="a password that can be guessed"
    ),
    pytest.param(changed(("EsAw", "Es w")), "a=ice-ufrag has not the form", id="a user name with a space"),
    pytest.param(changed(("a=mid:0", "a=mid:0 a=x")), "a=mid has not the form", id="a line in a name"),
    pytest.param(changed(("fingerprint:sha-256", "fingerprint:sha-1")), "no certificate", id="a digest that can be forged"),
    pytest.param(changed((FINGERPRINT, FINGERPRINT[:-3])), "no certificate", id="half a digest"),
    pytest.param(changed(("typ host generation 0 network-id 1", "typ ghost")), "RFC 8839", id="a candidate of no kind"),
    pytest.param(changed(("192.0.2.7 54321 typ", "192.0.2.7 99999 typ")), "RFC 8839", id="a port that is none"),
    pytest.param(changed(("v=0", "v=1")), "no SDP", id="another version"),
    pytest.param(changed(("s=-", "s=-\x00")), "line 3", id="a NUL"),
    pytest.param(changed(("s=-", "s=-\r")), "line 3", id="a lone carriage return"),
    pytest.param(changed(("s=-", "hello")), "line 3", id="no line of SDP"),
    pytest.param(b"", "line 1", id="nothing"),
    pytest.param(b"\xff\xfe", "UTF-8", id="no text"),
    pytest.param(b"{}", "line 1", id="JSON"),
]


@pytest.mark.parametrize(("offer", "says"), REFUSED)
def test_an_offer_that_we_cannot_answer_is_refused_by_name(offer: bytes, says: str) -> None:
    """Who wrote it learns what to change, and nothing of what was sent stands in the error."""
    with pytest.raises(InvalidRequest, match=says) as refused:
        read_offer(offer)
    for secret in ("192.0.2.7", "EsAw", "bP+XJMM", "ghost", "hello"):
        assert secret not in str(refused.value)


@pytest.mark.parametrize(
    "offer",
    [
        pytest.param(b"v=0\r\n" + b"a=x\r\n" * (MOST_BYTES // 5), id="too many bytes"),
        pytest.param(b"v=0\r\n" + b"a=x\n" * 500, id="too many lines"),
        pytest.param(changed((CANDIDATE, "\r\n".join([CANDIDATE] * (MOST_CANDIDATES + 1)))), id="too many candidates"),
    ],
)
def test_an_offer_that_is_too_large_is_refused_as_such(offer: bytes) -> None:
    with pytest.raises(PayloadTooLarge):
        read_offer(offer)


LINES = CHROMIUM.split("\r\n")


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 111")
def test_no_bytes_get_past_our_own_errors(body: bytes) -> None:
    """Whatever they are."""
    for read in (read_offer, read_fragment):
        with suppress(InvalidRequest, PayloadTooLarge):
            read(body)


@given(st.data())
def test_no_spoilt_offer_gets_past_our_own_errors_and_what_is_taken_can_be_answered(data: st.DataObject) -> None:
    """A real offer with lines lost, doubled, swapped and written over, and then our answer to it as aiortc reads it."""
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["lose", "double", "move", "cut", "write"])):
            case "lose":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "move":
                lines.insert(data.draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "cut":
                lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
            case _:
                lines[at] = data.draw(st.sampled_from(["a=", "m=audio", "b="])) + data.draw(st.text(max_size=30))
        lines = lines or [""]
    try:
        offer = read_offer("\r\n".join(lines).encode("utf-8", "surrogatepass"))
    except (InvalidRequest, PayloadTooLarge):
        return
    read = SessionDescription.parse(write_answer(offer, OURS, session=1))
    assert [media.rtp.muxId for media in read.media] == [offer.mid]


OURS = Ours(
    ufrag="abcd",
    password="0123456789012345678901",
    fingerprints=(("sha-256", FINGERPRINT),),
    candidates=("1 1 udp 2130706431 127.0.0.1 40000 typ host",),
    host="127.0.0.1",
    port=40000,
    ssrc=1234,
    cname="sordino",
)


class TestOurAnswer:
    def test_is_one_stream_of_opus_both_ways_with_all_candidates_in_it(self) -> None:
        """As aiortc, which did not write it, reads it."""
        read = SessionDescription.parse(write_answer(read_offer(CHROMIUM.encode()), OURS, session=7))
        (media,) = read.media
        assert (media.kind, media.direction, media.rtcp_mux, media.rtp.muxId) == ("audio", "sendrecv", True, "0")
        assert [(codec.payloadType, codec.name) for codec in media.rtp.codecs] == [(111, "opus"), (110, "telephone-event")]
        assert [(each.ip, each.port) for each in media.ice_candidates] == [("127.0.0.1", 40000)]
        assert media.ice_candidates_complete
        assert media.dtls is not None
        assert (media.dtls.role, media.dtls.fingerprints[0].value) == ("client", FINGERPRINT)
        assert [group.items for group in read.group] == [["0"]]

    def test_promises_no_bundle_that_was_not_offered(self) -> None:
        offer = read_offer(changed(("a=group:BUNDLE 0\r\n", "")))
        assert "BUNDLE" not in write_answer(offer, OURS, session=7)


class TestAFragment:
    def test_tells_further_candidates_and_whose_they_are(self) -> None:
        read = read_fragment(FRAGMENT.encode())
        assert (read.ufrag, read.password) == ("EsAw", "bP+XJMM09aR8AiX1jdukzR6Y")
        assert [each.host for each in read.candidates] == ["192.0.2.7"]

    @pytest.mark.parametrize(
        "spoilt",
        [
            FRAGMENT.replace("a=ice-pwd:", "a=pwd:"),
            FRAGMENT.replace("typ host", "type host"),
            FRAGMENT + FRAGMENT[FRAGMENT.index("m=audio") :],
            "",
        ],
    )
    def test_that_is_none_is_refused(self, spoilt: str) -> None:
        with pytest.raises(InvalidRequest):
            read_fragment(spoilt.encode())
