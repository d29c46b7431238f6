"""What telemetry shows, and what it never shows."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.metrics import get_meter_provider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, get_current_span, get_tracer_provider

from gateway.adapters.telemetry import allow
from gateway.adapters.telemetry.export import AllowListExporter
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.adapters.telemetry.otel import OtelTelemetry
from gateway.errors import RedactionUnavailable
from gateway.ports import Telemetry

SECRETS = (
    "my card is 4532 1180 9661 2345",
    "4532118096612345",
    "4532-1180-9661-2345",
    "+14155550132",
    "14155550132",
    "anna.keller@example.org",
    "Anna Keller",
    "mein Name ist Anna",
    "x" * 200,
    "\u202eevil",
    "",
    "<PERSON_1>",
)
SHOWN = {
    "tenant": "acme",
    "call": "call_01jb3x9q7n5t8v2w4y6z0a1c3e",
    "turn": 3,
    "stage": "mask",
    "entity": "CREDIT_CARD",
    "processor": "openai-eu",
    "region": "eu-west-1",
    "model": "claude-opus-4-1-20250805",
    "hop": "llm",
    "permitted": True,
    "outcome": "played",
    "reason": "region_not_allowed",
    "milliseconds": 12.5,
    "language": "de-CH",
}


@pytest.fixture
def seen() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(seen: InMemorySpanExporter) -> Iterator[OtelTelemetry]:
    made = OtelTelemetry(exporters=[seen])
    yield made
    made.close()


def only(seen: InMemorySpanExporter) -> ReadableSpan:
    (span,) = seen.get_finished_spans()
    return span


def dropped(telemetry: OtelTelemetry, what: str) -> float:
    return metric(telemetry, f'sordino_telemetry_dropped_total{{what="{what}"}}')


def metric(telemetry: OtelTelemetry, line: str) -> float:
    for text in telemetry.prometheus().decode().splitlines():
        if text.startswith(f"{line} "):
            return float(text.rsplit(" ", 1)[1])
    return 0.0


def test_both_kinds_of_telemetry_are_the_port() -> None:
    """The gateway may be given either."""
    ports: tuple[Telemetry, ...] = (OtelTelemetry(), NullTelemetry())
    for port in ports:
        with port.span("sordino.call", tenant="acme") as span:
            span.set(turn=1)
            span.fail("internal")
        port.count("sordino_masked_total", entity="PERSON")
        port.gauge("sordino_calls_active", 1)
        port.observe("sordino_turn_seconds", 0.1, stage="mask")


@pytest.mark.parametrize(("key", "value"), SHOWN.items())
def test_an_operator_sees_names_counts_and_times(
    telemetry: OtelTelemetry, seen: InMemorySpanExporter, key: str, value: str | float
) -> None:
    """What is on the allow-list arrives as it is, whether it was named with our prefix or without."""
    for name in (key, f"sordino.{key}"):
        with telemetry.span("sordino.turn", **{name: value}):
            pass
    for span in seen.get_finished_spans():
        assert span.attributes == {f"sordino.{key}": value}


@pytest.mark.parametrize("secret", SECRETS)
def test_private_text_as_a_value_is_dropped_and_counted(
    telemetry: OtelTelemetry, seen: InMemorySpanExporter, secret: str
) -> None:
    """No key lets a sentence, a name with a space, a number or an address through."""
    keys = list(allow.ATTRIBUTES)
    with telemetry.span("sordino.turn", **dict.fromkeys(keys, secret)) as span:
        span.set(**dict.fromkeys(keys, secret))
    assert not only(seen).attributes
    assert dropped(telemetry, "value") == 2 * len(keys)


@given(st.text(max_size=40).filter(lambda text: any(letter in text for letter in " @+,\n\"'")))
def test_no_text_with_a_space_or_sign_has_a_shape(text: str) -> None:
    """A sentence is never a value, whatever it says."""
    assert not any(check(text) for check in allow.ATTRIBUTES.values())


@given(st.from_regex(r"[0-9]([-_./: ]?[0-9]){8,18}", fullmatch=True))
def test_no_long_number_has_a_shape(digits: str) -> None:
    """A card or telephone number fits no key, however its digits are separated, also behind a letter."""
    assert not any(check(digits) for check in allow.ATTRIBUTES.values())
    assert not any(check(f"m{digits}") for check in allow.ATTRIBUTES.values())


@pytest.mark.parametrize("number", [4532118096612345, 14155550132, float("nan"), float("inf"), 10_000_000])
def test_a_number_that_may_be_a_card_or_telephone_number_is_dropped(
    telemetry: OtelTelemetry, seen: InMemorySpanExporter, number: float
) -> None:
    """Counts and durations are small; identities are not."""
    with telemetry.span("sordino.turn", count=number):
        pass
    assert not only(seen).attributes


def test_a_key_that_is_not_listed_is_dropped_and_counted(telemetry: OtelTelemetry, seen: InMemorySpanExporter) -> None:
    """Nobody adds an attribute without adding it to the allow-list."""
    with telemetry.span("sordino.turn", transcript="hello", turn=1):
        pass
    assert only(seen).attributes == {"sordino.turn": 1}
    assert dropped(telemetry, "key") == 1


@pytest.mark.parametrize("name", [*SECRETS, "sordino.turn Anna", "chat Anna Keller", "chat 4532118096612345", "lk.user_turn"])
def test_a_span_name_that_is_not_listed_is_not_shown(telemetry: OtelTelemetry, seen: InMemorySpanExporter, name: str) -> None:
    """A name cannot carry text out either; the span itself is kept."""
    with telemetry.span(name):
        pass
    assert only(seen).name == "other"
    assert dropped(telemetry, "span") == 1


@pytest.mark.parametrize("name", [*sorted(allow.SPANS), "chat gpt-4o", "chat meta-llama/Llama-3.1-8B"])
def test_the_span_names_of_the_contract_are_shown(telemetry: OtelTelemetry, seen: InMemorySpanExporter, name: str) -> None:
    """Dashboards may rely on them."""
    with telemetry.span(name):
        pass
    assert only(seen).name == name


def test_an_exception_leaves_its_code_alone(telemetry: OtelTelemetry, seen: InMemorySpanExporter) -> None:
    """No event, no message, no description: an exception's words may be the caller's."""
    with pytest.raises(ValueError, match="Anna"), telemetry.span("sordino.mask"):
        raise ValueError("Anna Keller")
    with pytest.raises(RedactionUnavailable), telemetry.span("sordino.mask"):
        raise RedactionUnavailable("the detector is broken")
    first, second = seen.get_finished_spans()
    assert first.attributes == {"error.type": "internal"}
    assert second.attributes == {"error.type": "redaction_unavailable"}
    for span in (first, second):
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None
        assert not span.events


async def test_turns_hang_under_their_call_also_across_tasks(telemetry: OtelTelemetry, seen: InMemorySpanExporter) -> None:
    """The tree of spans follows the code, one tree a call, and two calls at once do not mix."""

    async def call(number: int) -> None:
        with telemetry.span("sordino.call", turn=number):
            async with asyncio.TaskGroup() as group:
                group.create_task(turn(number))

    async def turn(number: int) -> None:
        with telemetry.span("sordino.turn", turn=number):
            await asyncio.sleep(0)
            with telemetry.span("sordino.mask", turn=number):
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(call(number))
    spans = seen.get_finished_spans()
    assert len(spans) == 9
    ids = {span.context.span_id: span for span in spans if span.context}
    parents = {"sordino.mask": "sordino.turn", "sordino.turn": "sordino.call"}
    for span in spans:
        if span.name == "sordino.call":
            assert span.parent is None
        else:
            assert span.parent is not None
            above = ids[span.parent.span_id]
            assert above.name == parents[span.name]
            assert above.attributes == span.attributes


async def test_a_span_may_begin_in_one_task_and_end_in_another(telemetry: OtelTelemetry, seen: InMemorySpanExporter) -> None:
    """Such a span hangs where it was told to, is nobody's parent by itself, and may be ended twice."""
    call = telemetry.begin("sordino.call")

    async def elsewhere() -> None:
        turn = telemetry.begin("sordino.turn", parent=call)
        with telemetry.span("sordino.mask"):
            telemetry.begin("sordino.listen").end()
        turn.end()
        turn.end()

    async with asyncio.TaskGroup() as group:
        group.create_task(elsewhere())
    call.end()
    spans = {span.name: span for span in seen.get_finished_spans()}
    assert len(seen.get_finished_spans()) == 4
    parents = {name: span.parent and span.parent.span_id for name, span in spans.items()}
    ids = {name: span.context and span.context.span_id for name, span in spans.items()}
    assert parents == {
        "sordino.call": None,
        "sordino.turn": ids["sordino.call"],
        "sordino.mask": None,
        "sordino.listen": ids["sordino.mask"],
    }


def test_nothing_global_is_touched(telemetry: OtelTelemetry) -> None:
    """A library that uses OpenTelemetry can neither write into our spans nor send their ids to a processor."""
    tracers, meters = get_tracer_provider(), get_meter_provider()
    with telemetry.span("sordino.call"):
        assert not get_current_span().get_span_context().is_valid
    assert get_tracer_provider() is tracers
    assert get_meter_provider() is meters
    assert not isinstance(tracers, TracerProvider)


def test_the_last_gate_cleans_a_span_that_did_not_come_from_us() -> None:
    """Even a span that a library wrote by itself leaves without its name, text, events and status description."""
    seen, counted = InMemorySpanExporter(), []
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(AllowListExporter(seen, dropped=lambda: counted.append(1))))
    span = provider.get_tracer("other").start_span("Anna Keller", attributes={"lk.user_transcript": "Anna Keller"})
    span.add_event("said", {"text": "Anna Keller"})
    span.set_attribute("sordino.tenant", "Anna Keller")
    span.set_attribute("sordino.turn", 1)
    span.record_exception(ValueError("Anna Keller"))
    span.set_status(StatusCode.ERROR, "Anna Keller")
    span.end()
    left = only(seen)
    assert left.attributes == {"sordino.turn": 1}
    assert "Anna" not in left.to_json()
    assert counted == [1]


CALLS = [
    ("count", "sordino_masked_total", 2, {"entity": "PERSON"}, 'sordino_masked_total{entity="PERSON"}', 2),
    ("count", "sordino_refusals_total", 1, {"reason": "region"}, 'sordino_refusals_total{reason="region"}', 1),
    ("gauge", "sordino_calls_active", 1, {}, "sordino_calls_active", 1),
    ("count", "sordino_announcement_total", 1, {"outcome": "played"}, 'sordino_announcement_total{outcome="played"}', 1),
    (
        "count",
        "sordino_egress_total",
        1,
        {"processor": "mistral", "region": "eu"},
        'sordino_egress_total{processor="mistral",region="eu"}',
        1,
    ),
    ("observe", "sordino_turn_seconds", 0.02, {"stage": "mask"}, 'sordino_turn_seconds_bucket{le="0.025",stage="mask"}', 1),
    ("count", "sordino_carrier_faults_total", 1, {"kind": "late"}, 'sordino_carrier_faults_total{kind="late"}', 1),
    ("observe", "sordino_turn_seconds", 0.02, {"stage": "mask"}, 'sordino_turn_seconds_sum{stage="mask"}', 0.02),
    # What is not allowed is counted, under no name of its own.
    ("count", "sordino_masked_total", 1, {"entity": "Anna Keller"}, 'sordino_masked_total{entity="other"}', 1),
    ("count", "sordino_masked_total", 1, {}, 'sordino_masked_total{entity="other"}', 1),
    ("count", "sordino_masked_total", 1, {"entity": "Anna"}, 'sordino_telemetry_dropped_total{what="label"}', 1),
    ("count", "sordino_masked_total", 1, {"entity": "PERSON", "who": "x"}, 'sordino_telemetry_dropped_total{what="label"}', 1),
    ("count", "anna_total", 1, {}, 'sordino_telemetry_dropped_total{what="metric"}', 1),
    ("gauge", "sordino_masked_total", 1, {"entity": "PERSON"}, 'sordino_telemetry_dropped_total{what="metric"}', 1),
]


@pytest.mark.parametrize(("method", "name", "value", "labels", "line", "expected"), CALLS)
def test_prometheus_shows_the_names_of_the_contract(
    telemetry: OtelTelemetry, method: str, name: str, value: float, labels: dict[str, str], line: str, expected: float
) -> None:
    """A dashboard finds each metric under the very name that the contract gives."""
    getattr(telemetry, method)(name, value, **labels)
    assert metric(telemetry, line) == expected
    assert "Anna" not in telemetry.prometheus().decode()


def test_two_gateways_in_one_process_count_apart() -> None:
    """Metrics live in the object, not in the process."""
    first, second = OtelTelemetry(), OtelTelemetry()
    first.gauge("sordino_calls_active", 1)
    assert metric(first, "sordino_calls_active") == 1
    assert metric(second, "sordino_calls_active") == 0


def test_the_console_shows_one_line_a_span() -> None:
    """A person at a terminal reads how long, what and the facts; nothing of a failure's words."""
    out = io.StringIO()
    telemetry = OtelTelemetry(console=out)
    with (
        telemetry.span("sordino.call", tenant="acme"),
        pytest.raises(ValueError, match="Anna"),
        telemetry.span("sordino.mask", count=2, transcript="Anna Keller"),
    ):
        raise ValueError("Anna Keller")
    inner, outer = out.getvalue().splitlines()
    assert inner.endswith("ms    sordino.mask FAILED  count=2 error.type=internal")
    assert outer.endswith("ms  sordino.call  tenant=acme")


def test_closing_twice_is_harmless(telemetry: OtelTelemetry) -> None:
    """And what is still open ends quietly after it."""
    span = telemetry.span("sordino.call")
    telemetry.close()
    telemetry.close()
    with span:
        telemetry.count("sordino_masked_total", entity="PERSON")
