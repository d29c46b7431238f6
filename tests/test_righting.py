"""Whose entry a stored line is, is read without opening it; what is read of a long history is what the ledger would give."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.chain import genesis, seal_written
from gateway.evidence.entries import Draft
from gateway.righting import call_in
from gateway.values import CallId, TenantId

ACME = TenantId("acme")
NASTY = st.sampled_from(['"call":"x"', '","call_previous":"', ',"call":"call_9","call_previous":"'])


@given(
    st.from_regex(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,40}[A-Za-z0-9_-])?", fullmatch=True),
    st.dictionaries(st.sampled_from(["call", "call_previous", "case", "x"]), st.text(max_size=20) | NASTY),
)
def test_the_call_of_a_line_is_the_entrys_own(call: str, body: dict[str, str]) -> None:
    """Whatever its body holds: acts of rights have a member of that name too."""
    draft = Draft(ACME, CallId(call), "x", datetime(2026, 11, 1, tzinfo=UTC), body, genesis(ACME))
    _, line = seal_written(draft, 1, genesis(ACME))
    assert call_in(line) == call.encode()
