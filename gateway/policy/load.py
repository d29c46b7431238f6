"""Texts of policy files to the policies in force, or to every fault in them with its place.

Reading the files is the caller's part: ``load`` takes their texts by name and opens nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel

from gateway.errors import Finding, Location, PolicyInvalid, PolicyUnavailable
from gateway.policy.egress import Ask, Decision, decide
from gateway.policy.faults import did_you_mean, place, read_model
from gateway.policy.merge import effective
from gateway.policy.model import PackFile, TenantFile, TenantPolicy
from gateway.policy.registry import Registry, SubProcessor
from gateway.policy.yaml_text import Node, read_yaml
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

    def tenant(self, tenant: str) -> TenantPolicy:
        """Raises PolicyUnavailable: nobody wrote a policy for this tenant, so nothing of it may leave."""
        policy = self.tenants.get(TenantId(tenant))
        if policy is None:
            raise PolicyUnavailable(f"there is no policy for tenant {tenant[:64]!r}", hint="add tenants/NAME.yaml")
        return policy

    def tenant_for_number(self, number: str) -> TenantPolicy | None:
        """The tenant to whom a called number (E.164) belongs."""
        tenant = self.numbers.get(number)
        return self.tenants[tenant] if tenant is not None else None

    def decide(self, ask: Ask) -> Decision:
        """Raises PolicyUnavailable."""
        return decide(self.tenant(ask.tenant), self.registry, ask)


@dataclass(frozen=True, slots=True)
class _Read(Generic[M]):
    """One thing that a file says, and where, so that later checks can point at it."""

    value: M
    node: Node
    file: str

    def at(self, *path: int | str, key: bool = False) -> Location:
        return place(self.node, path, self.file, at_key=key)


@dataclass(slots=True)
class _Loading:
    assets: Collection[str] | None
    entities: Collection[str] | None
    findings: list[Finding] = field(default_factory=list)
    processors: dict[str, _Read[SubProcessor]] = field(default_factory=dict)
    packs: dict[str, _Read[PackFile]] = field(default_factory=dict)
    tenants: dict[str, _Read[TenantFile]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    """Kinds of file of which one could not be read: names that may stand there are not called unknown."""

    def found(self, message: str, where: Location, hint: str) -> None:
        self.findings.append(Finding(message, where, hint))

    def document(self, file: str, text: str, kind: str) -> Node | None:
        node, findings = read_yaml(file, text)
        self.findings += findings
        if node is None:
            self.unreadable.add(kind)
        return node

    def model(self, model: type[M], node: Node, file: str, kind: str) -> _Read[M] | None:
        value, findings = read_model(model, node, file)
        self.findings += findings
        if value is None:
            self.unreadable.add(kind)
            return None
        return _Read(value, node, file)

    def keep(self, store: dict[str, _Read[M]], name: str, read: _Read[M], key: str) -> None:
        if name in store:
            first = store[name].at(key)
            self.found(f"`{name}` is defined twice", read.at(key), f"it stands in {first} already: rename or remove one")
            return
        store[name] = read

    def registry(self, file: str, text: str) -> None:
        node = self.document(file, text, "processor")
        if node is None:
            return
        if node.items is None:
            self.found(
                "this file must be a list of sub-processors",
                Location(file, node.line, node.column),
                "begin each with `- id: NAME`",
            )
            self.unreadable.add("processor")
            return
        for item in node.items:
            if (read := self.model(SubProcessor, item, file, "processor")) is not None:
                self.keep(self.processors, read.value.id, read, "id")

    def pack(self, file: str, text: str) -> None:
        node = self.document(file, text, "pack")
        if node is not None and (read := self.model(PackFile, node, file, "pack")) is not None:
            self.keep(self.packs, read.value.pack, read, "pack")
            self.settings(read, read.value)

    def tenant(self, file: str, text: str) -> None:
        node = self.document(file, text, "tenant")
        if node is not None and (read := self.model(TenantFile, node, file, "tenant")) is not None:
            self.keep(self.tenants, read.value.tenant, read, "tenant")

    def settings(self, read: _Read[M], said: PackFile | TenantFile) -> None:
        """What packs and tenants have in common and the models cannot see."""
        ids = [announcement.id for announcement in said.announcements or ()]
        for index, announcement in enumerate(said.announcements or ()):
            if announcement.id in ids[:index]:
                self.found(
                    f"the announcement `{announcement.id}` stands here twice", read.at("announcements", index, "id"), "rename one"
                )
            if self.assets is not None and announcement.asset not in self.assets:
                where = read.at("announcements", index, "asset")
                self.found(
                    f"there is no announcements/{announcement.asset}", where, did_you_mean(announcement.asset, self.assets)
                )
        for kind in said.masking or {}:
            if self.entities is not None and kind != "default" and kind not in self.entities:
                where = read.at("masking", kind, key=True)
                self.found(f"`{kind}` is not a kind of personal data that we find", where, did_you_mean(kind, self.entities))

    def references(self, read: _Read[TenantFile]) -> None:
        """Every name that a tenant's file uses must exist and be of the right kind."""
        tenant = read.value
        self.settings(read, tenant)
        for index, pack in enumerate(tenant.extends):
            if pack not in self.packs and "pack" not in self.unreadable:
                hint = did_you_mean(pack, self.packs, otherwise="the packs are")
                self.found(f"there is no pack `{pack}`", read.at("extends", index), hint)
        for hop in Hop:
            for index, candidate in enumerate(tenant.route.candidates(hop)):
                self.candidate(read.at("route", hop.value, index, "processor"), hop, candidate.processor)

    def candidate(self, where: Location, hop: Hop, name: str) -> None:
        entry = self.processors.get(name)
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
        owners: dict[str, tuple[TenantId, Location]] = {}
        for read in self.tenants.values():
            for index, number in enumerate(read.value.numbers):
                where = read.at("numbers", index)
                if number in owners:
                    self.found(
                        f"the number {number} stands twice", where, f"it belongs to a tenant in {owners[number][1]} already"
                    )
                owners.setdefault(number, (TenantId(read.value.tenant), where))
        return {number: tenant for number, (tenant, _) in owners.items()}


def load(
    texts: Mapping[str, str], *, assets: Collection[str] | None = None, entities: Collection[str] | None = None
) -> PolicySet:
    """The policies that ``texts`` describe.

    Args:
        texts: file name to text. What a file is follows from its name: ``…/packs/*.yaml``, ``…/tenants/*.yaml`` and
            ``subprocessors.yaml``; other names are passed over. The names stand in findings as they are given.
        assets: names of the announcements' WAV files that exist; None: not checked.
        entities: kinds of personal data that the detector finds; None: not checked.

    Raises:
        PolicyInvalid: with every fault of every file, in the order of the files.
    """
    loading = _Loading(assets, entities)
    for file in sorted(texts):
        folder, name = _parts(file)
        if name == REGISTRY_FILE and folder not in ("packs", "tenants"):
            loading.registry(file, texts[file])
        elif folder == "packs":
            loading.pack(file, texts[file])
        elif folder == "tenants":
            loading.tenant(file, texts[file])
    if not any(_parts(file)[1] == REGISTRY_FILE for file in texts):
        loading.found(f"there is no {REGISTRY_FILE}", Location(REGISTRY_FILE, 1, 1), "it lists everyone who may receive data")
    for read in loading.tenants.values():
        loading.references(read)
    numbers = loading.numbers()
    if loading.findings:
        raise PolicyInvalid(tuple(sorted(loading.findings, key=lambda finding: _order(finding.where))))
    return _policy_set(loading, numbers)


def _policy_set(loading: _Loading, numbers: Mapping[str, TenantId]) -> PolicySet:
    packs = {name: read.value for name, read in loading.packs.items()}
    return PolicySet(
        tenants={
            TenantId(name): effective(read.value, [packs[pack] for pack in dict.fromkeys(read.value.extends)])
            for name, read in loading.tenants.items()
        },
        registry=Registry.of({ProcessorId(name): read.value for name, read in loading.processors.items()}),
        packs=packs,
        numbers=numbers,
    )


def _parts(file: str) -> tuple[str, str]:
    folder, _, name = file.replace("\\", "/").rpartition("/")
    return folder.rpartition("/")[2], name


def _order(where: Location) -> tuple[str, int, int]:
    return where.file, where.line, where.column
