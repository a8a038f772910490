"""Where few of many pledges pass, they are looked up and put in order; the list is the one that a walk gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest

from projections import list_queries, list_reader
from projections.queries import SORTS, Clocks, Filters
from projections.timeline import Timeline
from tests.support.timelines import World, many, world

FILTERS = [
    Filters(),
    Filters(status=("overdue", "announced")),
    Filters(status=("superseded",)),
    Filters(tag=("nato",), kind=("money",)),
    Filters(q="aid 3"),
    Filters(q="xylophone"),
]


@pytest.fixture
def it(database_url: str) -> Iterator[World]:
    with world(database_url) as made_world:
        made_world.runner.catch_up()
        many(made_world)
        yield made_world


def listed(timeline: Timeline, filters: Filters, clocks: Clocks, sort: str) -> list[Any]:
    """All pages of a list, each with its cursor and total, and the same by number."""
    found: list[Any] = []
    after = None
    while True:
        page = timeline.page(filters, clocks, sort, 7, after)
        found.append(page)
        if (after := page.next) is None:
            break
    return [*found, *(timeline.listed(filters, clocks, sort, 7, offset) for offset in (0, 5, 40))]


@pytest.mark.parametrize("sort", [f"{sign}{name}" for name in SORTS for sign in ("", "-")])
def test_pages_of_what_is_looked_up_are_those_of_a_walk(it: World, sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for clocks in (it.clocks("2024-02-10"), it.clocks("2025-01-01", it.log.head() - 9)):
        for filters in FILTERS:
            monkeypatch.setattr(list_reader, "PASSED_BY", 1_000)
            walked = listed(it.timeline, filters, clocks, sort)
            monkeypatch.setattr(list_reader, "PASSED_BY", 1)
            assert listed(it.timeline, filters, clocks, sort) == walked, filters


@pytest.mark.parametrize("sort", ["ratio", "-ratio"])
def test_pages_of_what_has_begun_by_an_early_day_are_those_of_a_walk(
    it: World, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_reader, "PASSED_BY", 1_000)
    for clocks in (it.clocks("2024-02-10"), it.clocks("2024-08-01"), it.clocks("2025-01-01", it.log.head() - 9)):
        for filters in FILTERS:
            monkeypatch.setattr(list_reader, "EARLY", 1_000)
            walked = listed(it.timeline, filters, clocks, sort)
            monkeypatch.setattr(list_reader, "EARLY", 0)
            assert listed(it.timeline, filters, clocks, sort) == walked, filters


def test_a_list_by_ratio_of_an_early_day_is_looked_up_along_the_days(
    it: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ways(day: str) -> set[bool]:
        with patch.object(list_reader.list_queries, "page", wraps=list_queries.page) as asked:
            it.timeline.page(Filters(), it.clocks(day), "-ratio")
        return {call.kwargs["along_days"] for call in asked.call_args_list}

    monkeypatch.setattr(list_reader, "PASSED_BY", 1_000)
    assert it.timeline.page(Filters(), it.clocks("2024-01-04")).total * list_reader.EARLY <= 45
    assert ways("2024-01-04") == {True}
    assert ways("2024-02-10") == {False}


def test_nothing_is_walked_where_few_pass(it: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_reader, "PASSED_BY", 10)
    now = it.clocks()
    with patch.object(list_reader.ListReader, "_rows_of_page", side_effect=AssertionError):
        for filters in (Filters(status=("superseded",)), Filters(q="xylophone"), Filters(pledge=("pledge-003",))):
            assert it.timeline.page(filters, now, "-ratio").total == len(filters.pledge)
        long_ago = it.clocks(it.timeline.first_day(now) or date.max)
        page = it.timeline.page(Filters(), long_ago, "-last_stated_on")
        assert 0 < page.total == len(page.items) < 5
    with (
        pytest.raises(AssertionError),
        patch.object(list_reader.ListReader, "_rows_of_page", side_effect=AssertionError),
    ):
        it.timeline.page(Filters(), now, "-ratio")
