"""The page that a person is handed, in their language: for a telephone and for paper, nothing loaded from elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from gateway.evidence.chain import timestamp
from gateway.reports.rights_dossier import Dossier, sources
from gateway.reports.rights_facts import CallFacts, Recipient, masked_kinds
from gateway.reports.rights_words import Words, words_in

STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif } }
* { box-sizing: border-box }
:root { --ink: #17191c; --soft: #59616b; --line: #d5dae0; --tint: #f4f6f8; --page: #fff; color-scheme: light dark }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e9ecef; --soft: #a3acb7; --line: #363d45; --tint: #1d2126;
  --page: #14171a } }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 "Source Serif 4", Georgia, "Times New Roman", serif }
h1 { font-size: 1.9rem; line-height: 1.15; margin: 0 0 .5rem; font-weight: 600; text-wrap: balance }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--ink); font-weight: 600;
  break-after: avoid }
p { margin: 0 0 .8rem; max-width: 68ch } .lead { color: var(--soft); font-size: 1.08rem }
.sum { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; margin: 1.5rem 0; padding: 0;
  list-style: none }
.sum li { background: var(--tint); border-radius: .5rem; padding: .8rem 1rem; break-inside: avoid }
.sum b { display: block; font: 600 1.6rem/1.2 system-ui, sans-serif; font-variant-numeric: tabular-nums }
.sum span, table, dl, footer { font-family: system-ui, "Helvetica Neue", Arial, sans-serif; font-size: .85rem }
.sum span { color: var(--soft) }
table { width: 100%; border-collapse: collapse; margin: 0 0 1rem } thead { display: table-header-group }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem .45rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word }
td:last-child, td a { overflow-wrap: anywhere }
thead th { font-size: .75rem; color: var(--soft); font-weight: 600 } tr { break-inside: avoid }
dl { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; gap: .3rem 1rem; margin: 0 0 1rem }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere } a { color: inherit }
ul.text { padding-left: 1.2rem; max-width: 68ch } ul.text li { margin-bottom: .35rem }
footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--soft); overflow-wrap: anywhere }
@media screen and (max-width: 40rem) {
  thead { display: none } table, tbody, tr, td { display: block; width: 100% }
  tr { padding: .7rem 0; border-bottom: 1px solid var(--line) } td { border: 0; padding: .12rem 0 }
  td[data-name]::before { content: attr(data-name) ": "; color: var(--soft) } td:first-child { font-weight: 600 }
  .sum { grid-template-columns: 1fr 1fr }
  td:first-child::before { content: none !important } dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .5rem } }
@media print { body { max-width: none; padding: 0; font-size: 10pt } .sum li { border: .4pt solid var(--line) } }
""".strip()


def page(dossier: Dossier) -> str:
    """The whole page as HTML. Every text is escaped."""
    words = words_in(dossier.language)
    parts = [
        f"<h1>{escape(words.title(dossier))}</h1>",
        f'<p class="lead">{escape(words.lead(dossier))}</p>',
        _sum(dossier, words),
        _facts(_who(dossier, words)),
    ]
    parts += _calls(dossier, words)
    parts += _section(words["recipients"], words["recipients.text"])
    parts.append(_table(words.heads("recipient"), [_recipient(each, words) for each in dossier.recipients], words["nobody"]))
    parts += _hidden(dossier, words)
    parts += _consents(dossier, words)
    parts += _section(words["kept"], words["kept.text"])
    parts.append(_facts((words.data_class(name), words.length(seconds)) for name, seconds in sorted(dossier.kept_s.items())))
    parts += _section(words["sources"])
    parts.append(_points(words[f"source.{each}"] for each in sources(dossier)) or f"<p>{escape(words['nothing'])}</p>")
    parts += _section(words["rights"])
    parts.append(_points(words.rights))
    parts += _files(dossier, words)
    seq, head = dossier.head
    parts.append(f"<footer>{escape(words.proof(dossier, seq, head))}</footer>")
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    alone = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{escape(words.language)}">\n<head>{meta}{alone}<meta name="robots" content="noindex">'
        f"<title>{escape(words.title(dossier))}</title>\n<style>\n{STYLE}\n</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _who(dossier: Dossier, words: Words) -> Iterable[tuple[str, str]]:
    yield words["controller"], dossier.tenant
    yield words["person"], dossier.subject
    yield words["made"], words.moment(timestamp(dossier.made))
    yield words["case"], dossier.case
    if dossier.identity:
        yield words["identity"], f"{dossier.identity.get('method', '')} ({dossier.identity.get('by', '')})"
    if dossier.restricted:
        yield words["restricted"], words.moment(dossier.restricted)
    if dossier.opted_out:
        yield words["opted_out"], words.moment(dossier.opted_out)


def _sum(dossier: Dossier, words: Words) -> str:
    recorded = sum(1 for each in dossier.calls if each.recorded_ms)
    counts = [
        (len(dossier.calls) + len(dossier.unread), words["sum.calls"]),
        (len(dossier.recipients), words["sum.recipients"]),
        (recorded, words["sum.recorded"]),
        (sum(masked_kinds(dossier.calls).values()), words["sum.masked"]),
    ]
    return '<ul class="sum">' + "".join(f"<li><b>{count}</b><span>{escape(name)}</span></li>" for count, name in counts) + "</ul>"


def _calls(dossier: Dossier, words: Words) -> list[str]:
    names, files = {each.processor: each.name for each in dossier.recipients}, defaultdict[str, list[str]](list)
    for file in dossier.files:
        files[file.of].append(file.path)
    rows = [_call(each, words, names, files[each.call]) for each in dossier.calls]
    left = f"<p>{escape(words.unread(len(dossier.unread)))}</p>" if dossier.unread else ""
    return [*_section(words["calls"]), _table(words.heads("call"), rows, words["no_calls"]), left]


def _call(call: CallFacts, words: Words, names: Mapping[str, str], files: Sequence[str]) -> list[str]:
    links = ", ".join(f'<a href="{escape(quote(path))}">{escape(_short(path))}</a>' for path in files)
    when = words.moment(call.started) if call.started else "–"
    long = words.duration(call.duration_ms) if call.ended else "–"
    told = words.outcome(call.outcome)
    sent = words.listed(names.get(each, each) for each in call.hops) or "–"
    return [escape(when), escape(long), escape(told), escape(call.language), escape(sent), links or "–"]


def _recipient(each: Recipient, words: Words) -> list[str]:
    data = words.listed(words.category(name) for name in sorted(each.categories))
    hidden = f" ({words['masked']})" if each.masked and "voice" not in each.categories else ""
    basis = words.listed(words.mechanism(name) for name in sorted(each.mechanisms)) or "–"
    texts = (
        each.name,
        words.listed(words.purpose(name) for name in sorted(each.purposes)),
        data + hidden,
        words.place(each.region),
        basis,
        words.times(each.times, len(each.calls)),
    )
    return [escape(text) for text in texts]


def _hidden(dossier: Dossier, words: Words) -> list[str]:
    kinds = sorted(masked_kinds(dossier.calls).items())
    if not kinds:
        return []
    shown = [[escape(words.entity(name)), str(count)] for name, count in kinds]
    return [*_section(words["masked.title"], words["masked.text"]), _table(words.heads("masked"), shown, "")]


def _consents(dossier: Dossier, words: Words) -> list[str]:
    said: list[Mapping[str, str]] = [each for call in dossier.calls for each in call.consents]
    said += dossier.consents
    rows: list[list[str]] = []
    for each in sorted(said, key=lambda one: one["at"]):
        texts = (words.moment(each["at"]), words.purpose(each["purpose"]), words.answer(each["answer"]), words.how(each["how"]))
        rows.append([escape(text) for text in texts])
    return [*_section(words["consents"]), _table(words.heads("consent"), rows, words["no_consents"])]


def _short(path: str) -> str:
    """What a file is, for a narrow column: ``transcripts (txt)``."""
    place, _, name = path.rpartition("/")
    return f"{place.rpartition('/')[2]} ({name.rpartition('.')[2]})"


def _files(dossier: Dossier, words: Words) -> list[str]:
    if not dossier.files:
        return []
    rows = [
        [f'<a href="{escape(quote(each.path))}">{escape(each.path)}</a>', escape(words.data_class(each.data_class)), each.sha256]
        for each in dossier.files
    ]
    return [*_section(words["files"], words["files.text"]), _table(words.heads("file"), rows, "")]


def _section(title: str, text: str = "") -> list[str]:
    return [f"<h2>{escape(title)}</h2>", *([f"<p>{escape(text)}</p>"] if text else [])]


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows) + "</dl>"


def _points(texts: Iterable[str]) -> str:
    points = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ul class="text">{points}</ul>' if points else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> str:
    """Rows hold HTML."""
    if not rows:
        return f"<p>{escape(none)}</p>"
    names = [escape(each) for each in heads]
    head = "".join(f'<th scope="col">{each}</th>' for each in names)
    cells = ((f'<td data-name="{name}">{cell}</td>' for name, cell in zip(names, row, strict=True)) for row in rows)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
