"""Roles have the rights that their work needs, for the tenants that they are held for, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.errors import InvalidRequest
from gateway.policy.roles import EVERY_TENANT, MEANING, RIGHTS, Held, Principal, Right, Role, operator, rights_of, role_of

CHANGES = {right for right in Right if right.value.endswith((".manage", ".write", ".delete", ".act", ".end"))}
helds = some.builds(
    Held,
    some.sampled_from(Role),
    some.frozensets(some.sampled_from(["acme", "beta", EVERY_TENANT]), min_size=1),
    some.none() | some.frozensets(some.sampled_from(Right)),
)
people = some.builds(Principal, some.just("key_1"), some.just("person"), some.lists(helds, max_size=3).map(tuple))


class TestTheTable:
    def test_every_right_has_a_meaning_and_every_role_a_row(self) -> None:
        assert set(MEANING) == set(Right)
        assert set(RIGHTS) == set(Role)

    def test_an_auditor_changes_nothing_and_sees_no_private_text(self) -> None:
        assert not RIGHTS[Role.AUDITOR] & (CHANGES | {Right.REVEAL, Right.BREAK_GLASS})
        assert len(CHANGES) > 8

    def test_private_text_is_for_owners_and_privacy_officers(self) -> None:
        assert {role for role in Role if Right.REVEAL in RIGHTS[role]} == {Role.OWNER, Role.PRIVACY_OFFICER}

    def test_who_has_access_is_an_owners_to_say(self) -> None:
        for right in (Right.MANAGE_ACCESS, Right.END_TENANT):
            assert {role for role in Role if right in RIGHTS[role]} == {Role.OWNER}

    def test_a_program_cannot_break_the_glass_nor_erase(self) -> None:
        assert not RIGHTS[Role.SERVICE] & {Right.BREAK_GLASS, Right.DELETE_DATA, Right.ACT_FOR_PERSONS}


class TestAPrincipal:
    @given(people, some.sampled_from(Right), some.sampled_from(["acme", "beta", "gamma"]))
    def test_may_what_a_role_gives_for_the_tenants_that_it_is_held_for(self, who: Principal, right: Right, tenant: str) -> None:
        gives = [each for each in who.held if right in RIGHTS[each.role] and (each.only is None or right in each.only)]
        if right is not Right.SELF:
            assert who.may(right, tenant) == any({tenant, EVERY_TENANT} & each.tenants for each in gives)
            assert who.may_everywhere(right) == any(EVERY_TENANT in each.tenants for each in gives)
        seen = who.tenants(right)
        assert who.may(right, tenant) == (tenant in seen or EVERY_TENANT in seen)

    def test_a_role_for_one_tenant_and_another_for_another_are_not_mixed(self) -> None:
        who = Principal("p", "session", (Held(Role.AUDITOR, frozenset({"acme"})), Held(Role.SERVICE, frozenset({"beta"}))))
        assert who.may(Right.DIAL, "beta")
        assert not who.may(Right.DIAL, "acme")
        assert not who.may(Right.READ_ACCESS, "beta")

    def test_the_operators_key_is_an_owners_by_break_glass(self) -> None:
        assert all(operator().may_everywhere(right) for right in Right)
        assert operator().broke_glass


class TestNames:
    def test_a_role_that_there_is_not_is_told(self) -> None:
        with pytest.raises(InvalidRequest, match="no such role"):
            role_of("boss")

    def test_a_key_gets_no_right_that_its_role_has_not(self) -> None:
        assert rights_of(["outbound.check"], Role.SERVICE) == {Right.DIAL}
        with pytest.raises(InvalidRequest):
            rights_of(["private.reveal"], Role.SERVICE)
        with pytest.raises(InvalidRequest):
            rights_of(["no.such"], Role.OWNER)
