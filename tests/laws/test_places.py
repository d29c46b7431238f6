"""Every place of data has its row in SECURITY.md: a new one without a row would be deleted by nobody (promises 14 and 17)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from gateway.holding import HoldingNeeds, holdings
from gateway.runner.chain_expiry import ChainHolding
from gateway.runner.transcripts import TranscriptsHolding
from gateway.values import DataClass
from tests import places
from tests.laws.tree import sources

WITHOUT_NAME = {"gateway/adapters/stores/names.py", "gateway/adapters/stores/key_shelf.py", "gateway/adapters/stores/snapshot.py"}
"""What makes names of every kind from parts that it is given, or reads them all."""


def made() -> Iterator[tuple[str, str]]:
    """Every name that the code makes with ``names.key(tenant, …)``: where, and its parts, ``?`` for what is not written there."""
    for source in sources("gateway"):
        if source.path in WITHOUT_NAME:
            continue
        for node in ast.walk(source.tree):
            function = node.func if isinstance(node, ast.Call) else None
            if isinstance(function, ast.Attribute) and function.attr == "key" and ast.unparse(function.value) == "names":
                assert isinstance(node, ast.Call)
                yield f"{source.path}:{node.lineno}", ":".join(_part(each) for each in node.args[1:])


def _part(argument: ast.expr) -> str:
    return str(argument.value) if isinstance(argument, ast.Constant) else "*" if isinstance(argument, ast.Starred) else "?"


def matches(name: str) -> bool:
    """Whether a row could be meant: ``?`` is one part of any name, ``*`` any number of them."""
    wanted = re.compile(re.escape(name).replace(r"\?", "[^:]+").replace(r":\*", "(:[^:]+)*").replace(r"\*", ".+"))
    stated = [re.sub(r"\[\^:\]\+", "x", each.pattern).replace("\\", "") for each in places.key_patterns()]
    return any(wanted.fullmatch(each) or each.startswith(f"{name}:") for each in stated)


def test_every_name_that_the_code_makes_has_its_row() -> None:
    """One without: give it a row in SECURITY.md, and a holding, or say there why it needs none."""
    assert [f"{where} makes {name}" for where, name in made() if not matches(name)] == []


@pytest.mark.parametrize("name", ["secrets", "vault:?:more", "consents:?:?", "x"])
def test_a_name_without_a_row_is_noticed(name: str) -> None:
    assert not matches(name)


def test_the_table_names_every_holding_and_no_other() -> None:
    none: HoldingNeeds = HoldingNeeds(None, None, None, None)  # type: ignore[arg-type]
    known = {holding.name for holding in holdings(none)} | {TranscriptsHolding.name, ChainHolding.name}
    assert places.holding_names() == known


def test_the_table_speaks_of_every_class_of_data() -> None:
    assert {cells[1] for cells in places.rows()} >= {each.value for each in DataClass}
