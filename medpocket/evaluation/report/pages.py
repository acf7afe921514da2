"""The report as one file: HTML that prints well, or Markdown. All text in it is data and is escaped."""

import base64
import re
from html import escape

from medpocket.evaluation.report.content import TITLE, Part, Picture, Report, Table
from medpocket.text import printable

_STYLE = """
body { font: 15px/1.45 "DejaVu Sans", Arial, sans-serif; color: black; background: white; max-width: 75em;
  margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; margin: 1em 0; font-size: 0.85em; }
th, td { border: 1px solid #888888; padding: 0.3em 0.5em; text-align: left; vertical-align: top; }
th { background: #eeeeee; }
svg { max-width: 100%; height: auto; }
@media print { body { font-size: 10pt; margin: 0; max-width: none; } h2 { break-after: avoid; }
  tr, figure { break-inside: avoid; } thead { display: table-header-group; } }
"""
_PAPER = "@page { size: A4 landscape; margin: 15mm; } body { font-size: 9pt; margin: 0; max-width: none; }\n"
# What a Markdown reader could take for more than text.
_MARKDOWN = re.compile(r"([\\`*_\[\]#|<>~&])")


def html_page(report: Report, *, for_paper: bool = False) -> str:
    """One HTML file that needs nothing else; `for_paper` lays it out for A4, to be printed or saved as PDF."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_html(TITLE)}</title><style>{_STYLE}{_PAPER if for_paper else ''}</style></head><body>",
        f"<h1>{_html(TITLE)}</h1><p>{_html(report.made)}</p>",
    ]
    for section in report.sections:
        parts.append(f"<h2>{_html(section.title)}</h2>")
        parts += map(_html_part, section.parts)
    return "\n".join((*parts, "</body></html>\n"))


def _html_part(part: Part) -> str:
    if isinstance(part, Picture):
        return f"<figure>{part.svg}<figcaption>{_html(part.shows)}</figcaption></figure>"
    if isinstance(part, Table):
        head = "".join(f"<th>{_html(cell)}</th>" for cell in part.headings)
        rows = ("<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row) + "</tr>" for row in part.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"
    return f"<p>{_html(part)}</p>"


def _html(text: str) -> str:
    return escape(printable(text))


def markdown_page(report: Report) -> str:
    """One Markdown file; its pictures are in it."""
    parts = [f"# {TITLE}", _markdown(report.made)]
    for section in report.sections:
        parts.append(f"## {_markdown(section.title)}")
        parts += map(_markdown_part, section.parts)
    return "\n\n".join(parts) + "\n"


def _markdown_part(part: Part) -> str:
    if isinstance(part, Picture):
        image = base64.b64encode(part.svg.encode()).decode()
        return f"![accuracy](data:image/svg+xml;base64,{image})\n\n{_markdown(part.shows)}"
    if isinstance(part, Table):
        rows = [part.headings, ("---",) * len(part.headings)]
        lines = ["| " + " | ".join(cells) + " |" for cells in rows]
        lines += ["| " + " | ".join(map(_markdown, row)) + " |" for row in part.rows]
        return "\n".join(lines)
    return _markdown(part)


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(printable(text).split()))
