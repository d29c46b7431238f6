"""The folder of policy files: read, checked as a whole, watched. A valid change is taken over, an invalid one never is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import gateway
from gateway.errors import Finding, Location, Misconfigured, PolicyInvalid, PolicyUnavailable
from gateway.policy.agreements import AGREEMENTS_FILE
from gateway.policy.egress import Ask, Decision
from gateway.policy.load import REGISTRY_FILE, Memory, PolicySet, load
from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Registry
from gateway.policy.yaml_text import MAX_CHARACTERS
from gateway.redaction.entities import KINDS

Adjust = Callable[[Registry], Registry]
ROOT_FILES = (REGISTRY_FILE, AGREEMENTS_FILE)
YAML = (".yaml", ".yml")
Stamp = tuple[int, int, int, int]
"""Modified, changed, size, inode: a file with the same stamp is not read again."""


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

    Packs, announcements and the catalogue of sub-processors that ship with Sordino are found without copying; a file of the same
    name in the folder goes before them. ``agreements.yaml`` lies over the catalogue. ``adjust`` changes the registry after each
    load (``with_base_url``). A new object knows nothing: call ``reload_if_changed``, or use ``PolicyFolder.open``.
    """

    def __init__(self, folder: Path, *, shipped: Path | None = None, adjust: Adjust | None = None) -> None:
        self._folder = folder
        self._shipped = shipped if shipped is not None else shipped_policies()
        self._adjust = adjust
        self._current: _Current | None = None
        self._stamps: dict[str, Stamp] | None = None
        self._texts: dict[str, str] = {}
        self._memory = Memory()
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

    @property
    def texts(self) -> Mapping[str, str]:
        """The newest texts by file, as they were read last, valid or not."""
        return self._texts

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
        stamps: dict[str, Stamp] | None = None
        try:
            files, sounds = self._files(), self._sounds()
            stamps = files | sounds
            if stamps == self._stamps:
                return False
            before, self._texts = self._texts, self._read_texts(files)
            assets = {Path(file).name: Path(file) for file in sounds}
            current = self._current
            if current is None or self._findings or self._texts != before or assets != current.assets:
                current = _Current(self._read(self._texts, assets), assets)
        except PolicyInvalid as invalid:
            self._findings, self._stamps = invalid.findings, stamps
            return False
        except OSError as broken:
            where = Location(str(broken.filename or self._folder), 1, 1)
            self._findings = (Finding(f"this cannot be read: {broken.strerror}", where, "mend its permissions, or remove it"),)
            self._stamps = None
            return False
        changed = current is not self._current
        self._current, self._findings, self._stamps = current, (), stamps
        return changed

    async def watch(
        self,
        on_invalid: Callable[[tuple[Finding, ...]], None],
        on_changed: Callable[[PolicySet], None] | None = None,
        *,
        every_s: float = 0.8,
    ) -> None:
        """Take over changes until cancelled.

        A change is read when it has been still for one look, so that a file that is being written is not taken for a short one.
        ``on_invalid`` hears the faults of an invalid change, once for each; ``on_changed`` hears of each set taken over.
        """
        told = self._findings
        before = await asyncio.to_thread(self._look)
        while True:
            await asyncio.sleep(every_s)
            seen = await asyncio.to_thread(self._look)
            still, before = seen == before, seen
            if not still or seen == self._stamps:
                continue
            try:
                if await asyncio.to_thread(self.reload_if_changed) and on_changed is not None:
                    on_changed(self.policies)
            except Misconfigured as broken:
                where = Location(str(self._folder / REGISTRY_FILE), 1, 1)
                self._findings = (Finding(broken.message, where, broken.hint),)
            if self._findings and self._findings != told:
                on_invalid(self._findings)
            told = self._findings

    def _look(self) -> dict[str, Stamp] | None:
        try:
            return self._files() | self._sounds()
        except OSError:
            return None

    def _in_force(self) -> _Current:
        if self._current is None:
            hint = f"run `sordino policy check --policies {self._folder}`"
            raise PolicyUnavailable(
                "there is no valid policy", hint=hint, reasons=tuple(str(finding) for finding in self._findings)
            )
        return self._current

    def _read(self, texts: dict[str, str], assets: dict[str, Path]) -> PolicySet:
        policies = load(texts, assets=assets, entities=KINDS, memory=self._memory)
        return policies if self._adjust is None else replace(policies, registry=self._adjust(policies.registry))

    def _read_texts(self, stamps: dict[str, Stamp]) -> dict[str, str]:
        """The texts of the files; one whose stamp is known is not read again."""
        faults: list[Finding] = []
        texts: dict[str, str] = {}
        known = self._stamps or {}
        for file, stamp in stamps.items():
            if known.get(file) == stamp and file in self._texts:
                texts[file] = self._texts[file]
                continue
            try:
                texts[file] = _text(file)
            except FileNotFoundError:
                continue
            except _UnreadableError as unreadable:
                faults.append(unreadable.finding)
        if not self._folder.is_dir():
            faults.append(
                Finding("there is no such folder", Location(str(self._folder), 1, 1), "name the folder with subprocessors.yaml")
            )
        if faults:
            self._texts = {}
            raise PolicyInvalid(tuple(faults))
        return texts

    def _files(self) -> dict[str, Stamp]:
        own, found = self._folder, {}
        for name in ROOT_FILES:
            with suppress(FileNotFoundError, NotADirectoryError):
                found[str(own / name)] = _stamp((own / name).stat())
        packs, tenants = _listed(own / "packs", YAML), _listed(own / "tenants", YAML)
        if tenants and str(own / REGISTRY_FILE) not in found:
            found[str(self._shipped / REGISTRY_FILE)] = _stamp((self._shipped / REGISTRY_FILE).stat())
        found |= tenants | packs
        if not _same(own, self._shipped):
            taken = {Path(file).stem for file in packs}
            shipped = _listed(self._shipped / "packs", YAML)
            found |= {file: stamp for file, stamp in shipped.items() if Path(file).stem not in taken}
        return found

    def _sounds(self) -> dict[str, Stamp]:
        return _listed(self._shipped / "announcements", (".wav",)) | _listed(self._folder / "announcements", (".wav",))


class _UnreadableError(Exception):
    def __init__(self, file: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.finding = Finding(message, Location(file, 1, 1), hint)


def _text(file: str) -> str:
    """Raises _UnreadableError, and FileNotFoundError for a file that went away since it was listed."""
    # A character takes at most four bytes, so a longer file holds too many of them whatever it says.
    limit = 4 * MAX_CHARACTERS
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as opened:
            content = opened.read(limit + 1) or b""
    except FileNotFoundError:
        raise
    except OSError as broken:
        raise _UnreadableError(
            file, f"the file cannot be read: {broken.strerror}", "mend its permissions, or remove it"
        ) from None
    if len(content) > limit:
        raise _UnreadableError(
            file, f"the file has more than {MAX_CHARACTERS // 1024} Ki characters", "split it into several files"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _UnreadableError(file, "the file is not UTF-8 text", "save it as UTF-8") from None


def _listed(folder: Path, endings: tuple[str, ...]) -> dict[str, Stamp]:
    """The files of a folder with their stamps, sorted. Hidden ones are an editor's: they are passed over."""
    found: dict[str, Stamp] = {}
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(endings) and not entry.name.startswith("."):
                with suppress(FileNotFoundError):
                    if entry.is_file():
                        found[entry.path] = _stamp(entry.stat())
    return dict(sorted(found.items()))


def _stamp(stat: os.stat_result) -> Stamp:
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def _same(first: Path, second: Path) -> bool:
    return first.resolve() == second.resolve()
