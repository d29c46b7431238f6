"""Seeded secrets go in at the entrance of a call; no exit shows one of them. And the search would find one, at every exit."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import sys
import zipfile
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from livekit.agents import telemetry as livekit_telemetry
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.system import SystemClock
from gateway.adapters.telemetry.logs import install_log_filter
from gateway.caller.call import Caller
from gateway.policy.egress import Grant
from gateway.values import Pcm, Private, TenantId
from tests.journeys.canaries import ALL, CALLER, CANARIES, KEYS, Canary, files_under, found_in, found_in_all
from tests.journeys.house import CALLED, House, kinds, living_in, short_policies, speech

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


class SeededRecogniser:
    """In place of moonshine: whatever is said, the next seeded sentence is understood."""

    def __init__(self) -> None:
        self.sentences = deque(canary.said for canary in CANARIES)

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        return Private(self.sentences.popleft() if self.sentences else "")


class Everything(logging.Handler):
    """A handler of a library's own: it sees each record, at every level, with all that hangs on it."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.getMessage()} {record.args} {record.exc_info} {record.stack_info} {vars(record)}")


@dataclass(slots=True)
class Exits:
    """Every way out of the house, by name, after a call full of secrets."""

    content: dict[str, str | bytes] = field(default_factory=dict)
    receipt_kinds: list[str] = field(default_factory=list)
    masked: set[str] = field(default_factory=set)
    heard: list[str] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    """What a program got by the base URL: a status a request."""
    governed: list[int] = field(default_factory=list)
    """What the operator got at the control interface."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exits(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exits]:
    """One call in which each secret is said once, with every library at DEBUG and a global OpenTelemetry in place."""
    folder = tmp_path_factory.mktemp("canaries")
    out, logs, spans, foreign, everything = Exits(), io.StringIO(), InMemorySpanExporter(), InMemorySpanExporter(), Everything()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(foreign))
    reader = InMemoryMetricReader()
    meters = MeterProvider(metric_readers=[reader])
    livekit_telemetry.set_tracer_provider(provider)
    with install_log_filter(logging.DEBUG, logs):
        logging.getLogger().addHandler(everything)
        for name in (
            "livekit",
            "livekit.agents",
            "aiohttp",
            "asyncio",
            "presidio-analyzer",
            "presidio-anonymizer",
            "redis",
            "httpx",
        ):
            logging.getLogger(name).setLevel(logging.DEBUG)
        try:
            async with living_in(folder, policies=short_policies(folder), exporters=(spans,)) as house:
                calls = house.gateway.calls
                calls.needs = replace(calls.needs, parts=replace(calls.needs.parts, stt={"moonshine": SeededRecogniser()}))
                await converse(house)
                receipt = await house.receipt()
                out.receipt_kinds = kinds(receipt)
                out.masked = set(receipt.document["masked"])  # type: ignore[arg-type]
                out.heard = [str(turn.text.reveal()) for turn in house.watcher.of("heard") if turn.text]
                out.asked = await ask_by_base_url(house)
                out.governed, answers = await govern(house)
                out.content = {
                    "model bodies": house.model_bodies(),
                    "receipt": receipt.to_json(),
                    "metrics": await page(house, "/metrics"),
                    "readiness": await page(house, "/readyz"),
                    "console": await page(house, "/"),
                    "error pages": await error_pages(house),
                    "answers of the control interface": answers,
                    "store dump": await store_dump(house),
                }
        finally:
            logging.getLogger().removeHandler(everything)
    out.content |= {
        "our logs": logs.getvalue(),
        "records that a library's handler sees": "\n".join(everything.seen),
        "spans": "\n".join(span.to_json() for span in spans.get_finished_spans()),
        "livekit's spans": "\n".join(span.to_json() for span in foreign.get_finished_spans()),
        "livekit's metrics": str(reader.get_metrics_data()),
        "spans counted": str(len(spans.get_finished_spans())),
    }
    meters.shutdown()
    out.content |= {f"disk: {name}": data for name, data in files_under(folder).items()}
    yield out


async def converse(house: House) -> None:
    token = house.gateway.secrets.read("TWILIO_AUTH_TOKEN")
    number = f"+{CALLER.spoken}"
    async with Caller.dial(house.gateway.url, to=CALLED, from_=number, auth_token=token) as caller:
        await caller.announcement_over()
        await caller.listen(until_silent_ms=900, timeout_s=10)
        for _ in CANARIES:
            await caller.say(speech("yes-correct"))
            await caller.listen(until_silent_ms=900, timeout_s=20)
        for key in KEYS.spoken:
            await caller.press(key)


async def ask_by_base_url(house: House) -> list[int]:
    """A program tells the model proxy every secret: whole, streamed and hung up on, in what is refused, and aloud."""
    _, key = await TenantKeys(house.gateway.store).create(TenantId("demo"), now=SystemClock().now())
    secret = " ".join(canary.said for canary in CANARIES)
    headers = {
        "Authorization": f"Bearer {key.reveal()}",
        "X-Sordino-Call": CANARIES[0].spoken.replace(" ", "-"),
        "X-Sordino-Subject": f"+{CALLER.spoken}",
    }
    said: list[dict[str, object]] = [{"role": "user", "content": secret}]
    chat: dict[str, object] = {"model": "any", "messages": said}
    tool = {"role": "tool", "tool_call_id": "1", "content": json.dumps({"found": secret})}
    bodies: list[tuple[str, dict[str, object]]] = [
        ("chat/completions", chat),
        ("chat/completions", {**chat, "messages": [*said, {"role": "assistant", "content": secret}, tool]}),
        ("chat/completions", {**chat, "store": True, "user": secret, secret[:40]: secret}),
        ("chat/completions", {"model": secret, "messages": [{"role": secret, "content": secret}]}),
        ("messages", {**chat, "max_tokens": 20, "system": secret}),
        ("messages", {**chat, "max_tokens": secret}),
        ("audio/speech", {"model": "any", "voice": "any", "input": secret[:200], "response_format": "wav"}),
        ("audio/speech", {"model": "any", "voice": secret, "input": "Hello.", "response_format": secret}),
    ]
    statuses = []
    async with aiohttp.ClientSession(headers=headers) as session:
        for path, body in bodies:
            async with session.post(f"{house.gateway.url}/v1/{path}", json=body) as answer:
                statuses.append(answer.status)
                await answer.read()
        async with session.post(f"{house.gateway.url}/v1/chat/completions", json={**chat, "stream": True}) as answer:
            statuses.append(answer.status)
            await answer.content.readany()
            answer.close()
        async with session.post(f"{house.gateway.url}/v1/chat/completions", data=secret.encode()) as answer:
            statuses.append(answer.status)
    return statuses


PAGES = (
    *("rights/demo", "cases/demo", "holds/demo", "certificates/demo", "access/log?tenant=demo", "incidents", "calendar"),
    *("transcripts/demo", "recordings/demo", "evidence/demo/head", "policies/demo", "reports/demo/ropa", "subprocessors"),
)


async def govern(house: House) -> tuple[list[int], bytes]:
    """The operator names the caller by number wherever that is asked for, and secrets where nobody should write any."""
    number, mail, card = f"+{CALLER.spoken}", "barnaby.thistlewood@example.org", CANARIES[1].spoken
    whose, hold = {"tenant": "demo"}, {"approver": "A. Judge", "review": "2027-01-31"}
    told = {"answer": "given", "purpose": "sales", "how": "request", "at": "2026-11-01T12:00:00Z"}
    window = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
    bodies: list[tuple[str, str, dict[str, object] | None]] = [
        ("POST", "outbound/check", {**whose, "to": number}),
        ("POST", "outbound/check", {**whose, "to": mail, "purpose": card}),
        ("POST", "outbound/opt-out", {**whose, "number": number, "proof": "letter of 3 March"}),
        ("POST", "consents", {**whose, **told, "number": number, "proof": "letter of 3 March"}),
        ("POST", "holds/demo", {**hold, "number": number, "reason": "case 7"}),
        ("POST", "holds/demo", {**hold, "number": number, "reason": f"about {number}"}),
        ("POST", "incidents", {**window, "what": f"somebody wrote to {mail}"}),
        ("POST", "rights/demo", {"right": "know", "subject": number, "reason": f"{mail} asks"}),
        ("POST", "rights/demo", {"right": mail, "subject": card}),
        ("POST", "rights/demo", {"right": "access", "spoken": {"kind": "EMAIL_ADDRESS", "value": mail}}),
        ("POST", "rights/demo", {"right": "access", "spoken": {"kind": card, "value": "EMAIL_ADDRESS"}}),
        ("POST", "evidence/demo/proof", {"call": card}),
        ("POST", "rights/demo", {"right": "know", "subject": number}),
        ("POST", "rights/demo", {"right": "access", "subject": number}),
        ("POST", "rights/demo", {"right": "restrict", "subject": number}),
        ("POST", "rights/demo", {"right": "erase", "subject": number}),
        ("DELETE", f"calls/demo/{card}?reason={mail}", None),
        ("GET", f"calls/demo/{card}/recording?reason={mail}", None),
        ("GET", f"cases/demo/{card}", None),
        ("GET", f"rights/{card}/{card}", None),
        ("POST", "access/reveals", {**whose, "reason": f"{mail} asks"}),
    ]
    operator = house.gateway.secrets.read("SORDINO_OPERATOR_KEY").reveal()
    statuses, answers = [], b""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {operator}"}) as session:
        at = f"{house.gateway.url}/api/v1/"
        for method, path, body in bodies:
            async with session.request(method, at + path, json=body) as answer:
                statuses.append(answer.status)
                said = await answer.read()
            answers += said + b"\n"
            if path == "rights/demo" and statuses[-1] == 201:
                case = f"{at}rights/demo/{json.loads(said)['case']}"
                for step, more in (("identity", {"method": "called back"}), ("do", {})):
                    async with session.post(f"{case}/{step}", json=more) as answer:
                        statuses.append(answer.status)
                        answers += await answer.read() + b"\n"
        for path in PAGES:
            async with session.get(at + path) as answer:
                statuses.append(answer.status)
                answers += await answer.read()
        async with session.get(at + "evidence/demo/bundle") as answer:
            with zipfile.ZipFile(io.BytesIO(await answer.read())) as bundle:
                answers += b"".join(bundle.read(name) for name in bundle.namelist())
    return statuses, answers


async def page(house: House, path: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(house.gateway.url + path) as answer:
        return await answer.read()


async def error_pages(house: House) -> bytes:
    """What strangers get when they send secrets to places that refuse them."""
    secret = " ".join(canary.spoken for canary in ALL)
    pages = b""
    async with aiohttp.ClientSession() as session:
        url = house.gateway.url
        async with session.post(f"{url}/voice/twilio", data={"From": secret, "To": CALLED, "CallSid": secret}) as answer:
            pages += await answer.read() + str(answer.headers).encode()
        async with session.post(f"{url}/voice/twilio", data=secret.encode() * 2_000) as answer:
            pages += await answer.read()
        async with session.get(f"{url}/api/v1/calls/demo/{'x' * 200}/receipt", headers={"Authorization": secret}) as answer:
            pages += await answer.read()
        async with session.ws_connect(f"{url}/media/twilio") as socket:
            await socket.send_str(json.dumps({"event": secret}))
            await socket.send_str(secret)
            await socket.close()
    return pages


async def store_dump(house: House) -> bytes:
    """Each key of Valkey with its serialised value, and its name."""
    dumped = b""
    async with house.gateway.store.answers() as client:
        async for key in client.scan_iter("*"):
            dumped += key + b" " + (await client.dump(key) or b"") + b"\n"
            kind = await client.type(key)
            if kind == b"stream":
                dumped += repr(await client.xrange(key)).encode()
            elif kind == b"hash":
                dumped += repr(await client.hgetall(key)).encode()
    return dumped


async def test_the_secrets_really_went_in_and_were_masked(exits: Exits) -> None:
    assert exits.heard[: len(CANARIES)] == [canary.said for canary in CANARIES]
    assert exits.receipt_kinds.count("masked") == len(CANARIES)
    assert {"PERSON", "CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "US_SSN", "DATE_OF_BIRTH"} <= exits.masked


async def test_no_exit_shows_a_secret(exits: Exits) -> None:
    assert found_in_all(exits.content) == {}


async def test_a_program_was_answered_and_refused_by_the_model_proxy(exits: Exits) -> None:
    assert exits.asked[0] == 200
    assert {status for status in exits.asked if status >= 400}


async def test_the_operator_named_the_caller_and_was_refused_where_that_would_stay(exits: Exits) -> None:
    """Requests of a person by number are taken; a number, an address or a card in a reason is not."""
    assert exits.governed.count(201) >= 4, exits.governed
    assert exits.governed.count(400) >= 4, exits.governed
    assert not [status for status in exits.governed if status >= 500], exits.governed


async def test_each_exit_really_had_something_to_show(exits: Exits) -> None:
    """An empty exit would pass any search."""
    empty = [name for name, content in exits.content.items() if not content]
    allowed = re.compile(r"livekit's (spans|metrics)|disk: .*(lock|manifest|\.base\.rdb|valkey\.log).*")
    assert [name for name in empty if not allowed.fullmatch(name)] == []
    assert int(exits.content["spans counted"]) > 20
    assert "<PERSON_1>" in str(exits.content["model bodies"])
    assert len(str(exits.content["records that a library's handler sees"])) > 1_000
    assert any(name.endswith(".aof") for name in exits.content)


async def test_livekits_own_telemetry_says_nothing_at_all(exits: Exits) -> None:
    assert exits.content["livekit's spans"] == ""


FORMS = {
    "as it was said": lambda canary: canary.said or canary.spoken,
    "bare": lambda canary: canary.spoken,
    "in capitals": lambda canary: canary.spoken.upper(),
    "inside JSON": lambda canary: json.dumps({"body": {"text": canary.spoken}}),
    "with spaces and dashes": lambda canary: (
        "-".join(canary.spoken) if canary.spoken.isdigit() else canary.spoken.replace(" ", "  ")
    ),
    "in a span": lambda canary: f'{{"attributes": {{"lk.user_transcript": "{canary.spoken}"}}}}',
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("canary", ALL, ids=lambda canary: canary.name)
async def test_the_search_would_find_a_secret_at_any_exit(exits: Exits, canary: Canary, form: Callable[[Canary], str]) -> None:
    planted = form(canary)
    assert canary.name in found_in(planted)
    for name, content in exits.content.items():
        middle = len(content) // 2
        if isinstance(content, bytes):
            leaky: str | bytes = content[:middle] + planted.encode() + content[middle:]
        else:
            leaky = content[:middle] + planted + content[middle:]
        assert canary.name in found_in(leaky), name


async def test_the_search_would_find_a_leak_on_disk(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "crash.txt").write_text, f"heard: {CANARIES[1].said}", "utf-8")
    assert found_in_all(dict(files_under(tmp_path))) == {"crash.txt": ["card"]}


async def test_an_exception_that_nobody_caught_shows_no_secret(exits: Exits) -> None:
    """The last words of a dying process: type and place, no message."""
    code = (
        "import sys, logging\n"
        "from gateway.adapters.telemetry.logs import install_log_filter\n"
        "install_log_filter(logging.DEBUG, sys.stderr)\n"
        f"heard = {CANARIES[0].said!r}\n"
        "raise ValueError(f'cannot understand {heard}')\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 1
    assert b"ValueError" in err
    assert found_in(out + err) == []
