"""The words in the chart of a pledge: beside what they name, inside the box, and never printed over each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 20, 34
_LETTER = 8
"""How wide a letter of a label is, rather more than less."""

_LEADING = 15


@dataclass(frozen=True, slots=True)
class ChartLabel:
    """Words in the drawing, that begin at a place or, ``ends``, end there."""

    kind: Literal["c-label", "c-note"]
    text: str
    x: float
    y: float
    ends: bool

    @property
    def left(self) -> float:
        """Where the words begin, rather before than after."""
        return self.x - _LETTER * len(self.text) if self.ends else self.x

    def meets(self, other: ChartLabel) -> bool:
        """Whether one would be printed over the other."""
        apart = abs(self.y - other.y) >= _LEADING
        return not apart and self.left < other.left + _LETTER * len(other.text) and other.left < self._right

    @property
    def _right(self) -> float:
        return self.left + _LETTER * len(self.text)


def inside(kind: Literal["c-label", "c-note"], text: str, x: float, y: float, gap: float, *, ends: bool) -> ChartLabel:
    """A label beside a place, on its other side where it would leave the drawing."""
    width = gap + _LETTER * len(text)
    if ends:
        return (
            ChartLabel(kind, text, x - gap, y, True) if x - width >= LEFT else ChartLabel(kind, text, x + gap, y, False)
        )
    if x + width <= WIDTH:
        return ChartLabel(kind, text, x + gap, y, False)
    return ChartLabel(kind, text, WIDTH - 2 if kind == "c-label" else x - gap, y, True)


def placed(labels: Iterable[ChartLabel]) -> list[ChartLabel]:
    """The labels clear of each other: one that would be printed over another moves a line, or two, or is left out."""
    found: list[ChartLabel] = []
    for label in labels:
        for move in (0, -_LEADING, _LEADING, -2 * _LEADING, 2 * _LEADING):
            moved = replace(label, y=label.y + move)
            if TOP - 8 <= moved.y <= HEIGHT - BOTTOM and not any(moved.meets(other) for other in found):
                found.append(moved)
                break
    return found
