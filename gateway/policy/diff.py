"""What another policy would decide otherwise: rows of the matrices, and questions that real calls asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from gateway.policy.egress import Ask, decide
from gateway.policy.explain import USUAL_DATA
from gateway.policy.fields import Model, Region, Slug, Text, Tls
from gateway.policy.load import PolicySet
from gateway.policy.matrix import Moment, Played
from gateway.policy.model import CONVERSATION
from gateway.values import CallId, DataCategory, Hop, TenantId


class Asked(Model):
    """A question as a file of asks holds it, one JSON object a line; receipts are read into the same."""

    tenant: Slug
    hop: Hop
    at: Moment
    call: Text = "ask"
    data: tuple[DataCategory, ...] = ()
    purpose: Slug = CONVERSATION
    origins: tuple[Region, ...] = ()
    """Whose laws protected the data."""
    placed: bool = True
    """Whether both ends could be placed: otherwise the laws that the files presume count as well."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is decided otherwise. ``what`` names the row or the call; ``before`` and ``after`` say what is decided."""

    what: str
    before: str
    after: str


def changed_rows(old: Iterable[Played], new: Iterable[Played]) -> Iterator[Change]:
    """Rows of the same suites over two folders, in the same order."""
    for before, after in zip_longest(old, new):
        row = after or before
        if row is None or row.rule is not None:
            continue
        told = [_told(each) for each in (before, after)]
        for key in dict.fromkeys((*told[0], *told[1])):
            was, becomes = told[0].get(key, "nothing"), told[1].get(key, "nothing")
            if was != becomes:
                yield Change(f"{row.suite}: {row.call}: {key}", was, becomes)


def _told(row: Played | None) -> Mapping[str, str]:
    if row is None or row.outcome is None:
        return {"policy": "; ".join(row.differences) if row is not None else "no such row"}
    outcome = row.outcome
    return {
        "announcements": ", ".join(outcome.announcements) or "none",
        "consent": outcome.consent,
        **{hop.value: processor for hop, processor in outcome.route.items()},
        **{f"mask {kind}": mask for kind, mask in outcome.masking.items()},
    }


def changed_asks(asked: Iterable[Asked], old: PolicySet, new: PolicySet) -> Iterator[Change]:
    """Questions that were really asked: who would receive the data now, and who under the new policy."""
    for each in asked:
        was, becomes = decided_by(each, old), decided_by(each, new)
        if was != becomes:
            yield Change(f"call {each.call} of {each.tenant}, {each.hop.value} at {_short(each.at)}", was, becomes)


def decided_by(asked: Asked, policies: PolicySet) -> str:
    """Who would receive the data: ``processor (region)``, or why nobody."""
    policy = policies.tenants.get(TenantId(asked.tenant))
    if policy is None:
        return "no policy for this tenant"
    presumed = policy.presumed_origins if asked.origins and not asked.placed else ()
    ask = Ask(
        tenant=TenantId(asked.tenant),
        call=CallId(asked.call),
        hop=asked.hop,
        categories=frozenset(asked.data or USUAL_DATA[asked.hop]),
        purpose=asked.purpose,
        at=asked.at,
        grant_id="diff",
        origins=frozenset((*asked.origins, *presumed)),
    )
    decision = decide(policy, policies.registry, ask)
    if decision.grant is not None:
        tls = f", TLS {decision.grant.tls} at least" if decision.grant.tls is Tls.V1_3 else ""
        return f"{decision.grant.processor} ({decision.grant.region}{tls})"
    return "refused: " + ("; ".join(decision.reasons[:2]))


def _short(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
