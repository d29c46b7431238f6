"""The repository as a whole: what stands in no file, which licences it stands on, and that it can be installed from its locks."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.laws.tree import ROOT
from tools import licences

SKIPPED = {"__pycache__", "node_modules", "demo-output", "bench-output", "dist", "build", "venv"}
BINARY = {".wav", ".png", ".gz", ".zip", ".woff2", ".pyc", ".onnx"}
NEVER = {
    "a path outside the repository": re.compile(r"\.\./shared\b|/work/" + r"shared\b|/work/" + r"main\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE " + "KEY-----"),
    "a vendor's secret": re.compile(r"\b(?:sk-[A-Za-z0-9]{24,}|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}|xox[bp]-[0-9A-Za-z-]{20,})"),
}
LOCKS = ("requirements.lock", "requirements-dev.lock")


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the repository by its path."""
    for folder, inside, names in os.walk(ROOT):
        inside[:] = [name for name in inside if name not in SKIPPED and (name == ".ci" or not name.startswith("."))]
        for name in names:
            path = Path(folder, name)
            if path.suffix not in BINARY and path.stat().st_size < 1 << 20:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("what", NEVER)
def test_no_file_holds(what: str) -> None:
    """The repository stands alone, on any machine, and anybody may read it."""
    assert [path for path, text in texts() if NEVER[what].search(text)] == []


@pytest.mark.parametrize(
    ("what", "planted"),
    [
        ("a path outside the repository", 'open("' + "../" + 'shared/callers/a.wav")'),
        ("a path outside the repository", "/work/" + "shared/house.md"),
        ("a private key", "-----BEGIN EC PRIVATE " + "KEY-----"),
        ("a vendor's secret", "key: sk-" + "a1B2" * 8),
    ],
)
def test_the_search_finds_a_planted_one(what: str, planted: str) -> None:
    """Or it would prove nothing."""
    assert NEVER[what].search(f"x = 1\n{planted}\n")


def test_the_search_reads_the_repository() -> None:
    """Code, configuration and this very file."""
    found = {path for path, _ in texts()}
    assert {"pyproject.toml", "Makefile", ".ci/run", "gateway/values.py", "tests/laws/test_repository.py"} <= found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_each_package_by_hash_and_names_no_index(lock: str) -> None:
    """Who installs uses their own package index, and gets the very files that were tested."""
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?://|file:|--index|--extra-index|--find-links|--trusted-host| @ ", text)
    requirements = [line for line in re.sub(r"\\\n", " ", text).splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert len(requirements) > 50
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_lock_holds_what_the_project_asks_for() -> None:
    """A dependency that was added and not locked would be missing on a fresh machine: run make lock."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {"requirements.lock": [*settings["project"]["dependencies"], *settings["dependency-groups"]["build"]]}
    wanted["requirements-dev.lock"] = [*wanted["requirements.lock"], *settings["dependency-groups"]["dev"]]
    for lock, requirements in wanted.items():
        locked = {normal(name) for name in re.findall(r"^([A-Za-z0-9][\w.-]*)==", (ROOT / lock).read_text(), re.MULTILINE)}
        names = {normal(match[0]) for text in requirements if (match := re.match(r"[\w.-]+", text))}
        assert sorted(names - locked) == []


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_installed_package_may_be_loaded() -> None:
    """Sordino is Apache-2.0: nothing under GPL or AGPL, no licence that nobody looked at."""
    rows = licences.judged(distributions())
    assert len(rows) > 50
    assert [row for row in rows if row.verdict == "no"] == []


LICENCES = [
    ("MIT", "ok"),
    ("MIT License", "ok"),
    ("Apache-2.0 AND MIT", "ok"),
    ("Apache Software License AND Other/Proprietary License", "no"),
    ("BSD-3-Clause OR GPL-2.0-only", "ok"),
    ("GPL-2.0-only OR BSD-3-Clause", "ok"),
    ("MIT AND GPL-3.0-or-later", "no"),
    ("GNU General Public License v3 (GPLv3)", "no"),
    ("GNU Affero General Public License v3", "no"),
    ("LGPL-2.1-or-later", "look"),
    ("GNU Lesser General Public License v3 (LGPLv3)", "look"),
    ("LGPL-2.1 AND GPL-2.0", "no"),
    ("Mozilla Public License 2.0 (MPL 2.0)", "ok"),
    ("BSD License AND libx264 GPL-2.0-or-later", "no"),
    ("", "no"),
    ("Our own terms", "no"),
]


@pytest.mark.parametrize(("licence", "verdict"), LICENCES)
def test_a_licence_is_judged_by_its_strictest_part(licence: str, verdict: str) -> None:
    """Except where the package leaves the choice."""
    assert licences.judge(licence) == verdict


def test_a_library_inside_a_wheel_counts() -> None:
    """Whatever the wheel's own metadata says."""
    files = ["av/__init__.py", "av.libs/libx264-d6533a8d.so.165", "av.libs/libopus-114e2b1a.so.0"]
    assert licences.bundled(files) == ["libx264 GPL-2.0-or-later"]
