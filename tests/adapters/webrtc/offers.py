"""Offers as browsers write them, shortened: Chromium's with every line that matters, and how each may be spoilt."""

from __future__ import annotations

FINGERPRINT = ":".join(f"{number:02X}" for number in range(32))
CHROMIUM = f"""\
v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 7a6e
m=audio 54321 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 192.0.2.7
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1467250027 1 udp 2122260223 192.0.2.7 54321 typ host generation 0 network-id 1
a=candidate:1467250027 1 udp 2122260222 5b9d1d4e-7a44-4a45-b8b3-7f3e2c3c4f0a.local 54322 typ host generation 0
a=candidate:2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0
a=ice-ufrag:EsAw
a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y
a=ice-options:trickle
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:7a6e 9c1d
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:3735928559 cname:Zv2A
""".replace("\n", "\r\n")


def changed(*changes: tuple[str, str]) -> bytes:
    """Chromium's offer with each first text of a pair replaced by its second; a text that is not there is a mistake."""
    text = CHROMIUM
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text.encode()
