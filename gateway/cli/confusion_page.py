"""The confusion page: what was missed and what was masked for nothing, in the sentences themselves. One file, no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from itertools import pairwise

from gateway.redaction.score import ALSO, MASKED, MISSED, NOTHING, OPTIONAL, Line, Mark, Score, covered, score, taken_for

_EXTRA_LEAST = 0.5
"""A found span with less of it in gold than this is shown as over-masked."""
FAULTS = {MISSED: "missed", "extra": "masked for nothing", "kind": "taken for another kind"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One set of the page."""

    name: str
    lines: Sequence[Line]
    score: Score


def shown(name: str, lines: Sequence[Line]) -> Shown:
    return Shown(name, lines, score(lines))


def page(sets: Sequence[Shown], *, about: str) -> str:
    """The whole page as HTML. ``about`` is a sentence under its title: what was scored, with what."""
    kinds = sorted({mark.kind for each in sets for line in each.lines for mark in (*line.gold, *line.found)})
    detectors = sorted({mark.detector for each in sets for line in each.lines for mark in line.found if mark.detector})
    template = files("gateway.cli").joinpath("confusion_page.html").read_text(encoding="utf-8")
    parts = {
        "ABOUT": escape(about),
        "SUMMARY": _summary(sets),
        "SETS": _options((each.name, each.name) for each in sets),
        "FAULTS": _options((key, text) for key, text in FAULTS.items()),
        "KINDS": _options((kind, kind) for kind in kinds),
        "DETECTORS": _options((name, name) for name in detectors),
        "BODY": "".join(_section(each) for each in sets),
    }
    for name, value in parts.items():
        template = template.replace(f"<!--{name}-->", value, 1)
    return template


def _options(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<option value="{escape(key)}">{escape(text)}</option>' for key, text in pairs)


def _summary(sets: Sequence[Shown]) -> str:
    heads = ("set", "texts", "private values", "masked", "right kind", "leaked of 1000", "precision", "harmless touched")
    rows = []
    for each in sets:
        total = each.score.total
        figures = (
            f"{len(each.lines)}",
            f"{total.spans}",
            f"{total.recall:.1%}",
            f"{total.typed_recall:.1%}",
            f"{total.leaked_per_1000:.0f}",
            f"{each.score.precision:.1%}",
            f"{each.score.harmless_touched:.1%}",
        )
        cells = "".join(f"<td>{figure}</td>" for figure in figures)
        rows.append(f'<tr><th scope="row"><a href="#{escape(each.name)}">{escape(each.name)}</a></th>{cells}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _section(each: Shown) -> str:
    faulty = [(line, faults) for line in each.lines if (faults := faults_of(line))]
    items = "".join(_item(line, faults) for line, faults in faulty)
    return (
        f'<section data-set="{escape(each.name)}" id="{escape(each.name)}"><h2>{escape(each.name)}</h2>{_matrix(each.score)}'
        f'<p class="count"><b>{len(faulty)}</b> of {len(each.lines)} texts with a fault</p><ol>{items}</ol></section>'
    )


def _matrix(counts: Score) -> str:
    """Gold kinds in rows, found kinds in columns. A cell is the darker, the larger its share of the row."""
    golds = [*sorted({gold for gold, _ in counts.confusion} - {NOTHING}), NOTHING]
    found = [MISSED, *sorted({kind for _, kind in counts.confusion} - {MISSED})]
    head = "".join(f'<th scope="col"><span>{escape(kind)}</span></th>' for kind in found)
    rows = []
    for gold in golds:
        total = sum(counts.confusion[gold, kind] for kind in found)
        cells = "".join(_cell(gold, kind, counts.confusion[gold, kind], total) for kind in found)
        rows.append(f'<tr><th scope="row">{escape(gold)}</th>{cells}</tr>')
    return (
        '<div class="wide"><table class="heat"><caption>Labelled as (rows), found as (columns)</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(gold: str, kind: str, count: int, total: int) -> str:
    if not count:
        return "<td></td>"
    good = kind == gold or kind in ALSO.get(gold, ())
    sort = "good" if good else "miss" if kind == MISSED else "bad"
    return f'<td class="{sort}" style="--share:{count / total:.2f}" title="{escape(gold)} as {escape(kind)}">{count}</td>'


def faults_of(line: Line) -> dict[str, set[str]]:
    """Fault to the kinds it is about: ``missed``, ``extra`` (masked for nothing), ``kind`` (masked as another kind)."""
    out: dict[str, set[str]] = {}
    gold, found = covered(line.text, line.gold), covered(line.text, line.found)
    for mark in line.gold:
        want = covered(line.text, [mark])
        if mark.kind == OPTIONAL:
            continue
        if len(want & found) < MASKED * len(want):
            out.setdefault(MISSED, set()).add(mark.kind)
        elif (other := taken_for(line, mark)) != mark.kind and other not in ALSO.get(mark.kind, ()):
            out.setdefault("kind", set()).update((mark.kind, other))
    for mark in line.found:
        have = covered(line.text, [mark])
        if len(have & gold) < _EXTRA_LEAST * len(have):
            out.setdefault("extra", set()).add(mark.kind)
    return out


def _item(line: Line, faults: dict[str, set[str]]) -> str:
    kinds = " ".join(sorted(set().union(*faults.values())))
    detectors = " ".join(sorted({mark.detector for mark in line.found if mark.detector}))
    before = f'<p class="before">{escape(line.before)}</p>' if line.before else ""
    speaker = f"<b>{escape(line.speaker)}:</b> " if line.speaker else ""
    return (
        f'<li data-faults="{" ".join(faults)}" data-kinds="{escape(kinds)}" data-detectors="{escape(detectors)}">'
        f'{before}<p>{speaker}{"".join(_pieces(line))}</p><p class="id">{escape(line.id)}</p></li>'
    )


def _pieces(line: Line) -> Iterator[str]:
    """The text cut where a span begins or ends; each piece shows what it is."""
    marks = (*line.gold, *line.found)
    edges = sorted({0, len(line.text), *(min(max(at, 0), len(line.text)) for mark in marks for at in (mark.start, mark.end))})
    for start, end in pairwise(edges):
        whole = line.text[start:end]
        gold = next((mark for mark in line.gold if mark.start <= start < mark.end), None)
        found = next((mark for mark in line.found if mark.start <= start < mark.end), None)
        sort, tag = _sort(gold, found)
        if not sort or not whole.strip():
            yield escape(whole)
            continue
        told = f"{found.detector}: {found.why}" if found else "nothing was found here"
        last = gold.end if gold else found.end if found else end
        label = f"<small>{escape(tag)}</small>" if end == last else ""
        text = whole.strip()
        before, behind = whole.split(text, 1)
        yield f'{before}<mark class="{sort}" title="{escape(told)}">{escape(text)}{label}</mark>{behind}'


def _sort(gold: Mark | None, found: Mark | None) -> tuple[str, str]:
    if (gold is None and found is None) or (gold and gold.kind == OPTIONAL):
        return "", ""
    if gold is None:
        return "extra", found.kind if found else ""
    if found is None:
        return MISSED, gold.kind
    if found.kind == gold.kind or found.kind in ALSO.get(gold.kind, ()):
        return "right", gold.kind
    return "kind", f"{gold.kind} as {found.kind}"
