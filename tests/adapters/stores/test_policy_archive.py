"""What a call was handled by can be shown years later, exactly, whatever became of the folder of policies."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from gateway.adapters.stores.policy_archive import PolicyArchive
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.errors import EvidenceUnavailable
from gateway.policy.load import PolicySet
from tests.policy.samples import REGISTRY, TENANT


@pytest.fixture
def policies(tmp_path: Path) -> PolicySet:
    (tmp_path / "policies" / "tenants").mkdir(parents=True)
    (tmp_path / "policies" / "subprocessors.yaml").write_text(REGISTRY)
    (tmp_path / "policies" / "tenants" / "acme.yaml").write_text(TENANT)
    return PolicyFolder.open(tmp_path / "policies").policies


async def test_a_kept_document_has_the_digest_that_the_receipt_names(tmp_path: Path, policies: PolicySet) -> None:
    """An auditor needs no tool of ours: the SHA-256 of the unpacked file is its name."""
    archive, policy = PolicyArchive(tmp_path / "kept"), policies.tenant("acme")
    await archive.keep(policy, policies.registry)
    assert list(archive.digests()) == sorted([policy.digest, policies.registry.digest])
    assert archive.load(policy.digest) == policy.document()
    assert archive.load(policies.registry.digest) == policies.registry.document()
    for path in (tmp_path / "kept").iterdir():
        assert hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest() == path.name.split(".")[0]
        assert path.stat().st_mode & 0o777 == 0o600


async def test_what_is_kept_is_never_written_again(tmp_path: Path, policies: PolicySet) -> None:
    """A second gateway on the same data leaves the file as it is, and mends one that was damaged."""
    policy = policies.tenant("acme")
    await PolicyArchive(tmp_path).keep(policy, policies.registry)
    path = tmp_path / f"{policy.digest}.json.gz"
    before = path.stat()
    await PolicyArchive(tmp_path).keep(policy, policies.registry)
    assert path.stat().st_ino == before.st_ino
    path.write_bytes(gzip.compress(b'{"tenant":"acme"}'))
    assert PolicyArchive(tmp_path).load(policy.digest) is None
    await PolicyArchive(tmp_path).keep(policy, policies.registry)
    assert PolicyArchive(tmp_path).load(policy.digest) == policy.document()


async def test_without_a_place_for_its_instructions_no_call_begins(tmp_path: Path, policies: PolicySet) -> None:
    """Fail closed: the error says where to look."""
    (tmp_path / "kept").write_text("a file where the folder should be")
    with pytest.raises(EvidenceUnavailable, match="cannot be kept") as refused:
        await PolicyArchive(tmp_path / "kept").keep(policies.tenant("acme"), policies.registry)
    assert "SORDINO_DATA" in refused.value.hint


@pytest.mark.parametrize("digest", ["", "../secret", "A" * 64, "0" * 64])
def test_what_is_no_digest_or_was_never_kept_is_not_there(tmp_path: Path, digest: str) -> None:
    """Nobody reaches another file by it."""
    assert PolicyArchive(tmp_path).load(digest) is None
