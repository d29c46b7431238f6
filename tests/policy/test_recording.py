"""What policies say of recording: off by default, what it needs, and the strictest of several words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.errors import PolicyInvalid
from gateway.policy.egress import Ask, decide
from gateway.policy.load import PolicySet, load
from gateway.policy.recording import OnWithdrawal, Recording, Redact, WithoutStorage
from gateway.values import CallId, DataCategory, Hop, TenantId

STORAGE = """\
- {id: disk, name: Files, purpose: recordings, kind: storage, dialect: folder, region: local, training: prohibited,
   retention_days: 0, receives: [voice], status: active, source: invented, checked_on: 2026-11-01}
- {id: bucket, name: Bucket, purpose: recordings, kind: storage, dialect: s3, base_url: "https://s3.example/calls",
   secret: S3_KEY, region: us, training: prohibited, retention_days: 0, receives: [voice], mechanism: {eu: none-needed},
   dpa: {reference: D, reviewed_on: 2026-05-01}, status: active, source: invented, checked_on: 2026-11-01}
"""
ASKS = "announcements: [{id: a, text: May we record?, mode: stay-on-line, says: [recording]}]\n"
ROUTE = "route: {storage: [{processor: bucket}, {processor: disk}]}\n"
KEPT = "retention: {audio: 30d}\n"
ON = "recording: {enabled: true}\n"
TENANT = "tenant: acme\nregions: [eu]\norigins: [eu]\n"


def loaded(tenant: str, **packs: str) -> PolicySet:
    files = {f"packs/{name}.yaml": text for name, text in packs.items()}
    return load({**files, "tenants/acme.yaml": tenant, "subprocessors.yaml": STORAGE})


def faults(tenant: str, **packs: str) -> str:
    with pytest.raises(PolicyInvalid) as refused:
        loaded(tenant, **packs)
    return str(refused.value)


def test_without_a_word_nothing_is_recorded_and_every_choice_is_the_strictest() -> None:
    assert loaded(TENANT).tenant("acme").recording == Recording(
        enabled=False,
        on_withdrawal=OnWithdrawal.DELETE,
        redact=Redact.SILENCE,
        without_storage=WithoutStorage.CONTINUE_UNRECORDED,
    )


@pytest.mark.parametrize(
    ("without", "fault"),
    [
        (ASKS, "no announcement asks whether callers agree"),
        (ROUTE, "the route names no storage"),
        (KEPT, "nothing says how long recordings are kept"),
    ],
)
def test_a_recording_needs_who_asks_where_it_goes_and_for_how_long(without: str, fault: str) -> None:
    whole = TENANT + ASKS + ROUTE + KEPT + ON
    assert loaded(whole).tenant("acme").recording.enabled
    assert f"recording is on, and {fault}" in faults(whole.replace(without, ""))


def test_of_a_pack_and_a_tenant_the_stricter_word_holds() -> None:
    pack = "pack: firm\ntitle: Firm\nrecording: {enabled: true, redact: silence, on_withdrawal: keep-until-then}\n"
    own = "extends: [firm]\nrecording: {enabled: true, redact: bleep, on_withdrawal: delete}\n"
    joined = loaded(TENANT + ASKS + ROUTE + KEPT + own, firm=pack).tenant("acme").recording
    assert (joined.redact, joined.on_withdrawal) == (Redact.SILENCE, OnWithdrawal.DELETE)


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        ("{enabled: true}", "firm asks for recording: {enabled: false}"),
        ("{enabled: true, redact: none}", "firm asks for recording.redact: silence"),
        ("{enabled: true, on_withdrawal: keep-until-then}", "firm asks for recording.on_withdrawal: delete"),
    ],
)
def test_who_records_more_than_a_pack_allows_must_say_so_by_name(own: str, asked: str) -> None:
    pack = "pack: firm\ntitle: Firm\nrecording: {enabled: false, redact: silence, on_withdrawal: delete}\n"
    assert asked in faults(TENANT + ASKS + ROUTE + KEPT + f"extends: [firm]\nrecording: {own}\n", firm=pack)


def asked(purpose: str, hop: Hop = Hop.STORAGE) -> Ask:
    return Ask(
        tenant=TenantId("acme"),
        call=CallId("call_1"),
        hop=hop,
        categories=frozenset({DataCategory.VOICE}),
        purpose=purpose,
        at=datetime(2026, 11, 22, tzinfo=UTC),
        grant_id="grant_1",
    )


def test_a_recording_goes_where_the_regions_allow_and_nowhere_else() -> None:
    """The bucket in the US stands first in the route and is refused; the files of this machine get the Grant."""
    policies = loaded(TENANT + ASKS + ROUTE + KEPT + ON)
    decision = decide(policies.tenant("acme"), policies.registry, asked("recording"))
    assert decision.grant is not None
    assert decision.grant.processor == "disk"
    assert "its region us is not in the tenant's regions" in str(decision.reasons)


def test_nothing_is_stored_for_a_tenant_that_does_not_record_and_nothing_under_another_purpose() -> None:
    off = loaded(TENANT + ROUTE)
    assert "recording is not enabled" in str(decide(off.tenant("acme"), off.registry, asked("recording")).reasons)
    on = loaded(TENANT + ASKS + ROUTE + KEPT + ON)
    assert decide(on.tenant("acme"), on.registry, asked("analytics")).grant is None
