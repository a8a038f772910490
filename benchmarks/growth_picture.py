"""Small charts of what grows with the log, side by side in one SVG; both axes of each are logarithmic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import floor, log10

WIDTH, HEIGHT = 240, 150
"""The size of one chart, with its words."""

COLUMNS = 3
LEFT, RIGHT, TOP, BOTTOM = 46, 16, 26, 26


def drawn(events: Sequence[int], series: Mapping[str, Sequence[float]], day: date) -> str:
    """One chart for each series over the same numbers of events, measured on a day."""
    rows = -(-len(series) // COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
        f' font-size="10" role="img"><title>What grows with the log, measured on {day}</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
    )
    parts = [head]
    for place, (name, values) in enumerate(series.items()):
        x, y = place % COLUMNS * WIDTH, place // COLUMNS * HEIGHT
        parts.append(f'<g transform="translate({x} {y})">{_chart(name, events, values)}</g>')
    return "".join([*parts, "</svg>\n"])


def _chart(name: str, events: Sequence[int], values: Sequence[float]) -> str:
    low, high = _decades(values)
    first, last = _decades(events)

    def x(value: float) -> float:
        return LEFT + (log10(value) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text x="8" y="14" font-size="11" font-weight="bold" fill="#222">{name}</text>']
    for decade in range(low, high + 1):
        at = y(10.0**decade)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 4}" y="{at + 3:.1f}" text-anchor="end" fill="#555">{10.0**decade:,g}</text>')
    for decade in range(first, last + 1):
        at = x(10.0**decade)
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - 10}" text-anchor="middle" fill="#555">{_power(decade)}</text>')
    points = [(x(count), y(value), value) for count, value in zip(events, values, strict=True)]
    line = " ".join(f"{px:.1f},{py:.1f}" for px, py, _ in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#1a5fb4" stroke-width="1.5"/>')
    for px, py, value in points:
        parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="#1a5fb4"/>')
        parts.append(f'<text x="{px:.1f}" y="{py - 6:.1f}" text-anchor="middle" fill="#222">{_short(value)}</text>')
    return "".join(parts)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten that the values lie between; two at least."""
    low = floor(log10(min(values)))
    high = floor(log10(max(values)))
    return low, max(low + 1, high + (10.0**high < max(values)))


def _power(decade: int) -> str:
    return "10" + str(decade).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _short(value: float) -> str:
    """Three digits that count, without an exponent."""
    return f"{float(f'{value:.3g}'):,.10g}"
