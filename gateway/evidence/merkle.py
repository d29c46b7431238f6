"""A Merkle tree over a tenant's entries, as Certificate Transparency has it (RFC 9162 section 2.1; hashes as in RFC 6962).

It proves two things without handing over the chain: that an entry is in it (inclusion), and that a later chain only added to an
earlier one (consistency). Leaf number n is the entry in place n + 1; its data are the 32 bytes of the entry's hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Growing:
    """The root of leaves that come one after the other: it keeps one hash for each level, never the leaves."""

    def __init__(self, size: int = 0, full: Sequence[bytes] = ()) -> None:
        """Go on behind ``size`` leaves; ``full`` as it was there. Raises ValueError for what is no tree's."""
        if size < 0 or len(full) != size.bit_count() or any(len(each) != HASH_BYTES for each in full):
            raise ValueError("a tree of that size does not have these hashes")
        self.size = size
        self._full: list[bytes] = list(full)

    def add(self, data: bytes) -> None:
        """One more leaf."""
        node, count = leaf_hash(data), self.size
        while count & 1:
            node, count = node_hash(self._full.pop(), node), count >> 1
        self._full.append(node)
        self.size += 1

    @property
    def full(self) -> tuple[bytes, ...]:
        """The roots of the full trees that the leaves make, the largest first: one for each bit of ``size``. It is all that is
        kept, so it stands for the leaves.
        """
        return tuple(self._full)

    @property
    def root(self) -> bytes:
        """Of the leaves so far."""
        return _folded(self._full) if self._full else EMPTY


class Tree:
    """All leaves, for who makes proofs: 32 bytes each. Of those ``behind`` it knows no more than ``Growing`` keeps: enough for
    every proof about a later leaf, and about how the tree grew from that size on.
    """

    def __init__(self, data: Iterable[bytes] = (), *, behind: Growing | None = None) -> None:
        self._begin = 0 if behind is None else behind.size
        self._known = {} if behind is None else dict(zip(_blocks(behind.size), behind.full, strict=True))
        self._leaves = [leaf_hash(each) for each in data]

    @property
    def size(self) -> int:
        return self._begin + len(self._leaves)

    def root(self, size: int | None = None) -> bytes:
        """Of the first ``size`` leaves; of all of them where it is not given.

        Raises ValueError for more than there are, and like every method for what the leaves behind would be needed for.
        """
        end = self.size if size is None else size
        if not 0 <= end <= self.size:
            raise ValueError("the tree does not have so many leaves")
        return self._root(0, end)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The path from leaf ``index`` (from 0) to the root of the first ``size`` leaves. Raises ValueError."""
        end = self.size if size is None else size
        if not 0 <= index < end <= self.size:
            raise ValueError("the tree does not have that leaf")
        start, path = 0, list[bytes]()
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._root(middle, end))
                end = middle
            else:
                path.append(self._root(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """What shows that the first ``old`` leaves are the beginning of the first ``size``. Raises ValueError."""
        new = self.size if size is None else size
        if not 0 < old <= new <= self.size:
            raise ValueError("the tree does not have so many leaves")
        start, end, whole, path = 0, new, True, list[bytes]()
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._root(middle, end))
                end = middle
            else:
                path.append(self._root(start, middle))
                start, whole = middle, False
        return [*([] if whole else [self._root(start, end)]), *path[::-1]]

    def _root(self, start: int, end: int) -> bytes:
        if start < min(self._begin, end):
            return self._root_behind(start, end)
        level = self._leaves[start - self._begin : end - self._begin]
        if not level:
            return EMPTY
        while len(level) > 1:
            odd = [level[-1]] if len(level) % 2 else []
            level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)] + odd
        return level[0]

    def _root_behind(self, start: int, end: int) -> bytes:
        """Of leaves the first of which are not there: of what is known of them, which halves lead to."""
        known = self._known.get((start, end))
        if known is not None:
            return known
        if end - start == 1:
            raise ValueError("the tree does not have that leaf any more")
        middle = start + _split(end - start)
        return node_hash(self._root(start, middle), self._root(middle, end))


def includes(data: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from that leaf to that root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, node = index, size - 1, leaf_hash(data)
    for each in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(each, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, each)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of ``new`` leaves begins with that of ``old`` (RFC 9162 section 2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for each in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, each)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """The largest power of two smaller than ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def _blocks(size: int) -> list[tuple[int, int]]:
    """Where the full trees of so many leaves begin and end, the largest first."""
    found, start = list[tuple[int, int]](), 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            found.append((start, start + (1 << bit)))
            start += 1 << bit
    return found


def _folded(full: Sequence[bytes]) -> bytes:
    node = full[-1]
    for left in reversed(full[:-1]):
        node = node_hash(left, node)
    return node
