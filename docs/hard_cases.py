"""Write docs/hard-cases.md from the tests that hold the rules to it: ``python docs/hard_cases.py``."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests" / "rules" / "hard_cases"
PAGE = ROOT / "docs" / "hard-cases.md"

HEAD = """# Hard cases

What makes public pledges hard to track, and what the tracker makes of it. Each row is a test in
[tests/rules/hard_cases](../tests/rules/hard_cases), told there in facts and on both clocks; this page is written from
those tests by `python docs/hard_cases.py`, and a test fails where the two differ. The rules behind them are in
[rules.md](rules.md).

| # | rule | given | then |
|--:|--|--|--|
"""


def page() -> str:
    """The page of the tests, a row for each test in the order of its number."""
    rows = ((str(number), one["rule"], one["given"], one["then"]) for number, one in cases().items())
    return HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def cases() -> dict[int, dict[str, str]]:
    """The cases by number: the module and the name of the test, the rule, what is given, and what then holds."""
    found = {}
    for file in TESTS.glob("test_*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and (number := _number(node)):
                _, rule, given, then = _row(node)
                found[number] = {"module": file.stem, "test": node.name, "rule": rule, "given": given, "then": then}
    return dict(sorted(found.items()))


def _row(test: ast.FunctionDef) -> tuple[int, str, str, str]:
    given, then = (ast.get_docstring(test) or "").split("\n\n")
    rule = test.name.removeprefix("test_").replace("_", " ")
    return (_number(test), rule[0].upper() + rule[1:], _cell(given), _cell(then))


def _number(test: ast.FunctionDef) -> int:
    """The number that ``@case(number)`` gives the test; 0 without one."""
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "case":
            (number,) = decorator.args
            assert isinstance(number, ast.Constant)
            assert isinstance(number.value, int)
            return number.value
    return 0


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
