"""``make bench-proxy``: what the model proxy adds, beside a direct request and a bare reverse proxy, in one run.

    python -m tests.bench.proxy [--turns 20] [--conversations 10,50] [--json]

Each conversation sends its growing history every turn, with new words in it. ``nothing new`` sends one request again and again:
no text is masked, everything else is done (a tenant that keeps names still has its cards and passports masked, so texts are read
all the same). The process under test, with its workers and store, has one core to itself where there are two; read ratios, not
times.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil  # type: ignore[import-untyped] # livekit-agents brings it, without types

from tests.bench.proxy_child import SLOWLY

ROOT = Path(__file__).parents[2]
OPENERS = ("I would like to change", "Could you please check", "Somebody told me about", "I am calling because of")
THINGS = ("the delivery", "my invoice", "that appointment", "the second order", "a reservation", "our subscription")
WHEN = ("week", "month", "Friday")
PRIVATE = (
    "my name is {name} and my number is {phone}",
    "the card is {card}",
    "you can write to {name}",
    "my phone number is {spoken}",
)
NAMES = ("Maria Lopez", "John Carter", "Priya Sharma", "Ahmed Khan", "Sofia Rossi", "Daniel Weber", "Grace Okafor", "Liam Murphy")
NOTHING_NEW = "sordino, nothing new"
LONG = 100
QUIET_CORES = 0.2
"""What others may use of the machine before its figures are called doubtful."""
SENT_AT = re.compile(r'"content":"([0-9a-f]{6,20}) ')
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@dataclass(slots=True)
class Child:
    """A process of the bench."""

    process: subprocess.Popen[str]
    url: str
    key: str = ""

    @property
    def cpu_s(self) -> Counter[str]:
        """CPU time of it (``gateway``) and of all that it started, by what they do."""
        found: Counter[str] = Counter()
        mine = psutil.Process(self.process.pid)
        for each in [mine, *mine.children(recursive=True)]:
            times = each.cpu_times()
            who = "gateway" if each.pid == mine.pid else "store" if "valkey" in each.name() else "detector"
            found[who] += times.user + times.system
        return found

    @property
    def megabytes(self) -> int:
        """Memory of it and of all that it started (shared pages are counted each time)."""
        mine = psutil.Process(self.process.pid)
        return int(sum(each.memory_info().rss for each in [mine, *mine.children(recursive=True)]) >> 20)

    def end(self) -> dict[str, Any]:
        """Its last words."""
        out, _ = self.process.communicate("", timeout=60)
        return dict(json.loads(out.strip().splitlines()[-1])) if out.strip() else {}


@contextmanager
def child(role: str, url: str = "", core: int | None = None) -> Iterator[Child]:
    env = {**os.environ, **({"BENCH_CORE": str(core)} if core is not None else {})}
    command = [sys.executable, "-m", "tests.bench.proxy_child", role, url]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Child(process, **json.loads(process.stdout.readline()))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@dataclass(slots=True)
class Run:
    """What one target did with one load."""

    target: str
    conversations: int
    first_ms: list[float] = field(default_factory=list)
    by_turn: dict[int, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_s: Counter[str] = field(default_factory=Counter)
    others: float = 0.0
    """Cores that processes which are not the bench's were using meanwhile."""

    @property
    def row(self) -> dict[str, Any]:
        count = len(self.first_ms)
        return {
            "target": self.target,
            "conversations": self.conversations,
            "p50_ms": round(statistics.median(self.first_ms), 2),
            "p99_ms": round(_percentile(self.first_ms, 0.99), 2),
            "requests_s": round(count / self.seconds),
            "cpu_s_per_1000": round(self.cpu_s.total() / count * 1000, 2),
            "of_it": {who: round(spent / count * 1000, 2) for who, spent in self.cpu_s.items()},
            "others_cores": round(self.others, 1),
        }


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def utterance(rng: random.Random) -> str:
    """About fifteen new words; every third holds something private."""
    text = f"{rng.choice(OPENERS)} {rng.choice(THINGS)} number {rng.randint(10, 99)} from last {rng.choice(WHEN)}"
    if rng.random() < 0.33:
        digits = [rng.randint(0, 9) for _ in range(7)]
        told = rng.choice(PRIVATE).format(
            name=rng.choice(NAMES),
            phone="415 55" + "".join(map(str, digits[:5])),
            card="4012 8888 8888 1881",
            spoken=" ".join(DIGITS[digit] for digit in [4, 1, 5, *digits]),
        )
        text += f", and {told}"
    return text + "."


async def load(
    target: str, url: str, key: str, conversations: int, turns: int, seed: int, *, again: bool = False, every_s: float = 0.0
) -> Run:
    """So many conversations at once, each turn after turn. ``again``: every turn is the first one once more.

    ``every_s``: how long each conversation takes for a turn at least, as people do; 0: the next turn follows at once.
    """
    run = Run(target, conversations)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def converse(number: int) -> None:
            rng = random.Random(seed * 1000 + number)  # noqa: S311  (the same words in every run)
            history: list[dict[str, str]] = [{"role": "system", "content": "You answer the telephone of a shop. Be helpful."}]
            headers = {"Authorization": f"Bearer {key}", "X-Sordino-Call": f"bench-{seed}-{number}"}
            due = time.perf_counter() + every_s * number / conversations
            for turn in range(turns):
                await asyncio.sleep(max(0.0, due - time.perf_counter()) if every_s else 0)
                due += every_s
                if turn == 0 or not again:
                    history.append({"role": "user", "content": utterance(rng)})
                began = time.perf_counter()
                first, said = await _answer(session, url, headers, history)
                run.first_ms.append((first - began) * 1000)
                run.by_turn.setdefault(turn, []).append((first - began) * 1000)
                if not again:
                    history.append({"role": "assistant", "content": said})

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(conversations):
                group.create_task(converse(number))
        run.seconds = time.perf_counter() - began
    return run


async def _answer(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str], history: list[dict[str, str]]
) -> tuple[float, str]:
    body = {"model": "small", "messages": history, "stream": True}
    async with session.post(f"{url}/chat/completions", json=body, headers=headers) as response:
        if response.status != 200:
            raise RuntimeError(await response.text())
        first, said = 0.0, []
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            choices = json.loads(line[6:]).get("choices")
            text = choices[0]["delta"].get("content") if choices else None
            if text:
                first = first or time.perf_counter()
                said.append(text)
    return first, "".join(said)


async def chunk_delay(url: str, key: str) -> list[float]:
    """From when the model sent a chunk to when the client has it, in ms, while nothing else happens."""
    body = {"model": "small", "messages": [{"role": "user", "content": SLOWLY}], "stream": True}
    delays: list[float] = []
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"}) as response,
    ):
        async for line in response.content:
            now = time.monotonic_ns()
            if found := SENT_AT.search(line.decode()):
                delays.append((now - int(found[1], 16)) / 1e6)
    return delays


def bench(turns: int, loads: Sequence[int]) -> dict[str, Any]:
    """Every target under every load, in turn; the first requests warm up."""
    cores = sorted(os.sched_getaffinity(0))
    core = cores[-1] if len(cores) > 1 else None
    rows: list[dict[str, Any]] = []
    paced: list[dict[str, Any]] = []
    with ExitStack() as stack:
        model = stack.enter_context(child("model"))
        floor = stack.enter_context(child("floor", model.url, core))
        ours = stack.enter_context(child("sordino", model.url, core))
        if core is not None:
            os.sched_setaffinity(0, set(cores) - {core})
        targets = {"direct": model, "bare proxy": floor, "sordino": ours, NOTHING_NEW: ours}
        for conversations in loads:
            for name, target in targets.items():
                rows.append(_measured(name, target, conversations, turns))
                _progress(f"{name} with {conversations} conversations: {rows[-1]['requests_s']} requests/s")
            rate = next(row["requests_s"] for row in rows[::-1] if row["target"] == "sordino") / 2
            paced += [_paced(name, targets[name], conversations, turns, rate) for name in ("direct", "bare proxy", "sordino")]
            _progress(f"each with {conversations} conversations at {rate:g} requests/s")
        chunks = {name: statistics.median(asyncio.run(chunk_delay(target.url, target.key))) for name, target in targets.items()}
        _progress("chunks are timed")
        long = asyncio.run(load("sordino", ours.url, ours.key, 4, LONG, seed=4)).by_turn
        megabytes = {"gateway": ours.megabytes, "bare proxy": floor.megabytes}
        lags = {"sordino": ours.end()["lags_ms"], "bare proxy": floor.end()["lags_ms"]}
        os.sched_setaffinity(0, set(cores))
    early, late = (
        statistics.median(value for turn in of for value in long[turn]) for of in (range(5, 15), range(LONG - 10, LONG))
    )
    return {
        "rows": rows,
        "paced": paced,
        "loop_lag_p99_ms": {name: round(_percentile(each, 0.99), 2) for name, each in lags.items()},
        "chunk_p50_ms": {name: round(value, 2) for name, value in chunks.items()},
        "tenth_turn_ms": round(early, 2),
        "hundredth_turn_ms": round(late, 2),
        "megabytes": megabytes,
    }


def _measured(name: str, target: Child, conversations: int, turns: int) -> dict[str, Any]:
    again = name == NOTHING_NEW
    asyncio.run(load(name, target.url, target.key, min(conversations, 10), 2, seed=conversations + 500, again=again))
    before, (busy, ours) = target.cpu_s, _spent()
    run = asyncio.run(load(name, target.url, target.key, conversations, turns, seed=conversations + again * 1_000, again=again))
    after = _spent()
    run.cpu_s = target.cpu_s - before
    run.others = max(0.0, (after[0] - busy - (after[1] - ours)) / run.seconds)
    return run.row


def _paced(name: str, target: Child, conversations: int, turns: int, rate: float) -> dict[str, Any]:
    """The same load at a rate that leaves room: what one request takes, without those that wait before it."""
    every_s = conversations / max(1.0, rate)
    run = asyncio.run(
        load(name, target.url, target.key, conversations, min(turns, 10), seed=conversations + 9_000, every_s=every_s)
    )
    return {**run.row, "rate": rate}


def _spent() -> tuple[float, float]:
    """CPU time of the whole machine, and of the bench with its children, in s."""
    machine, me = psutil.cpu_times(), psutil.Process()
    mine = [each.cpu_times() for each in [me, *me.children(recursive=True)]]
    return machine.user + machine.nice + machine.system, sum(each.user + each.system for each in mine)


def goals(found: dict[str, Any]) -> list[tuple[str, float, float, bool]]:
    """What is asked for: its name, what was found, the bound, and whether more is better."""
    rows = {(row["target"], row["conversations"]): row for row in found["rows"]}
    out: list[tuple[str, float, float, bool]] = []
    for count in sorted({row["conversations"] for row in found["rows"]}):
        direct, floor, ours, known = (rows[name, count] for name in ("direct", "bare proxy", "sordino", NOTHING_NEW))
        for which, bound in (("p50_ms", 5.0), ("p99_ms", 10.0)):
            times = max(0.0, ours[which] - direct[which]) / max(0.1, floor[which] - direct[which])
            out.append(
                (f"{count} conversations: added to first token, {which[:3]}, x the floor's", round(times, 1), bound, False)
            )
        out.append((f"{count} conversations: requests/s, new text each turn", ours["requests_s"], 250, True))
        out.append((f"{count} conversations: requests/s, nothing to mask", known["requests_s"], 1_000, True))
        out.append((f"{count} conversations: CPU s per 1,000 requests", ours["cpu_s_per_1000"], 10, False))
    chunks = found["chunk_p50_ms"]
    out.append(("added to each chunk, p50 ms", round(chunks["sordino"] - chunks["direct"], 2), 1, False))
    out.append(("event loop late by, p99 ms", found["loop_lag_p99_ms"]["sordino"], 10, False))
    out.append(("hundredth turn, x the tenth", round(found["hundredth_turn_ms"] / found["tenth_turn_ms"], 2), 1.2, False))
    return out


def table(found: dict[str, Any]) -> str:
    widths = {"conversations": 14, "first token p50": 17, "p99 ms": 9, "requests/s": 12, "CPU s/1000": 12, "others, cores": 15}
    lines = [f"{'target':<22}" + "".join(f"{name:>{width}}" for name, width in widths.items())]
    for row in found["rows"]:
        name, count, p50, p99, rate, cpu, of_it, others = row.values()
        who = ", ".join(f"{who} {spent}" for who, spent in of_it.items()) if len(of_it) > 1 else ""
        lines.append(f"{name:<22}{count:>14}{p50:>17}{p99:>9}{rate:>12}{cpu:>12}{others:>15}  {who}")
    memory = ", ".join(f"{name} {size} MB" for name, size in found["megabytes"].items())
    lines += ["", f"memory, with detector and store: {memory}"]
    lines += [f"the bare proxy's event loop was late by p99 {found['loop_lag_p99_ms']['bare proxy']} ms", ""]
    most = max(row["requests_s"] for row in found["rows"] if row["target"] == "bare proxy")
    lines += [f"the bare proxy reached {most} requests/s: no proxy reaches more with this load on this machine", ""]
    lines.append(f"{'goal':<66}{'found':>9}{'bound':>8}")
    for name, value, bound, more in goals(found):
        met = value >= bound if more else value <= bound
        lines.append(f"{name:<66}{value:>9}{('>= ' if more else '<= ') + format(bound, 'g'):>8}  {'met' if met else 'MISSED'}")
    lines += ["", *_unsaturated(found["paced"])]
    kept = sum(value >= bound if more else value <= bound for _, value, bound, more in goals(found))
    lines += ["", f"{kept} of {len(goals(found))} goals met"]
    busy = max(row["others_cores"] for row in found["rows"])
    if busy > QUIET_CORES:
        lines.append(f"other processes used up to {busy} cores meanwhile: times and rates here say little, ratios somewhat more")
    return "\n".join(lines)


def _unsaturated(paced: Sequence[dict[str, Any]]) -> list[str]:
    """What the goals' rows do not tell: there each conversation asks again at once, so that requests wait for one another."""
    rows = {(row["target"], row["conversations"]): row for row in paced}
    lines = []
    for count in sorted({row["conversations"] for row in paced}):
        direct, floor, ours = (rows[name, count] for name in ("direct", "bare proxy", "sordino"))
        added = {
            which: (max(0.0, ours[which] - direct[which]), max(0.1, floor[which] - direct[which]))
            for which in ("p50_ms", "p99_ms")
        }
        told = ", ".join(f"{which[:3]} {mine:.1f} ms ({mine / its:.1f} x the floor's)" for which, (mine, its) in added.items())
        lines.append(f"{count} conversations at half of that, {ours['rate']:g} requests/s: added to first token {told}")
    return lines


def _progress(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-proxy", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--conversations", default="10,50")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = bench(given.turns, [int(each) for each in given.conversations.split(",")])
    sys.stdout.write((json.dumps(found, indent=2) if given.json else table(found)) + "\n")


if __name__ == "__main__":
    main()
