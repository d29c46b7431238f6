"""Imports point down only: import-linter's contracts hold, and each fails on a planted violation in a copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.laws.tree import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PLANTED = [
    ("gateway/policy/planted.py", "import gateway.adapters.stores", "Imports point down only BROKEN"),
    ("gateway/adapters/keys/planted.py", "import gateway.runner", "Imports point down only BROKEN"),
    ("gateway/runner/planted.py", "import gateway.app", "Imports point down only BROKEN"),
    ("gateway/evidence/planted.py", "import gateway.redaction", "Imports point down only BROKEN"),
    ("gateway/adapters/carriers/planted.py", "import gateway.adapters.speech", "Rooms of the rim never import each other BROKEN"),
    ("gateway/call/planted.py", "import random", "logs nothing BROKEN"),
    ("gateway/redaction/planted.py", "import logging", "logs nothing BROKEN"),
    ("gateway/adapters/providers/planted.py", "import livekit.agents", "Only the conversation room knows livekit BROKEN"),
    ("gateway/tasks.py", "import gateway.policy", "Small helpers know values and errors, nobody above BROKEN"),
    ("gateway/caller/planted.py", "import gateway.policy", "behind them BROKEN"),
]


def lint(folder: Path) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={"PYTHONPATH": str(folder), "COLUMNS": "300", "PATH": ""},
    )
    return ended.returncode, " ".join((ended.stdout + ended.stderr).split())


def test_the_contracts_hold() -> None:
    """Of the repository as it is."""
    code, said = lint(ROOT)
    assert code == 0, said
    assert "0 broken" in said


def test_every_module_has_its_place() -> None:
    """A module that no contract names would be free to import anything: name it in pyproject.toml."""
    contracts = {contract["id"]: contract for contract in SETTINGS["tool"]["importlinter"]["contracts"]}
    placed = {name.strip() for layer in contracts["floors"]["layers"] for name in layer.strip("()").split("|")}
    placed |= {*contracts["helpers"]["source_modules"], *contracts["caller"]["source_modules"]}
    assert modules("gateway") <= placed
    assert modules("gateway/adapters") == set(contracts["rooms"]["modules"])


def modules(folder: str) -> set[str]:
    children = [path for path in (ROOT / folder).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    return {".".join([*Path(folder).parts, path.stem]) for path in children if path.stem != "__init__"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in ("gateway", "agents"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.wav"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(("path", "line", "says"), PLANTED)
def test_a_planted_import_breaks_its_contract(copy: Path, path: str, line: str, says: str) -> None:
    """A contract that names a module wrongly would never fail; this one does."""
    planted = copy / path
    before = planted.read_text() if planted.exists() else None
    planted.write_text(f"{before or ''}\n{line}\n")
    try:
        code, said = lint(copy)
    finally:
        if before is None:
            planted.unlink()
        else:
            planted.write_text(before)
    assert says in said
    assert code != 0
