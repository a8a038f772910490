"""The words in the chart of a pledge: beside what they name, inside the box, and never printed over each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from api.pages.drawing import Box

LETTER_WIDTH = 8
"""The width of a letter of a label, rather too much than too little."""

_LINE_HEIGHT = 15


@dataclass(frozen=True, slots=True)
class ChartLabel:
    """Words in the drawing that begin at `x` or, if `ends` is True, end there."""

    kind: Literal["c-label", "c-note"]
    text: str
    x: float
    y: float
    ends: bool

    @property
    def left(self) -> float:
        """Where the words begin at the latest."""
        return self.x - LETTER_WIDTH * len(self.text) if self.ends else self.x

    def meets(self, other: ChartLabel) -> bool:
        """Whether one label would be printed over the other."""
        if abs(self.y - other.y) >= _LINE_HEIGHT:
            return False
        return self.left < other._right and other.left < self._right

    @property
    def _right(self) -> float:
        return self.left + LETTER_WIDTH * len(self.text)


def label_beside(
    box: Box, kind: Literal["c-label", "c-note"], text: str, x: float, y: float, gap: float, *, ends: bool
) -> ChartLabel:
    """A label `gap` beside a place, on the other side of it where it would leave the drawing."""
    width = gap + LETTER_WIDTH * len(text)
    if ends:
        return (
            ChartLabel(kind, text, x - gap, y, True)
            if x - width >= box.left
            else ChartLabel(kind, text, x + gap, y, False)
        )
    if x + width <= box.width:
        return ChartLabel(kind, text, x + gap, y, False)
    return ChartLabel(kind, text, box.width - 2 if kind == "c-label" else x - gap, y, True)


def place_labels(labels: Iterable[ChartLabel], box: Box) -> list[ChartLabel]:
    """The labels clear of each other.

    A label that would be printed over an earlier one moves by one line or two, or is left out.
    """
    found: list[ChartLabel] = []
    for label in labels:
        for move in (0, -_LINE_HEIGHT, _LINE_HEIGHT, -2 * _LINE_HEIGHT, 2 * _LINE_HEIGHT):
            moved = replace(label, y=label.y + move)
            if (
                moved.left >= 0
                and box.top - 8 <= moved.y <= box.ground
                and not any(moved.meets(other) for other in found)
            ):
                found.append(moved)
                break
    return found
