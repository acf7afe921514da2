"""Accuracy against something else, as an SVG picture, without any library."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from medpocket.text import printable

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 420, 60, 200, 20, 50
_FONT = 'font-family="DejaVu Sans, Arial, sans-serif" font-size="11"'
_TICKS = (1, 2, 5)


@dataclass(frozen=True)
class Point:
    """A model: `y` in percent, with an interval where it was measured here."""

    name: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None

    @property
    def measured(self) -> bool:
        return self.low is not None


def accuracy_svg(points: Sequence[Point], *, across: str, guessing: float, guessing_note: str) -> str:
    """Draw accuracy over `across`, a logarithmic axis; `guessing` is what random choices come to. Both in percent.

    Measured points are filled, with their interval; published ones are hollow.
    """
    drawn = [point for point in points if point.x > 0 and math.isfinite(point.y)]
    low, high = _range(point.x for point in drawn)

    def across_at(x: float) -> float:
        return _LEFT + (math.log10(x) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def up_at(y: float) -> float:
        return _HEIGHT - _BOTTOM - y / 100 * (_HEIGHT - _TOP - _BOTTOM)

    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" {_FONT}>',
        f"<title>{_text(f'Medical accuracy against {across}')}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    for percent in range(0, 101, 20):
        y = up_at(percent)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>')
    for tick in _ticks(low, high):
        x = across_at(tick)
        parts.append(f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}" stroke="black"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" stroke="black"/>')
    parts.append(f'<text x="{(_LEFT + right) / 2}" y="{bottom + 36}" text-anchor="middle">{_text(across)}</text>')
    y = up_at(guessing)
    parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="black" stroke-dasharray="6 4"/>')
    parts.append(f'<text x="{right + 6}" y="{y + 4:.1f}">{_text(f"guessing, {guessing:.1f} %")}</text>')
    parts.append(f'<text x="{right + 6}" y="{y + 18:.1f}">{_text(guessing_note)}</text>')
    parts += [_legend(right + 6)]
    taken: list[tuple[float, float]] = []
    for point in drawn:
        parts.append(_drawn(point, across_at(point.x), up_at, taken))
    return "\n".join((*parts, "</svg>\n"))


def _drawn(point: Point, x: float, up_at: Callable[[float], float], taken: list[tuple[float, float]]) -> str:
    y = up_at(point.y)
    parts = []
    if point.low is not None and point.high is not None:
        parts.append(
            f'<line x1="{x:.1f}" y1="{up_at(point.low):.1f}" x2="{x:.1f}" y2="{up_at(point.high):.1f}" stroke="black"/>'
        )
    fill = "black" if point.measured else "white"
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="black" stroke-width="1.5"/>')
    label = y + 4
    while any(abs(other - label) < 12 and abs(where - x) < 170 for where, other in taken):
        label -= 12
    taken.append((x, label))
    parts.append(f'<text x="{x + 9:.1f}" y="{label:.1f}">{_text(point.name)}</text>')
    return "".join(parts)


def _legend(x: float) -> str:
    return (
        f'<circle cx="{x + 5}" cy="{_TOP + 6}" r="4.5" fill="black"/>'
        f'<text x="{x + 15}" y="{_TOP + 10}">measured here, 95 %</text>'
        f'<circle cx="{x + 5}" cy="{_TOP + 24}" r="4.5" fill="white" stroke="black" stroke-width="1.5"/>'
        f'<text x="{x + 15}" y="{_TOP + 28}">published by others,</text>'
        f'<text x="{x + 15}" y="{_TOP + 42}">on other questions</text>'
    )


def _range(values: Iterable[float]) -> tuple[float, float]:
    """Where the axis begins and ends, as powers of ten, with some room at both ends."""
    logarithms = [math.log10(value) for value in values] or [0.0]
    return min(logarithms) - 0.3, max(logarithms) + 0.3


def _ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(low), math.ceil(high) + 1)
    found = [
        digit * 10.0**power for power in powers for digit in _TICKS if low <= math.log10(digit * 10.0**power) <= high
    ]
    whole = [tick for tick in found if f"{tick:e}"[0] == "1"]
    return whole if len(found) > 9 and whole else found


def _text(text: str) -> str:
    return escape(printable(" ".join(text.split())))
