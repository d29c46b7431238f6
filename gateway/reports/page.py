"""One page of HTML for paper: A4, no script, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

BLANK = ""
"""A cell that is to be filled in by hand: a line is drawn there."""

_STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif } }
* { box-sizing: border-box }
body { font: 10pt/1.45 "Source Serif 4", Georgia, "Times New Roman", serif; color: #16191d; background: #fff; margin: 0 auto;
  max-width: 178mm; padding: 10mm 0 }
h1 { font-size: 19pt; line-height: 1.2; margin: 0 0 1mm; font-weight: 600 }
h2 { font-size: 12pt; margin: 8mm 0 2mm; padding-bottom: 1mm; border-bottom: .6pt solid #16191d;
  break-after: avoid; font-weight: 600 }
p { margin: 0 0 2.5mm; max-width: 150mm } .lead { color: #4a525b; font-size: 10.5pt; margin-bottom: 5mm }
table { width: 100%; border-collapse: collapse; margin: 0 0 3mm; font: 8.5pt/1.4 system-ui, "Helvetica Neue", Arial, sans-serif }
th, td { text-align: left; vertical-align: top; padding: 1.6mm 2mm; border-bottom: .4pt solid #c3c9d0; overflow-wrap: anywhere }
thead { display: table-header-group } tr { break-inside: avoid }
thead th { font-size: 7.5pt; font-weight: 600; color: #4a525b; border-bottom: .8pt solid #4a525b; overflow-wrap: normal }
table.facts th { width: 46mm; font-weight: 600 }
td.blank::after { content: ""; display: block; height: 5mm; border-bottom: .5pt dotted #16191d }
ul { margin: 0 0 3mm; padding-left: 5mm } li { margin-bottom: 1mm; break-inside: avoid }
footer { margin-top: 9mm; padding-top: 2mm; border-top: .4pt solid #c3c9d0; color: #4a525b;
  font: 7.5pt/1.5 system-ui, Arial, sans-serif;
  overflow-wrap: anywhere }
.sign { display: flex; gap: 12mm; margin-top: 14mm; break-inside: avoid } .sign div { flex: 1; border-top: .5pt solid #16191d;
  padding-top: 1.5mm; font: 8pt system-ui, Arial, sans-serif; color: #4a525b }
@media screen { body { padding: 12mm 8mm } } @media print { body { padding: 0; max-width: none } }
""".strip()


class Page:
    """Takes headings, paragraphs and tables in their order; ``html`` is the whole page. All texts are escaped here."""

    def __init__(self, title: str, lead: str) -> None:
        self._title = title
        self._parts = [f"<h1>{escape(title)}</h1>", f'<p class="lead">{escape(lead)}</p>']

    def section(self, title: str, text: str = "") -> None:
        self._parts.append(f"<h2>{escape(title)}</h2>")
        if text:
            self._parts.append(f"<p>{escape(text)}</p>")

    def text(self, text: str) -> None:
        """A paragraph."""
        self._parts.append(f"<p>{escape(text)}</p>")

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and what belongs to them; a ``BLANK`` is a line to write on."""
        cells = (f'<tr><th scope="row">{escape(name)}</th>{_cell(value)}</tr>' for name, value in rows)
        self._parts.append(f'<table class="facts"><tbody>{"".join(cells)}</tbody></table>')

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]], *, none: str) -> None:
        """A table, or the sentence ``none`` where it has no rows."""
        lines = [f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows]
        if not lines:
            self._parts.append(f"<p>{escape(none)}</p>")
            return
        head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
        self._parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>")

    def points(self, texts: Iterable[str]) -> None:
        self._parts.append(f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>")

    def signatures(self, *names: str) -> None:
        """Places where people sign."""
        self._parts.append(f'<div class="sign">{"".join(f"<div>{escape(name)}</div>" for name in names)}</div>')

    def html(self, foot: str) -> str:
        view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
        head = f'<meta charset="utf-8">{view}<title>{escape(self._title)}'
        body = "\n".join(self._parts)
        return (
            f'<!doctype html>\n<html lang="en">\n<head>{head}</title>\n<style>\n{_STYLE}\n</style></head>\n<body>\n{body}\n'
            f"<footer>{escape(foot)}</footer>\n</body>\n</html>\n"
        )


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>" if text else '<td class="blank"></td>'
