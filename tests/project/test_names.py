"""Names and constants of the code: one name, one thing; what a number means stands beside it."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("api", "projections", "tracker")


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the packages, by its path."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text("utf-8"))


def test_no_two_public_classes_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    assert len(places) > 200
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def is_number(node: ast.expr) -> bool:
    """Whether a value is a number, or several, written out."""
    if isinstance(node, ast.Tuple):
        return all(is_number(item) for item in node.elts)
    if isinstance(node, ast.BinOp):
        return is_number(node.left) and is_number(node.right)
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def numbers(module: ast.Module) -> Iterator[tuple[str, bool]]:
    """The public numbers of a module, each with whether a docstring follows it."""
    for node, after in pairwise([*module.body, ast.Pass()]):
        if isinstance(node, ast.Assign) and is_number(node.value):
            said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            yield from ((name.id, said) for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name))


def test_every_public_number_says_what_it_means() -> None:
    found = {f"{path}: {name}": said for path, module in modules() for name, said in numbers(module) if name[0] != "_"}
    assert len(found) > 50
    assert [name for name, said in found.items() if not said] == []


@pytest.mark.parametrize("words", ["assert isinstance", "noqa: B023", ".__dict__"])
def test_product_code_does_without(words: str) -> None:
    files: list[Path] = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    assert [str(file) for file in files if words in file.read_text("utf-8")] == []
