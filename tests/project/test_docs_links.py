"""The way of a fact in docs/architecture.md: every link leads to the line where the named function stands."""

import re

import pytest

from docs.walk import LINK, ROOT, stands

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
LINKS = [match.groups() for match in LINK.finditer(PAGE)]


def test_the_way_of_a_fact_passes_six_files() -> None:
    assert len({path for _, path, _ in LINKS}) == 6


@pytest.mark.parametrize(("name", "path", "line"), LINKS)
def test_a_link_leads_to_its_function(name: str, path: str, line: str) -> None:
    assert int(line) in stands(name, path), "run python docs/walk.py"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:api|tracker|projections)/[\w/]+(?:\.\w+)?/?)`", PAGE))))
def test_a_file_that_the_page_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()
