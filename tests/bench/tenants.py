"""Ten thousand tenants from files to policies in force: ``python -m tests.bench.tenants [COUNT]`` prints one line of JSON.

A process of its own, so that the memory is that of the policies and of the program that reads them. No two tenants have the same
name, number and announcement; their packs, routes and masks are a dozen mixed, as those of one operator's customers are.
"""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from gateway.adapters.stores.policy_folder import PolicyFolder, shipped_policies
from tests.bench.numbers import Json

COUNT = 10_000
_PACKS = ("gdpr-strict", "gdpr-strict, pci", "hipaa", "india-dpdpa", "us-one-party, pci")
_MASKS = ("{default: pseudonym, CVV: drop}", "{default: pseudonym}", "{default: category, CREDIT_CARD: drop}")
_TENANT = """\
tenant: tenant-{n}
extends: [{packs}]
language: en
route:
  stt: [{{processor: local-moonshine, model: tiny-en}}]
  llm:
    - {{processor: openai-global, model: gpt-4o-mini}}
    - {{processor: mistral, model: mistral-small-latest}}
    - {{processor: local-llm, model: llama3.2}}
  tts: [{{processor: local-hibari, model: heart}}]
masking: {masks}
recording: {{enabled: false}}
announcements:
  - id: ai-and-privacy
    language: en
    text: >-
      Hello. You are speaking with the automated assistant of customer {n}. Personal details are removed before any outside
      company receives your words.
    asset: ai-and-privacy.en.wav
numbers: [+1555{n:07}]
carrier: {{twilio: {{auth_token: TWILIO_AUTH_TOKEN}}}}
"""


def write(folder: Path, count: int) -> None:
    """A folder with that many tenants, and the shipped catalogue and packs."""
    (folder / "tenants").mkdir(parents=True)
    shutil.copyfile(shipped_policies() / "subprocessors.yaml", folder / "subprocessors.yaml")
    for n in range(count):
        text = _TENANT.format(n=n, packs=_PACKS[n % len(_PACKS)], masks=_MASKS[n % len(_MASKS)])
        (folder / "tenants" / f"tenant-{n}.yaml").write_text(text, encoding="utf-8")


def measure(count: int = COUNT) -> Json:
    """Seconds (of the clock, of the processor) to load, look again and change one; MiB: the most this process ever held."""
    with tempfile.TemporaryDirectory(prefix="sordino-bench-") as name:
        folder = Path(name)
        write(folder, count)
        opened = PolicyFolder(folder)
        found: Json = {"count": count, "before_mib": _held_mib()}
        found["load"] = _timed(opened)
        assert len(opened.policies.tenants) == count, opened.findings[:3]
        found["held_mib"] = _held_mib()
        found["unchanged"] = _timed(opened)
        file = folder / "tenants" / "tenant-0.yaml"
        file.write_text(file.read_text(encoding="utf-8") + "breach_hours: 12\n", encoding="utf-8")
        found["one_changed"] = _timed(opened)
        assert opened.tenant("tenant-0").breach_hours == 12
        return found


def _timed(opened: PolicyFolder) -> Json:
    began, worked = time.perf_counter(), time.process_time()
    opened.reload_if_changed()
    return {"s": round(time.perf_counter() - began, 3), "cpu_s": round(time.process_time() - worked, 3)}


def _held_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def measured_apart(count: int = COUNT) -> Json:
    """``measure`` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.tenants", str(count), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    found: Json = json.loads(said)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)))  # noqa: T201  (it is a command)
