"""A confusion table as an SVG picture, without any library: rows are what is right, columns what was chosen."""

from collections.abc import Mapping, Sequence
from html import escape

_CELL, _LEFT, _TOP, _MARGIN = 34, 170, 150, 20
_FONT = 'font-family="DejaVu Sans, Arial, sans-serif"'


def confusion_svg(confusion: Mapping[tuple[str, str], int], experts: Sequence[str]) -> str:
    """Draw the counts of (right, chosen); a cell is as dark as its share of its row. Empty rows are left out."""
    rows = [name for name in experts if any(right == name for right, _ in confusion)]
    width = _LEFT + _CELL * len(experts) + _MARGIN
    height = _TOP + _CELL * len(rows) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{_MARGIN}" y="{_MARGIN + 10}" {_FONT} font-size="13">Down: what is right. Across: what was chosen.'
        "</text>",
    ]
    for column, name in enumerate(experts):
        x, y = _LEFT + _CELL * column + _CELL // 2 + 4, _TOP - 8
        parts.append(
            f'<text x="{x}" y="{y}" {_FONT} font-size="11" transform="rotate(-60 {x} {y})">{escape(name)}</text>'
        )
    for line, right in enumerate(rows):
        y = _TOP + _CELL * line
        total = sum(confusion.get((right, chosen), 0) for chosen in experts)
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + _CELL // 2 + 4}" {_FONT} font-size="11" text-anchor="end">'
            f"{escape(right)} ({total:,})</text>"
        )
        for column, chosen in enumerate(experts):
            parts.append(_cell(_LEFT + _CELL * column, y, confusion.get((right, chosen), 0), total))
    return "\n".join((*parts, "</svg>\n"))


def _cell(x: int, y: int, count: int, total: int) -> str:
    share = count / total if total else 0.0
    light = round(255 - 200 * share)
    square = (
        f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="rgb({light},{light},255)" stroke="#cccccc"/>'
    )
    if not count:
        return square
    colour = "white" if share > 0.6 else "black"
    return (
        f'{square}<text x="{x + _CELL // 2}" y="{y + _CELL // 2 + 4}" {_FONT} font-size="11" text-anchor="middle" '
        f'fill="{colour}">{count}</text>'
    )
