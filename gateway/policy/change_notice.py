"""Notice of changed terms: a tenant is told that its policy, or a pack that it extends, has changed (promise 35).

What was told last stands in the tenant's notice log, so that a change is noticed also over a restart. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.policy.canonical import digest
from gateway.policy.model import TenantPolicy
from gateway.policy.notice import Event, Happened
from gateway.policy.notice_message import NoticeMessage, moment
from gateway.values import ProcessorId, TenantId

CHANGED = "policy.changed"
SUBJECT = "policy:"
"""What a policy's events carry where those of a sub-processor carry its id, which never has a colon."""

_AS_WRITTEN = {
    "regions_apart": "regions",
    "masking_apart": "masking",
    "presumed_origins": "origins",
    "loosened": "loosens",
}
"""Parts of the effective policy that files state under another name."""


def parts(policy: TenantPolicy) -> dict[str, str]:
    """Each part of the effective policy and the first half of its digest: enough to tell later which one has changed."""
    stated = policy.model_dump(mode="json", exclude_none=True)
    return {name: digest(value)[:32] for name, value in stated.items()}


def changed_settings(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """The names, as a tenant's file has them, of what is not the same in two results of ``parts``."""
    names = {name for name in (*before, *after) if before.get(name) != after.get(name)}
    return tuple(sorted({_AS_WRITTEN.get(name, name) for name in names}))


def is_of_policy(event: Event) -> bool:
    """Whether an event of a notice log is about the tenant's policy, not about a sub-processor."""
    return event.processor.startswith(SUBJECT)


def noticed(policy: TenantPolicy, events: Sequence[Event], at: datetime) -> tuple[Event, ...]:
    """What is to be added to the tenant's notice ``events``: nothing while the policy is the one that was told last.

    The first policy that is seen is nobody's change: it is put down without a channel, so that the next can be compared with it.
    Facts beside those of ``fold``: ``old`` (the digest before; empty for the first), ``settings`` (names with a comma between),
    ``parts`` (``name=digest``, the same).
    """
    last = next((event for event in reversed(events) if is_of_policy(event) and event.kind is Happened.ANNOUNCED), None)
    if last is not None and last.facts["material"] == policy.digest:
        return ()
    now = parts(policy)
    facts = {"material": policy.digest, "parts": ",".join(f"{name}={each}" for name, each in now.items())}
    if last is None:
        facts |= {"old": "", "settings": "", "channels": ""}
    else:
        before = dict(_pair(each) for each in last.facts["parts"].split(","))
        names = ",".join(changed_settings(before, now))
        facts |= {"old": last.facts["material"], "settings": names, "channels": ",".join(policy.contacts.channels)}
    subject = ProcessorId(f"{SUBJECT}{policy.digest[:16]}:{int(at.timestamp() * 1000)}")
    return (Event(Happened.ANNOUNCED, at, subject, facts),)


def change_message(event: Event, tenant: TenantId) -> NoticeMessage:
    """The notice of one change, as of the time at which it was noticed. Names of settings and digests, never values."""
    settings = [name for name in event.facts["settings"].split(",") if name]
    data = {
        "tenant": tenant,
        "old_digest": event.facts["old"],
        "new_digest": event.facts["material"],
        "settings": settings,
        "changed_at": moment(event.at),
    }
    name = f"notice_{tenant}_{str(event.processor).replace(':', '_')}"
    lines = (
        "We give notice that the policy has changed by which your calls are handled.",
        "",
        f"  Tenant:   {tenant}",
        f"  Settings: {', '.join(settings) or 'the same, written otherwise'}",
        f"  Noticed:  {data['changed_at']}",
        f"  Before:   {data['old_digest']}",
        f"  Now:      {data['new_digest']}",
        "",
        "The receipt of each call names the policy that it was handled by, by this digest.",
        "",
    )
    return NoticeMessage(name, CHANGED, event.at, f"The policy of {tenant} has changed", "\n".join(lines), data)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
