"""The folder of policy files: read, checked as a whole, watched. A valid change is taken over, an invalid one never is."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gateway
from gateway.errors import Finding, Location, Misconfigured, PolicyInvalid, PolicyUnavailable
from gateway.policy.egress import Ask, Decision
from gateway.policy.load import REGISTRY_FILE, PolicySet, load
from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Registry
from gateway.policy.yaml_text import MAX_CHARACTERS
from gateway.redaction.entities import KINDS

Adjust = Callable[[Registry], Registry]
Stamp = tuple[str, int, int, int, int]


def shipped_policies() -> Path:
    """The policies that come with Sordino: inside the wheel, or at the root of a checkout."""
    package = Path(gateway.__file__).parent
    installed = package / "_policies"
    return installed if installed.is_dir() else package.parent / "policies"


@dataclass(frozen=True, slots=True)
class _Current:
    policies: PolicySet
    assets: dict[str, Path]


class PolicyFolder:
    """Implements the ``Policy`` port from ``FOLDER/subprocessors.yaml``, ``FOLDER/tenants/*.yaml`` and ``FOLDER/packs/*.yaml``.

    Packs and announcements that ship with Sordino are found without copying; a file of the same name in the folder goes before
    them. ``adjust`` changes the registry after each load (``with_base_url``). A new object knows nothing: call
    ``reload_if_changed``, or use ``PolicyFolder.open``.
    """

    def __init__(self, folder: Path, *, shipped: Path | None = None, adjust: Adjust | None = None) -> None:
        self._folder = folder
        self._shipped = shipped if shipped is not None else shipped_policies()
        self._adjust = adjust
        self._current: _Current | None = None
        self._stamps: tuple[Stamp, ...] | None = None
        self._content = ""
        self._findings: tuple[Finding, ...] = ()

    @classmethod
    def open(cls, folder: Path, *, shipped: Path | None = None, adjust: Adjust | None = None) -> PolicyFolder:
        """The folder, read and valid.

        Raises:
            PolicyInvalid: with every fault.
            Misconfigured: ``adjust`` cannot be applied.
        """
        opened = cls(folder, shipped=shipped, adjust=adjust)
        opened.reload_if_changed()
        if opened.findings:
            raise PolicyInvalid(opened.findings)
        return opened

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The faults of the newest files; while there are any, the last valid set stays in force."""
        return self._findings

    @property
    def policies(self) -> PolicySet:
        """The set in force. Raises PolicyUnavailable when no valid one was ever read."""
        return self._in_force().policies

    def decide(self, ask: Ask) -> Decision:
        """Raises PolicyUnavailable when there is no valid policy for the tenant."""
        return self.policies.decide(ask)

    def tenant(self, tenant: str) -> TenantPolicy:
        """Raises PolicyUnavailable."""
        return self.policies.tenant(tenant)

    def tenant_for_number(self, number: str) -> TenantPolicy | None:
        """The tenant to whom the called number belongs. Raises PolicyUnavailable when there is no valid policy at all."""
        return self.policies.tenant_for_number(number)

    def announcement(self, asset: str) -> Path:
        """The WAV of an announcement in force. Raises PolicyUnavailable when it is not there."""
        path = self._in_force().assets.get(asset)
        if path is None:
            raise PolicyUnavailable(f"there is no announcement {asset!r}", hint="add it to announcements/")
        return path

    def reload_if_changed(self) -> bool:
        """Read the folder again if a file changed; say whether a new set was taken over. Faults go to ``findings``.

        Raises:
            Misconfigured: ``adjust`` cannot be applied to what was read.
        """
        stamps: tuple[Stamp, ...] | None = None
        try:
            stamps = tuple(self._stamp_all())
            if stamps == self._stamps:
                return False
            texts, assets = self._texts(), self._assets()
            content = hashlib.sha256(repr((sorted(texts.items()), sorted(assets))).encode()).hexdigest()
            if content != self._content:
                self._current = _Current(self._read(texts, assets), assets)
        except PolicyInvalid as invalid:
            self._findings, self._stamps, self._content = invalid.findings, stamps, ""
            return False
        except OSError as broken:
            where = Location(str(broken.filename or self._folder), 1, 1)
            self._findings = (Finding(f"this cannot be read: {broken.strerror}", where, "mend its permissions, or remove it"),)
            self._stamps = None
            return False
        changed = content != self._content
        self._findings, self._stamps, self._content = (), stamps, content
        return changed

    async def watch(
        self,
        on_invalid: Callable[[tuple[Finding, ...]], None],
        on_changed: Callable[[PolicySet], None] | None = None,
        *,
        every_s: float = 1.0,
    ) -> None:
        """Take over changes until cancelled.

        ``on_invalid`` hears the faults of an invalid change, once for each; ``on_changed`` hears of each set taken over.
        """
        told = self._findings
        while True:
            await asyncio.sleep(every_s)
            try:
                if await asyncio.to_thread(self.reload_if_changed) and on_changed is not None:
                    on_changed(self.policies)
            except Misconfigured as broken:
                where = Location(str(self._folder / REGISTRY_FILE), 1, 1)
                self._findings = (Finding(broken.message, where, broken.hint),)
            if self._findings and self._findings != told:
                on_invalid(self._findings)
            told = self._findings

    def _in_force(self) -> _Current:
        if self._current is None:
            hint = f"run `sordino policy check --policies {self._folder}`"
            raise PolicyUnavailable(
                "there is no valid policy", hint=hint, reasons=tuple(str(finding) for finding in self._findings)
            )
        return self._current

    def _read(self, texts: dict[str, str], assets: dict[str, Path]) -> PolicySet:
        policies = load(texts, assets=assets, entities=KINDS)
        if self._adjust is None:
            return policies
        return PolicySet(policies.tenants, self._adjust(policies.registry), policies.packs, policies.numbers)

    def _texts(self) -> dict[str, str]:
        faults: list[Finding] = []
        texts: dict[str, str] = {}
        for path in self._files():
            try:
                texts[str(path)] = _text(path)
            except _UnreadableError as unreadable:
                faults.append(unreadable.finding)
        if not self._folder.is_dir():
            faults.append(
                Finding("there is no such folder", Location(str(self._folder), 1, 1), "name the folder with subprocessors.yaml")
            )
        if faults:
            raise PolicyInvalid(tuple(faults))
        return texts

    def _files(self) -> Iterator[Path]:
        own = self._folder
        if (own / REGISTRY_FILE).is_file():
            yield own / REGISTRY_FILE
        yield from _yaml(own / "tenants")
        packs = list(_yaml(own / "packs"))
        yield from packs
        if not _same(own, self._shipped):
            taken = {path.stem for path in packs}
            yield from (path for path in _yaml(self._shipped / "packs") if path.stem not in taken)

    def _assets(self) -> dict[str, Path]:
        folders = (self._shipped / "announcements", self._folder / "announcements")
        return {path.name: path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.wav"))}

    def _stamp_all(self) -> Iterator[Stamp]:
        for path in (*self._files(), *self._assets().values()):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            yield str(path), stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


class _UnreadableError(Exception):
    def __init__(self, path: Path, message: str, hint: str) -> None:
        super().__init__(message)
        self.finding = Finding(message, Location(str(path), 1, 1), hint)


def _text(path: Path) -> str:
    # A character takes at most four bytes, so a longer file holds too many of them whatever it says.
    limit = 4 * MAX_CHARACTERS
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as broken:
        raise _UnreadableError(
            path, f"the file cannot be read: {broken.strerror}", "mend its permissions, or remove it"
        ) from None
    if len(content) > limit:
        raise _UnreadableError(
            path, f"the file has more than {MAX_CHARACTERS // 1024} Ki characters", "split it into several files"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _UnreadableError(path, "the file is not UTF-8 text", "save it as UTF-8") from None


def _yaml(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())


def _same(first: Path, second: Path) -> bool:
    return first.resolve() == second.resolve()
