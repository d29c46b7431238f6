"""Which TLS was spoken with a processor stands in the evidence of the call that it was spoken for, once for each that differs."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import pytest

from gateway.adapters.providers.negotiated import MOST_CALLS, Negotiated
from gateway.adapters.providers.openai import OpenAIChat
from gateway.adapters.providers.outbound import outbound_session, tls_contexts
from gateway.evidence.entries import Json
from gateway.values import CallId, TenantId
from tests.adapters.providers.certificates import authority_and_server
from tests.adapters.providers.grants import llm_grant
from tests.adapters.providers.test_openai import HELLO, Keys, good
from tests.adapters.providers.upstream import upstream

ACME, CALL = TenantId("acme"), CallId("call_1")


@pytest.mark.parametrize(("most", "spoken"), [(ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")])
async def test_the_version_that_was_really_spoken_is_told_once_a_call(most: ssl.TLSVersion, spoken: str) -> None:
    """Not the one that was wished for."""
    authority, server = authority_and_server("127.0.0.1")
    server.maximum_version = most
    told: list[Mapping[str, Json]] = []
    negotiated = Negotiated()
    negotiated.follow(ACME, CALL, told.append)
    async with upstream(good, tls=server) as there, outbound_session(negotiated.saw) as session:
        chat = OpenAIChat(session, Keys(), tls=tls_contexts(authority))
        for _ in range(2):
            assert [delta async for delta in chat.stream(llm_grant(there.base_url), HELLO)]
        assert [delta async for delta in chat.stream(llm_grant(there.base_url, call=CallId("call_2")), HELLO)]
    assert len(told) == 1
    assert {**told[0], "cipher": ""} == {
        "hop": "llm",
        "processor": "eu-llm",
        "host": "127.0.0.1",
        "tls": spoken,
        "cipher": "",
    }
    assert str(told[0]["cipher"]).isupper() or "-" in str(told[0]["cipher"])


async def test_what_stays_on_this_machine_without_tls_is_not_told() -> None:
    told: list[Mapping[str, Json]] = []
    negotiated = Negotiated()
    negotiated.follow(ACME, CALL, told.append)
    async with upstream(good) as there, outbound_session(negotiated.saw) as session:
        assert [delta async for delta in OpenAIChat(session, Keys()).stream(llm_grant(there.base_url), HELLO)]
    assert told == []


def test_a_gateway_that_runs_for_years_forgets_calls_that_ended() -> None:
    """Memory is bounded; whoever is followed anew is told anew."""
    negotiated = Negotiated()
    for number in range(MOST_CALLS + 10):
        negotiated.follow(ACME, CallId(f"call_{number}"), lambda body: None)
    told: list[Mapping[str, Json]] = []
    negotiated.saw(llm_grant("https://eu.example/v1", call=CallId("call_0")), "TLSv1.3", "X")
    negotiated.follow(ACME, CALL, told.append)
    negotiated.saw(llm_grant("https://eu.example/v1"), "TLSv1.3", "X")
    assert len(told) == 1
