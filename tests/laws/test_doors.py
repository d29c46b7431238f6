"""Every place where private data leaves its type, and every place that can open a connection, stands in a reviewed table."""

from __future__ import annotations

import pytest

from tests.laws import doors
from tests.laws.tree import parse, sources

REVEALS = {
    # Telephone numbers and keys into a token that is sealed, and into a signature; a key compared with a key; the number of the
    # person whom the carrier is to dial, into the answer that says so.
    "gateway/adapters/carriers/exotel_webhook.py": 2,
    "gateway/adapters/carriers/plivo_webhook.py": 2,
    "gateway/adapters/carriers/stream_token.py": 4,
    "gateway/adapters/carriers/telnyx_webhook.py": 2,
    "gateway/adapters/carriers/twilio_webhook.py": 2,
    "gateway/adapters/carriers/vonage_webhook.py": 3,
    "gateway/adapters/carriers/webhook.py": 1,
    # The guarded session: a tool's arguments, frames to the voice detector, the sentence before it is spoken.
    "gateway/adapters/conversation/agent.py": 1,
    # The key of a tenant's rooms, to LiveKit's client on this machine.
    "gateway/adapters/conversation/encryption.py": 1,
    "gateway/adapters/conversation/phone.py": 1,
    # Speech and words into the one request that their Grant is for.
    "gateway/adapters/conversation/plugins/hearing.py": 1,
    "gateway/adapters/conversation/plugins/speaking.py": 1,
    "gateway/adapters/conversation/voice.py": 3,
    # To our own detector, in a process of ours.
    "gateway/adapters/detectors/cache.py": 1,
    "gateway/adapters/detectors/masker.py": 6,
    "gateway/adapters/detectors/presidio.py": 2,
    # A key into the cipher that locks others, and into its name.
    "gateway/locks.py": 3,
    "gateway/adapters/keys/derived.py": 2,
    "gateway/adapters/keys/master.py": 1,
    "gateway/adapters/keys/wrapped.py": 1,
    # A fresh master key to the key service that locks it, with the secret that lets us in there.
    "gateway/adapters/keys/service.py": 4,
    "gateway/keeping.py": 1,
    # The identity key, into what derives other keys from it.
    "gateway/app.py": 1,
    "gateway/cli/attached.py": 1,
    "gateway/desks.py": 1,
    # A number, and what was said, into its keyed hash.
    "gateway/adapters/keys/subjects.py": 1,
    "gateway/adapters/keys/spoken.py": 1,
    # The password of the operator's mail server; the key that signs a webhook of ours.
    "gateway/adapters/notices/mail.py": 1,
    "gateway/webhooks.py": 2,
    # Keyed card data into the body for the payment processor, under its Grant; a key into the buffer that is wiped.
    "gateway/adapters/payments/webhook.py": 1,
    "gateway/runner/payment.py": 1,
    # Both voices into the cipher of their recording; frames into its memory; where the private words stand in the sound.
    "gateway/adapters/recordings/format.py": 2,
    "gateway/adapters/recordings/reading.py": 2,
    # The key of a store elsewhere, into the client that its Grant is for.
    "gateway/adapters/recordings/s3.py": 2,
    "gateway/redaction/audio_spans.py": 5,
    "gateway/runner/recording.py": 1,
    # A processor's key into its own request's header.
    "gateway/adapters/providers/exchange.py": 1,
    # A recording and a text into the request that its Grant is for.
    "gateway/adapters/providers/aws_speech.py": 2,
    "gateway/adapters/providers/azure_speech.py": 2,
    "gateway/adapters/providers/google_speech.py": 2,
    "gateway/adapters/providers/openai_speech.py": 2,
    # To speech engines on this machine, under a Grant.
    "gateway/adapters/speech/local.py": 2,
    # Into the cipher, a call's key too; and a tenant's key into its digest's place in the store.
    "gateway/adapters/stores/conversations.py": 3,
    "gateway/adapters/stores/tenant_keys.py": 3,
    "gateway/adapters/stores/transcripts.py": 4,
    "gateway/adapters/stores/vault.py": 2,
    # A TURN server's password, to aioice.
    "gateway/adapters/webrtc/lines.py": 1,
    # The number that was called, to find the tenant.
    "gateway/lines.py": 1,
    "gateway/trunk.py": 1,
    # A page's token, into the cipher that opens it.
    "gateway/talking.py": 2,
    # Who plays Exotel writes the key into the URL, as an applet does.
    "gateway/caller/vendors.py": 1,
    # What an answer means, whether words ask for no recording, or tell of a child: a meaning, a yes or no, a sign come out.
    "gateway/call/answer.py": 1,
    "gateway/call/child_words.py": 1,
    "gateway/call/consent_words.py": 1,
    # A transcript in clear, for who has the right to it, once the evidence says so.
    "gateway/runner/transcripts.py": 3,
    "gateway/http/transcripts.py": 1,
    "gateway/cli/transcripts.py": 1,
    # The operator's own key, to a terminal and to nothing else.
    "gateway/cli/serve.py": 1,
    # A new key, once, to the terminal of who made it.
    "gateway/cli/access.py": 3,
    "gateway/cli/tenants.py": 2,
    # The demo's own screen, with a made-up caller.
    "gateway/demo/screen.py": 2,
    # A key compared with a key, or into its digest's place in the store; a new access key, once, to who made it.
    "gateway/http/answers.py": 1,
    "gateway/http/guard.py": 2,
    # This gateway's secret at an identity provider, to it; who somebody is there, into the keyed hash that names them here; a
    # session's secret, into the seal of its cookie and into its digest's place; a key into a seal.
    "gateway/adapters/keys/oidc.py": 1,
    "gateway/adapters/keys/sealed.py": 1,
    "gateway/adapters/stores/people.py": 4,
    "gateway/http/signin.py": 2,
    "gateway/http/accesses.py": 3,
    "gateway/adapters/stores/api_keys.py": 3,
    # A tenant's new key, once, to the operator who made it.
    "gateway/http/proxy/keys.py": 2,
    # The model proxy's edge: a client's request is read, and its own words are written back to it.
    "gateway/http/proxy/audio.py": 4,
    "gateway/http/proxy/chat.py": 4,
    "gateway/http/proxy/chat_in.py": 1,
    "gateway/http/proxy/messages.py": 4,
    "gateway/http/proxy/messages_in.py": 1,
    # Where a number may be, and whether words ask not to be called: a place and a yes or no come out.
    "gateway/policy/jurisdiction.py": 1,
    "gateway/policy/opt_out.py": 1,
    # A value into its keyed hash; the wrong and the right word into the proof of a consent; a number into its usual form.
    "gateway/adapters/keys/values.py": 1,
    "gateway/adapters/stores/consents.py": 3,
    "gateway/policy/phone.py": 1,
    # The key that numbers are hashed with, to the desks of a command.
    "gateway/cli/rights_desk.py": 1,
    # What is kept of a person into the file that they are handed, with its digest; whether a value is too long.
    "gateway/runner/rights_acts.py": 1,
    "gateway/runner/rights_handout.py": 1,
    "gateway/runner/rights_zip.py": 1,
    # The mask itself.
    "gateway/redaction/history.py": 2,
    "gateway/redaction/dialogue.py": 1,
    "gateway/redaction/mask.py": 5,
    # The shape of a value, for its stand-in.
    "gateway/redaction/surrogate.py": 1,
    "gateway/redaction/unmask.py": 4,
    # Keys into the keys of one backup; what is kept of a tenant, into the file that the tenant takes along when it leaves.
    "gateway/runner/backup_keys.py": 2,
    "gateway/runner/offboarding_export.py": 1,
    # Walks JSON to mask each text in it, names texts by keyed digests; joins what was restored to know it again.
    "gateway/runner/proxy/beginning.py": 1,
    "gateway/runner/proxy/child.py": 2,
    "gateway/runner/proxy/json_mask.py": 3,
    "gateway/runner/proxy/json_text.py": 1,
    "gateway/runner/proxy/mask.py": 13,
    "gateway/runner/proxy/proxy.py": 1,
    "gateway/runner/proxy/speech.py": 1,
}
"""How often each module takes private data out of its type, and what for."""


DOORS = {
    "agents/examples/openai_by_url.py": "a team's own program: it stands outside, and asks the gateway",
    "gateway/adapters/audit/authority.py": "a time stamping authority of the operator's choice: it is told a hash and a nonce",
    "gateway/adapters/notices/mail.py": "a tenant's own address is told of sub-processors: names and dates, nothing of a call",
    "gateway/adapters/notices/webhook.py": "the same, to the tenant's own server",
    "gateway/adapters/providers/outbound.py": "the session of every processor; what is sent with it takes a Grant (test_grants)",
    "gateway/adapters/recordings/s3.py": "the store that a Grant for it names; it gets encrypted files only",
    "gateway/adapters/stores/embedded.py": "our own Valkey, on a unix socket",
    "gateway/adapters/stores/line.py": "the same store as redis.py",
    "gateway/adapters/stores/redis.py": "the store: values are locked before they get there",
    "gateway/adapters/telemetry/otlp.py": "a collector on this machine or in the registry; names and numbers only",
    "gateway/adapters/webrtc/leg.py": "a browser on a call: we send to nobody who has not shown that they know our ICE password",
    "gateway/adapters/webrtc/lines.py": "the same; the operator's STUN and TURN servers, none unless they are set",
    "gateway/adapters/webrtc/voice.py": "the same",
    "gateway/adapters/sip/leg.py": "a caller on the trunk: its media address is on a private network",
    "gateway/adapters/sip/trunk.py": "the same: known peers of a private network",
    "gateway/adapters/sip/wire.py": "the same: answers go to known peers only",
    "gateway/caller/call.py": "the caller of tests and of the demo: it stands outside",
    "gateway/demo/model_process.py": "asks the demo's own model, on loopback, whether it is up",
    "gateway/serving.py": "listens: finds a free port",
    "gateway/demo/place_call.py": "asks the demo's own gateway, on loopback",
}
"""Where a connection can begin, and what stands before it."""


PLANTED = [
    "import asyncio\nasync def f(loop):\n    await loop.create_connection(None, 'a', 1)",
    "import aiohttp\ns = aiohttp.ClientSession()",
    "from aiohttp import ClientSession as S\ns = S()",
    "import requests",
    "from urllib.request import urlopen",
    "import http.client",
    "from openai import AsyncOpenAI",
    "import socket\ns = socket.socket()",
    "import asyncio\nasync def f():\n    await asyncio.open_connection('a', 1)",
    "from redis.asyncio import Redis\nr = Redis()",
    "from aiortc import RTCPeerConnection",
    "import asyncio\nasync def f():\n    await asyncio.get_running_loop().create_datagram_endpoint(None)",
]


def test_private_data_is_taken_out_in_reviewed_places_only() -> None:
    """A new ``reveal()`` needs a reader: read it, then change the number here."""
    found = {source.path: count for source in sources("gateway", "agents", "tools") if (count := doors.reveals(source))}
    assert found == REVEALS


def test_connections_begin_in_reviewed_places_only() -> None:
    """A new door needs a reader: which Grant stands before it, and if none, why?"""
    found = {source.path: list(doors.opens(source)) for source in sources("gateway", "agents", "tools")}
    found = {path: places for path, places in found.items() if places}
    unknown = [place for path, places in found.items() if path not in DOORS for place in places]
    assert unknown == []
    assert sorted(DOORS.keys() - found.keys()) == [], "no door any more: take it out of the table"


@pytest.mark.parametrize("code", PLANTED)
def test_the_search_finds_a_planted_door(code: str) -> None:
    """Whatever name it was imported under."""
    assert list(doors.opens(parse("gateway/http/planted.py", code)))


def test_the_search_counts_a_planted_reveal() -> None:
    """Called, or handed on to be called by somebody else."""
    assert doors.reveals(parse("gateway/http/planted.py", "a = x.reveal()\nb = map(y, x.reveal)\nc = reveal")) == 2
