"""Pages of docs/ of which a command makes a part: what it makes stands between two marks."""

from __future__ import annotations

from pathlib import Path


def marks(command: str) -> tuple[str, str]:
    """The lines between which stands what a command makes."""
    return f"<!-- made by `{command}` -->\n", f"<!-- end of what `{command}` made -->\n"


def read(path: Path, command: str) -> str:
    """What the command made when it last wrote to the page."""
    begin, end = marks(command)
    _, found, rest = path.read_text("utf-8").partition(begin)
    assert found, f"{path} has no place for what {command} makes"
    return rest.partition(end)[0]


def write(path: Path, command: str, text: str) -> None:
    """Put what the command made in its place in the page."""
    begin, end = marks(command)
    before, found, rest = path.read_text("utf-8").partition(begin)
    assert found, f"{path} has no place for what {command} makes"
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", "utf-8")
