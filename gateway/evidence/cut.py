"""The entry that says that the beginning of a chain was deleted after its time (promise 14), and what stands for it now.

``evidence.cut`` is written at the end of the chain before the beginning goes. It names the last entry that goes and its hash,
which is the ``previous`` of the first one that stays; and it has what a Merkle tree keeps of the leaves that go
(``merkle.Growing``), so that heads of the whole chain can be signed, and entries that stay be proven, as if nothing had gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import EvidenceInvalid
from gateway.evidence.entries import Json
from gateway.evidence.merkle import Growing

KIND = "evidence.cut"
HOLDING = "chain"
"""The name of the holding in the certificate of such a deletion."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What one entry of the kind says. ``seq``, ``entry``, ``at``: its own place and hash, and when it was written, RFC 3339."""

    seq: int
    entry: str
    at: str
    first: int
    last: int
    hash: str
    """Of the last entry that was deleted."""
    full: tuple[bytes, ...]

    def tree(self) -> Growing:
        """The tree over entries 1 to ``last``, to go on with."""
        return Growing(self.last, self.full)

    @property
    def said(self) -> str:
        """What it says, as a sentence's end."""
        return (
            f"entries {self.first} to {self.last} were deleted after their time, and all before them: "
            f"evidence.cut, entry {self.seq} of {self.at}"
        )


def cut_body(first: int, hash_: str, tree: Growing, *, began: str, ended: str, why: str, by: str) -> dict[str, Json]:
    """The body of the entry. ``tree``: over all entries up to the last that goes, which are from ``began`` to ``ended``."""
    return {
        "from": first,
        "to": tree.size,
        "count": tree.size - first + 1,
        "hash": hash_,
        "root": f"sha256:{tree.root.hex()}",
        "full": [each.hex() for each in tree.full],
        "began": began,
        "ended": ended,
        "why": why,
        "by": by,
    }


def cut_of(entry: Mapping[str, Any]) -> Cut:
    """What an entry of that kind says; ``entry`` as ``lines.read_entry`` gives it.

    Raises:
        EvidenceInvalid: it is of another kind, or contradicts itself.
    """
    body: Mapping[str, Any] = entry["body"]
    cut: Cut | None = None
    try:
        full = tuple(bytes.fromhex(each) for each in body["full"])
        cut = Cut(entry["seq"], entry["hash"], entry["at"], body["from"], body["to"], body["hash"], full)
        whole = (
            cut.first > 0 and f"sha256:{cut.tree().root.hex()}" == body["root"] and cut.last - cut.first + 1 == body["count"] > 0
        )
    except (KeyError, TypeError, ValueError):
        whole = False
    if cut is None or not whole or entry["kind"] != KIND or cut.last >= cut.seq:
        raise EvidenceInvalid(f"entry {entry['seq']} does not say rightly what was deleted before")
    return cut


def cut_before(entry: Mapping[str, Any], first: int | None, before: str) -> Cut | None:
    """What an entry says, if that is of the entries before number ``first``, whose ``previous`` is ``before``.

    Raises:
        EvidenceInvalid: as ``cut_of``.
    """
    cut = cut_of(entry)
    return cut if (cut.last + 1, cut.hash) == (first, before) else None
