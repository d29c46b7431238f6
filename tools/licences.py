"""Lists the licence of every installed package, and fails on one that Sordino must not load into its process.

Sordino is Apache-2.0: GPL and AGPL are out, also as a library inside a wheel whose metadata says something else. LGPL, and what a
person looked up and wrote down in ``DECIDED``, is shown as ``look``. What states no licence fails until it is written down there.

    python tools/licences.py        a table; exit code 1 when a package must go
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageMetadata, distributions

DECIDED = {
    "av": "BSD-3-Clause; the wheel carries FFmpeg as LGPL-3.0-or-later and beside it libx264 and libx265, GPL-2.0-or-later. "
    "livekit-agents requires it; nothing of ours encodes video. Who hands on an image with this wheel in it hands on GPL code.",
    "livekit-local-inference": "Apache-2.0 for the code, LiveKit Model License for the models: for use with LiveKit Agents. "
    "livekit-agents requires it; we use its voice activity detector, inside LiveKit Agents.",
}
"""Packages that a person looked at, and what was found. They are shown, and do not fail."""
BUNDLED = {
    "libx264": "GPL-2.0-or-later",
    "libx265": "GPL-2.0-or-later",
    "libxvidcore": "GPL-2.0-or-later",
    "libpostproc": "GPL-2.0-or-later",
    "libespeak": "GPL-3.0-or-later",
    "libreadline": "GPL-3.0-or-later",
    "libfftw3": "GPL-2.0-or-later",
    "librubberband": "GPL-2.0-or-later",
    "libfdk-aac": "FDK-AAC proprietary",
}
"""Libraries by the beginning of their file name whose licence no wheel's metadata tells."""
FREE = (
    "MIT",
    "BSD",
    "Apache",
    "ISC",
    "PSF",
    "Python-2.0",
    "Python Software Foundation",
    "MPL",
    "Mozilla",
    "Unlicense",
    "CNRI",
    "HPND",
    "Zlib",
    "CC0",
    "0BSD",
    "Artistic",
)
"""Ways to begin or name the licences that go with Apache-2.0 in one process."""


@dataclass(frozen=True, slots=True)
class Judged:
    package: str
    version: str
    licence: str
    verdict: str
    """``ok``, ``look`` (weak copyleft: a person decides) or ``no``"""


def judge(licence: str) -> str:
    """What a licence's name or expression means for us.

    In an expression with ``OR`` one free choice is enough.
    """
    verdicts = [_judge_one(choice) for choice in re.split(r"\s+OR\s+", licence)]
    return next((good for good in ("ok", "look") if good in verdicts), "no")


def _judge_one(licence: str) -> str:
    text = licence.upper()
    if re.search(r"LGPL|LESSER GENERAL", text):
        rest = re.sub(r"LGPL|LESSER GENERAL PUBLIC LICEN[SC]E", "", text)
        return "no" if "GPL" in rest else "look"
    if re.search(r"GPL|AFFERO|GENERAL PUBLIC|SSPL|BUSL|COMMONS CLAUSE|PROPRIETARY|NON-?COMMERCIAL|CC-BY-NC", text):
        return "no"
    # Every part of a combination must be free: one free name does not speak for the others.
    parts = [part for part in re.split(r"\s+AND\s+", text) if part not in {"OSI APPROVED", "DFSG APPROVED"}]
    return "ok" if all(any(name.upper() in part for name in FREE) for part in parts) else "no"


def licence_of(metadata: PackageMetadata) -> str:
    """The licence that a package states: its SPDX expression, else its classifiers, else the first line of its licence field."""
    expressions = metadata.get_all("License-Expression")
    if expressions:
        return str(expressions[0])
    classified = [
        str(line).rsplit("::", 1)[-1].strip()
        for line in metadata.get_all("Classifier") or []
        if str(line).startswith("License ::")
    ]
    named = [name for name in classified if name != "OSI Approved"]
    if named:
        return " AND ".join(named)
    stated = " ".join(str(line) for line in metadata.get_all("License") or []).strip()
    return stated.splitlines()[0][:80] if stated else ""


def bundled(files: Iterable[str]) -> list[str]:
    """The licences of libraries that lie among a package's files and that its metadata does not tell."""
    names = {file.rsplit("/", 1)[-1].lower() for file in files}
    return sorted({f"{begins} {licence}" for begins, licence in BUNDLED.items() for name in names if name.startswith(begins)})


def judged(packages: Iterable[Distribution]) -> list[Judged]:
    found = {}
    for package in packages:
        metadata = package.metadata
        name = str(metadata["Name"])
        if name.lower() == "sordino":
            continue
        licence = " AND ".join(
            part for part in (licence_of(metadata), *bundled(str(file) for file in package.files or ())) if part
        )
        verdict = judge(licence)
        if verdict == "no" and name.lower() in DECIDED:
            verdict, licence = "look", DECIDED[name.lower()]
        found[name.lower()] = Judged(name, package.version, licence or "(none stated)", verdict)
    return [found[name] for name in sorted(found)]


def main() -> int:
    rows = judged(distributions())
    for row in rows:
        sys.stdout.write(f"{row.verdict:<5} {row.package:<42} {row.version:<18} {row.licence}\n")
    bad = [row for row in rows if row.verdict == "no"]
    for row in bad:
        sys.stderr.write(
            f"{row.package} {row.version}: {row.licence}: look its licence up; use another package, or list it in {__file__}\n"
        )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
