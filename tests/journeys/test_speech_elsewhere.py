"""A call that is heard and spoken elsewhere: on the vendors' wires, after the announcement, and as far as each Grant goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from gateway.adapters.speech import inside
from gateway.caller.call import Heard
from gateway.evidence.receipt import Receipt
from tests.adapters.conversation.plugins.speech import tone
from tests.journeys.house import kinds, living_in, short_policies, speech, text_of
from tests.peers.speech.vendors import Vendor, deepgram_heard, says, vendor

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

WORDS = "My name is Jonathan Miller, and I live at forty two Oak Street in Springfield."
PRIVATE = ("jonathan", "miller", "oak street", "springfield")
KEY = "sk-journey-1234"
ENTRY = """
- id: {id}
  name: {id}
  purpose: speech
  kind: {kind}
  dialect: deepgram
  base_url: {url}
  secret: EAR_KEY
  region: local
  training: prohibited
  retention_days: 0
  send: {{mip_opt_out: true}}
  receives: [{receives}]
  status: active
  source: a test
  checked_on: 2026-11-22
"""
ROUTE = """\
  stt: [{processor: broken-ear, model: nova-3}, {processor: good-ear, model: nova-3}]
"""


@dataclass(slots=True)
class Lived:
    """A call that was lived through once; each test looks at one side of it."""

    broken: Vendor
    good: Vendor
    before_listening: int
    answer: Heard
    receipt: Receipt


async def hears_and_speaks(request: web.Request) -> web.StreamResponse:
    if request.path == "/v1/listen":
        return web.json_response(deepgram_heard(WORDS))
    return web.Response(body=tone(600).samples, content_type="audio/l16")


def policies(folder: Path, broken: Vendor, good: Vendor) -> Path:
    found = short_policies(folder)
    rows = [
        ("broken-ear", "stt", broken.base_url, "voice"),
        ("good-ear", "stt", good.base_url, "voice"),
        ("masked-voice", "tts", good.base_url, "masked_transcript"),
    ]
    registry = found / "subprocessors.yaml"
    more = "".join(ENTRY.format(id=name, kind=kind, url=url, receives=receives) for name, kind, url, receives in rows)
    registry.write_text(registry.read_text(encoding="utf-8") + more, encoding="utf-8")
    tenant = found / "tenants" / "demo.yaml"
    text = tenant.read_text(encoding="utf-8")
    text = text.replace("  stt: [{processor: local-moonshine, model: tiny-en}]\n", ROUTE)
    text = text.replace("  tts: [", "  tts: [{processor: masked-voice, model: aura-2-thalia-en}, ")
    tenant.write_text(text, encoding="utf-8")
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lived]:
    """The first ear fails, the second one hears; the better voice may have masked text only."""
    folder = tmp_path_factory.mktemp("elsewhere")
    async with vendor(says({}, status=500)) as broken, vendor(hears_and_speaks) as good:
        env = {"EAR_KEY": KEY, "DEEPGRAM_API_KEY": "sk-of-somebody-else"}
        async with living_in(folder, policies=policies(folder, broken, good), env=env) as house:
            async with house.dial() as caller:
                await caller.announcement_over()
                before = sum(sent.path == "/v1/listen" for sent in (*broken.received, *good.received))
                await caller.listen(until_silent_ms=900)
                await caller.say(speech("yes-correct"))
                answer = await caller.listen(until_silent_ms=4_000, timeout_s=60)  # two voices: each takes its time
            yield Lived(broken, good, before, answer, await house.receipt())


async def test_nothing_was_heard_elsewhere_before_the_announcement_was_over(call: Lived) -> None:
    assert call.before_listening == 0
    order = kinds(call.receipt)
    assert order.index("announcement.played") < order.index("listening.started") < order.index("hop")


async def test_the_ear_that_failed_is_followed_by_the_next_one_under_a_grant_of_its_own(call: Lived) -> None:
    hops = [entry.draft.body["grant"] for entry in call.receipt.entries if entry.draft.kind == "hop"]
    named = [(grant["hop"], grant["processor"], tuple(grant["categories"])) for grant in hops]  # type: ignore[index,call-overload,arg-type]
    assert [name for hop, name, _ in named if hop == "stt"] == ["broken-ear", "good-ear"]
    assert ("tts", "masked-voice", ("masked_transcript",)) in named
    assert ("tts", "local-hibari", ("transcript",)) in named
    assert [sent.path for sent in call.broken.received] == ["/v1/listen"]
    assert call.receipt.outcome == "completed"


async def test_each_request_had_the_grants_key_and_flags_and_none_from_the_environment(call: Lived) -> None:
    for sent in (*call.broken.received, *call.good.received):
        assert sent.headers["authorization"] == f"Token {KEY}"
        assert sent.query["mip_opt_out"] == "true"


async def test_the_voice_elsewhere_was_sent_no_private_word(call: Lived) -> None:
    texts = [sent.fields["text"] for sent in call.good.received if sent.path == "/v1/speak"]
    assert len(texts) >= 2
    assert [private for private in PRIVATE if private in json.dumps(texts).lower()] == []
    assert "<" not in "".join(texts)


async def test_the_caller_heard_the_name_all_the_same_and_the_receipt_does_not_hold_it(call: Lived) -> None:
    """Said by this machine's voice, between what the other one said."""
    heard = await asyncio.to_thread(inside.transcribe, call.answer.pcm.samples, call.answer.pcm.rate)
    assert any(name in heard.lower() for name in ("miller", "jonathan")), heard
    assert [private for private in PRIVATE if private in text_of(call.receipt).lower()] == []
