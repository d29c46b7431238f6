"""What the demo shows: the announcement, three columns a turn, who was asked and who refused, times, the receipt.

It runs in the gateway's own process and is the only one who sees the caller's words beside the masked ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from gateway.evidence.receipt import Verified
from gateway.ports import TurnShown
from gateway.values import CallId

PLACEHOLDER = r"<[A-Z][A-Z_0-9]*>"
STAGES = {
    "listen": "wait for the words, after the pause",
    "mask": "mask",
    "route": "route and write down",
    "first_token": "model's first word",
    "speak": "speak a sentence",
    "first_audio": "caller's last sound to first of the answer",
}
"""Stage of a turn: how the table at the end calls it."""


@dataclass(slots=True)
class Row:
    """One turn in three columns."""

    said: str = ""
    received: str = ""
    heard: str = ""
    routed: str = ""


@dataclass(slots=True)
class Screen:
    """Implements ``gateway.ports.Observer`` for a terminal."""

    console: Console
    rows: dict[int, Row] = field(default_factory=lambda: defaultdict(Row))
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    receipt_file: str = ""
    _told_refusals: set[str] = field(default_factory=set)
    _table_begun: bool = False
    _refusals_above: bool = False
    _shown: int = -1

    def step(self, text: str) -> None:
        self.console.print(f"  [dim]·[/dim] {text}", soft_wrap=True)

    def saw(self, call: CallId, turn: TurnShown) -> None:
        facts = turn.facts
        number = int(facts.get("turn", 0))
        match turn.kind:
            case "heard" if turn.text is not None:
                self.rows[number].said = turn.text.reveal()
            case "masked" if turn.masked is not None:
                self.rows[number].received = turn.masked
            case "answered" if turn.text is not None:
                self.rows[number].heard += turn.text.reveal()
            case "latency":
                self.times[str(facts["stage"])].append(float(facts["ms"]))
            case "routed":
                self._routed(facts)
            case "sealed":
                self.receipt_file = str(facts["receipt"])
            case _:
                self._announcement(turn.kind, facts)

    def _announcement(self, kind: str, facts: Mapping[str, str | int | float | bool]) -> None:
        if kind == "announcing":
            self.console.print(
                f"  [bold]Announcement[/bold] [cyan]{facts['id']}[/cyan] is playing ({float(facts['total_ms']) / 1000:.1f} s)…"
            )
        elif kind == "announcement.played":
            self.console.print(
                f"  [green]✓[/green] played whole, acknowledged by the carrier after {float(facts['ack_ms']) / 1000:.1f} s; "
                f"{facts['frames_dropped']} earlier frames of the caller dropped unheard"
            )
        elif kind == "announcement.unproven":
            self.console.print(f"  [red]✗[/red] not proven: {facts['why']}")
        elif kind == "call.failed":
            self.console.print(f"  [red]✗[/red] the call cannot go on: {facts['code']}")

    def _routed(self, facts: Mapping[str, str | int | float | bool]) -> None:
        key = f"{facts['hop']} {facts['processor']} {facts['refused']}"
        if key in self._told_refusals:
            return
        self._told_refusals.add(key)
        line = Text.assemble(
            "  ", (f"{facts['hop']:<4}", "bold"), " goes to ", (str(facts["processor"]), "cyan"), f" ({facts['region']})"
        )
        self.console.print(line)
        self._refusals_above = bool(facts["refused"])
        for reason in filter(None, str(facts["refused"]).split(" | ")):
            self.console.print(Text.assemble("       ", ("refused ", "red"), reason))

    def turn_over(self) -> None:
        """Show the newest turn's three columns."""
        number = max(self.rows, default=-1)
        if number <= self._shown:
            return
        for each in range(self._shown + 1, number + 1):
            if each in self.rows:
                self._print_row(self.rows[each])
        self._shown = number

    def _print_row(self, row: Row) -> None:
        table = Table(box=None, expand=True, show_header=not self._table_begun, padding=(0, 1), header_style="bold")
        for title in ("The caller said", "The model received", "The caller heard"):
            table.add_column(title, ratio=1, overflow="fold")
        received = Text(row.received or "—", style="" if row.received else "dim")
        received.highlight_regex(PLACEHOLDER, "bold magenta")
        table.add_row(Text(row.said or "—", style="" if row.said else "dim"), received, Text(row.heard.strip()))
        if not self._table_begun:
            self.console.print(Rule(style="dim"))
        self._table_begun = True
        self.console.print(Padding(table, (1 if self._refusals_above else 0, 0, 0, 1)))
        self._refusals_above = False
        self.console.print(Rule(style="dim"))

    def latencies(self) -> None:
        """How long each stage took, over the turns of this call."""
        table = Table(box=None, padding=(0, 2), header_style="dim")
        table.add_column("Stage")
        table.add_column("median ms", justify="right")
        table.add_column("longest ms", justify="right")
        for stage, name in STAGES.items():
            values = sorted(self.times.get(stage, []))
            if values:
                table.add_row(name, f"{values[len(values) // 2]:.0f}", f"{values[-1]:.0f}")
        self.console.print(Padding(table, (1, 0, 1, 0)))

    def receipt(self, verified: Verified, folder: str) -> None:
        """The receipt in a few lines, and that it verifies."""
        document = verified.receipt.document
        hops = document.get("hops")
        masked = document.get("masked")
        counts = ", ".join(f"{kind} {count}" for kind, count in masked.items()) if isinstance(masked, dict) else ""
        self.console.print(f"  [bold]Receipt[/bold] {verified.receipt.call}: {verified.receipt.outcome}")
        granted = len(hops) if isinstance(hops, list) else 0
        entries = f"{len(verified.receipt.entries)} entries ({verified.receipt.durability})"
        say = partial(self.console.print, soft_wrap=True)
        say(f"    {entries}, {granted} hops, each with its Grant")
        say(f"    masked: {counts or 'nothing'}")
        self.console.print(Padding(f"[bold green]verified[/bold green] {verified.statement}\n", (0, 0, 0, 2)))
        say(f"  {folder}/conversation.wav   caller left, agent right")
        say(f"  {folder}/timeline.json      what happened when")
        say(f"  {folder}/receipt.json       verify it: sordino evidence verify {folder}/receipt.json")
