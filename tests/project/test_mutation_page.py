"""docs/mutation.md names what survives of the changes of the rules, and nothing else."""

import json
import re
from pathlib import Path

from tests.support.mutation_results import FILE, digest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`([\w.]+)` (\d+(?:, \d+)*)")


def module_of(name: str) -> str:
    """The module of a function: `rules.members` of `rules.members.GroupResult.eligible_by`."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "rules" else parts[0]


def named() -> set[tuple[str, int]]:
    """The changes that the page names; a name that begins with a point is of the module before it."""
    page = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
    _, found, told = page.partition("## What survives")
    assert found
    changes, module = set(), ""
    for name, numbers in NAMED.findall(told.partition("## What was found")[0]):
        whole = module + name if name.startswith(".") else name
        module = module_of(whole)
        changes |= {(whole, int(number)) for number in numbers.split(", ")}
    return changes


def test_each_change_that_survives_is_named_with_its_reason() -> None:
    known = json.loads(FILE.read_text(encoding="utf-8"))
    as_asked = {file for file, kept in known.items() if kept["sha256"] == digest(file, ROOT)}
    modules = {file.removeprefix("tracker/").removesuffix(".py").replace("/", "."): file for file in as_asked}
    survived = {
        (f"{module}.{function.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}", number)
        for module, file in modules.items()
        for function, letters in known[file]["changes"].items()
        for number, letter in enumerate(letters, 1)
        if letter in "su"
    }
    assert survived == {(name, number) for name, number in named() if module_of(name) in modules}
    assert survived
