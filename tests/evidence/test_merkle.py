"""A Merkle tree proves that an entry is in a chain, and that a chain only ever grew: for each size, and for nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.evidence.merkle import EMPTY, Growing, Tree, includes, is_consistent, leaf_hash, node_hash

LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves that implementations of Certificate Transparency are tested with, and the roots of the first n of them."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS, start=1)))
def test_the_root_is_the_one_that_others_compute(size: int, root: str) -> None:
    growing = Growing()
    for each in LEAVES[:size]:
        growing.add(each)
    assert growing.root.hex() == Tree(LEAVES).root(size).hex() == root


def test_a_leaf_is_no_node_and_nothing_has_a_root_of_its_own() -> None:
    """The prefixes keep somebody from passing an inner node off as an entry (RFC 9162 section 2.1)."""
    assert Growing().root == Tree().root() == EMPTY == hashlib.sha256(b"").digest()
    assert leaf_hash(b"ab") != node_hash(b"a", b"b")


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 70), data=st.data())
def test_every_leaf_is_proven_in_its_own_place_and_in_no_other(size: int, data: st.DataObject) -> None:
    leaves = [bytes([number]) * 32 for number in range(size)]
    tree, index = Tree(leaves), data.draw(st.integers(0, size - 1))
    part = data.draw(st.integers(index + 1, size))
    path, root = tree.inclusion(index, part), tree.root(part)
    assert includes(leaves[index], index, part, path, root)
    other = data.draw(st.integers(0, size + 2))
    assert other == index or not includes(leaves[index], other, part, path, root)
    assert not includes(b"another entry", index, part, path, root)
    assert not includes(leaves[index], index, part, path, b"\0" * 32)
    assert not includes(leaves[index], index, part, [*path, root], root)
    if path:
        assert not includes(leaves[index], index, part, path[:-1], root)


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 70), data=st.data())
def test_a_chain_that_only_grew_is_proven_and_one_that_was_rewritten_cannot_be(size: int, data: st.DataObject) -> None:
    leaves = [bytes([number]) * 32 for number in range(size)]
    old = data.draw(st.integers(1, size))
    tree = Tree(leaves)
    path = tree.consistency(old)
    assert is_consistent(old, tree.root(old), size, tree.root(), path)
    changed = data.draw(st.integers(0, old - 1))
    rewritten = Tree([*leaves[:changed], b"rewritten", *leaves[changed + 1 :]])
    assert not is_consistent(old, tree.root(old), size, rewritten.root(), rewritten.consistency(old))
    assert not is_consistent(old, tree.root(old), size, rewritten.root(), path)
    if path:
        assert not is_consistent(old, tree.root(old), size, tree.root(), path[:-1])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 2), (0, 9)])
def test_what_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="does not have"):
        Tree(LEAVES).inclusion(index, size)


@settings(max_examples=80, deadline=None)
@given(size=st.integers(1, 70), data=st.data())
def test_leaves_that_are_gone_are_in_every_proof_by_what_is_kept_of_them(size: int, data: st.DataObject) -> None:
    """Of a tree whose beginning was deleted every later leaf is proven, and every later head, as if nothing had gone."""
    leaves = [bytes([number]) * 32 for number in range(size)]
    gone = data.draw(st.integers(1, size))
    behind = Growing()
    for each in leaves[:gone]:
        behind.add(each)
    whole, tree, growing = Tree(leaves), Tree(leaves[gone:], behind=behind), Growing(gone, behind.full)
    for each in leaves[gone:]:
        growing.add(each)
    assert (tree.size, tree.root(), growing.root) == (size, whole.root(), whole.root())
    old = data.draw(st.integers(gone, size))
    assert tree.root(old) == whole.root(old)
    assert tree.consistency(old) == whole.consistency(old)
    if gone < size:
        index = data.draw(st.integers(gone, size - 1))
        assert tree.inclusion(index) == whole.inclusion(index)


def test_what_is_gone_is_not_proven_any_more() -> None:
    leaves, behind = [bytes([number]) * 32 for number in range(11)], Growing()
    for each in leaves[:6]:
        behind.add(each)
    tree = Tree(leaves[6:], behind=behind)
    for index in range(6):
        with pytest.raises(ValueError, match="any more"):
            tree.inclusion(index)
    for old in (1, 2, 3, 5):
        with pytest.raises(ValueError, match="any more"):
            tree.consistency(old)
    assert tree.root(4) == Tree(leaves).root(4), "of a full tree its root is kept"


@pytest.mark.parametrize(("size", "full"), [(3, [b"x" * 32]), (2, [b"short"]), (0, [b"x" * 32]), (-1, [])])
def test_what_is_kept_of_a_tree_must_be_that_of_its_size(size: int, full: list[bytes]) -> None:
    with pytest.raises(ValueError, match="does not have these hashes"):
        Growing(size, full)
