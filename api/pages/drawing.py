"""What a chart is made of: shapes in a box, marks that can be pointed at, a legend, and tables with the same figures.

A drawing is a value: the page writes it as SVG beside its tables, and the picture of a pledge is made from it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Place = float | int | str


@dataclass(frozen=True, slots=True)
class Box:
    """The size of a drawing and the margins around what is drawn in it, in units of its view box."""

    width: int
    height: int
    left: int = 64
    right: int = 24
    top: int = 20
    bottom: int = 34

    @property
    def ground(self) -> int:
        """Where the values begin: the line at the bottom."""
        return self.height - self.bottom

    @property
    def end(self) -> int:
        """Where the values end at the right."""
        return self.width - self.right

    @property
    def is_narrow(self) -> bool:
        """Whether the drawing is for a phone."""
        return self.width < 480


WIDE = Box(720, 340)
NARROW = Box(360, 270, left=46, right=12)
COLUMN = Box(440, 270)
"""One of two drawings side by side in a picture."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An element of SVG with its class; `fades` upwards or to the right where a bound has no end."""

    tag: Literal["rect", "line", "circle", "text", "path"]
    kind: str
    attributes: tuple[tuple[str, Place], ...]
    text: str | None = None
    fades: Literal["rise", "fade"] | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that can be pointed at, and what stands there: lines of text."""

    x: float
    y: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture of some width: its shapes from the back to the front, and its marks from the left to the right."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
    marks: tuple[Mark, ...] = ()
    days: DaysShown | None = None


@dataclass(frozen=True, slots=True)
class DaysShown:
    """The first and the last day of a drawing over time, and where they stand."""

    first: date
    last: date
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class LegendItem:
    """What a shape of the drawing stands for. The shapes lie in a box of 26 by 12."""

    shapes: tuple[Shape, ...]
    words: str


@dataclass(frozen=True, slots=True)
class ChartTable:
    """The figures of a chart in rows. `name` is that of the table in the page; columns in `right` hold numbers."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    empty: str = "Nothing yet."


@dataclass(frozen=True, slots=True)
class PledgeChart:
    """A chart of a pledge: what it says in a sentence, drawn wide and narrow, with its legend and its tables."""

    key: str
    title: str
    says: str
    wide: Drawing
    narrow: Drawing
    legend: tuple[LegendItem, ...] = ()
    tables: tuple[ChartTable, ...] = field(default=())


def rect(
    kind: str, x: float, y: float, width: float, height: float, fades: Literal["rise", "fade"] | None = None
) -> Shape:
    """A rectangle; a negative size is none."""
    size = (("width", round(max(width, 0), 2)), ("height", round(max(height, 0), 2)))
    return Shape("rect", kind, (("x", round(x, 2)), ("y", round(y, 2)), *size), fades=fades)


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    """A line from one place to another."""
    ends = (("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2))
    return Shape("line", kind, tuple((name, round(value, 2)) for name, value in ends))


def circle(kind: str, x: float, y: float, radius: float) -> Shape:
    """A circle around a place."""
    return Shape("circle", kind, (("cx", round(x, 2)), ("cy", round(y, 2)), ("r", radius)))


def path(kind: str, way: str) -> Shape:
    """A path along SVG's commands."""
    return Shape("path", kind, (("d", way),))


def words(kind: str, text: str, x: float, y: float, anchor: Literal["start", "middle", "end"] = "start") -> Shape:
    """Words that begin, are centred or end at a place."""
    aligned = () if anchor == "start" else (("text-anchor", anchor),)
    return Shape("text", kind, (("x", round(x, 2)), ("y", round(y, 2)), *aligned), text)


def shortened(text: str, letters: int) -> str:
    """The text, cut with an ellipsis if it has more letters; the table beside the chart has it whole."""
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"
