"""Who is let in at the control interface: by right, by tenant, with a reason for private text; and each answer is on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.stores.api_keys import HOUSE
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.redis import Store
from gateway.errors import Misconfigured
from gateway.http.access import CONTROL, check_served
from gateway.http.answers import asker, needs_operator, reason_of, typed_errors
from gateway.http.api import call_routes
from gateway.http.open_paths import OTHERS
from gateway.http.rule import Open, Reach
from gateway.policy.offboarding import Done, Offboarding, Status, Step, Times
from gateway.policy.roles import Right
from gateway.runner.account import CallAccount
from gateway.values import CallId, Private, TenantId
from tests.http.guarded import KEY, guarded

CALL = "call_01kb0000000000000000000000"
SOUND = f"/api/v1/calls/acme/{CALL}/recording"


async def load(tenant: TenantId, call: CallId) -> bytes | None:
    return b"{}" if (tenant, call) == ("acme", CALL) else None


async def calls() -> list[dict[str, object]]:
    return [{"tenant": "acme", "call": CALL}, {"tenant": "beta", "call": "call_2"}]


async def sound(request: web.Request) -> web.Response:
    return web.json_response({"by": asker(request), "reason": reason_of(request)})


async def check(request: web.Request) -> web.Response:
    return web.json_response({"tenant": (await request.json())["tenant"]})


OPERATOR = Private(KEY)
ROUTES = [
    *call_routes(OPERATOR, load, calls),
    web.get("/api/v1/calls/{tenant}/{call}/recording", needs_operator(OPERATOR, sound)),
    web.post("/api/v1/outbound/check", needs_operator(OPERATOR, check)),
]


class TestWhoIsLetIn:
    async def test_nobody_without_a_key(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            for key in (None, "", "sak_" + "a" * 43, "wrong", "ä"):
                status, body = await door.ask("GET", "/api/v1/calls", key)
                assert (status, body["error"]["code"]) == (401, "unauthenticated")
            assert not await door.entries()
            assert [labels["outcome"] for _, labels in door.counted.counts] == ["unauthenticated"] * 5

    async def test_the_operators_key_opens_everything_and_each_use_is_on_record(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            assert (await door.ask("GET", "/api/v1/calls"))[0] == 200
            entry = (await door.entries("acme"))[-1].draft
            assert entry.kind == "access.allowed"
            assert entry.body["who"] == entry.body["via"] == "operator-key"
            assert door.counted.counts[-1][1]["outcome"] == "break_glass"

    async def test_a_key_of_a_role_may_do_what_the_role_may(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            auditor = await door.key("auditor")
            assert (await door.ask("GET", "/api/v1/calls", auditor))[0] == 200
            status, body = await door.ask("POST", "/api/v1/outbound/check", auditor, {"tenant": "acme"})
            assert (status, body["error"]["code"]) == (403, "forbidden")
            refused = (await door.entries("acme", "access.refused"))[0].draft.body
            assert (refused["right"], refused["path"]) == ("outbound.check", "/api/v1/outbound/check")

    async def test_a_key_may_be_for_less_than_its_role(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            only_dials = await door.key("service", rights=("outbound.check",))
            assert (await door.ask("POST", "/api/v1/outbound/check", only_dials, {"tenant": "acme"}))[0] == 200
            assert (await door.ask("GET", "/api/v1/calls", only_dials))[0] == 403

    async def test_a_key_that_has_expired_or_was_revoked_lets_nobody_in(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            short = await door.key("owner", days=1)
            door.clock.at += timedelta(seconds=1)
            gone = await door.key("owner")
            await door.desk.revoke_key((await door.desk.keys())[-1].id, by="host")
            door.clock.at += timedelta(days=1)
            kept = await door.key("owner")
            statuses = [(await door.ask("GET", "/api/v1/calls", key))[0] for key in (short, gone, kept)]
            assert statuses == [401, 401, 200]


class TestTenantsThatHaveLeft:
    """Who was there for one keeps what proves its end, and nothing else; who is there for others keeps those."""

    AFTER = ("/api/v1/tenants/acme/offboarding", "/api/v1/tenants/acme/offboarding/certificate", "/api/v1/certificates/acme")

    @staticmethod
    async def ends(store: Store, *steps: Step, status: Status = Status.ACTIVE) -> None:
        at = datetime(2026, 11, 1, tzinfo=UTC)
        done = dict.fromkeys((Step.ANNOUNCED, *steps), Done(at, at))
        await RedisOffboarding(store).save(
            Offboarding("offboarding_1", TenantId("acme"), "r", "b", at, Times(at, at, at, at, at), status, done, 1), before=0
        )

    async def test_their_keys_read_its_certificates_and_are_refused_all_else_in_plain_words(self, store: Store) -> None:
        routes = [*ROUTES, *(web.get(path.replace("acme", "{tenant}"), sound) for path in self.AFTER)]
        async with guarded(store, routes) as door:
            owner, both = await door.key("owner", ["acme"]), await door.key("owner", ["acme", "beta"])
            await self.ends(store, Step.KEY_DESTROYED)
            for path in self.AFTER:
                assert (await door.ask("GET", path, owner))[0] == 200
            for method, path in (
                ("GET", "/api/v1/calls"),
                ("GET", f"/api/v1/calls/acme/{CALL}/receipt"),
                ("GET", "/api/v1/access/me"),
                ("POST", "/api/v1/outbound/check"),
            ):
                status, body = await door.ask(method, path, owner, {"tenant": "acme"} if method == "POST" else None)
                assert (status, body["error"]["code"]) == (403, "forbidden")
                assert "has ended" in body["error"]["message"]
            status, body = await door.ask("GET", "/api/v1/calls", both)
            assert (status, [each["tenant"] for each in body["calls"]]) == (200, ["beta"])
            assert (await door.ask("GET", f"/api/v1/calls/acme/{CALL}/receipt", both))[0] == 403
            assert (await door.ask("GET", f"/api/v1/calls/acme/{CALL}/receipt"))[0] == 200, "the operator's own key"
            beta = await door.ask("GET", f"/api/v1/calls/acme/{CALL}/receipt", await door.key("owner", ["beta"]))
            assert "has ended" not in str(beta), "that it has left is nobody else's business"
            refused = (await door.entries("acme", "access.refused"))[0].draft.body
            assert "has ended" in str(refused["why"])

    @pytest.mark.parametrize(
        ("steps", "status"),
        [((), Status.ACTIVE), ((Step.DATA_DELETED,), Status.ACTIVE), ((Step.KEY_DESTROYED,), Status.CANCELLED)],
        ids=["announced", "its key is still there", "it stays"],
    )
    async def test_while_its_key_is_there_so_are_its_people(self, store: Store, steps: tuple[Step, ...], status: Status) -> None:
        async with guarded(store, ROUTES) as door:
            owner = await door.key("owner", ["acme"])
            await self.ends(store, *steps, status=status)
            assert (await door.ask("GET", f"/api/v1/calls/acme/{CALL}/receipt", owner))[0] == 200


class TestTenantsThatNobodyKnows:
    @pytest.mark.parametrize(
        ("method", "path"),
        [(method, path) for (method, path), rule in CONTROL.items() if method == "GET" and rule.reach is Reach.PATH],
    )
    async def test_a_name_that_nobody_has_is_told_so_on_every_path(self, store: Store, method: str, path: str) -> None:
        """Not an empty list, which would hide that it was misspelt; to who may not ask of every tenant it is as any other's."""
        async with guarded(store, [web.route(method, path, needs_operator(OPERATOR, sound))]) as door:
            where = path.replace("{tenant}", "acmee").replace("{call}", CALL).replace("{", "").replace("}", "")
            private = {"X-Sordino-Reason": "case 7"}
            status, body = await door.ask(method, where, headers=private)
            assert (status, body["error"]["hint"]) == (404, "sordino tenants list")
            assert (await door.ask(method, where.replace("acmee", "acme"), headers=private))[0] == 200
            assert (await door.ask(method, where, await door.key("owner", ["beta"])))[0] == 403

    async def test_what_remains_of_a_tenant_that_has_ended_is_shown(self, store: Store) -> None:
        """Its file is gone from the policies, and its evidence is not."""
        async with guarded(store, [web.get("/api/v1/certificates/{tenant}", needs_operator(OPERATOR, sound))]) as door:
            assert (await door.ask("GET", "/api/v1/certificates/gone"))[0] == 404
            account = CallAccount(TenantId("gone"), CallId("offboarding_1"), door.ledger, door.clock)
            await account.write("offboarding.data_deleted", {"offboarding": "offboarding_1"})
            assert (await door.ask("GET", "/api/v1/certificates/gone"))[0] == 200

    async def test_a_name_in_the_query_is_told_so_too(self, store: Store) -> None:
        async with guarded(store) as door:
            assert (await door.ask("GET", "/api/v1/access/log?tenant=acmee"))[0] == 404
            assert (await door.ask("GET", "/api/v1/access/log?tenant=acme"))[0] == 200


class TestTenants:
    async def test_who_is_there_for_one_tenant_sees_that_ones_calls_in_the_list(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            status, body = await door.ask("GET", "/api/v1/calls", await door.key("operator", ["beta"]))
            assert (status, body["calls"]) == (200, [{"tenant": "beta", "call": "call_2"}])
            assert not await door.entries("acme", "access.allowed")

    async def test_whether_another_tenant_has_something_is_told_to_nobody(self, store: Store) -> None:
        """What is there, what is not there, and a tenant that there is not: one answer."""
        async with guarded(store, ROUTES) as door:
            beta = await door.key("owner", ["beta"])
            answers = [
                await door.ask("GET", f"/api/v1/calls/{tenant}/{call}/receipt", beta)
                for tenant, call in (("acme", CALL), ("acme", "call_9"), ("nobody", "call_9"))
            ]
            assert answers[0][0] == 403
            assert answers[0] == answers[1] == answers[2]
            assert len(await door.entries("acme", "access.refused")) == 2

    @pytest.mark.parametrize(
        "body",
        [
            {"tenant": "acme"},
            {"tenant": "beta", "tenants": ["acme"]},
            {"tenants": "acme"},
            {},
            [],
            {"tenant": 1},
        ],
    )
    async def test_a_body_cannot_name_another_tenant_than_ones_own(self, store: Store, body: object) -> None:
        async with guarded(store, ROUTES) as door:
            beta = await door.key("service", ["beta"])
            assert (await door.ask("POST", "/api/v1/outbound/check", beta, body))[0] == 403
            for name in ("tenant", "tenants"):
                assert (await door.ask("POST", f"/api/v1/outbound/check?{name}=acme", beta, {"tenant": "beta"}))[0] == 403
            assert (await door.ask("POST", "/api/v1/outbound/check", beta, {"tenant": "beta"}))[0] == 200

    async def test_only_who_is_there_for_all_may_make_keys(self, store: Store) -> None:
        async with guarded(store) as door:
            beta, house = await door.key("owner", ["beta"]), await door.key("owner")
            wish = {"role": "owner", "tenants": ["*"], "days": 1}
            assert (await door.ask("POST", "/api/v1/access/keys", beta, wish))[0] == 403
            assert (await door.ask("POST", "/api/v1/access/keys", house, wish))[0] == 201


class TestPrivateText:
    async def test_it_takes_a_grant_with_a_reason_that_ends(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            officer = await door.key("privacy_officer", ["acme"])
            assert (await door.ask("GET", SOUND, officer))[0] == 403
            wish = {"tenant": "acme", "reason": "complaint 17", "minutes": 30}
            assert (await door.ask("POST", "/api/v1/access/reveals", officer, wish))[0] == 201
            status, body = await door.ask("GET", SOUND, officer)
            assert (status, body["reason"]) == (200, "complaint 17")
            door.clock.at += timedelta(minutes=30)
            assert (await door.ask("GET", SOUND, officer))[0] == 403
            kinds = [entry.draft.kind for entry in await door.entries("acme")]
            assert kinds[1:] == ["access.refused", "access.allowed", "access.reveal_granted", "access.allowed", "access.refused"]

    async def test_a_grant_for_one_call_shows_no_other(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            officer = await door.key("privacy_officer", ["acme"])
            wish = {"tenant": "acme", "reason": "complaint 17", "call": CALL}
            assert (await door.ask("POST", "/api/v1/access/reveals", officer, wish))[0] == 201
            assert (await door.ask("GET", SOUND, officer))[0] == 200
            assert (await door.ask("GET", SOUND.replace(CALL, "call_2"), officer))[0] == 403

    async def test_nor_what_is_not_about_a_call_whatever_call_the_query_names(self, store: Store) -> None:
        """A person's file holds every call of theirs."""
        files = [web.post("/api/v1/rights/{tenant}/{case}/file", needs_operator(OPERATOR, sound))]
        async with guarded(store, files) as door:
            officer = await door.key("privacy_officer", ["acme"])
            wish = {"tenant": "acme", "reason": "complaint 17", "call": CALL}
            assert (await door.ask("POST", "/api/v1/access/reveals", officer, wish))[0] == 201
            assert (await door.ask("POST", f"/api/v1/rights/acme/case_1/file?call={CALL}", officer))[0] == 403
            del wish["call"]
            assert (await door.ask("POST", "/api/v1/access/reveals", officer, wish))[0] == 201
            assert (await door.ask("POST", "/api/v1/rights/acme/case_1/file", officer))[0] == 200

    async def test_a_grant_shows_nothing_to_who_has_the_right_no_longer(self, store: Store) -> None:
        files = [web.post("/api/v1/rights/{tenant}/{case}/file", needs_operator(OPERATOR, sound))]
        async with guarded(store, files) as door:
            clerk = await door.key("privacy_officer", ["acme"], rights=("persons.act",))
            who = await door.desk.who(Private(clerk))
            assert who is not None
            await door.desk.grant_reveal(who, "acme", reason="from before")
            assert (await door.ask("POST", "/api/v1/rights/acme/case_1/file", clerk))[0] == 403

    async def test_somebody_elses_grant_shows_nothing(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            one, other = await door.key("privacy_officer"), await door.key("privacy_officer")
            assert (await door.ask("POST", "/api/v1/access/reveals", one, {"tenant": "acme", "reason": "why"}))[0] == 201
            assert (await door.ask("GET", SOUND, other))[0] == 403

    async def test_a_grant_that_was_given_back_shows_nothing(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            officer = await door.key("privacy_officer")
            _, made = await door.ask("POST", "/api/v1/access/reveals", officer, {"tenant": "acme", "reason": "why"})
            assert (await door.ask("GET", "/api/v1/access/reveals?tenant=acme", officer))[1] == {"reveals": [made]}
            assert (await door.ask("DELETE", f"/api/v1/access/reveals/acme/{made['id']}", officer))[0] == 200
            assert (await door.ask("GET", SOUND, officer))[0] == 403

    @pytest.mark.parametrize("role", ["operator", "auditor", "service"])
    async def test_who_has_not_the_right_cannot_ask_for_a_grant(self, store: Store, role: str) -> None:
        async with guarded(store, ROUTES) as door:
            wish = {"tenant": "acme", "reason": "curious"}
            assert (await door.ask("POST", "/api/v1/access/reveals", await door.key(role), wish))[0] == 403

    @pytest.mark.parametrize("wish", [{"reason": " "}, {"reason": "a", "minutes": 0}, {"reason": "a", "minutes": 481}, {}])
    async def test_a_grant_without_reason_or_without_end_is_none(self, store: Store, wish: dict[str, object]) -> None:
        async with guarded(store) as door:
            status, _ = await door.ask("POST", "/api/v1/access/reveals", await door.key("owner"), {"tenant": "acme", **wish})
            assert status == 400

    @pytest.mark.parametrize("call", ["Marta Quintanilla", "+4915112345678", "marta", "call_1; drop"])
    async def test_a_grant_is_for_a_call_of_ours_and_names_nobody(self, store: Store, call: str) -> None:
        async with guarded(store) as door:
            officer = await door.key("privacy_officer")
            wish = {"tenant": "acme", "reason": "claim 7", "call": call}
            assert (await door.ask("POST", "/api/v1/access/reveals", officer, wish))[0] == 400
            assert not await door.entries("acme", "access.reveal_granted")

    async def test_the_operators_key_needs_a_reason_too(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            assert (await door.ask("GET", SOUND))[0] == 400
            assert (await door.ask("GET", SOUND + "?reason=court+order"))[1]["reason"] == "court order"
            entry = (await door.entries("acme", "access.allowed"))[-1].draft.body
            assert (entry["reason"], entry["call"], entry["right"]) == ("court order", CALL, "private.reveal")


class TestBreakingTheGlass:
    async def test_it_gives_an_owners_rights_for_minutes_and_every_tenant_is_told(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            operator = await door.key("operator")
            status, made = await door.ask("POST", "/api/v1/access/break-glass", operator, {"reason": "nobody can sign in"})
            assert status == 201
            assert (await door.ask("GET", SOUND, made["secret"]))[1]["reason"] == "nobody can sign in"
            for tenant in ("acme", "beta"):
                assert len(await door.entries(tenant, "access.glass_broken")) == 1
            assert [letter.kind for letter in door.letters.sent] == ["access.glass_broken"]
            assert (await door.entries("acme", "access.told"))[0].draft.body["delivered"] is True
            door.clock.at += timedelta(minutes=15)
            assert (await door.ask("GET", SOUND, made["secret"]))[0] == 401

    @pytest.mark.parametrize("role", ["auditor", "service"])
    async def test_not_everybody_may(self, store: Store, role: str) -> None:
        async with guarded(store) as door:
            assert (await door.ask("POST", "/api/v1/access/break-glass", await door.key(role), {"reason": "x"}))[0] == 403

    async def test_such_a_key_is_not_made_otherwise_nor_made_longer(self, store: Store) -> None:
        async with guarded(store) as door:
            wish = {"role": "owner", "tenants": ["*"], "days": 300, "kind": "break-glass"}
            assert (await door.ask("POST", "/api/v1/access/keys", KEY, wish))[0] == 400
            _, made = await door.ask("POST", "/api/v1/access/break-glass", KEY, {"reason": "x"})
            assert (await door.ask("POST", f"/api/v1/access/keys/{made['key']['id']}/rotate", KEY, {}))[0] == 400

    async def test_what_lasts_minutes_makes_nothing_that_lasts_longer(self, store: Store) -> None:
        async with guarded(store) as door:
            await door.key("owner")
            owner = (await door.ask("GET", "/api/v1/access/keys"))[1]["keys"][0]["id"]
            _, made = await door.ask("POST", "/api/v1/access/break-glass", KEY, {"reason": "x"})
            for path, body in (
                ("keys", {"role": "auditor", "tenants": ["acme"], "days": 1}),
                (f"keys/{owner}/rotate", {}),
                ("break-glass", {"reason": "still x"}),
            ):
                assert (await door.ask("POST", f"/api/v1/access/{path}", made["secret"], body))[0] == 403, path


async def test_nobody_makes_a_key_that_may_do_more_than_they_may_themselves(store: Store) -> None:
    async with guarded(store) as door:
        await door.key("owner")
        owner = (await door.ask("GET", "/api/v1/access/keys"))[1]["keys"][0]["id"]
        clerk = await door.key("owner", rights=("access.manage", "calls.read"))
        for path, body in (("keys", {"role": "owner", "tenants": ["*"], "days": 1}), (f"keys/{owner}/rotate", {})):
            status, answer = await door.ask("POST", f"/api/v1/access/{path}", clerk, body)
            assert (status, "more than they may themselves" in answer["error"]["message"]) == (403, True), path
        less = {"role": "auditor", "tenants": ["acme"], "days": 1, "rights": ["calls.read"]}
        assert (await door.ask("POST", "/api/v1/access/keys", clerk, less))[0] == 201


class TestTheLog:
    async def test_a_flood_of_refusals_is_counted_and_does_not_grow_the_chain(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            auditor = await door.key("auditor", ["beta"])
            for _ in range(50):
                assert (await door.ask("GET", SOUND, auditor))[0] == 403
            assert len(await door.entries("acme", "access.refused")) == 30
            door.clock.at += timedelta(minutes=1)
            await door.ask("GET", SOUND, auditor)
            assert (await door.entries("acme", "access.refused"))[-1].draft.body["counted"] == 20
            refused = [labels for name, labels in door.counted.counts if labels["outcome"] == "refused"]
            assert len(refused) == 51

    async def test_refusals_about_one_tenant_do_not_hide_those_about_another(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            auditor = await door.key("auditor", ["beta"])
            for _ in range(40):
                await door.ask("GET", "/api/v1/access/log?tenant=gamma", auditor)
            await door.ask("GET", SOUND, auditor)
            assert len(await door.entries("acme", "access.refused")) == 1

    async def test_a_star_in_a_request_is_nobodys_name(self, store: Store) -> None:
        async with guarded(store) as door:
            auditor = await door.key("auditor", ["beta"])
            assert (await door.ask("GET", "/api/v1/access/log?tenant=*", auditor))[0] == 403
            assert [len(await door.entries(chain, "access.refused")) for chain in ("acme", "beta", HOUSE)] == [0, 0, 1]

    async def test_what_cannot_be_written_down_does_not_happen(self, own_valkey: EmbeddedValkey) -> None:
        ran: list[str] = []

        async def dialled(_: web.Request) -> web.Response:
            ran.append("dialled")
            return web.json_response({})

        routes = [web.post("/api/v1/outbound/check", needs_operator(OPERATOR, dialled))]
        async with Store(own_valkey.url, timeout_s=3) as store, guarded(store, routes) as door:
            await own_valkey.kill()
            status, body = await door.ask("POST", "/api/v1/outbound/check", KEY, {"tenant": "acme"})
            assert (status, body["error"]["code"]) == (503, "evidence_unavailable")
            assert not ran
            status, _ = await door.ask("GET", "/api/v1/access/me", "sak_" + "a" * 43)
            assert status == 503

    async def test_no_secret_and_no_number_gets_into_it(self, store: Store) -> None:
        async with guarded(store, ROUTES) as door:
            secret = await door.key("service", ["acme"])
            body = {"tenant": "acme", "to": "+491701234567"}
            assert (await door.ask("POST", "/api/v1/outbound/check?call=%2B491701234567", secret, body))[0] == 200
            written = str([entry for chain in ("_house", "acme") for entry in await door.entries(chain)])
            assert "access.allowed" in written
            assert secret not in written
            assert "491701234567" not in written


class TestTheTable:
    async def test_a_path_that_is_not_in_it_is_not_served(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/api/v1/new", needs_operator(OPERATOR, sound)), web.get("/healthz", sound)])
        with pytest.raises(Misconfigured, match="GET /api/v1/new is not said"):
            check_served(app)

    async def test_and_is_refused_where_nobody_looked_before(self, store: Store) -> None:
        async with guarded(store, [web.get("/api/v1/new", sound)]) as door:
            assert (await door.ask("GET", "/api/v1/new"))[0] == 404

    def test_every_path_of_the_control_interface_takes_a_right_or_a_tenants_key(self) -> None:
        assert {rule.right for rule in CONTROL.values() if isinstance(rule.right, Open)} <= {Open.TENANT_KEY}
        assert all(path.startswith("/api/v1/") for _, path in CONTROL)
        assert not set(CONTROL) & set(OTHERS)

    def test_where_a_path_names_its_tenant_the_table_says_so(self) -> None:
        for (_, path), rule in CONTROL.items():
            assert ("{tenant}" in path) == (rule.reach is Reach.PATH), path

    def test_what_shows_private_text_shows_one_tenants(self) -> None:
        shows = [rule for rule in CONTROL.values() if rule.private]
        assert shows
        assert {rule.reach for rule in shows} <= {Reach.PATH, Reach.NAMED}

    async def test_without_a_guard_only_the_operators_key_opens(self) -> None:
        app = web.Application(middlewares=[typed_errors])
        app.add_routes(ROUTES)
        async with TestClient(TestServer(app)) as client:
            for key, status in ((KEY, 200), ("sak_" + "a" * 43, 401)):
                async with client.get("/api/v1/calls", headers={"Authorization": f"Bearer {key}"}) as answer:
                    assert answer.status == status


def test_every_right_is_asked_for_somewhere() -> None:
    assert {rule.right for rule in CONTROL.values() if isinstance(rule.right, Right)} == set(Right)
