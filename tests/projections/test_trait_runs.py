"""What is counted from memory is what the database counts, whatever was recorded since and whatever is asked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from api.http.system_clock import today
from projections.facets import FACETS, added_up, counted, grouped, turns, without
from projections.held_traits import HeldTraits
from projections.kept_answers import KeptAnswers
from projections.list_queries import numbered
from projections.parties import counted as counted_parties
from projections.parties import grouped as grouped_parties
from projections.queries import Clocks, Filters
from projections.timeline import Timeline
from projections.trait_filter import Traits
from projections.trait_runs import TraitRuns
from tests.support.api import SOURCE, Api, progress, statement
from tracker.rules.days import ends_between

ALLIES, BELGIUM = {"name": "NATO Allies", "code": "nato-allies"}, {"name": "Belgium", "code": "BE"}
FILTERS = [
    Filters(),
    Filters(status=("overdue", "exceeded")),
    Filters(pledgor=("belgium",)),
    Filters(party=("BE", "ukraine"), tag=("green",)),
    Filters(flag=("single_source",), kind=("money",)),
    Filters(beneficiary=("UA",), status=("announced",)),
    Filters(unit=("EUR",), tag=("aid", "green")),
    Filters(q="trees"),
    Filters(due_before=date(2025, 6, 1), pledgor=("BE",)),
    Filters(party=("nobody",)),
]


def counted_by_the_database(timeline: Timeline, filters: Filters, clocks: Clocks) -> dict[str, Any]:
    return {
        facet: counted(facet, timeline.rows_of(grouped, facet, without(filters, facet), clocks)) for facet in FACETS
    }


def over_time_by_the_database(timeline: Timeline, filters: Filters, days: list[date], at: Clocks) -> list[Any]:
    found = [
        (row.day, row.status, -row.pledges if at_end else row.pledges)
        for at_end in (False, True)
        for row in timeline.rows_of(turns, filters, at, ends=at_end)
    ]
    return list(added_up(found, days))


def must_agree(api: Api, held: HeldTraits) -> None:
    timeline = api.services.timeline
    now = Clocks(today(), timeline.position())
    days = ends_between(date(2023, 12, 1), date(2026, 6, 30), 1)
    for on in (now.as_of, date(2024, 7, 15), date(2024, 1, 9), date(2025, 2, 1), date.max):
        at = replace(now, as_of=on)
        for filters in FILTERS:
            found = held.facets(filters, at)
            assert found is not None
            mine = {facet: counted(facet, found[facet]) for facet in FACETS}
            assert mine == counted_by_the_database(timeline, filters, at), (on, filters)
        together = held.parties(at)
        assert together is not None
        assert counted_parties(together) == counted_parties(timeline.rows_of(grouped_parties, at, None)), on
        for filters in FILTERS:
            for newest_first in (False, True):
                sort = "-changed" if newest_first else "changed"
                names = [row.pledge for row in timeline.rows_of(numbered, filters, at, sort, 100, 0, nulls=False)]
                assert held.by_change(filters, at, newest_first=newest_first) == names, (on, filters, sort)
            if filters.q is None and filters.due_before is None and filters.unit == ():
                pieces = timeline.changes(filters, at, by_position=False)
                last = [(c.pledge, c.on, c.before, c.after) for some in pieces for c in some.found]
                assert held.latest_moves(filters, at, 100) == last, (on, filters)
                assert held.latest_moves(filters, at, 2) == last[:2]
    for filters in FILTERS:
        if filters.q is None and filters.due_before is None:
            assert held.statuses(filters, days, now) == over_time_by_the_database(timeline, filters, days, now), filters


@pytest.fixture
def held(api: Api) -> HeldTraits:
    timeline, log = api.services.timeline, api.services.tracker.log
    return HeldTraits(timeline, log, KeptAnswers(timeline, log))


def test_every_count_from_memory_is_that_of_the_database_after_every_event(api: Api, held: HeldTraits) -> None:
    api.open(pledgor=ALLIES, beneficiary={"name": "Ukraine", "code": "UA"}, tags=["aid"])
    must_agree(api, held)
    first = api.add(progress("20.9bn EUR"))["event"]["id"]
    api.open("trees", title="Plant trees", tags=["green"], pledgor=BELGIUM)
    must_agree(api, held)
    api.add(statement(summary="Trees were planted."), "trees")
    revised = {"type": "PledgeRevised", "stated_on": "2024-09-01", "tags": ["green", "aid"], "reason": "broader"}
    api.add(revised | {"source": SOURCE}, "trees")
    must_agree(api, held)
    api.add({"type": "EventCorrected", "stated_on": "2024-08-01", "event": first, "reason": "a slip",
             "changes": {"figure": {"quantity": {"value": "50000000000"}}}})  # fmt: skip
    must_agree(api, held)
    made = api.open("roads", title="Build roads", pledgor=BELGIUM, window=None)["event"]["id"]
    must_agree(api, held)
    api.add({"type": "EventVoided", "stated_on": "2024-03-01", "event": made, "reason": "no promise"}, "roads")
    must_agree(api, held)


def test_another_position_than_the_newest_is_left_to_the_database(api: Api, held: HeldTraits) -> None:
    api.open()
    api.add(progress())
    now = Clocks(today(), 2)
    assert held.facets(Filters(), replace(now, position=1)) is None
    assert held.facets(Filters(), now) is not None
    assert held.facets(Filters(), replace(now, position=1)) is None
    assert held.statuses(Filters(), [today()], replace(now, position=1)) is None


def traits(status: str, **columns: str) -> Traits:
    return Traits(**{"status": status, "flags": "", "kind": "money", "tags": "", "parties": "", "pledgors": "",
                     "beneficiaries": ""} | columns)  # fmt: skip


def rows(*given: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Rows as the reader has them: with the two columns that tell the set behind their own."""
    return ((*row, 1, 0) for row in given)


def test_traits_hold_where_both_tables_have_the_pledge() -> None:
    runs = TraitRuns()
    day = [date(2024, month, 1) for month in range(1, 10)]
    others = ("money", ",a,", "", "", "")
    runs.take(
        rows(("one", day[2], day[4], "met", ""), ("one", day[1], day[2], "announced", ""), ("one", day[6], date.max,
             "overdue", "")),
        rows(("one", day[0], day[3], *others), ("one", day[3], date.max, "money", ",b,", "", "", "")),
        ["one"],
    )  # fmt: skip
    late = {"overdue": 1}
    seen = [{**one} for one in runs.statuses(Filters(), day)]
    assert seen == [
        {},
        {"announced": 1},
        {"met": 1},
        {"met": 1},
        {},
        {},
        {"overdue": 1},
        {"overdue": 1},
        {"overdue": 1},
    ]
    tagged = [{**one} for one in runs.statuses(Filters(tag=("b",)), day)]
    assert tagged == [{}, {}, {}, {"met": 1}, {}, {}, late, late, late]
    assert list(runs.statuses(Filters(tag=("b",)), day, ["one"])) == tagged
    assert not any(runs.statuses(Filters(tag=("b",)), day, ["another"]))
    assert {f.value: f.pledges for f in runs.facets(Filters(), day[3], None)["tag"]} == {",b,": 1}
    runs.take([], [], ["one"])
    assert (len(runs), runs.facets(Filters(), day[3], None)["status"]) == (0, [])
    assert runs.first_day() is None
