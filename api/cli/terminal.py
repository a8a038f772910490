"""What the commands write: the answer on stdout, everything else on stderr.

The library that draws tables is imported when one is drawn: a server draws none.
"""

from __future__ import annotations

import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import click

from tracker.visible_text import escaped

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table

PIPE_WIDTH = 240
"""Characters of a line at most where stdout is no terminal."""


def say(message: str) -> None:
    """Write a sentence to stderr, so that stdout holds the answer alone."""
    click.echo(escaped(message), err=True)


def answer(line: str) -> None:
    """Write a line of the answer to stdout, with what is not seen escaped."""
    click.echo(escaped(line))


def write_pieces(pieces: Iterable[bytes], file: IO[bytes]) -> None:
    """Write the pieces to the file, each as it is made; on a terminal with what is not seen escaped."""
    decode = getincrementaldecoder("utf-8")("surrogateescape").decode if file.isatty() else None
    for piece in pieces:
        file.write(piece if decode is None else escaped(decode(piece)).encode())
    file.flush()


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere.

    It yields a function to call with the number of things done since the last call. `total` is None if the number of
    all things is not known.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(description, total=total)
        yield lambda count: bar.advance(task, count)


def columns(*names: str) -> Table:
    """An empty table with these columns."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


class _Escaped:
    """Something to print, with what is not seen escaped in each piece of its text, and its styles as they are."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment

        for segment in console.render(self._renderable, options):
            yield segment if segment.control else Segment(escaped(segment.text), segment.style)


def show(*tables: RenderableType) -> None:
    """Print tables or texts as wide as the terminal; for a pipe as wide as they are, and without styles.

    With NO_COLOR in the environment a terminal gets no colours either (https://no-color.org).
    """
    from rich.console import Console

    terminal = sys.stdout.isatty()
    console = Console(
        highlight=False,
        markup=False,
        emoji=False,
        width=None if terminal else PIPE_WIDTH,
        no_color=None if terminal else True,
    )
    with console.capture() as captured:
        console.print(*map(_Escaped, tables), sep="\n")
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
