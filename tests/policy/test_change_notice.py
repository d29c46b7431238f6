"""Notice of changed terms: what has changed is named, never shown, and the same policy is told once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.policy.change_notice import change_message, changed_settings, noticed, parts
from gateway.policy.model import TenantPolicy
from gateway.policy.notice import fold
from gateway.values import ProcessorId, TenantId
from tests.policy.samples import NOW, loaded

TENANT = """\
tenant: acme
extends: [strict]
regions: [eu]
training: prohibited
contacts: {mail: [privacy@acme.example]}
notify_policy_changes: true
route:
  llm: [{processor: eu-llm, model: small}]
"""
PACK = "pack: strict\ntitle: x\nretention: {audio: 24h}\nmasking: {default: drop}\n"


def policy(tenant: str = TENANT, pack: str = PACK) -> TenantPolicy:
    return loaded(tenant, strict=pack).tenant("acme")


@pytest.mark.parametrize(
    ("tenant", "pack", "settings"),
    [
        (TENANT, PACK, ()),
        (TENANT + "# a remark\n", PACK.replace("title: x", "title: y"), ()),
        (TENANT.replace("training: prohibited", "training: opt-out"), PACK, ("training",)),
        (TENANT, PACK.replace("24h", "1h"), ("retention",)),
        (TENANT, PACK + "breach_hours: 12\n", ("breach_hours",)),
        (TENANT.replace("regions: [eu]", "regions: {default: [eu], stt: [fr]}"), PACK, ("origins", "regions")),
        (TENANT, PACK + "regions: {default: [eu], stt: [fr]}\norigins: [eu]\n", ("origins", "regions")),
        (TENANT.replace("regions: [eu]", "regions: [de]"), PACK, ("origins", "regions")),
        (TENANT, PACK.replace("{default: drop}", "{default: drop, PERSON: {default: drop, llm: keep}}"), ("masking",)),
        (TENANT.replace("small", "large") + "numbers: ['+15125550100']\n", PACK, ("numbers", "route")),
        (TENANT + 'agent: "a:B"\n', PACK, ("agent",)),
    ],
)
def test_what_changed_is_told_by_the_names_that_files_have(tenant: str, pack: str, settings: tuple[str, ...]) -> None:
    """In the tenant's own file and in a pack, and the same in both directions."""
    before, after = policy(), policy(tenant, pack)
    assert changed_settings(parts(before), parts(after)) == settings
    assert changed_settings(parts(after), parts(before)) == settings
    assert (before.digest == after.digest) is (not settings)


def test_the_first_policy_is_put_down_and_nobody_is_told() -> None:
    """There is nothing that it could be a change of."""
    events = noticed(policy(), (), NOW)
    (notice,) = fold(events).notices.values()
    assert (notice.material, notice.deliveries) == (policy().digest, {})
    assert noticed(policy(), events, NOW + timedelta(days=1)) == ()


def test_every_change_is_a_notice_of_its_own_also_the_way_back() -> None:
    """Each names the digest before it, and has its own id, which stays the same however often it is sent."""
    day = timedelta(days=1)
    stricter = policy(pack=PACK.replace("24h", "1h"))
    events = noticed(policy(), (), NOW)
    for number, current in enumerate((stricter, policy(), stricter), start=1):
        events = (*events, *noticed(current, events, NOW + number * day))
    told = [change_message(event, TenantId("acme")) for event in events[1:]]
    a, b = policy().digest, stricter.digest
    assert [(each.data["old_digest"], each.data["new_digest"]) for each in told] == [(a, b), (b, a), (a, b)]
    assert len({each.id for each in told}) == 3
    assert all(list(each.deliveries) == ["mail"] for each in fold(events[1:]).notices.values())


def test_the_message_has_names_and_digests_and_no_values() -> None:
    """The same facts for a program and for a person."""
    changed = policy(TENANT.replace("small", "secret-model") + "numbers: ['+15125550100']\n")
    events = noticed(policy(), (), NOW)
    (event,) = noticed(changed, events, NOW)
    message = change_message(event, TenantId("acme"))
    assert message.kind == "policy.changed"
    assert message.data == {
        "tenant": "acme",
        "old_digest": policy().digest,
        "new_digest": changed.digest,
        "settings": ["numbers", "route"],
        "changed_at": "2026-11-21T12:00:00Z",
    }
    assert "numbers, route" in message.text
    assert policy().digest in message.text
    assert changed.digest in message.text
    everything = f"{message}{event}"
    assert not any(value in everything for value in ("secret-model", "5125550100", "privacy@acme.example"))


def test_no_sub_processor_can_have_the_name_of_a_policy() -> None:
    """So what is said of one is never taken for the other."""
    (event,) = noticed(policy(), (), NOW)
    assert event.processor.startswith("policy:")
    assert ProcessorId(event.processor) not in loaded().registry.entries
