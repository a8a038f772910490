"""The way of a fact in CONTRIBUTING.md: every link leads to the line where the named function stands."""

import pytest

from docs.walk import LINK, ROOT, stands

LINKS = [match.groups() for match in LINK.finditer((ROOT / "CONTRIBUTING.md").read_text("utf-8"))]


def test_the_walk_has_links() -> None:
    assert len(LINKS) >= 8


@pytest.mark.parametrize(("name", "path", "line"), LINKS)
def test_a_link_leads_to_its_function(name: str, path: str, line: str) -> None:
    assert int(line) in stands(name, path), "run python docs/walk.py"
