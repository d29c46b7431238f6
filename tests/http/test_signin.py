"""Signing in by a real OpenID provider on this machine: who gets a session, who does not, and what a session is good for."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from gateway.accessing import AccessNeeds, Door, open_access
from gateway.adapters.keys.oidc import AGAIN_AFTER_S, KEPT_S, oidc_settings
from gateway.adapters.keys.sealed import Sealed
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, Secrets
from gateway.errors import Misconfigured
from gateway.evidence.entries import Entry
from gateway.http.answers import needs_operator, typed_errors
from gateway.http.api import console_routes
from gateway.http.guard import CONSOLE_HEADER
from gateway.http.signin import SESSION_COOKIE, SIGNIN_COOKIE
from gateway.ports import Telemetry
from gateway.values import Private, TenantId
from tests.http.guarded import IDENTITY, KEY, Counted, Watch, policies
from tests.journeys.chromium import BINARY, chromium
from tests.peers.openid.provider import CLIENT, SECRET, Claims, Provider, provider, signed_with_the_public_key, unsigned

CONSOLE = {CONSOLE_HEADER: "1"}
ROLES = "privacy=privacy_officer:acme; ops=operator:*; ops=auditor:acme"


@dataclass
class Browser:
    """Keeps cookies as a browser does that takes this machine for safe, and follows where it is sent."""

    client: aiohttp.ClientSession
    url: str
    cookies: dict[str, str]
    seen: list[str]

    async def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        return await self.ask("GET", path, headers)

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        async with self.client.request(
            method, self.url + path, headers={**self._told(), **(headers or {})}, allow_redirects=False
        ) as answer:
            self._keep(answer)
            return answer.status, await answer.json() if answer.content_type == "application/json" else await answer.text()

    async def sign_in(self) -> tuple[int, Any]:
        """From ``/signin`` to the provider and back, as far as it goes."""
        return await self.get(await self.way_back())

    async def way_back(self) -> str:
        """The path of our own that the provider sends the browser to."""
        async with self.client.get(self.url + "/signin", allow_redirects=False) as away:
            assert away.status == 302, await away.text()
            self._keep(away)
        async with self.client.get(URL(away.headers["Location"], encoded=True), allow_redirects=False) as back:
            assert back.status == 302
            return back.headers["Location"].removeprefix(self.url)

    def _told(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _keep(self, answer: aiohttp.ClientResponse) -> None:
        for line in answer.headers.getall("Set-Cookie", []):
            self.seen.append(line)
            for name, found in SimpleCookie(line).items():
                self.cookies[name] = found.value
                if found["max-age"] == "0":
                    del self.cookies[name]


@dataclass
class House:
    """A gateway with people's sign-in."""

    provider: Provider
    browser: Browser
    clock: Watch
    ledger: RedisLedger

    async def entries(self, kind: str, chain: str = "_house") -> list[Entry]:
        found = [entry async for entry in self.ledger.entries(TenantId(chain))]
        return [entry for entry in found if entry.draft.kind == f"access.{kind}"]


@asynccontextmanager
async def house(store: Store, algorithm: str = "RS256", **env: str) -> AsyncIterator[House]:
    """A gateway, its provider, and a browser that has been nowhere yet."""
    async with AsyncExitStack() as running:
        peer = await running.enter_async_context(provider(algorithm))
        ledger = await running.enter_async_context(RedisLedger(store, timeout_s=store.timeout_s))
        client = await running.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        clock = Watch()
        clock.at = datetime.fromtimestamp(int(time.time()), UTC)
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        given = {"SORDINO_OIDC_ISSUER": peer.issuer, "SORDINO_OIDC_CLIENT_ID": CLIENT, "SORDINO_OIDC_ROLES": ROLES}
        given |= {"SORDINO_OIDC_CLIENT_SECRET": SECRET, **env}
        needs = AccessNeeds(store, ledger, policies, {}, clock, RandomIds())
        door = Door(Private(KEY), IDENTITY, cast(Telemetry, Counted()), Secrets(NOWHERE, given), given, url)
        paths = [web.get("/api/v1/calls", guarded), web.post("/api/v1/consents", guarded), *console_routes()]
        guard, routes = await open_access(needs, door, paths, running)
        app = web.Application(middlewares=[typed_errors, guard.middleware])
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        running.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listening).start()
        yield House(peer, Browser(client, url, {}, []), clock, ledger)


NOWHERE = Path("/nowhere")


async def shown(_: web.Request) -> web.Response:
    return web.json_response({"calls": []})


guarded = needs_operator(Private(KEY), shown)


class TestASession:
    @pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
    async def test_who_the_provider_vouches_for_gets_in_with_their_groups_roles(self, store: Store, algorithm: str) -> None:
        async with house(store, algorithm) as at:
            assert (await at.browser.get("/api/v1/calls"))[0] == 401
            assert (await at.browser.sign_in())[0] == 303
            assert (await at.browser.get("/api/v1/calls"))[0] == 200
            status, me = await at.browser.get("/api/v1/access/me")
            assert (status, me["via"]) == (200, "session")
            assert [(each["role"], each["tenants"]) for each in me["held"]] == [("privacy_officer", ["acme"])]
            signed_in = (await at.entries("signed_in", "acme"))[0].draft.body
            assert signed_in["who"] == me["id"]
            assert "ana@acme.example" not in str(signed_in)

    async def test_its_cookies_are_for_this_host_and_for_no_script_and_tell_nothing(self, store: Store) -> None:
        async with house(store) as at:
            await at.browser.sign_in()
            attributes = {line.split("=")[0]: line.lower() for line in at.browser.seen if "Max-Age=0" not in line}
            for name, same_site in ((SIGNIN_COOKIE, "lax"), (SESSION_COOKIE, "strict")):
                for part in ("secure", "httponly", "path=/", f"samesite={same_site}"):
                    assert part in attributes[name]
                assert "domain" not in attributes[name]
            assert set(at.browser.cookies) == {SESSION_COOKIE}

    async def test_it_ends_after_an_hour(self, store: Store) -> None:
        async with house(store) as at:
            await at.browser.sign_in()
            at.clock.at += timedelta(hours=1)
            assert (await at.browser.get("/api/v1/calls"))[0] == 401

    async def test_it_ends_when_one_signs_out_wherever_its_cookie_still_is(self, store: Store) -> None:
        async with house(store) as at:
            await at.browser.sign_in()
            kept = dict(at.browser.cookies)
            assert (await at.browser.ask("POST", "/signout", CONSOLE))[0] == 200
            at.browser.cookies = kept
            assert (await at.browser.get("/api/v1/calls"))[0] == 401

    async def test_an_owner_ends_it_at_once_and_lets_go_of_the_name(self, store: Store) -> None:
        async with house(store) as at:
            await at.browser.sign_in()
            owner = {"Authorization": f"Bearer {KEY}"}
            (person,) = (await at.browser.get("/api/v1/access/people", owner))[1]["people"]
            assert person["name"] == "ana@acme.example"
            path = f"/api/v1/access/people/{person['id']}"
            assert (await at.browser.ask("DELETE", f"{path}/sessions", owner))[1] == {"ended": 1}
            assert (await at.browser.get("/api/v1/calls"))[0] == 401
            assert (await at.browser.ask("DELETE", path, owner))[0] == 200
            assert (await at.browser.get("/api/v1/access/people", owner))[1] == {"people": []}
            assert (await at.browser.ask("DELETE", path, owner))[0] == 404

    async def test_what_changes_something_must_come_from_the_console(self, store: Store) -> None:
        """A form or a script of another page sends the cookie, if at all, without our header or from another site."""
        async with house(store) as at:
            await at.browser.sign_in()
            for headers in ({}, {"Sec-Fetch-Site": "cross-site", **CONSOLE}, {"Sec-Fetch-Site": "same-site", **CONSOLE}):
                status, body = await at.browser.ask("POST", "/api/v1/consents?tenant=acme", headers)
                assert (status, body["error"]["code"]) == (403, "forbidden")
            headers = {"Sec-Fetch-Site": "same-origin", **CONSOLE}
            assert (await at.browser.ask("POST", "/api/v1/consents?tenant=acme", headers))[0] == 200

    @pytest.mark.parametrize("cookie", ["", "x", "a" * 5_000, "ä", "AAAA" * 20])
    async def test_what_is_no_cookie_of_ours_opens_nothing(self, store: Store, cookie: str) -> None:
        async with house(store) as at:
            at.browser.cookies[SESSION_COOKIE] = cookie
            assert (await at.browser.get("/api/v1/calls"))[0] == 401

    async def test_nor_does_one_that_was_sealed_for_something_else(self, store: Store) -> None:
        async with house(store) as at:
            at.browser.cookies[SESSION_COOKIE] = Sealed(IDENTITY, "console sign-in").seal({"session": "x"})
            assert (await at.browser.get("/api/v1/calls"))[0] == 401


def later(seconds: int, *names: str) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **{name: claims[name] + seconds for name in names}}


def said(**changed: object) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **changed}


def without(name: str) -> Callable[[Claims], Claims]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


LIES: dict[str, Callable[[Claims], Claims]] = {
    "another sign-in's nonce": said(nonce="of-another"),
    "no nonce": without("nonce"),
    "another audience": said(aud="somebody-else"),
    "two audiences and no authorized party": said(aud=[CLIENT, "somebody-else"]),
    "another authorized party": said(aud=[CLIENT, "somebody-else"], azp="somebody-else"),
    "another issuer": said(iss="https://elsewhere.example"),
    "expired": later(-4_000, "exp", "iat"),
    "made long ago": later(-2_000, "iat"),
    "made in the future": later(4_000, "exp", "iat"),
    "no end": without("exp"),
    "no subject": without("sub"),
    "an empty subject": said(sub=""),
    "a subject that is a number": said(sub=7),
    "no second factor": said(amr=["pwd"]),
    "a second factor in another shape": said(amr="mfa"),
    "no word of how": without("amr"),
    "no group": said(groups=[]),
    "a group without a role": said(groups=["everybody"]),
    "groups in another shape": said(groups={"privacy": True}),
}


class TestWhoDoesNotGetIn:
    async def test_an_id_token_that_proves_too_little(self, store: Store) -> None:
        """One lie after the other, and each is on record; then the truth, which gets in."""
        async with house(store) as at:
            for count, (lie, change) in enumerate(LIES.items(), 1):
                at.provider.change = change
                status, body = await at.browser.sign_in()
                assert status == 401, lie
                assert body["error"]["code"] == "unauthenticated", lie
                assert SESSION_COOKIE not in at.browser.cookies, lie
                assert len(await at.entries("sign_in_refused")) == count
            at.provider.change = said()
            assert (await at.browser.sign_in())[0] == 303

    async def test_an_id_token_that_nobody_signed(self, store: Store) -> None:
        async with house(store) as at:
            at.provider.sign = unsigned
            assert (await at.browser.sign_in())[0] == 401

    async def test_the_public_key_is_no_secret_to_sign_with(self, store: Store) -> None:
        async with house(store) as at:
            at.provider.sign = signed_with_the_public_key(at.provider.signer)
            assert (await at.browser.sign_in())[0] == 401

    async def test_a_key_that_the_provider_does_not_publish(self, store: Store) -> None:
        async with house(store) as at:
            at.provider.rotate("first", publish=False)
            assert (await at.browser.sign_in())[0] == 401

    async def test_a_callback_that_this_browser_did_not_begin(self, store: Store) -> None:
        """Nor one whose state was changed: nobody is signed in as somebody else by a link."""
        async with house(store) as at:
            back = await at.browser.way_back()
            own = dict(at.browser.cookies)
            at.browser.cookies = {}
            assert (await at.browser.get(back))[0] == 401
            at.browser.cookies = own
            assert (await at.browser.get(back + "x"))[0] == 401
            assert (await at.browser.get(back))[0] == 303

    async def test_a_callback_that_was_here_before_or_is_late(self, store: Store) -> None:
        """Also where the provider takes its code twice."""
        async with house(store) as at:
            at.provider.forgetful = True
            back = await at.browser.way_back()
            own = dict(at.browser.cookies)
            assert (await at.browser.get(back))[0] == 303
            at.browser.cookies = own
            assert (await at.browser.get(back))[0] == 401
            late = await at.browser.way_back()
            at.clock.at += timedelta(minutes=10)
            assert (await at.browser.get(late))[0] == 401

    async def test_who_said_no_at_the_provider_and_whose_words_are_not_repeated(self, store: Store) -> None:
        async with house(store) as at:
            back = await at.browser.way_back()
            state = URL(back).query["state"]
            refused = f"/signin/callback?state={state}&code=x&error=access_denied&error_description=ana%40acme.example"
            status, body = await at.browser.get(refused)
            assert status == 401
            assert "acme.example" not in str(body)

    async def test_a_code_that_the_provider_does_not_take(self, store: Store) -> None:
        async with house(store) as at:
            state = URL(await at.browser.way_back()).query["state"]
            status, body = await at.browser.get(f"/signin/callback?state={state}&code=made-up")
            assert (status, body["error"]["code"]) == (401, "unauthenticated")

    async def test_a_flood_of_refusals_is_counted_and_does_not_grow_the_chain(self, store: Store) -> None:
        async with house(store) as at:
            for _ in range(40):
                assert (await at.browser.get("/signin/callback?state=x&code=y"))[0] == 401
            assert len(await at.entries("sign_in_refused")) == 30


class TestTheProvider:
    async def test_it_may_change_its_keys(self, store: Store) -> None:
        """A key that is not known is asked for once, and not again at once."""
        async with house(store) as at:
            assert (await at.browser.sign_in())[0] == 303
            at.clock.at += timedelta(seconds=AGAIN_AFTER_S + 1)
            at.provider.rotate("second")
            assert (await at.browser.sign_in())[0] == 303
            assert at.provider.key_sets == 2
            at.provider.rotate("third", publish=False)
            for _ in range(3):
                assert (await at.browser.sign_in())[0] == 401
            assert at.provider.key_sets == 2

    async def test_one_that_is_down_lets_nobody_in_and_comes_back(self, store: Store) -> None:
        async with house(store) as at:
            at.provider.down = True
            status, body = await at.browser.get("/signin")
            assert (status, body["error"]["code"]) == (502, "upstream_failed")
            at.provider.down = False
            assert (await at.browser.sign_in())[0] == 303
            at.clock.at += timedelta(seconds=KEPT_S + 1)
            at.provider.down = True
            assert (await at.browser.get("/signin"))[0] == 502

    @pytest.mark.parametrize(
        "discovery",
        [
            {"issuer": "https://elsewhere.example"},
            {"authorization_endpoint": "http://elsewhere.example/authorize"},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"authorization_endpoint": "https://user:password@elsewhere.example/"},
            {"authorization_endpoint": None},
        ],
    )
    async def test_one_that_sends_elsewhere_is_not_followed(self, store: Store, discovery: Claims) -> None:
        async with house(store) as at:
            at.provider.discovery = discovery
            assert (await at.browser.get("/signin"))[0] == 502

    async def test_a_level_of_assurance_does_as_well_where_the_setting_says_so(self, store: Store) -> None:
        async with house(store, SORDINO_OIDC_MFA="acr=phr, hwk") as at:
            for amr, acr, status in ((["pwd"], "phr", 303), (["hwk"], "low", 303), (["mfa"], "low", 401)):
                at.provider.amr = amr
                at.provider.change = said(acr=acr)
                assert (await at.browser.sign_in())[0] == status

    async def test_only_who_sets_it_so_does_without_a_second_factor(self, store: Store) -> None:
        async with house(store, SORDINO_OIDC_MFA="not-required") as at:
            at.provider.amr = None
            assert (await at.browser.sign_in())[0] == 303


@pytest.mark.skipif(BINARY is None, reason="no Chromium is installed here")
async def test_a_person_signs_in_at_the_console_and_out_again(store: Store, tmp_path: Path) -> None:
    """In a real browser: to the provider and back; no script of the page can read what came of it."""
    async with house(store) as at, chromium(tmp_path, tmp_path / "none.wav") as page:
        await page.open(at.browser.url)
        await page.until("!document.getElementById('sign-in').hidden")
        await page.open(at.browser.url + "/signin")
        await page.until("document.getElementById('role').textContent")
        assert await page.value("document.getElementById('role').textContent") == "privacy officer of acme"
        assert await page.value("document.cookie") == ""
        await page.until("!document.getElementById('sign-out').hidden")
        await page.click("#sign-out")
        await page.until("!document.getElementById('sign-in').hidden")
        assert await page.value("fetch('/api/v1/access/me').then((answer) => answer.status)") == 401
        await page.open(f"{at.browser.url}/?again#key={KEY}")
        await page.until("document.getElementById('role').textContent == 'owner of all tenants'")
        assert await page.value("location.hash") == ""


class TestTheSettings:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"SORDINO_OIDC_ISSUER": "http://login.example"}, "SORDINO_OIDC_ISSUER"),
            ({"SORDINO_OIDC_ISSUER": "login"}, "SORDINO_OIDC_ISSUER"),
            ({"SORDINO_OIDC_CLIENT_ID": ""}, "SORDINO_OIDC_CLIENT_ID"),
            ({"SORDINO_OIDC_ROLES": ""}, "SORDINO_OIDC_ROLES"),
            ({"SORDINO_OIDC_ROLES": "ops=operator"}, "SORDINO_OIDC_ROLES"),
            ({"SORDINO_OIDC_ROLES": "ops=boss:*"}, "SORDINO_OIDC_ROLES"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, changed: dict[str, str], said: str) -> None:
        env = {"SORDINO_OIDC_ISSUER": "https://login.example", "SORDINO_OIDC_CLIENT_ID": "x", "SORDINO_OIDC_ROLES": ROLES}
        with pytest.raises(Misconfigured, match=said):
            oidc_settings({**env, **changed}, Secrets(NOWHERE, {}))

    def test_without_an_issuer_nobody_signs_in(self) -> None:
        assert oidc_settings({}, Secrets(NOWHERE, {})) is None

    def test_a_group_may_have_several_roles(self) -> None:
        env = {"SORDINO_OIDC_ISSUER": "https://login.example", "SORDINO_OIDC_CLIENT_ID": "x", "SORDINO_OIDC_ROLES": ROLES}
        settings = oidc_settings(env, Secrets(NOWHERE, {}))
        assert settings is not None
        assert [each.role.value for each in settings.held(["ops", "others"])] == ["operator", "auditor"]
        assert settings.mfa == ("mfa",)
