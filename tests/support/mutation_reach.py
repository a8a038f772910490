"""Which tests run a line that a change of the rules changes, for `make mutate`: the others cannot notice.

The tests run once over the unchanged functions under coverage.py, which counts lines by test. A change is found by the
first line in which its copy of a function differs from the unchanged one, and belongs to the statement around it.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import dedent
from typing import Any

Lines = dict[str, dict[int, list[str]]]
"""By file and line the tests that run it."""


def measure(items: Iterable[Any], run: Callable[[Any], None], kept: Path) -> None:
    """Run the tests under coverage.py in a child, and write down by file and line which of them run it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        _measure(items, run, kept)
    finally:
        os._exit(0)


def _measure(items: Iterable[Any], run: Callable[[Any], None], kept: Path) -> None:
    from coverage import Coverage  # type: ignore[import-not-found]  # comes with mutmut

    counted = Coverage(data_file=None, include=["*/tracker/*"])
    counted.start()
    for item in items:
        counted.switch_context(item.nodeid)
        run(item)
    counted.stop()
    data, here = counted.get_data(), Path.cwd()
    names: dict[str, int] = {}
    found = {
        str(Path(file).relative_to(here)): {
            line: [names.setdefault(test, len(names)) for test in tests if test]
            for line, tests in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }
    kept.write_text(json.dumps({"tests": list(names), "lines": found}))


class Reach:
    """The tests that run the changed statement of each change."""

    def __init__(self, kept: Path) -> None:
        told = json.loads(kept.read_text())
        names = told["tests"]
        self.lines: Lines = {
            file: {int(line): [names[each] for each in tests] for line, tests in by_line.items()}
            for file, by_line in told["lines"].items()
        }
        self._files: dict[str, tuple[list[str], dict[str, list[int]]]] = {}

    def tests(self, name: str) -> set[str] | None:
        """The tests that run the statement of a change; None where it changes the head of its function."""
        module, _, change = name.rpartition(".")
        file = f"{module.replace('.', '/')}.py"
        if file not in self._files:
            spans = json.loads(Path(f"{file}.spans").read_text())["spans"]
            self._files[file] = Path(file).read_text().splitlines(), spans
        source, spans = self._files[file]
        begin, end = spans[f"{change.rpartition('__mutmut_')[0]}__mutmut_orig"]
        before, after = source[begin : end + 1], source[slice(spans[change][0], spans[change][1] + 1)]
        while before and not before[0].lstrip().startswith(("def ", "async def ")):
            begin, before = begin + 1, before[1:]
        while after and not after[0].lstrip().startswith(("def ", "async def ")):
            after = after[1:]
        changed = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if n and one != other), 0)
        if not changed:
            return None
        first, last = _statement(before, changed + 1)
        by_line = self.lines.get(file, {})
        return {test for line in range(begin + first, begin + last + 1) for test in by_line.get(line, ())}


def _statement(source: list[str], line: int) -> tuple[int, int]:
    """The first and last line of the innermost statement around a line; of one with a body only its head."""
    best = 1, len(source)
    for node in ast.walk(ast.parse(dedent("\n".join(source)))):
        if not isinstance(node, ast.stmt) or node.end_lineno is None:
            continue
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if isinstance(body, list) and body[0].lineno > node.lineno else node.end_lineno
        if node.lineno <= line <= last and last - node.lineno < best[1] - best[0]:
            best = node.lineno, last
    return best
