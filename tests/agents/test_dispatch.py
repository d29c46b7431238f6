"""Whose call a job is: by metadata, by the agent's name, by the worker or by the called number; and what is refused, and how."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from livekit import rtc
from livekit.protocol.agent import Job
from livekit.protocol.models import Room

from agents.dispatch import ends_of, tenant_of
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.errors import PolicyUnavailable
from gateway.values import Private

ROOT = Path(__file__).parents[2]
SIP, STANDARD = rtc.ParticipantKind.PARTICIPANT_KIND_SIP, rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
PHONE, ACME, OTHER = "+4915112345678", "+15550100", "+15550101"
NAMES_ACME, NAMES_OTHER = '{"tenant": "acme"}', '{"tenant": "other"}'


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> PolicyFolder:
    """Two tenants, each with a number."""
    folder = tmp_path_factory.mktemp("policies")
    (folder / "tenants").mkdir()
    (folder / "subprocessors.yaml").write_text("[]\n")
    for name, number in (("acme", ACME), ("other", OTHER)):
        text = f"tenant: {name}\nregions: [local]\nroute: {{}}\nannouncements: []\nnumbers: [{number}]\n"
        (folder / "tenants" / f"{name}.yaml").write_text(text)
    return PolicyFolder.open(folder)


def caller(called: str, kind: int = SIP) -> rtc.RemoteParticipant:
    attributes = {"sip.phoneNumber": PHONE, "sip.trunkPhoneNumber": called}
    return cast(rtc.RemoteParticipant, SimpleNamespace(kind=kind, attributes=attributes))


def job(metadata: str = "", room: str = "", agent_name: str = "") -> Job:
    return Job(id="AJ_1", room=Room(name="call", metadata=room), metadata=metadata, agent_name=agent_name)


@pytest.mark.parametrize(
    ("of", "who", "serves", "tenant"),
    [
        (job(NAMES_ACME), None, None, "acme"),
        (job(room=NAMES_ACME), None, None, "acme"),
        (job(agent_name="acme"), None, None, "acme"),
        (job(), None, "acme", "acme"),
        (job(), caller(ACME), None, "acme"),
        (job(NAMES_ACME, NAMES_ACME, "acme"), caller(ACME), "acme", "acme"),
        (job(NAMES_OTHER, agent_name="sordino"), caller(OTHER), None, "other"),
        (job("for the shop", '{"colour": "red"}'), caller(ACME), None, "acme"),
        (job("[1]"), None, None, None),
        (job(), caller("+15559999"), None, None),
        (job(), caller(ACME, STANDARD), None, None),
    ],
    ids=[
        "the job's metadata",
        "the room's metadata",
        "an agent's name that is a tenant's",
        "a worker for one tenant",
        "the called number",
        "all of them",
        "an agent's name that is no tenant's says nothing",
        "metadata of other programs says nothing",
        "nor does a list",
        "a number that is nobody's",
        "a browser cannot claim a number",
    ],
)
def test_a_job_is_the_tenants_that_it_names(
    policies: PolicyFolder, of: Job, who: rtc.RemoteParticipant | None, serves: str | None, tenant: str | None
) -> None:
    found = tenant_of(of, policies, who, serves=serves)
    assert (found.tenant if found else None) == tenant


@pytest.mark.parametrize(
    ("of", "who", "serves", "says"),
    [
        (job('{"tenant": "nobody"}'), None, None, "the job's metadata names a tenant that does not exist"),
        (job('{"tenant": 7}'), None, None, "the job's metadata names a tenant that does not exist"),
        (job(NAMES_ACME, NAMES_OTHER), None, None, "the job's metadata and the room's metadata name different tenants"),
        (job(NAMES_ACME, agent_name="other"), None, None, "the agent's name name different tenants"),
        (job(NAMES_OTHER), None, "acme", "this worker and the job's metadata name different tenants"),
        (job(NAMES_ACME), caller(OTHER), None, "the called number name different tenants"),
        (job(), caller(OTHER), "acme", "this worker and the called number name different tenants"),
    ],
)
def test_a_job_of_nobody_or_of_two_is_refused_and_the_error_says_who_named_what(
    policies: PolicyFolder, of: Job, who: rtc.RemoteParticipant | None, serves: str | None, says: str
) -> None:
    """One tenant's metadata on another one's line is a mistake that must not move data between them."""
    with pytest.raises(PolicyUnavailable, match=says) as caught:
        tenant_of(of, policies, who, serves=serves)
    assert caught.value.hint
    assert "nobody" not in str(caught.value), "what a stranger wrote is not repeated in our log"


@pytest.mark.parametrize(("kind", "number", "called"), [(SIP, PHONE, ACME), (STANDARD, "", "")])
def test_whose_law_holds_follows_from_numbers_that_livekit_sip_brought(kind: int, number: str, called: str) -> None:
    """A browser may write its own attributes, so it has no number."""
    ends = ends_of(caller(ACME, kind))
    assert (ends.caller, ends.called) == (Private(number), Private(called))
