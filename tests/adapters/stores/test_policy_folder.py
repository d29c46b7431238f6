"""A folder of policies on disk: what is in force while people edit it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapters.stores.policy_folder import PolicyFolder, shipped_policies
from gateway.errors import Finding, Misconfigured, PolicyInvalid, PolicyUnavailable
from gateway.policy.registry import Registry, with_base_url
from gateway.ports import Policy
from gateway.tasks import TaskOwner
from gateway.values import Hop, ProcessorId
from tests.policy.samples import REGISTRY, TENANT, ask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "policies"
    (root / "tenants").mkdir(parents=True)
    (root / "subprocessors.yaml").write_text(REGISTRY)
    (root / "tenants" / "acme.yaml").write_text(TENANT)
    return root


def test_a_folder_answers_as_the_policy_port(folder: Path) -> None:
    policy: Policy = PolicyFolder.open(folder)
    grant = policy.decide(ask()).grant
    assert grant is not None
    assert grant.processor == "eu-llm"


def test_the_shipped_folder_is_valid_and_its_announcements_exist() -> None:
    opened = PolicyFolder.open(shipped_policies())
    for announcement in opened.tenant("demo").announcements:
        assert opened.announcement(announcement.asset or "").read_bytes()[:4] == b"RIFF"


def test_packs_and_announcements_that_ship_are_found_without_copying(folder: Path) -> None:
    tenant = TENANT + "extends: [gdpr-strict]\nannouncements: [{id: a, text: Hello., asset: recording-and-ai.en.wav}]\n"
    (folder / "tenants" / "acme.yaml").write_text(tenant)
    opened = PolicyFolder.open(folder)
    assert opened.tenant("acme").extends == ("gdpr-strict",)
    assert opened.announcement("recording-and-ai.en.wav").is_file()


def test_a_pack_of_the_folder_goes_before_the_shipped_one_of_the_same_name(folder: Path) -> None:
    (folder / "packs").mkdir()
    (folder / "packs" / "gdpr-strict.yaml").write_text("pack: gdpr-strict\ntitle: ours\nnotice_days: 77\n")
    (folder / "tenants" / "acme.yaml").write_text(TENANT + "extends: [gdpr-strict]\n")
    assert PolicyFolder.open(folder).tenant("acme").notice_days == 77


def test_a_folder_of_tenants_and_agreements_uses_the_shipped_catalogue(tmp_path: Path) -> None:
    """Nobody copies or edits the catalogue to write down what he signed."""
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "acme.yaml").write_text(
        "tenant: acme\nextends: [gdpr-strict]\nregions: [eu]\nroute:\n  llm: [{processor: mistral, model: small}]\n"
    )
    (tmp_path / "agreements.yaml").write_text(
        "mistral: {reference: DPA of 2026-05-01, reviewed_on: 2026-05-01, training: prohibited}\n"
    )
    opened = PolicyFolder.open(tmp_path)
    entry = opened.policies.registry.entries[ProcessorId("mistral")]
    assert entry.dpa is not None
    assert (entry.dpa.reference, entry.training) == ("DPA of 2026-05-01", "prohibited")
    assert opened.policies.decide(ask()).grant is not None


def test_a_folder_without_tenants_is_told_that_it_has_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"there is no subprocessors\.yaml"):
        PolicyFolder.open(tmp_path)


def test_opening_an_invalid_folder_shows_its_faults_with_the_path_that_was_given(folder: Path) -> None:
    (folder / "tenants" / "acme.yaml").write_text(TENANT + "colour: red\n")
    with pytest.raises(PolicyInvalid) as invalid:
        PolicyFolder.open(folder)
    assert [str(finding.where) for finding in invalid.value.findings] == [f"{folder}/tenants/acme.yaml:5:1"]


def test_a_misspelt_kind_of_data_is_a_fault_because_it_would_mask_nothing(folder: Path) -> None:
    (folder / "tenants" / "acme.yaml").write_text(TENANT + "masking: {CREDIT_CARDS: drop}\n")
    with pytest.raises(PolicyInvalid) as invalid:
        PolicyFolder.open(folder)
    assert "did you mean `CREDIT_CARD`?" in str(invalid.value)


def test_without_a_valid_policy_nothing_is_decided(tmp_path: Path) -> None:
    nothing = PolicyFolder(tmp_path / "nowhere")
    assert nothing.reload_if_changed() is False
    assert "there is no such folder" in nothing.findings[0].message
    with pytest.raises(PolicyUnavailable):
        nothing.decide(ask())
    with pytest.raises(PolicyUnavailable):
        nothing.tenant_for_number("+15550100")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00tenant", "the file is not UTF-8 text"),
        (b"#" * (2 << 20), "the file has more than 256 Ki characters"),
        (b"a: &a [*a]\n", "stands for nothing"),
        (b"k" * (1 << 20) + b": 1\n", "the file has more than 256 Ki characters"),
        (b"k" * (1 << 17) + b": 1\n", "not YAML: mapping values are not allowed"),
        (b"tenant: a\x00b\n", "a character here cannot stand in YAML"),
        (b"tenant: acm\xc3\n", "the file is not UTF-8 text"),
        (b"\xff\xfet\x00e\x00n\x00", "the file is not UTF-8 text"),
        (b"tenant: !!python/object/apply:os.system [id]\n", "YAML tags are not taken"),
        (b"a: " * 3000 + b"b\n", "not YAML"),
        (b"- " * 5000 + b"a\n", "nested deeper than 20 levels"),
        (b"[" * 5000, "too many open brackets"),
        (b"", "the file is empty"),
    ],
    ids=[
        "not UTF-8",
        "2 MiB",
        "recursive",
        "a key of 1 MiB",
        "a key of 128 KiB",
        "NUL",
        "cut in a character",
        "UTF-16",
        "a tag",
        "many colons",
        "deep lists",
        "open brackets",
        "empty",
    ],
)
def test_a_file_that_cannot_be_read_is_a_finding(folder: Path, content: bytes, message: str) -> None:
    (folder / "tenants" / "bad.yaml").write_bytes(content)
    with pytest.raises(PolicyInvalid) as invalid:
        PolicyFolder.open(folder)
    assert message in str(invalid.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_a_finding(folder: Path) -> None:
    (folder / "tenants" / "acme.yaml").chmod(0)
    with pytest.raises(PolicyInvalid, match="cannot be read"):
        PolicyFolder.open(folder)


def test_a_byte_order_mark_does_no_harm(folder: Path) -> None:
    (folder / "tenants" / "acme.yaml").write_bytes(b"\xef\xbb\xbf" + TENANT.encode())
    assert PolicyFolder.open(folder).tenant("acme").regions == ("eu",)


def test_a_valid_change_is_taken_over(folder: Path) -> None:
    opened = PolicyFolder.open(folder)
    before = opened.tenant("acme").digest
    assert opened.reload_if_changed() is False

    (folder / "tenants" / "acme.yaml").write_text(TENANT.replace("[eu]", "[de]"))
    assert opened.reload_if_changed() is True
    assert opened.tenant("acme").regions == ("de",)
    assert opened.tenant("acme").digest != before


def test_an_invalid_change_leaves_the_old_policy_in_force_until_it_is_mended(folder: Path) -> None:
    opened = PolicyFolder.open(folder)
    before = opened.tenant("acme").digest

    (folder / "tenants" / "acme.yaml").write_text("tenant: [")
    assert opened.reload_if_changed() is False
    assert opened.findings
    assert opened.tenant("acme").digest == before

    (folder / "tenants" / "acme.yaml").write_text(TENANT)
    opened.reload_if_changed()
    assert opened.findings == ()
    assert opened.tenant("acme").digest == before


def test_a_change_that_keeps_size_and_modification_time_is_seen(folder: Path) -> None:
    file = folder / "tenants" / "acme.yaml"
    times = file.stat()
    opened = PolicyFolder.open(folder)
    file.write_text(TENANT.replace("[eu]", "[de]"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert opened.reload_if_changed() is True
    assert opened.tenant("acme").regions == ("de",)


def test_a_file_that_was_only_touched_changes_nothing(folder: Path) -> None:
    opened = PolicyFolder.open(folder)
    (folder / "tenants" / "acme.yaml").touch()
    assert opened.reload_if_changed() is False


def test_a_removed_tenant_has_no_permission_any_more(folder: Path) -> None:
    opened = PolicyFolder.open(folder)
    (folder / "tenants" / "acme.yaml").unlink()
    assert opened.reload_if_changed() is True
    with pytest.raises(PolicyUnavailable):
        opened.decide(ask())


def test_a_removed_folder_leaves_the_old_policy_in_force_and_says_so(folder: Path) -> None:
    opened = PolicyFolder.open(folder)
    shutil.rmtree(folder)
    assert opened.reload_if_changed() is False
    assert opened.findings
    assert opened.tenant("acme").tenant == "acme"


async def test_the_watcher_takes_over_what_is_valid_and_tells_once_of_what_is_not(folder: Path) -> None:
    opened = PolicyFolder.open(folder)
    heard: list[tuple[Finding, ...]] = []
    told, taken = asyncio.Event(), asyncio.Event()

    def on_invalid(findings: tuple[Finding, ...]) -> None:
        heard.append(findings)
        told.set()

    async with asyncio.timeout(20), TaskOwner("test", on_failure=lambda name, error: None) as tasks:
        tasks.start(opened.watch(on_invalid, lambda policies: taken.set(), every_s=0.01), name="watch")
        (folder / "tenants" / "acme.yaml").write_text("tenant: [")
        await told.wait()
        (folder / "tenants" / "acme.yaml").write_text(TENANT.replace("[eu]", "[de]"))
        await taken.wait()

    assert opened.tenant("acme").regions == ("de",)
    assert len(heard) == 1
    assert opened.findings == ()


async def watching(opened: PolicyFolder, change: Callable[[], None]) -> list[tuple[Finding, ...]]:
    """What the watcher tells of until the change is taken over."""
    heard: list[tuple[Finding, ...]] = []
    taken = asyncio.Event()
    async with asyncio.timeout(30), TaskOwner("test", on_failure=lambda name, error: None) as tasks:
        tasks.start(opened.watch(heard.append, lambda policies: taken.set(), every_s=0.02), name="watch")
        change()
        await taken.wait()
    return heard


GERMAN = TENANT.replace("[eu]", "[de]")


def _replaced(file: Path) -> None:
    """As editors save: a new file takes the place of the old one."""
    draft = file.with_name(".acme.yaml.swp")
    draft.write_text(GERMAN)
    draft.replace(file)


def _moved_away_and_back(file: Path) -> None:
    backup = file.with_name("acme.yaml~")
    file.rename(backup)
    file.write_text(GERMAN)


def _linked(file: Path) -> None:
    """As a mounted volume changes: a link points to a new folder."""
    there = file.parents[2] / "volume.yaml"
    there.write_text(GERMAN)
    file.unlink()
    file.symlink_to(there)


@pytest.mark.parametrize("save", [_replaced, _moved_away_and_back, _linked])
async def test_a_file_is_taken_over_however_it_is_saved(folder: Path, save: Callable[[Path], None]) -> None:
    opened = PolicyFolder.open(folder)
    file = folder / "tenants" / "acme.yaml"
    assert await watching(opened, lambda: save(file)) == []
    assert opened.tenant("acme").regions == ("de",)
    assert set(opened.policies.tenants) == {"acme"}


class Written(PolicyFolder):
    """A folder in which somebody writes a line at every look."""

    def begin(self, file: Path, *lines: str) -> None:
        self.file, self.lines, self.seen = file, list(lines), set[int]()

    def _look(self) -> dict[str, tuple[int, int, int, int]] | None:
        if self.lines:
            self.seen.add(len(self.tenant("acme").route.llm))
            with self.file.open("a") as written:
                written.write(self.lines.pop(0))
        return super()._look()


async def test_a_file_that_is_still_being_written_is_not_taken_for_a_short_one(folder: Path) -> None:
    """Half a policy is often a valid one, and another: it must be still before it is read."""
    opened = Written(folder)
    opened.reload_if_changed()
    file = folder / "tenants" / "acme.yaml"
    line = "route: {llm: [{processor: home-llm}]}\n"
    opened.begin(file, "# one\n", "# two\n", "# three\n", line, "# four\n")
    assert await watching(opened, lambda: [file.write_text("tenant: acme\nregions: [de]\n")].clear()) == []
    assert opened.lines == []
    assert opened.seen == {2}
    assert len(opened.tenant("acme").route.llm) == 1


def test_a_decision_after_a_reload_is_made_under_the_new_policy(folder: Path) -> None:
    """A call that is going on asks for each turn anew: its next turn is under the new policy, and the receipt says which."""
    opened = PolicyFolder.open(folder)
    before = opened.decide(ask()).grant
    (folder / "tenants" / "acme.yaml").write_text(GERMAN)
    assert opened.reload_if_changed()
    after = opened.decide(ask()).grant
    assert before is not None
    assert after is not None
    assert (before.processor, after.processor) == ("eu-llm", "home-llm")
    assert before.policy_digest != after.policy_digest


def test_a_bad_file_stays_bad_when_another_file_changes(folder: Path) -> None:
    opened = PolicyFolder.open(folder)
    (folder / "tenants" / "acme.yaml").write_text("tenant: [")
    opened.reload_if_changed()
    (folder / "tenants" / "other.yaml").write_text("tenant: other\n")
    assert opened.reload_if_changed() is False
    assert [finding.where.file for finding in opened.findings] == [f"{folder}/tenants/acme.yaml"]
    assert set(opened.policies.tenants) == {"acme"}


def test_only_files_that_changed_are_read_again(folder: Path) -> None:
    opened = PolicyFolder.open(folder)
    first = opened.tenant("acme")
    (folder / "tenants" / "other.yaml").write_text("tenant: other\n")
    assert opened.reload_if_changed()
    assert opened.tenant("acme") is first


@pytest.mark.parametrize("name", [".acme.yaml.swp", ".#acme.yaml", "acme.yaml~", "#acme.yaml#", "acme.yaml.tmp"])
def test_what_an_editor_leaves_beside_a_file_is_passed_over(folder: Path, name: str) -> None:
    (folder / "tenants" / name).write_text("tenant: [")
    assert set(PolicyFolder.open(folder).policies.tenants) == {"acme"}


def test_an_adjusted_address_survives_a_reload(folder: Path) -> None:
    def adjust(registry: Registry) -> Registry:
        return with_base_url(registry, "home-llm", "http://127.0.0.1:9999/v1", "local")

    (folder / "tenants" / "acme.yaml").write_text("tenant: acme\nroute: {llm: [{processor: home-llm}]}\n")
    opened = PolicyFolder.open(folder, adjust=adjust)
    (folder / "tenants" / "acme.yaml").write_text("tenant: acme\nlanguage: de\nroute: {llm: [{processor: home-llm}]}\n")
    assert opened.reload_if_changed() is True
    grant = opened.decide(ask(hop=Hop.LLM)).grant
    assert grant is not None
    assert grant.base_url == "http://127.0.0.1:9999/v1"


def test_an_address_that_cannot_be_set_stops_the_start(folder: Path) -> None:
    with pytest.raises(Misconfigured):
        PolicyFolder.open(folder, adjust=lambda registry: with_base_url(registry, "nobody", "http://127.0.0.1:1", "local"))
