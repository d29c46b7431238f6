"""``python -m tests.bench.incidents``: how long it takes to tell whom an incident touches, over a million hops in a store."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.adapters.stores.chain_lines import ChainLines
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.evidence.chain import genesis, seal_written
from gateway.evidence.entries import Draft, Json
from gateway.evidence.facts import hop_body
from gateway.evidence.scope import Scan, Window
from gateway.values import CallId, Hop, TenantId
from tests.evidence.samples import grant

ACME = TenantId("acme")
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
HOPS = 1_000_000
HOPS_OF_CALL = 19
STEP = timedelta(milliseconds=100)
BATCH = 2_000
PERSONS = 20_000


def lines(hops: int) -> Iterator[bytes]:
    """A tenant's chain of so many hops, as the ledger writes it: calls one after the other, each with its beginning."""
    body = hop_body(grant(Hop.LLM, "mistral", "eu"))
    told: dict[str, Json] = dict(body["grant"])  # type: ignore[arg-type]
    head, seq, at, tip, call = genesis(ACME), 0, BEGIN, "", CallId("")
    for number in range(hops + -(-hops // HOPS_OF_CALL)):
        if number % (HOPS_OF_CALL + 1) == 0:
            call = CallId(f"call_{number // (HOPS_OF_CALL + 1):026d}")
            subject = f"{number // (HOPS_OF_CALL + 1) % PERSONS:064d}"
            kind, what, tip = "call.started", {"subject": subject, "policy_digest": "a" * 64}, genesis(ACME, call)
        else:
            other = {"processor": "home-llm", "region": "local"} if number % 3 == 0 else {}
            kind, what = "hop", {"grant": {**told, **other, "id": f"grant_{number:026d}"}, "refused": []}  # type: ignore[dict-item]
        entry, line = seal_written(Draft(ACME, call, kind, at, what, tip), seq + 1, head)
        head = tip = entry.hash
        seq, at = seq + 1, at + STEP
        yield line


async def fill(store: Store, hops: int) -> datetime:
    """Write that chain; the time of its last entry."""
    exchange, waiting, last = None, 0, BEGIN
    await store.client.config_set("appendonly", "no")  # to fill it is not what is measured
    for place, line in enumerate(lines(hops), start=1):
        exchange = exchange or store.client.pipeline(transaction=False)
        exchange.xadd("sordino:{acme}:evidence", {"hash": line[-200:-129], "entry": line}, id=f"{place}-0")
        waiting, last = waiting + 1, BEGIN + place * STEP
        if waiting == BATCH:
            await exchange.execute()
            exchange, waiting = None, 0
    if exchange is not None:
        await exchange.execute()
    return last


async def scoped(store: Store, start: datetime, end: datetime) -> tuple[float, float, Scan]:
    """Seconds of the wall and of this process to read that window for one processor and region."""
    scan = Scan(ACME, Window(start, end), lambda processor, region: processor == "mistral" and region == "eu")
    wall, own = time.perf_counter(), time.process_time()
    await ChainLines(store).read(scan)
    return time.perf_counter() - wall, time.process_time() - own, scan


async def measure(hops: int) -> dict[str, float | int | str]:
    folder = Path(tempfile.mkdtemp(prefix="sordino-bench-"))
    server = EmbeddedValkey(folder)
    await server.start()
    try:
        async with Store(server.url, timeout_s=60) as store:
            last = await fill(store, hops)
            wall, own, scan = await scoped(store, BEGIN, last)
            hour_wall, _, hour = await scoped(store, BEGIN + (last - BEGIN) / 2, BEGIN + (last - BEGIN) / 2 + timedelta(hours=1))
    finally:
        await server.stop()
        shutil.rmtree(folder)
    found, part = scan.scope(), hour.scope()
    return {
        "hops": hops,
        "entries_read": found.read,
        "scope_s": round(wall, 2),
        "scope_cpu_s": round(own, 2),
        "hops_per_s": round(hops / wall),
        "touched_hops": found.hops,
        "touched_calls": len(found.calls),
        "touched_people": len(found.people),
        "chain": found.fault or "whole",
        "one_hour_s": round(hour_wall, 3),
        "one_hour_entries_read": part.read,
        "one_hour_calls": len(part.calls),
    }


def measure_scope(hops: int = HOPS) -> dict[str, float | int | str]:
    """Fill a store with so many hops, and tell whom a window of all of it, and of one hour, touches: times and counts."""
    return asyncio.run(measure(hops))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.incidents", description=__doc__)
    parser.add_argument("--hops", type=int, default=HOPS, help="hops in the chain (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    found = measure_scope(given.hops)
    told = [
        f"{found['hops']:,} hops, {found['entries_read']:,} entries read and verified in {found['scope_s']} s "
        f"({found['hops_per_s']:,} hops/s; {found['scope_cpu_s']} s of this process)",
        f"  touched: {found['touched_hops']:,} hops, {found['touched_calls']:,} calls, {found['touched_people']:,} people; "
        f"chain {found['chain']}",
        f"one hour of it: {found['one_hour_s']} s, {found['one_hour_entries_read']:,} entries read",
    ]
    print(json.dumps(found, indent=2) if given.json else "\n".join(told))  # noqa: T201  (it is a command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
