"""A list for people: which page of it is asked for, in which order, and where the others are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.http.contract import Parameter
from api.http.parameters import integer
from api.pages.frame import PageRequest

LIST_ROWS = 25
"""Pledges on a page."""

MAX_PAGE_NUMBER = 1_000_000
"""The number of a page, at most."""

PAGE_NUMBER = Parameter(
    "page",
    "The page of the list; a number beyond the last one is the last.",
    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_NUMBER, "default": 1},
)

_NEAR = 2
"""Pages on either side of this one that are linked; the first and the last are, too."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """The page that is shown: its number, its first and last row, counted from 1, and the number of all rows."""

    number: int
    first: int
    last: int
    total: int
    pages: int

    def links(self, page: PageRequest) -> Iterator[tuple[int | None, str]]:
        """The pages that can be gone to as (number, address), in order; None for those that are left out."""
        near = {1, self.pages, *range(self.number - _NEAR, self.number + _NEAR + 1)}
        before = 0
        for number in sorted(number for number in near if 1 <= number <= self.pages):
            if number > before + 1:
                yield None, ""
            yield number, page_link(page, number)
            before = number


@dataclass(frozen=True, slots=True)
class SortColumn:
    """A column by which the list can be sorted; `link` sorts by it, or the other way round where it is sorted so."""

    words: str
    link: str
    order: str
    """`ascending`, `descending`, or empty where the list is sorted by another column."""


SORTED_COLUMNS = (
    ("title", "Pledge"),
    ("-changed", "Status, since"),
    ("-ratio", "Progress"),
    ("due", "Due"),
    ("-last_stated_on", "Last said"),
)
"""The columns with the order in which each is sorted first."""


def list_page(page: PageRequest, total: int) -> ListPage:
    """The page that a query asks for, of so many rows.

    Raises: InvalidParameter if its number is none.
    """
    pages = max(1, -(-total // LIST_ROWS))
    number = min(integer(page.query, "page", 1, MAX_PAGE_NUMBER, 1), pages)
    first = (number - 1) * LIST_ROWS
    return ListPage(number, min(first + 1, total), min(first + LIST_ROWS, total), total, pages)


def page_link(page: PageRequest, number: int) -> str:
    """The address of a page of the list, at its first row."""
    return f"{page.link(page=None if number == 1 else str(number))}#list"


def sort_columns(page: PageRequest, sort: str, default: str) -> list[SortColumn]:
    """The columns of a list that is sorted so; the default order stands in no address."""
    found = []
    for first, words in SORTED_COLUMNS:
        name = first.removeprefix("-")
        is_own = name == sort.removeprefix("-")
        turned = name if sort.startswith("-") else f"-{name}"
        wanted = turned if is_own else first
        order = ("descending" if sort.startswith("-") else "ascending") if is_own else ""
        found.append(SortColumn(words, page.link(sort=None if wanted == default else wanted, page=None), order))
    return found
