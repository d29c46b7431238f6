"""A store with ten thousand calls of three tenants in it, and everything that looks after the rights of who called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.recordings.folder import Folder
from gateway.adapters.recordings.format import CLASS, new_header
from gateway.adapters.stores import names
from gateway.adapters.stores.call_index import index_key
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.conversations import RedisConversations
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.recordings import KEPT, RecordingFacts, RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.transcripts import RedisTranscripts, TranscriptFacts, TurnKept
from gateway.adapters.system import RandomIds, Secrets
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import PolicyRefused
from gateway.evidence.chain import genesis, seal_written
from gateway.evidence.entries import Draft, Entry, Json
from gateway.governing import Governing, Needs, open_governing
from gateway.holding import DataDesk, DataDeskNeeds, HoldingNeeds, holdings, open_data_desk
from gateway.keeping import Keys
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.recording import DeskNeeds, open_recordings
from gateway.righting import Righting, RightingNeeds, open_righting
from gateway.runner.account import CallAccount
from gateway.runner.egress import CallEgress
from gateway.runner.notices import NoticeWatch
from gateway.transcribing import open_transcripts
from gateway.values import CallId, DataCategory, Hop, MaskedText, Placeholder, Private, TenantId
from tests.adapters.recordings.samples import PIECES, RATE
from tests.conftest import PATIENCE_S
from tests.evidence.samples import PLAYED
from tests.policy.samples import REGISTRY
from tests.runner.desks import Channel, MovedClock

TENANTS = (TenantId("acme"), TenantId("beta"), TenantId("gamma"))
ACME, BETA, GAMMA = TENANTS
ANNE = "+4915112345678"
NOBODY = "+4915100000000"
STREET = "Lindenstraße 17"
SECRETS = (ANNE, ANNE[1:], "0151 12345678", "15112345678", STREET, "Anne Beispielhuber")
ANNES_CALLS = 20
PERSONS = 300
BROKE_OFF = 50
"""One call of so many was never ended."""
AGREED: Mapping[str, Json] = {"id": "ask", "mode": "key", "purpose": "recording", "how": "key", "after_ms": 1_200, "play": 1}
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
NOW = START + timedelta(days=20)
POLICY = """\
tenant: {tenant}
language: {language}
regions: [eu]
origins: [de]
contacts: {{webhook: {{url: "http://127.0.0.1:9/hooks", secret: HOOK}}}}
route:
  llm: [{{processor: eu-llm, model: small}}]
"""


def body_of_grant(processor: str, hop: str, call: int, **more: Json) -> dict[str, Json]:
    grant: dict[str, Json] = {
        "id": f"grant_{call}",
        "hop": hop,
        "processor": processor,
        "processor_name": f"{processor.title()} GmbH",
        "host": f"{processor}.example",
        "region": "eu",
        "purpose": "conversation",
        "categories": ["masked_transcript"],
        "masked": True,
        "mechanism": "none-needed",
        "training": "prohibited",
        "model": "small",
        **more,
    }
    return {"grant": grant, "refused": []}


def drafts(tenant: TenantId, call: CallId, number: int, subject: str) -> Iterator[Draft]:
    """A call that was announced, heard, masked, answered and ended; every tenth agreed to be recorded."""
    at, before = START + timedelta(minutes=number), genesis(tenant, call)
    started: dict[str, Json] = {
        "carrier": "twilio",
        "direction": "inbound",
        "language": "de",
        "subject": subject,
        "retention": {"audio": 86_400, "metadata": 2_592_000},
        "policy_digest": "0" * 64,
        "registry_digest": "1" * 64,
    }
    bodies: list[tuple[str, Mapping[str, Json]]] = [
        ("call.started", started),
        PLAYED,
        *([("consent.given", AGREED)] if number % 10 == 0 else []),
        ("hop", body_of_grant("hearing", "stt", number, categories=["voice"], masked=False)),
        ("masked", {"counts": {"PERSON": 1, "PHONE_NUMBER": 1}}),
        ("hop", body_of_grant("eu-llm", "llm", number)),
        ("call.ended", {"outcome": "completed", "duration_ms": 61_500}),
    ]
    for second, (kind, body) in enumerate(bodies):
        yield Draft(tenant, call, kind, at + timedelta(seconds=second), body, before)


@dataclass
class Chain:
    """A tenant's evidence as a gateway would have written it, sealed here and sent in many commands at once."""

    tenant: TenantId
    seq: int = 0
    head: str = ""
    commands: list[tuple[Any, ...]] = field(default_factory=list)
    persons: dict[str, list[Any]] = field(default_factory=dict)

    def call(self, call: CallId, number: int, subject: str, *, whole: bool) -> None:
        """``whole``: with everything that happened; else only its beginning, as of a gateway that died over it."""
        before = genesis(self.tenant, call)
        places: list[int] = []
        for draft in islice(drafts(self.tenant, call, number, subject), None if whole else 2):
            entry = self._seal(replace(draft, call_previous=before))
            before = entry.hash
            places.append(entry.seq)
        if whole:
            self.commands.append(("RPUSH", index_key(self.tenant, call), *places))
        self.persons.setdefault(subject, []).extend([(START + timedelta(minutes=number)).timestamp(), call])

    def index(self) -> None:
        """Whose calls are whose: in few commands, as many calls as there are."""
        for subject, calls in self.persons.items():
            self.commands.append(("ZADD", names.key(self.tenant, "subject", subject), *calls))
            self.commands.append(("ZADD", names.key(self.tenant, "subjects"), "GT", max(calls[::2]), subject))
            of = [part for call in calls[1::2] for part in (call, subject)]
            self.commands.append(("HSET", names.key(self.tenant, "subject-of"), *of))

    def _seal(self, draft: Draft) -> Entry:
        entry, written = seal_written(draft, self.seq + 1, self.head or genesis(self.tenant))
        self.seq, self.head = entry.seq, entry.hash
        stream = names.key(self.tenant, "evidence")
        self.commands.append(("XADD", stream, f"{entry.seq}-0", "hash", entry.hash, "entry", written))
        return entry


async def seed(store: Store, hashes: SubjectHash, *, calls: int, annes: int = ANNES_CALLS) -> dict[TenantId, list[CallId]]:
    """So many calls in all, of three tenants and their callers; Anne calls at each of them. Her calls at each.

    All were announced, heard, masked, answered and ended, but for some whose gateway died over them.
    """
    found: dict[TenantId, list[CallId]] = {}
    for tenant in TENANTS:
        chain, each = Chain(tenant), calls // len(TENANTS)
        anne = hashes(tenant, Private(ANNE))
        others = [hashes(tenant, Private(f"+49160{number:07d}")) for number in range(PERSONS)]
        every = each // annes
        mine = found.setdefault(tenant, [])
        for number in range(each):
            call = CallId(f"call_{number:026d}")
            hers = number % every == 0 and len(mine) < annes
            chain.call(call, number, anne if hers else others[number % PERSONS], whole=hers or number % BROKE_OFF != 1)
            if hers:
                mine.append(call)
        chain.index()
        for at in range(0, len(chain.commands), 5_000):
            async with store.answers() as client:
                exchange = client.pipeline(transaction=False)
                for command in chain.commands[at : at + 5_000]:
                    exchange.execute_command(*command)
                await exchange.execute()
    return found


@dataclass
class House:
    """Everything of one gateway that the rights of callers stand on, with a clock that stands still."""

    store: Store
    ledger: RedisLedger
    folder: Path
    policies: PolicyFolder
    hashes: SubjectHash
    shelf: RedisKeyShelf
    data: DataDesk
    governing: Governing
    righting: Righting
    channel: Channel
    clock: MovedClock
    calls: dict[TenantId, list[CallId]] = field(default_factory=dict)
    seeded: dict[TenantId, int] = field(default_factory=dict)
    """How many entries a test has seeded and does not want to look at."""

    def anne(self, tenant: TenantId = ACME) -> str:
        return self.hashes(tenant, Private(ANNE))

    async def record(self, tenant: TenantId, call: CallId, at: datetime = START, *, keep_s: int = 86_400) -> None:
        """Three seconds of sound, as a call leaves them."""
        key = await self.shelf.key(tenant, call, CLASS, create=True)
        assert key is not None
        stated = {"started": at.isoformat(timespec="microseconds"), "consent": "sha256:c", "rate": RATE, "redacted": "silence"}
        header = new_header(key, tenant, call, **stated)
        folder = Folder(self.folder / "recordings")
        file = await folder.create(header, key)
        for piece in PIECES[:-1]:
            await file.write(piece)
        await file.finish(24_000)
        index = RedisRecordings(self.store)
        facts = RecordingFacts(call, str(stated["started"]), "disk", "folder", header.key_id, "sha256:c", "silence", RATE, keep_s)
        await index.put(tenant, replace(facts, folder=folder.name))
        await index.change(tenant, call, state=KEPT, ms=3_000, chunks=file.chunks, sha256=file.sha256)

    async def write_down(
        self, tenant: TenantId, call: CallId, said: str, values: Mapping[str, str], at: datetime = START
    ) -> None:
        """What was said on a call, as it is kept: ``said`` names its values as ``<PERSON_1>``."""
        began = at.isoformat(timespec="microseconds")
        facts = TranscriptFacts(call, began, "sha256:c", "quality", keep_s=86_400 * 90)
        kept = await RedisTranscripts(self.store, self.shelf).begin(tenant, facts)
        await kept.write({1: TurnKept("caller", began, MaskedText(said))}, placed(values))
        await kept.finish(1)

    async def written_down(self, tenant: TenantId, call: CallId) -> dict[str, str]:
        """The values of that transcript; empty: there is none."""
        found = await RedisTranscripts(self.store, self.shelf).read(tenant, call)
        return {} if found is None else {str(name): value.reveal() for name, value in found.values.items()}

    async def agreed(self, tenant: TenantId, subject: str, proof: str) -> None:
        """Somebody agreed to be recorded; ``proof`` says where that stands."""
        record = ConsentRecord(Answer.GIVEN, "recording", How.WRITTEN, START, proof)
        await RedisConsents(self.store).add(tenant, [(subject, record)])

    async def proofs(self, tenant: TenantId, subject: str) -> list[str]:
        return [each.proof for each in await RedisConsents(self.store).of(tenant, subject)]

    async def may_leave(self, tenant: TenantId, subject: str) -> bool:
        """Whether a call of this person gets a Grant for a model now: the door as a call has it."""
        call = CallId(RandomIds().new("call"))
        account = CallAccount(tenant, call, self.ledger, self.clock)
        egress = CallEgress(self.policies, account, self.clock, RandomIds(), NullTelemetry(), lambda turn: None)
        door = self.governing.callers.heeding(egress, tenant, subject)
        try:
            grant = await door.grant(Hop.LLM, frozenset({DataCategory.MASKED_TRANSCRIPT}))
        except PolicyRefused:
            return False
        return grant.tenant == tenant

    async def remember(self, tenant: TenantId, call: CallId, **values: str) -> None:
        """Private values in the vault of a conversation: ``person=…`` stands behind ``<PERSON_1>``."""
        vault = await RedisConversations(self.store, self.shelf).open(tenant, call, create=True)
        assert vault is not None
        await vault.remember(placed(values))

    async def recalled(self, tenant: TenantId, call: CallId) -> dict[str, str]:
        vault = await RedisConversations(self.store, self.shelf).open(tenant, call, create=False)
        return {} if vault is None else {str(name): value.reveal() for name, value in vault.values.items()}

    async def evidence(self, kind: str, tenant: TenantId = ACME) -> list[Entry]:
        """What is on record behind the calls that were seeded."""
        after = self.seeded.get(tenant, 0)
        return [entry async for entry in self.ledger.entries(tenant, after=after) if entry.draft.kind.startswith(kind)]


def placed(values: Mapping[str, str]) -> dict[Placeholder, Private[str]]:
    """``person`` stands behind ``<PERSON_1>``."""
    return {Placeholder(f"<{name.upper()}_1>"): Private(value) for name, value in values.items()}


async def open_house(
    store: Store,
    folder: Path,
    running: AsyncExitStack,
    *,
    purging: bool = False,
    policy: str = POLICY,
    key_destroyed: Callable[[], Awaitable[None]] | None = None,
) -> House:
    """On a real store, with real files below ``folder``. ``purging``: its own file is rewritten where a key was destroyed."""
    policies = folder / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "subprocessors.yaml").write_text(REGISTRY)
    for tenant, language in zip(TENANTS, ("de", "en", "en"), strict=True):
        (policies / "tenants" / f"{tenant}.yaml").write_text(policy.format(tenant=tenant, language=language))
    known = PolicyFolder.open(policies)
    clock, ids, telemetry, channel = MovedClock(NOW), RandomIds(), NullTelemetry(), Channel()
    ledger = await running.enter_async_context(RedisLedger(store, timeout_s=PATIENCE_S))
    masters = MasterKeys.from_file(folder / "master.key", create=True)
    shelf, identity = RedisKeyShelf(store, masters), Private(b"i" * 32)
    hashes = SubjectHash(identity)
    recordings = open_recordings(
        DeskNeeds(
            data=folder,
            store=store,
            ledger=ledger,
            policies=known,
            secrets=Secrets(folder / "secrets", {}),
            keys=shelf,
            telemetry=telemetry,
            clock=clock,
            ids=ids,
            notices=NoticeWatch(RedisNoticeLog(store), lambda: known.policies),
        )
    )
    transcripts = open_transcripts(store, shelf, ledger, clock)
    places = HoldingNeeds(store, recordings.desk, Receipts(store, folder / "receipts"), clock, (transcripts.holding,))
    signing = SigningKey(b"s" * 32)
    desk = DataDeskNeeds(
        store, ledger, signing, clock, ids, telemetry, hashes, shelf if purging else None, key_destroyed=key_destroyed
    )
    data = open_data_desk(desk, holdings(places))
    governing = await open_governing(
        Needs(store, ledger, lambda: known.policies, Secrets(folder / "secrets", {}), b"i" * 32, {}, clock, ids), running
    )
    governing = replace(governing, senders={"webhook": channel})
    keys = Keys(masters, shelf, identity)
    righting = open_righting(RightingNeeds(store, ledger, governing, keys, data, transcripts.desk, clock, ids))
    return House(store, ledger, folder, known, hashes, shelf, data, governing, righting, channel, clock)


def names_in(entries: Sequence[Entry]) -> str:
    """All that these entries say, as one text."""
    return " ".join(str(entry.draft) for entry in entries)
