"""Wiring of what goes on beside calls: notices of sub-processors, objections, and the check before a number is dialled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from gateway.adapters.keys.spoken import SpokenHash
from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.notices.mail import MailSender, mail_server
from gateway.adapters.notices.webhook import WebhookSender
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.errors import InvalidRequest, SordinoError
from gateway.http.governance import governance_routes
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.policy.contacts import MAIL, WEBHOOK
from gateway.policy.disclosing import FirstWords, first_words
from gateway.policy.egress import decide
from gateway.policy.explain import USUAL_DATA, usual_purpose
from gateway.policy.jurisdiction import Jurisdiction, jurisdiction, locate
from gateway.policy.load import PolicySet
from gateway.policy.model import TenantPolicy
from gateway.policy.notice import Notices
from gateway.policy.question import Ask
from gateway.policy.registry import Registry
from gateway.ports import Clock, Ids, Ledger, Secrets
from gateway.runner.account import CallAccount
from gateway.runner.consents import KeepAnswer
from gateway.runner.notices import NoticeDesk, NoticeSender, NoticeWatch, terms_of
from gateway.runner.opt_out import HeardOnce
from gateway.runner.outbound import DialDesk
from gateway.runner.policy_notices import PolicyNotices
from gateway.runner.rights_callers import Callers, homes
from gateway.runner.rights_spoken import SpokenPersons
from gateway.values import CallId, Hop, Private, TenantId

log = logging.getLogger(__name__)

RETRY_EVERY_S = 5.0
SMTP_URL, MAIL_FROM, SMTP_PASSWORD = "SORDINO_SMTP_URL", "SORDINO_MAIL_FROM", "SORDINO_SMTP_PASSWORD"


@dataclass(frozen=True, slots=True)
class Ends:
    """The two numbers of a call as the carrier tells them; empty: withheld, or a call without numbers."""

    caller: Private[str] = field(default_factory=lambda: Private(""))
    called: Private[str] = field(default_factory=lambda: Private(""))
    caller_place: str = ""
    """Where the carrier says that the caller is; empty: it does not say."""


NO_NUMBERS = Ends()


@dataclass(frozen=True, slots=True)
class Needs:
    """What the desks stand on. ``identity``: the key that keyed hashes are derived from; ``env`` names the operator's mail
    server.
    """

    store: Store
    ledger: Ledger
    policies: Callable[[], PolicySet]
    secrets: Secrets
    identity: bytes
    env: Mapping[str, str]
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Governing:
    """The desks of one gateway."""

    notices: NoticeDesk
    watch: NoticeWatch
    changes: PolicyNotices
    dial: DialDesk
    policies: Callable[[], PolicySet]
    callers: Callers
    spoken: SpokenPersons
    senders: Mapping[str, NoticeSender] = field(default_factory=dict)
    """By channel: how tenants are told of whatever they are to be told."""

    def routes(self, operator: Private[str]) -> list[web.RouteDef]:
        """Their paths, behind the operator's key."""
        return governance_routes(operator, self.notices, self.dial, self.policies)


async def open_governing(needs: Needs, running: AsyncExitStack) -> Governing:
    """The desks; their connections are closed with ``running``. Raises Misconfigured for a mail server that is none."""
    notice_log = RedisNoticeLog(needs.store)
    senders = await open_senders(needs.secrets, needs.env, needs.clock, running)
    desk = NoticeDesk(notice_log, needs.ledger, needs.policies, senders, needs.clock, needs.ids, permitted_route)
    persons = RedisSubjects(needs.store)
    subject = SubjectHash(Private(needs.identity), homes(lambda: needs.policies().tenants))
    dial = DialDesk(
        RedisSuppression(needs.store),
        RedisConsents(needs.store),
        needs.ledger,
        lambda tenant: needs.policies().tenant(tenant),
        subject,
        needs.clock,
        needs.ids,
        persons,
    )
    callers = Callers(persons, subject, needs.clock)
    changes = PolicyNotices(notice_log, needs.ledger, senders, needs.clock, needs.ids)
    spoken = SpokenPersons(persons, SpokenHash(Private(needs.identity)), needs.clock)
    watch = NoticeWatch(notice_log, needs.policies)
    return Governing(desk, watch, changes, dial, needs.policies, callers, spoken, senders)


async def open_senders(
    secrets: Secrets, env: Mapping[str, str], clock: Clock, running: AsyncExitStack
) -> dict[str, NoticeSender]:
    """By channel: how tenants are told of things. Raises Misconfigured for a mail server that is none."""
    senders: dict[str, NoticeSender] = {WEBHOOK: await running.enter_async_context(WebhookSender(secrets, clock.now))}
    if url := env.get(SMTP_URL):
        server = mail_server(url, env.get(MAIL_FROM, ""), None)
        if server.user:
            server = mail_server(url, env.get(MAIL_FROM, ""), secrets.read(SMTP_PASSWORD))
        senders[MAIL] = MailSender(server)
    return senders


def law_of_call(policies: PolicySet, policy: TenantPolicy, ends: Ends) -> tuple[Jurisdiction, FirstWords]:
    """Whose law holds for a call of this tenant between the two numbers, and what is told first for it."""
    caller = locate(ends.caller, carrier=(ends.caller_place,), stated=policy.origins)
    law = jurisdiction(caller, locate(ends.called, stated=policy.origins))
    return law, first_words(policy, policies.packs, law)


def origins_of(policy: TenantPolicy, law: Jurisdiction) -> frozenset[str]:
    """What ``Ask.origins`` takes: the laws of both ends, and what the files presume where one of them is not known."""
    known = frozenset(law.laws)
    return known | frozenset(policy.presumed_origins) if known and law.places is None else known


def opt_out_on_call(dial: DialDesk, account: CallAccount, other: Private[str]) -> HeardOnce:
    """What happens when the other end asks not to be called again: it is in force and on record before the call goes on."""

    async def act(how: How) -> None:
        recorded = True
        try:
            await dial.opt_out(account.tenant, other, how=how, proof=account.call)
        except InvalidRequest:
            recorded = False  # their number is withheld: nobody can call it, and nobody could be told apart by it
        await account.write("opt_out", {"how": how.value, "recorded": recorded})

    return HeardOnce(act)


def answers_on_call(dial: DialDesk, account: CallAccount, other: Private[str], clock: Clock) -> KeepAnswer:
    """Where the answers of a call's other end are kept: in the consent ledger, with the call as their proof."""

    async def keep(purpose: str, answer: Answer, how: How) -> None:
        # A withheld number has no ledger: then the receipt alone holds the answer.
        with suppress(InvalidRequest):
            await dial.consent(account.tenant, other, ConsentRecord(answer, purpose, how, clock.now(), account.call))

    return keep


async def retry_notices(desk: NoticeDesk, changes: PolicyNotices, policies: Callable[[], PolicySet]) -> None:
    """Notice changed policies and deliver what is due, again and again, until cancelled. A failure waits for the next round."""
    while True:
        await asyncio.sleep(RETRY_EVERY_S)
        for tenant, policy in policies().tenants.items():
            if not policy.contacts.channels:
                continue
            try:
                await desk.deliver_due(tenant)
                await changes.look(policy)
            except SordinoError as error:
                log.warning("notices of tenant %s could not be delivered now: %s", tenant, error.code)


def permitted_route(policy: TenantPolicy, registry: Registry, notices: Notices, at: datetime) -> dict[str, Sequence[str]]:
    """Hop to the processors that the tenant's policy permits there, in their order, for what a hop usually carries."""
    terms, entries = terms_of(policy), list(registry.entries.values())
    barred, noticed = notices.barred(entries, terms, at), notices.cleared(entries, terms, at)
    found: dict[str, Sequence[str]] = {}
    for hop in Hop:
        if policy.route.candidates(hop):
            ask = Ask(
                tenant=TenantId(policy.tenant),
                call=CallId("route"),
                hop=hop,
                categories=frozenset(USUAL_DATA[hop]),
                purpose=usual_purpose(hop),
                at=at,
                grant_id="route",
                barred=barred,
                noticed=noticed,
            )
            found[hop.value] = [verdict.processor for verdict in decide(policy, registry, ask).verdicts if verdict.permitted]
    return found
