"""``python -m tests.bench.evidence``: how fast one core verifies a bundle of evidence, and how much memory it takes."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from gateway.adapters.audit.bundle_file import new_bundle, open_bundle
from gateway.evidence.bundle import CHAIN, KEY, PARTS, RECEIPTS, Span, key_part, manifest, verify_bundle
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import CallChain, genesis, seal_written
from gateway.evidence.lines import LONGEST_LINE, Walk, split
from gateway.values import CallId
from tests.evidence.samples import ACME, NOON, PUBLIC, WHOLE, signed
from tests.evidence.samples import KEY as SIGNER

GOAL = 50_000


def write(path: Path, calls: int, *, receipts: bool) -> int:
    """A bundle of so many calls, one after the other; its number of entries."""
    with new_bundle(path) as bundle:
        last, seq, kept = genesis(ACME), 0, []
        with bundle.part(CHAIN) as put:
            for number in range(calls):
                call = CallChain(ACME, CallId(f"call_{number}"))
                for kind, body in WHOLE:
                    entry, line = seal_written(call.draft(kind, NOON, body), seq + 1, last)
                    seq, last = entry.seq, call.add(entry).hash
                    put(line + b"\n")
                if receipts:
                    kept.append(canonical(signed(call.entries).document) + b"\n")
        for name in PARTS[1:]:
            with bundle.part(name) as put:
                for each in kept if name == RECEIPTS else [key_part(PUBLIC)] if name == KEY else []:
                    put(each)
        span = Span(seq, 1, seq, genesis(ACME), last)
        bundle.finish(manifest(ACME, NOON, (None, None), span, bundle.parts, sign=SIGNER.sign, public_key=PUBLIC))
    return seq


def chain_rate(path: Path) -> tuple[float, float]:
    """Entries verified in a second of one core, unpacking and the part's SHA-256 included; and of merely reading the JSON."""
    with open_bundle(path) as file:
        start, walk, whole = time.process_time(), Walk(ACME, genesis(ACME)), hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for piece in file.chunks(CHAIN):
                whole.update(piece)
                yield piece

        walk.over(lambda: split(pieces(), CHAIN, LONGEST_LINE), lambda _: None)
        spent = time.process_time() - start
        lines = list(split(file.chunks(CHAIN), CHAIN, LONGEST_LINE))
    start = time.process_time()
    for line in lines:
        json.loads(line)
    return walk.count / spent, len(lines) / (time.process_time() - start)


def whole(path: Path) -> tuple[float, float]:
    """Entries a second of the whole bundle, receipts and signatures included; and the most memory that it took, MB."""
    with open_bundle(path) as file:
        start = time.process_time()
        count = verify_bundle(file.manifest, file.chunks, PUBLIC).entries
        rate = count / (time.process_time() - start)
    tracemalloc.start()
    with open_bundle(path) as file:
        verify_bundle(file.manifest, file.chunks, PUBLIC)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return rate, peak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.evidence", description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000, help="calls in the chain (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bundle.zip")
        entries = write(path, given.calls, receipts=False)
        size = path.stat().st_size
        measured = [chain_rate(path) for _ in range(3)]
        rate, plain = max(measured)
        peaks, bundled = [], 0.0
        for calls in (100, 1_000):
            write(path, calls, receipts=True)
            bundled, peak = whole(path)
            peaks.append(round(peak, 2))
    found = {
        "entries": entries,
        "bundle_bytes": size,
        "chain_entries_per_s": round(rate),
        "json_loads_per_s": round(plain),
        "times_json_loads": round(plain / rate, 1),
        "with_receipts_entries_per_s": round(bundled),
        "peak_mb_100_and_1000_calls": peaks,
        "goal_entries_per_s": GOAL,
    }
    told = [
        f"chain: {rate:,.0f} entries/s on one core ({'goal met' if rate >= GOAL else 'below the goal'}: {GOAL:,})",
        f"  merely to read the same lines as JSON: {plain:,.0f}/s, so verifying costs {plain / rate:.1f} times that",
        f"  {entries:,} entries in a bundle of {size / 1e6:.1f} MB",
        f"with a receipt for each call, each derived again from its entries: {bundled:,.0f} entries/s",
        f"most memory: {peaks[0]} MB for 100 calls, {peaks[1]} MB for 1,000",
    ]
    print(json.dumps(found, indent=2) if given.json else "\n".join(told))  # noqa: T201  (it is a command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
