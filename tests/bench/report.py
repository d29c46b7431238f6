"""What the bench says at the end: tables for the terminal. Everything in them stands in ``bench.json`` too."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from tests.bench.numbers import Json
from tests.bench.taps import LATE_MS, LAW_MS

NAMES = {
    "frame.bare": "frame: json and base64 of the same message alone",
    "frame.gate": "frame: decoded, through the gate (dropped)",
    "frame.conversation": "frame: decoded, through the gate, into the conversation",
    "frame.out": "frame: 20 ms of the agent's voice, encoded",
    "mask.plain": "mask: a sentence without personal data",
    "mask.values": "mask: a sentence with personal data, in the vault",
    "route.decide": "route: the policy's decision (3 candidates)",
    "route.fifty": "route: the same over fifty, the last permitted",
    "route.written": "route: decided and written down ({durable})",
    "unmask.chunk": "unmask: one chunk of a streamed answer",
    "unmask.answer": "unmask: a whole answer of {characters} characters",
    "calls.first_audio": "caller's last sound to the answer's first sound",
    "calls.inside": "  of it: inside the gateway, from the end of speech to the first frame",
    "calls.listen": "  of it: recogniser, what it still has to do when the silence is over",
    "calls.mask": "  of it: mask",
    "calls.route": "  of it: route, written down",
    "calls.first_token": "  of it: model's first words (scripted)",
    "calls.speak": "  of it: a sentence spoken",
    "calls.open": "a conversation opened after the announcement",
}


def head(console: Console, machine: Json) -> None:
    console.print(f"\n[bold]Sordino's bench[/bold]  {machine['cores']} cores, load {machine['load']}, Python {machine['python']}")
    console.print(
        "  Gateway, callers, recogniser, voice, detector, model and store share this machine, perhaps with others: what is\n"
        "  late here may be the machine's doing. Compare numbers of one run: a bare echo and a still loop stand beside ours.\n",
        highlight=False,
    )


def stages(console: Console, found: Json) -> None:
    table = Table("Stage", *_right("p50 ms", "p95 ms", "p99 ms", "n"), box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for key, name in NAMES.items():
        stage, part = key.split(".")
        row = found.get(stage, {}).get(part)
        if row:
            table.add_row(name.format(**found[stage]), *(_ms(row[each]) for each in ("p50", "p95", "p99")), str(row["n"]))
    if table.row_count:
        console.print(table)
        console.print()


def tenants(console: Console, found: Json) -> None:
    load, one, none = found["load"], found["one_changed"], found["unchanged"]
    console.print(
        f"{found['count']} tenants: loaded in {load['s']:.2f} s ({load['cpu_s']:.2f} s of one core), "
        f"{found['held_mib']} MiB held in all; one changed: {one['s']:.2f} s; none: {none['s']:.2f} s\n",
        highlight=False,
    )


def loop(console: Console, calls: Json) -> None:
    """The law of the loop: never blocked for longer than 10 ms."""
    table = Table(
        "Event loop during the calls",
        *_right("p50 ms", "p99 ms", "max ms", f"over {LAW_MS:.0f} ms", "own work ms", "longest gc ms"),
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    rows = [(f"the gateway's, call {number}", seen) for number, seen in enumerate(calls["loops"], 1)]
    for name, seen in (*rows, ("a still one beside it", calls["still"])):
        lag = seen["lag"]
        times = (_ms(lag[each]) for each in ("p50", "p99", "max"))
        table.add_row(name, *times, f"{seen['broken']} of {lag['n']}", _ms(seen["own_max"]), _ms((seen["gc"] or {}).get("max")))
    console.print(table)
    console.print(f"  Law: never more than {LAW_MS:.0f} ms: {_verdict(calls['loops'])}\n")
    for place in calls.get("places", ()):
        console.print(f"  {place['times']:4}x {place['place']}", highlight=False, markup=False)


def _verdict(loops: list[Json]) -> str:
    broken, own = sum(seen["broken"] for seen in loops), max(seen["own_max"] for seen in loops)
    if not broken:
        return "[green]kept[/green]"
    if own <= LAW_MS:
        return (
            f"[yellow]kept by us, broken by the machine[/yellow]: {broken} times the loop was later, "
            f"but its own work never took longer than {own:.1f} ms"
        )
    return f"[red]broken[/red] {broken} times; up to {own:.1f} ms of it was the loop's own work (--why names the places)"


def capacity(console: Console, found: Json) -> None:
    for kind in found["kinds"]:
        end = "" if kind["limit_found"] else " or more"
        console.print(f"[bold]{kind['carries']}{end}[/bold] callers at once, {kind['what']}")
        table = _table()
        for row in kind["steps"]:
            table.add_row(*_capacity_row(row))
        console.print(table)
        console.print()
    if found["echo"]:
        console.print("A bare aiohttp echo of the announcement's frames, for comparison")
        table = _table()
        for row in found["echo"]:
            table.add_row(*_capacity_row(row))
        console.print(table)
        console.print(f"  {ratio(found)}\n")


def ratio(found: Json) -> str:
    """Our work for a frame against the echo's, at the largest step that both held."""
    ours = {row["n"]: row for row in found["kinds"][0]["steps"] if not row["broken"]}
    both = [row["n"] for row in found["echo"] if not row["broken"] and row["n"] in ours]
    if not both:
        return "No step that both held: no ratio."
    n = max(both)
    bare = next(row for row in found["echo"] if row["n"] == n)
    times = ours[n]["us_per_frame"] / bare["us_per_frame"]
    return f"At {n} callers a frame in and a frame out cost {times:.1f} times the echo's work (of one core, all of it counted)."


def _table() -> Table:
    columns = (
        "callers",
        "frame p50 ms",
        "p99 ms",
        f"later than {LATE_MS:.0f} ms",
        "core",
        "waited for one",
        "µs a frame",
        "loop p99 ms",
        "callers' own p99",
    )
    return Table(*_right(*columns), "", box=None, padding=(0, 1, 0, 1))


def _capacity_row(row: Json) -> list[str]:
    own = row["callers_late"]["p99"] if row["callers_late"] else None
    us = f"{row['us_per_frame']:.0f}" if row["us_per_frame"] else "-"
    verdict = f"[red]{row['why']}[/red]" if row["broken"] else "[green]held[/green]"
    return [
        str(row["n"]),
        _ms(row["frame_p50"]),
        _ms(row["frame_p99"]),
        f"{row['late_share']:.2%}",
        f"{row['core']:.0%}",
        "-" if row["waited"] is None else f"{row['waited']:.0%}",
        us,
        _ms(row["lag"]["p99"] if row["lag"] else None),
        _ms(own),
        verdict,
    ]


def _right(*names: str) -> list[Column]:
    return [Column(name, justify="right") for name in names]


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return (
        f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"
    )
