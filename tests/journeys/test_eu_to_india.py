"""Somebody who knows nothing but the README moves a tenant from the EU to India, and does what each message says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The README's own tenant, which is one for the EU, beside the catalogue."""
    (tmp_path / "tenants").mkdir()
    tenant = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[0]
    (tmp_path / "tenants" / "acme.yaml").write_text(tenant, encoding="utf-8")
    shutil.copyfile(ROOT / "policies" / "subprocessors.yaml", tmp_path / "subprocessors.yaml")
    return tmp_path


@pytest.fixture
def sordino(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str]:
        code = main(["policy", *words, "--policies", str(folder)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} does not stand once in the file"
    file.write_text(text.replace(old, new), encoding="utf-8")


def follow(file: Path, said: str) -> None:
    """Do what each ``did you mean`` says, at the line and column that it names."""
    found = re.findall(r":(\d+):(\d+): .*\n(?: +\d* \|.*\n)*    did you mean `([^`]+)`\?", said)
    assert found, said
    lines = file.read_text(encoding="utf-8").split("\n")
    for line, column, meant in sorted(found, key=lambda each: (int(each[0]), int(each[1])), reverse=True):
        whole, begin = lines[int(line) - 1], int(column) - 1
        word = re.match(r"[A-Za-z0-9_-]+", whole[begin:])
        assert word is not None, whole
        lines[int(line) - 1] = whole[:begin] + meant + whole[begin + len(word[0]) :]
    file.write_text("\n".join(lines), encoding="utf-8")


def steps() -> dict[str, str]:
    """The lines that the README's section says to write, by their key."""
    section = README.split("### From one country to another\n")[1].split("\n#")[0]
    lines = re.findall(r"^    +(\w+): (.+)$", section, re.MULTILINE)
    assert [key for key, _ in lines] == ["extends", "regions", "numbers", "llm"]
    return dict(lines)


def test_a_tenant_moves_from_the_eu_to_india_by_the_readme_and_the_messages(folder: Path, sordino: Run) -> None:
    acme = folder / "tenants" / "acme.yaml"
    assert sordino("check")[0] == 0

    # Only the region is changed, as one does it without reading on: the pack of the EU says what it wants.
    change(acme, "regions: [eu]", "regions: [in]")
    code, said = sordino("check")
    assert code == 1
    assert "acme.yaml:3:" in said
    assert "gdpr-strict asks for regions: [eea]" in said

    # The README's lines are typed by hand, and not quite rightly.
    wanted = steps()
    text = acme.read_text(encoding="utf-8")
    for key, value in wanted.items():
        typed = {"extends": "[india-dpda]", "regions": "[india]", "llm": value.replace("mumbai", "mumbay")}.get(key, value)
        text = re.sub(rf"^( *){key}: .*$", rf"\g<1>{key}: {typed}", text, flags=re.MULTILINE)
    acme.write_text(text, encoding="utf-8")
    code, said = sordino("check")
    assert code == 1
    assert "3 finding(s)" in said
    follow(acme, said)
    code, said = sordino("check")
    assert code == 0, said

    # A caller from Delhi: the model in Mumbai is refused, and the answer says why and what changes it.
    delhi = ("explain", "--tenant", "acme", "--hop", "llm", "--caller", "+911123456789")
    code, said = sordino(*delhi)
    assert code == 0
    assert re.search(r"local-llm .*<- chosen", said)
    assert "no  aws-bedrock-mumbai: there is no data processing agreement with it [dpa]" in said
    assert "to change [dpa]: sign an agreement, and write it into agreements.yaml beside subprocessors.yaml" in said

    # `lint` says the very line to write; the day is in it, the reference is the reader's own.
    _, said = sordino("lint")
    line = re.search(r"write it down in agreements\.yaml: (aws-bedrock-mumbai: \{reference: …, reviewed_on: [\d-]+\})", said)
    assert line is not None, said
    (folder / "agreements.yaml").write_text(line[1].replace("…", "AWS DPA of 2026") + "\n", encoding="utf-8")
    code, said = sordino(*delhi)
    assert code == 0
    assert re.search(r"aws-bedrock-mumbai .*<- chosen", said), said
    assert "under the law of in" in said

    # Nothing of the EU is left: no caller's words go there, whoever fails.
    code, said = sordino("explain", "--tenant", "acme", "--caller", "+911123456789")
    assert code == 0
    assert "regions in, training prohibited" in said
    assert sordino("lint")[0] == 0


def test_a_caller_from_germany_to_the_indian_number_is_under_both_laws(folder: Path, sordino: Run) -> None:
    """The stricter end wins, and the answer says so."""
    acme = folder / "tenants" / "acme.yaml"
    text = acme.read_text(encoding="utf-8")
    for key, value in steps().items():
        text = re.sub(rf"^( *){key}: .*$", rf"\g<1>{key}: {value}", text, flags=re.MULTILINE)
    acme.write_text(text, encoding="utf-8")
    code, said = sordino("explain", "--hop", "llm", "--caller", "+4930901820")
    assert code == 0
    assert "under the law of de, in" in said
    assert "no  aws-bedrock-mumbai: no transfer mechanism from de to in/ap-south-1 is known [mechanism]" in said
    assert re.search(r"local-llm .*<- chosen", said)
