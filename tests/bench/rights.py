"""``python -m tests.bench.rights``: what access and erasure cost, over a short history and over a million hops; and what an
incident touches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.call_index import index_key
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.evidence.chain import genesis, seal_written
from gateway.evidence.entries import Draft, Json
from gateway.runner.rights import collected
from gateway.runner.rights_case import Right
from gateway.values import CallId, Private
from tests.bench.evidence import chain_rate, write
from tests.bench.incidents import measure_scope
from tests.journeys.persons import ACME, ANNE, PERSONS, START, House, body_of_grant, open_house

SIZES = (10_000, 1_000_000)
HOPS_OF_CALL = 19
HER_CALLS = 20
BATCH = 5_000
KIM = "Kim"
Command = tuple[Any, ...]


def commands(house: House, hops: int) -> Iterator[Command]:
    """A tenant's history of so many hops as commands for the store, sealed and linked. Every so often a call is Anne's."""
    calls = -(-hops // HOPS_OF_CALL)
    every, head, seq = max(1, calls // HER_CALLS), genesis(ACME), 0
    anne = house.anne()
    others = [house.hashes(ACME, Private(f"+49160{number:07d}")) for number in range(PERSONS)]
    grant = body_of_grant("eu-llm", "llm", 0)
    stream = names.key(ACME, "evidence")
    for number in range(calls):
        call, at = CallId(f"call_{number:026d}"), START + timedelta(seconds=number)
        hers = number % every == 0 and number // every < HER_CALLS
        subject, tip, first = anne if hers else others[number % PERSONS], genesis(ACME, call), seq + 1
        started: dict[str, Json] = {"carrier": "twilio", "subject": subject, "policy_digest": "0" * 64}
        for place in range(HOPS_OF_CALL + 1):
            kind, body = ("hop", grant) if place else ("call.started", started)
            entry, line = seal_written(Draft(ACME, call, kind, at, body, tip), seq + 1, head)
            head = tip = entry.hash
            seq += 1
            yield ("XADD", stream, f"{seq}-0", "hash", head, "entry", line)
        yield ("RPUSH", index_key(ACME, call), *range(first, seq + 1))
        score = at.timestamp()
        yield ("ZADD", names.key(ACME, "subject", subject), score, call)
        yield ("ZADD", names.key(ACME, "subjects"), "GT", score, subject)
        yield ("HSET", names.key(ACME, "subject-of"), call, subject)


async def fill(house: House, hops: int) -> None:
    """To fill the store is not what is measured: it does not wait for the disk meanwhile."""
    await house.store.client.config_set("appendonly", "no")
    exchange, waiting = house.store.client.pipeline(transaction=False), 0
    for command in commands(house, hops):
        exchange.execute_command(*command)
        waiting += 1
        if waiting == BATCH:
            await exchange.execute()
            exchange, waiting = house.store.client.pipeline(transaction=False), 0
    await exchange.execute()
    for call in (await house.righting.persons.calls(ACME, house.anne()))[:3]:
        await house.record(ACME, call)
        await house.remember(ACME, call, person="Anne")


async def handed_out(house: House, right: Right) -> tuple[float, int]:
    """Seconds to the last piece, and its size."""
    desk = house.righting.desk
    case = await desk.open(ACME, right, Private(ANNE), by=KIM)
    await desk.identify(ACME, case.id, method="called back", by=KIM)
    begun = time.perf_counter()
    data = await collected((await desk.hand_out(ACME, case.id, by=KIM)).pieces)
    return time.perf_counter() - begun, len(data)


async def erased(house: House) -> tuple[float, int]:
    """Seconds until it answers, and how many certificates."""
    case = await house.righting.desk.open(ACME, Right.ERASE, Private(ANNE), by=KIM)
    await house.righting.desk.identify(ACME, case.id, method="called back", by=KIM)
    begun = time.perf_counter()
    done = await house.righting.desk.do(ACME, case.id, by=KIM)
    if not done.finished:
        raise RuntimeError("the erasure did not end")
    return time.perf_counter() - begun, len(done.certificates)


async def measure(hops: int) -> dict[str, float | int]:
    """Times in seconds on a history of so many hops, in a store of its own."""
    folder = Path(tempfile.mkdtemp(prefix="sordino-bench-"))
    server = EmbeddedValkey(folder / "valkey")
    await server.start()
    try:
        async with Store(server.url, timeout_s=120) as store, AsyncExitStack() as running:
            house = await open_house(store, folder, running)
            await fill(house, hops)
            access_s, size = await handed_out(house, Right.ACCESS)
            know_s, _ = await handed_out(house, Right.KNOW)
            for call in await house.righting.persons.calls(ACME, house.anne()):
                await store.client.delete(index_key(ACME, call))
            unindexed_s, _ = await handed_out(house, Right.KNOW)
            erase_s, certificates = await erased(house)
    finally:
        await server.stop()
        shutil.rmtree(folder)
    return {
        "hops": hops,
        "her_calls": HER_CALLS,
        "access_s": round(access_s, 3),
        "access_bytes": size,
        "know_s": round(know_s, 3),
        "know_without_places_s": round(unindexed_s, 2),
        "erase_s": round(erase_s, 3),
        "certificates": certificates,
    }


def verification_rate() -> int:
    """Entries of a chain that one core verifies in a second: the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bundle.zip")
        write(path, 2_000, receipts=False)
        return round(max(chain_rate(path)[0] for _ in range(3)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rights", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="hops in the history (default: %(default)s)")
    parser.add_argument("--no-incident", action="store_true", help="leave out what an incident touches")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    rows = [asyncio.run(measure(size)) for size in given.sizes]
    scope = {} if given.no_incident else measure_scope(max(given.sizes))
    verified = verification_rate()
    if given.json:
        print(json.dumps({"rights": rows, "incident": scope, "verified_entries_per_s": verified}, indent=2))  # noqa: T201  (it is a command)
        return 0
    for row in rows:
        told = [f"{row['hops']:>9,} hops, {row['her_calls']} calls of hers"]
        told += [f"access {row['access_s']} s ({row['access_bytes']:,} bytes)"]
        told += [f"know {row['know_s']} s", f"know without the places of her calls {row['know_without_places_s']} s"]
        told += [f"erase {row['erase_s']} s ({row['certificates']} certificates)"]
        print(", ".join(told))  # noqa: T201
    first, last = rows[0], rows[-1]
    ratios = [f"{name} {last[name] / max(first[name], 0.001):.1f}" for name in ("access_s", "know_s", "erase_s")]
    print(f"from {first['hops']:,} to {last['hops']:,} hops it takes so many times as long: {', '.join(ratios)}")  # noqa: T201
    if scope:
        print(f"incident over {scope['hops']:,} hops: {scope['scope_s']} s, {scope['touched_people']:,} people touched")  # noqa: T201
    print(f"evidence verified: {verified:,} entries/s on one core (`make bench-evidence` has more)")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
