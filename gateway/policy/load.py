"""Texts of policy files to the policies in force, or to every fault in them with its place.

Reading the files is the caller's part: ``load`` takes their texts by name and opens nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel

from gateway.errors import Finding, Location, PolicyInvalid, PolicyUnavailable
from gateway.policy import checks
from gateway.policy.agreements import AGREEMENTS_FILE, Agreement, agreed
from gateway.policy.announcing import RequiredAnnouncement
from gateway.policy.documents import Parts, Source, read_document
from gateway.policy.egress import Ask, Decision, Router
from gateway.policy.faults import did_you_mean, read_model
from gateway.policy.merge import alike, effective, effective_like
from gateway.policy.model import PackFile, TenantFile, TenantPolicy
from gateway.policy.registry import Registry, SubProcessor
from gateway.policy.shared import Shared
from gateway.policy.yaml_text import Plain
from gateway.values import Hop, ProcessorId, TenantId

M = TypeVar("M", bound=BaseModel)

REGISTRY_FILE = "subprocessors.yaml"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All tenants' policies and the registry that they refer to, valid as a whole."""

    tenants: Mapping[TenantId, TenantPolicy]
    registry: Registry
    packs: Mapping[str, PackFile]
    numbers: Mapping[str, TenantId]
    _routers: dict[TenantId, Router] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def announcements(self) -> Iterator[RequiredAnnouncement]:
        """Those of all tenants, in every language."""
        return (each for policy in self.tenants.values() for each in policy.announcements)

    def tenant(self, tenant: str) -> TenantPolicy:
        """Raises PolicyUnavailable: nobody wrote a policy for this tenant, so nothing of it may leave."""
        policy = self.tenants.get(TenantId(tenant))
        if policy is None:
            # Who asks may have written anything where a tenant's name belongs: it is not said back.
            raise PolicyUnavailable(
                "there is no policy for this tenant", hint="`sordino tenants list` names them; add tenants/NAME.yaml"
            )
        return policy

    def tenant_for_number(self, number: str) -> TenantPolicy | None:
        """The tenant to whom a called number (E.164) belongs."""
        tenant = self.numbers.get(number)
        return self.tenants[tenant] if tenant is not None else None

    def decide(self, ask: Ask) -> Decision:
        """Raises PolicyUnavailable."""
        router = self._routers.get(ask.tenant)
        if router is None:
            router = self._routers[ask.tenant] = Router(self.tenant(ask.tenant), self.registry)
        return router.decide(ask)


@dataclass(frozen=True, slots=True)
class _Read(Generic[M]):
    """One thing that a file says, and where, so that later checks can point at it."""

    value: M
    source: Source

    def at(self, *path: int | str, key: bool = False) -> Location:
        return self.source.at(*path, key=key)


@dataclass(slots=True)
class Memory:
    """What earlier loads of the same files read, so that a file that did not change is not read again. A new one is empty."""

    parts: Parts = field(default_factory=Parts)
    shared: Shared = field(default_factory=Shared)
    files: dict[str, tuple[str, BaseModel]] = field(default_factory=dict)
    """File to its text and what it says, for files without a fault that hold one thing."""
    policies: dict[TenantId, tuple[TenantFile, tuple[PackFile, ...], TenantPolicy]] = field(default_factory=dict)
    """Tenant to what its policy was joined from, and the policy."""
    joined: dict[tuple[object, ...], tuple[TenantFile, tuple[PackFile, ...], TenantPolicy]] = field(default_factory=dict)
    """What makes policies alike to the first of them; it is held with its files, so that their identities stay theirs."""


@dataclass(slots=True)
class _Loading:
    assets: Collection[str] | None
    entities: Collection[str] | None
    memory: Memory
    findings: list[Finding] = field(default_factory=list)
    processors: dict[str, _Read[SubProcessor]] = field(default_factory=dict)
    packs: dict[str, _Read[PackFile]] = field(default_factory=dict)
    tenants: dict[str, _Read[TenantFile]] = field(default_factory=dict)
    agreements: dict[str, _Read[Agreement]] = field(default_factory=dict)
    partly: list[_Read[TenantFile]] = field(default_factory=list)
    """Tenants whose files have faults, as far as their names could be read."""
    unreadable: set[str] = field(default_factory=set)
    """Kinds of file of which one could not be read: names that may stand there are not called unknown."""

    def found(self, message: str, where: Location, hint: str) -> None:
        self.findings.append(Finding(message, where, hint))

    def document(self, file: str, text: str, kind: str) -> Plain:
        value, findings = read_document(file, text, self.memory.parts)
        self.findings += findings
        if value is None:
            self.unreadable.add(kind)
        return value

    def model(self, model: type[M], value: Plain, source: Source, kind: str) -> _Read[M] | None:
        made, findings = read_model(model, value, source)
        self.findings += findings
        if made is None:
            self.unreadable.add(kind)
            return None
        if kind == "tenant":
            self.memory.shared.parts_of(made, value)
        return _Read(made, source)

    def file(self, model: type[M], file: str, text: str, kind: str) -> _Read[M] | None:
        """A file that holds one thing, read once as long as its text stays."""
        known = self.memory.files.get(file)
        if known is not None and known[0] == text and isinstance(known[1], model):
            return _Read(known[1], Source(file, text))
        before = len(self.findings)
        value = self.document(file, text, kind)
        read = self.model(model, value, Source(file, text), kind) if value is not None else None
        if read is not None and len(self.findings) == before:
            self.memory.files[file] = (text, read.value)
        return read

    def keep(self, store: dict[str, _Read[M]], name: str, read: _Read[M], key: str) -> None:
        if name in store:
            first = store[name].at(key)
            self.found(f"`{name}` is defined twice", read.at(key), f"it stands in {first} already: rename or remove one")
            return
        store[name] = read

    def registry(self, file: str, text: str) -> None:
        listed = self.document(file, text, "processor")
        if listed is None:
            return
        source = Source(file, text)
        if not isinstance(listed, list):
            self.found("this file must be a list of sub-processors", source.at(), "begin each with `- id: NAME`")
            self.unreadable.add("processor")
            return
        for index, item in enumerate(listed):
            if (read := self.model(SubProcessor, item, source.item(index), "processor")) is not None:
                self.keep(self.processors, read.value.id, read, "id")

    def agreed(self, file: str, text: str) -> None:
        listed = self.document(file, text, "agreement")
        if listed is None:
            return
        if not isinstance(listed, dict):
            hint = "write a sub-processor and what you signed: `mistral: {reference: …, reviewed_on: …}`"
            self.found("this file must be a mapping of sub-processors", Source(file, text).at(), hint)
            return
        for name, signed in listed.items():
            if name not in self.processors and "processor" not in self.unreadable:
                hint = did_you_mean(name, self.processors)
                self.found(f"there is no sub-processor `{name}`", Source(file, text).at(name, key=True), hint)
            read = self.model(Agreement, signed, Source(file, text, (name,)), "agreement")
            if read is not None:
                self.agreements[name] = read

    def agree(self) -> None:
        """Put what was agreed with each sub-processor over what the catalogue says of it."""
        for name, agreement in self.agreements.items():
            if (entry := self.processors.get(name)) is None:
                continue
            changed = agreed(entry.value, agreement.value)
            if isinstance(changed, SubProcessor):
                self.processors[name] = _Read(changed, entry.source)
            else:
                self.found(changed.message, agreement.at(), changed.hint)

    def pack(self, file: str, text: str) -> None:
        if (read := self.file(PackFile, file, text, "pack")) is not None:
            self.keep(self.packs, read.value.pack, read, "pack")
            self.settings(read, read.value)

    def tenant(self, file: str, text: str) -> None:
        if (read := self.file(TenantFile, file, text, "tenant")) is not None:
            self.keep(self.tenants, read.value.tenant, read, "tenant")
        elif (part := self.names_in(file, text)) is not None:
            self.partly.append(part)

    def names_in(self, file: str, text: str) -> _Read[TenantFile] | None:
        """Of a tenant's file with faults the names that it uses, so that misspelt ones are shown together with the rest."""
        value, _ = read_document(file, text, self.memory.parts)
        stated = value if isinstance(value, dict) else {}
        said: dict[str, Plain] = {key: stated[key] for key in ("tenant", "extends", "route") if key in stated}
        made, _ = read_model(TenantFile, said, Source(file, text))
        return _Read(made, Source(file, text)) if made is not None else None

    def settings(self, read: _Read[M], said: PackFile | TenantFile) -> None:
        """What packs and tenants have in common and the models cannot see."""
        named = [(announcement.id, announcement.language) for announcement in said.announcements or ()]
        for index, announcement in enumerate(said.announcements or ()):
            if named[index] in named[:index]:
                self.found(
                    f"the announcement `{announcement.id}` stands here twice", read.at("announcements", index, "id"), "rename one"
                )
            if announcement.asset is None:
                if not announcement.playable:
                    self.found(
                        f"this machine's voice does not speak `{announcement.language}`",
                        read.at("announcements", index, "language"),
                        "record the announcement, put the WAV into announcements/ and write `asset: NAME.wav`",
                    )
            elif self.assets is not None and announcement.asset not in self.assets:
                where = read.at("announcements", index, "asset")
                self.found(
                    f"there is no announcements/{announcement.asset}", where, did_you_mean(announcement.asset, self.assets)
                )
        for problem in checks.settings(said, self.entities):
            self.found(problem.message, read.at(*problem.path, key=problem.at_key), problem.hint)

    def references(self, read: _Read[TenantFile]) -> None:
        """Every name that a tenant's file uses must exist and be of the right kind."""
        tenant = read.value
        self.settings(read, tenant)
        self.names(read)
        known = self.processors if "processor" not in self.unreadable else None
        packs = {name: self.packs[name].value for name in tenant.extends if name in self.packs}
        for problem in checks.tenant(tenant, packs, known):
            self.found(problem.message, read.at(*problem.path, key=problem.at_key), problem.hint)

    def names(self, read: _Read[TenantFile]) -> None:
        tenant = read.value
        for index, pack in enumerate(tenant.extends):
            if pack not in self.packs and "pack" not in self.unreadable:
                hint = did_you_mean(pack, self.packs, otherwise="the packs are")
                self.found(f"there is no pack `{pack}`", read.at("extends", index), hint)
        for hop in Hop:
            for index, candidate in enumerate(tenant.route.candidates(hop)):
                self.candidate(read, hop, index, candidate.processor)

    def candidate(self, read: _Read[TenantFile], hop: Hop, index: int, name: str) -> None:
        entry = self.processors.get(name)
        if entry is not None and entry.value.kind is hop:
            return
        where = read.at("route", hop.value, index, "processor")
        if entry is None:
            if "processor" not in self.unreadable:
                known = [read.value.id for read in self.processors.values() if read.value.kind is hop]
                self.found(
                    f"there is no sub-processor `{name}`",
                    where,
                    did_you_mean(name, known, otherwise=f"those for {hop.value} are"),
                )
        elif entry.value.kind is not hop:
            self.found(
                f"`{name}` is a processor for {entry.value.kind.value}, not for {hop.value}", where, "move it, or name another"
            )

    def numbers(self) -> dict[str, TenantId]:
        owners: dict[str, tuple[_Read[TenantFile], int]] = {}
        for read in self.tenants.values():
            for index, number in enumerate(read.value.numbers):
                if number in owners:
                    other, place = owners[number]
                    first = other.at("numbers", place)
                    self.found(
                        f"the number {number} stands twice",
                        read.at("numbers", index),
                        f"it belongs to a tenant in {first} already",
                    )
                owners.setdefault(number, (read, index))
        return {number: TenantId(read.value.tenant) for number, (read, _) in owners.items()}


def load(
    texts: Mapping[str, str],
    *,
    assets: Collection[str] | None = None,
    entities: Collection[str] | None = None,
    memory: Memory | None = None,
) -> PolicySet:
    """The policies that ``texts`` describe.

    Args:
        texts: file name to text. What a file is follows from its name: ``…/packs/*.yaml``, ``…/tenants/*.yaml``,
            ``subprocessors.yaml`` and ``agreements.yaml``; other names are passed over. The names stand in findings as given.
        assets: names of the announcements' WAV files that exist; None: not checked.
        entities: kinds of personal data that the detector finds; None: not checked.
        memory: of earlier loads of the same files; it is filled for the next one. The answer is the same with and without it.

    Raises:
        PolicyInvalid: with every fault of every file, in the order of the files.
    """
    loading = _Loading(assets, entities, memory if memory is not None else Memory())
    for file in sorted(texts, key=lambda file: (_parts(file)[1] == AGREEMENTS_FILE, file)):
        folder, name = _parts(file)
        if name == REGISTRY_FILE and folder not in ("packs", "tenants"):
            loading.registry(file, texts[file])
        elif name == AGREEMENTS_FILE and folder not in ("packs", "tenants"):
            loading.agreed(file, texts[file])
        elif folder == "packs":
            loading.pack(file, texts[file])
        elif folder == "tenants":
            loading.tenant(file, texts[file])
    if not any(_parts(file)[1] == REGISTRY_FILE for file in texts):
        loading.found(f"there is no {REGISTRY_FILE}", Location(REGISTRY_FILE, 1, 1), "it lists everyone who may receive data")
    loading.agree()
    for read in loading.tenants.values():
        loading.references(read)
    for read in loading.partly:
        loading.names(read)
    numbers = loading.numbers()
    if loading.findings:
        raise PolicyInvalid(tuple(sorted(loading.findings, key=lambda finding: _order(finding.where))))
    return _policy_set(loading, numbers)


def _policy_set(loading: _Loading, numbers: Mapping[str, TenantId]) -> PolicySet:
    packs = {name: read.value for name, read in loading.packs.items()}
    return PolicySet(
        tenants={TenantId(name): _policy(loading.memory, read.value, packs) for name, read in loading.tenants.items()},
        registry=Registry.of({ProcessorId(name): read.value for name, read in loading.processors.items()}),
        packs=packs,
        numbers=numbers,
    )


def _policy(memory: Memory, tenant: TenantFile, packs: Mapping[str, PackFile]) -> TenantPolicy:
    extended = tuple(packs[pack] for pack in dict.fromkeys(tenant.extends))
    name = TenantId(tenant.tenant)
    known = memory.policies.get(name)
    if known is not None and known[0] is tenant and known[1] == extended:
        return known[2]
    key = alike(tenant, extended)
    if (other := memory.joined.get(key)) is not None:
        policy = effective_like(other[2], tenant, extended)
    else:
        policy = effective(tenant, extended)
        memory.joined[key] = (tenant, extended, policy)
    memory.policies[name] = (tenant, extended, policy)
    return policy


def _parts(file: str) -> tuple[str, str]:
    folder, _, name = file.replace("\\", "/").rpartition("/")
    return folder.rpartition("/")[2], name


def _order(where: Location) -> tuple[str, int, int]:
    return where.file, where.line, where.column
