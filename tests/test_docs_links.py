"""The way of a fact in CONTRIBUTING.md: every link leads to the line where the named function stands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINKS = re.findall(r"\[`(\w+)`\]\(([\w/]+\.py)#L(\d+)\)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))


def test_the_walk_has_links() -> None:
    assert len(LINKS) >= 8


@pytest.mark.parametrize(("name", "path", "line"), LINKS)
def test_a_link_leads_to_its_function(name: str, path: str, line: str) -> None:
    lines = (ROOT / path).read_text("utf-8").splitlines()
    stands = [n for n, text in enumerate(lines, start=1) if re.search(rf"(def|class) {name}\b", text)]
    assert int(line) in stands, f"{name} stands at {stands} of {path}"
