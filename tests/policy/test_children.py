"""What policies say of children: looked for without a word, the highest age, the strictest end."""

from __future__ import annotations

import pytest

from gateway.policy.children import Children, Then
from tests.policy.test_recording import TENANT, faults, loaded


def children(own: str, pack: str = "") -> Children:
    packs = {"firm": f"pack: firm\ntitle: Firm\nchildren: {pack}\n"} if pack else {}
    text = TENANT + ("extends: [firm]\n" if pack else "") + (f"children: {own}\n" if own else "")
    return loaded(text, **packs).tenant("acme").children


def test_without_a_word_children_under_thirteen_go_to_a_person() -> None:
    assert children("") == Children(under=13, then=Then.TRANSFER, tool=False, off=None)


@pytest.mark.parametrize(
    ("own", "pack", "joined"),
    [
        ("{under: 16}", "{under: 13}", Children(under=16)),
        ("{}", "{under: 16, then: hang_up}", Children(under=16, then=Then.HANG_UP)),
        ("{then: hang_up, tool: true}", "{under: 14}", Children(under=14, then=Then.HANG_UP, tool=True)),
        ("{off: a hotline of lawyers}", "", Children(off="a hotline of lawyers")),
    ],
)
def test_the_stricter_word_holds(own: str, pack: str, joined: Children) -> None:
    assert children(own, pack) == joined


@pytest.mark.parametrize(
    ("own", "pack", "asked"),
    [
        ("{off: nobody}", "{under: 16}", "firm asks for children: {under: 16}"),
        ("{under: 13}", "{under: 16}", "firm asks for children.under: 16"),
        ("{then: transfer}", "{then: hang_up}", "firm asks for children.then: hang_up"),
    ],
)
def test_who_asks_for_less_than_a_pack_must_say_so_by_name(own: str, pack: str, asked: str) -> None:
    text = TENANT + f"extends: [firm]\nchildren: {own}\n"
    assert asked in faults(text, firm=f"pack: firm\ntitle: Firm\nchildren: {pack}\n")


@pytest.mark.parametrize("own", ["{under: 2}", "{under: 19}", "{off: ''}", "{off: true}", "{then: record}"])
def test_what_makes_no_sense_is_a_fault_with_its_place(own: str) -> None:
    assert "acme.yaml:4" in faults(TENANT + f"children: {own}\n")
