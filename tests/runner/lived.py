"""A gateway that has been in use: two tenants, each with calls that were recorded, transcribed, agreed to and proven."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.recordings.folder import Folder
from gateway.adapters.recordings.format import CLASS, new_header
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.recordings import KEPT, RecordingFacts, RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.adapters.stores.transcripts import RedisTranscripts, TranscriptFacts, TurnKept
from gateway.cli.data import attach_data
from gateway.evidence.chain import CallChain
from gateway.evidence.receipt import build
from gateway.holding import DataDesk
from gateway.keeping import Keys, open_keys
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.settings import Settings
from gateway.values import CallId, MaskedText, Placeholder, Private, TenantId
from tests.adapters.recordings.samples import PIECES, RATE
from tests.evidence.samples import ENDED, LISTENING, PLAYED, STARTED
from tests.policy.samples import REGISTRY

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
CALLS = (CallId("call_1"), CallId("call_2"), CallId("call_3"))
SECRET = "Marta Quintanilla"
WHO = "a" * 64
BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)


def write_policies(folder: Path, more: str = "regions: [eu]\n") -> Path:
    (folder / "tenants").mkdir(parents=True)
    (folder / "subprocessors.yaml").write_text(REGISTRY)
    for tenant in (ACME, GLOBEX):
        (folder / "tenants" / f"{tenant}.yaml").write_text(f"tenant: {tenant}\n{more}")
    return folder


@dataclass(frozen=True, slots=True)
class Lived:
    """An open gateway, without one that runs."""

    settings: Settings
    store: Store
    ledger: RedisLedger
    keys: Keys
    signing: SigningKey
    desk: DataDesk

    async def live(self) -> None:
        """Calls come and go: three of acme, one of globex."""
        for tenant, call, days in [*((ACME, call, days) for days, call in enumerate(CALLS)), (GLOBEX, CALLS[0], 0)]:
            await self.call(tenant, call, BEGAN + timedelta(days=days))

    async def call(self, tenant: TenantId, call: CallId, at: datetime, *, who: str = WHO) -> None:
        """One whole call, with everything that may be kept of it. ``who``: the keyed hash of its caller's number."""
        data, store, shelf = self.settings.data, self.store, self.keys.shelf
        signing = self.signing
        chain = CallChain(tenant, call)
        for kind, body in (STARTED, PLAYED, LISTENING, ENDED):
            chain.add(await self.ledger.append(chain.draft(kind, at + timedelta(seconds=len(chain.entries)), body)))
        await Receipts(store, data / "receipts").save(build(chain.entries, sign=signing.sign, public_key=signing.public_key))
        await RedisConsents(store).add(tenant, [(who, ConsentRecord(Answer.GIVEN, "recording", How.SPOKEN, at, call))])
        await RedisSubjects(store).note(tenant, who, call, at)
        await RedisSuppression(store).opt_out(tenant, "b" * 64, at)
        said = await RedisTranscripts(store, shelf).begin(
            tenant, TranscriptFacts(call, at.isoformat(), "sha256:c", "quality", keep_s=10**9)
        )
        name = Placeholder("<PERSON_1>")
        turn = TurnKept("caller", at.isoformat(), MaskedText("My name is <PERSON_1>"))
        await said.write({1: turn}, {name: Private(SECRET)})
        await said.finish(1)
        await self._record(tenant, call, at)

    async def _record(self, tenant: TenantId, call: CallId, at: datetime) -> None:
        key = await self.keys.shelf.key(tenant, call, CLASS, create=True)
        assert key is not None
        folder, index = Folder(self.settings.data / "recordings"), RedisRecordings(self.store)
        header = new_header(key, tenant, call, started=at.isoformat(), consent="sha256:c", rate=RATE, redacted="silence")
        file = await folder.create(header, key)
        for piece in PIECES[:-1]:
            await file.write(piece)
        await file.finish(24_000)
        facts = RecordingFacts(call, at.isoformat(), "disk", "folder", header.key_id, "sha256:c", "silence", RATE, keep_s=10**9)
        facts = replace(facts, folder=folder.name, state=KEPT, ms=3_000, chunks=file.chunks, sha256=file.sha256)
        await index.put(tenant, facts)

    async def readable(self, tenant: TenantId) -> dict[str, set[str]]:
        """What can still be read of each call or person, by holding. A place that has it and cannot open it counts as none."""
        found: dict[str, set[str]] = {}
        for holding in self.desk.holdings:
            async for item in holding.items(tenant):
                copies = [copy async for copy in holding.copies(item)]
                if copies or holding.name == "callers":
                    found.setdefault(item.id, set()).add(holding.name)
        return found


@asynccontextmanager
async def lived(settings: Settings) -> AsyncIterator[Lived]:
    """The gateway of these settings, opened by itself: its own Valkey, or the one that they name."""
    async with AsyncExitStack() as running:
        attached = await attach_data(settings, PolicyFolder.open(settings.policies), running)
        url = settings.redis_url or f"unix://{(settings.data / 'valkey' / 'address').read_text()}"
        store = await running.enter_async_context(Store(url, timeout_s=20))
        ledger = await running.enter_async_context(RedisLedger(store, timeout_s=20))
        keys = await open_keys(settings, store)
        yield Lived(settings, store, ledger, keys, attached.signing, attached.desk)
