"""Point the links of docs/architecture.md at the lines where their functions stand now: `python docs/walk.py`."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\[`(?P<name>\w+)`\]\(\.\./(?P<path>[\w/]+\.py)#L(?P<line>\d+)\)")


def stands(name: str, path: str) -> list[int]:
    """The lines of a file on which a function or class of a name begins."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    return [n for n, text in enumerate(lines, start=1) if re.search(rf"(def|class) {name}\b", text)]


def _moved(link: re.Match[str]) -> str:
    found = stands(link["name"], link["path"])
    nearest = min(found, key=lambda line: abs(line - int(link["line"])))
    return f"[`{link['name']}`](../{link['path']}#L{nearest})"


if __name__ == "__main__":
    page = ROOT / "docs" / "architecture.md"
    page.write_text(LINK.sub(_moved, page.read_text("utf-8")), "utf-8")
