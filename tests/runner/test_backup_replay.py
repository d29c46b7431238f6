"""What happened since a backup is done again in the restored store; what cannot be understood ends the restore with its place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from gateway.adapters.stores.redis import Store
from gateway.errors import BackupInvalid
from gateway.evidence.chain import CallChain, seal
from gateway.evidence.entries import Entry
from gateway.runner.backup_replay import Replay
from gateway.runner.backup_since import Since
from gateway.values import CallId
from tests.evidence.samples import ACME, NOON


async def one(kind: str, body: Mapping[str, Any]) -> AsyncIterator[Entry]:
    yield seal(CallChain(ACME, CallId("call_1")).draft(kind, NOON, body), 7, "sha256:" + "0" * 64)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("offboarding.announced", {"offboarding": "o", "reason": "r", "by": "b", "ends": "2026-12-01"}),
        ("consent.recorded", {"records": [{"subject": "s"}]}),
    ],
)
async def test_an_entry_of_another_version_ends_the_restore_with_its_place(
    store: Store, kind: str, body: Mapping[str, Any]
) -> None:
    """Never a traceback, and never a store that lacks what happened."""
    with pytest.raises(BackupInvalid, match=rf"entry 7 \({kind}\) of acme does not say"):
        await Replay(store, ()).run(one(kind, body), Since())
