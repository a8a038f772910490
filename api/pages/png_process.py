"""The process that draws one picture: an SVG on its standard input, the PNG on its standard output.

It is started anew for each picture, so it imports nothing but the library that draws.
"""

from __future__ import annotations

import os
import sys
from importlib.resources import as_file, files

import resvg_py

FONT_FAMILY = "DejaVu Sans"
_NICE = 10
"""By how much a drawing gives way to what answers requests."""


def draw(svg: bytes) -> bytes:
    """The PNG of an SVG, drawn with the font that comes along and no other. It holds the interpreter's lock."""
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg.decode(), font_files=_fonts(), skip_system_fonts=True, font_family=FONT_FAMILY,
        sans_serif_family=FONT_FAMILY,
    )  # fmt: skip
    return bytes(drawn)


def _fonts() -> list[str]:
    """The paths of the font's files; the package is installed unpacked."""
    folder = files("api.pages") / "fonts"
    found = []
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        with as_file(folder / name) as path:
            found.append(str(path))
    return found


if __name__ == "__main__":
    os.nice(_NICE)
    sys.stdout.buffer.write(draw(sys.stdin.buffer.read()))
