"""The desks as a gateway opens them: a notice goes out by real webhook and mail, and is tried again until it arrives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway import governing
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.errors import Misconfigured
from gateway.governing import Ends, Governing, Needs, law_of_call, open_governing, origins_of, retry_notices
from gateway.values import Private, TenantId
from gateway.webhooks import signing_key, verify
from tests.policy.samples import TENANT, loaded
from tests.runner.desks import PENDING

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class World:
    """The tenant's own servers."""

    status: int = 200
    says: str = ""
    """What stands in the tenant's file beside its contacts, now."""
    hooks: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    mails: list[Envelope] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.hooks.append((request.headers, await request.read()))
        self.came.set()
        return web.Response(status=self.status)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the server calls it so
        self.mails.append(envelope)
        return "250 taken"


@asynccontextmanager
async def opened(store: Store, world: World, tmp_path: Path, **env: str) -> AsyncIterator[Governing]:
    loop = asyncio.get_running_loop()
    app = web.Application()
    app.add_routes([web.post("/hooks", world.take)])
    async with AsyncExitStack() as running:
        hooks = await running.enter_async_context(TestServer(app))
        smtp = await loop.create_server(lambda: SMTP(world, loop=loop), "127.0.0.1", 0)
        await running.enter_async_context(smtp)
        contacts = (
            f'contacts: {{webhook: {{url: "{hooks.make_url("/hooks")}", secret: ACME_HOOK}}, mail: [privacy@acme.example]}}\n'
        )
        policies = lambda: loaded(TENANT + contacts + world.says, registry=PENDING)  # noqa: E731 - the file changes
        environment = {
            "ACME_HOOK": SECRET,
            "SORDINO_SMTP_URL": f"smtp://127.0.0.1:{smtp.sockets[0].getsockname()[1]}",
            "SORDINO_MAIL_FROM": "notices@sordino.example",
            **env,
        }
        ledger = await running.enter_async_context(RedisLedger(store, timeout_s=20))
        secrets = Secrets(tmp_path, environment)
        needs = Needs(store, ledger, policies, secrets, b"k" * 32, environment, SystemClock(), RandomIds())
        yield await open_governing(needs, running)


async def test_a_notice_arrives_by_webhook_and_mail(store: Store, tmp_path: Path) -> None:
    """Signed with the tenant's secret, with one id in both, and the proof of both in the log."""
    world = World()
    async with opened(store, world, tmp_path) as desks:
        (standing,) = await desks.notices.announce("eu-llm")
    assert standing.notice is not None
    assert {name: each.proof.split(",")[0] for name, each in standing.notice.deliveries.items()} == {
        "webhook": "HTTP 200",
        "mail": "taken for 1 of 1",
    }
    headers, body = world.hooks[0]
    verify(signing_key(Private(SECRET)), headers, body, now=SystemClock().now())
    assert isinstance(world.mails[0].content, bytes)
    assert headers["webhook-id"].encode() in world.mails[0].content


async def test_what_did_not_arrive_is_tried_again_by_itself(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running gateway goes on trying; the tenant's server comes back, and the notice is delivered."""
    monkeypatch.setattr(governing, "RETRY_EVERY_S", 0.01)
    monkeypatch.setattr("gateway.policy.notice.RETRY_AFTER_S", (0,) * 1_000)
    world = World(status=503)
    async with opened(store, world, tmp_path) as desks:
        await desks.notices.announce("eu-llm")
        trying = asyncio.gather(retry_notices(desks.notices, desks.changes, desks.policies))
        async with asyncio.timeout(60):
            while len(world.hooks) < 3:
                world.came.clear()
                await world.came.wait()
            world.status = 200
            while not all((await state(desks)).values()):  # noqa: ASYNC110 - it waits for the store, which tells nobody
                await asyncio.sleep(0.01)
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
        assert len(world.mails) == 1


async def test_a_policy_that_changes_while_the_gateway_runs_is_told_by_webhook_and_mail(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed, with the names of the settings that changed."""
    monkeypatch.setattr(governing, "RETRY_EVERY_S", 0.01)
    world, written = World(says="notify_policy_changes: true\n"), RedisNoticeLog(store)
    async with opened(store, world, tmp_path) as desks, asyncio.timeout(60):
        looking = asyncio.gather(retry_notices(desks.notices, desks.changes, desks.policies))
        while not await written.events(TenantId("acme")):  # noqa: ASYNC110 - it waits for the store, which tells nobody
            await asyncio.sleep(0.01)
        assert not world.hooks
        world.says += "breach_hours: 12\n"
        while not (world.hooks and world.mails):  # noqa: ASYNC110 - the mail server tells nobody
            await asyncio.sleep(0.01)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    headers, body = world.hooks[0]
    verify(signing_key(Private(SECRET)), headers, body, now=SystemClock().now())
    told = json.loads(body)
    assert (told["type"], told["data"]["settings"]) == ("policy.changed", ["breach_hours"])
    assert isinstance(world.mails[0].content, bytes)
    assert b"breach_hours" in world.mails[0].content


async def state(desks: Governing) -> Mapping[str, object]:
    (standing,) = await desks.notices.standings("eu-llm")
    assert standing.notice is not None
    return {name: each.delivered_at for name, each in standing.notice.deliveries.items()}


@pytest.mark.parametrize("env", [{"SORDINO_SMTP_URL": "http://mail.example"}, {"SORDINO_MAIL_FROM": ""}])
async def test_a_mail_server_that_is_none_is_told_at_the_start(store: Store, tmp_path: Path, env: dict[str, str]) -> None:
    """Not when the first notice is due."""
    with pytest.raises(Misconfigured, match="SORDINO_"):
        async with opened(store, World(), tmp_path, **env):
            pass


@pytest.mark.parametrize(
    ("caller", "called", "stated", "laws"),
    [
        ("+4930901820", "+15125550100", "", {"de", "us"}),
        ("+4930901820", "", "", {"de", "eu"}),
        ("", "", "", set()),
        ("", "", "origins: [in]\n", {"in"}),
        ("+18005550100", "+15125550100", "origins: [us]\n", {"us"}),
    ],
)
def test_whose_law_holds_for_a_call(caller: str, called: str, stated: str, laws: set[str]) -> None:
    """Both ends'; where one is not known, what the files presume counts as well; where none is, the files alone."""
    policies = loaded(TENANT + stated)
    policy = policies.tenant("acme")
    assert origins_of(policy, law_of_call(policies, policy, Ends(Private(caller), Private(called)))[0]) == laws
