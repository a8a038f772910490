"""What is kept and brought from one point to another by what differs is what adding up anew gives, to the digit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections import changed_pledges, kept_answers, queries
from projections.amount_sums import AmountSum
from projections.kept_counts import KeptFacets
from projections.kept_summary import KeptSummary
from projections.queries import Clocks, Filters
from projections.summary import Pledged, summarize
from projections.summary_amounts import SummaryAmount, SummaryAmounts
from projections.table_reader import TableReader
from projections.timeline import Timeline
from tests.support.timelines import World, kept, made, many, progress, said
from tracker.errors import BatchRefused

BEFORE, AFTER = Clocks(date(2026, 1, 1), 1), Clocks(date(2026, 1, 1), 2)
NAMES = "abcdef"

VALUES = st.decimals("-1e30", "1e30", allow_nan=False, places=18) | st.integers(-3, 3).map(Decimal)
THIRDS = VALUES.map(lambda value: value / 3)
AMOUNTS = st.builds(
    SummaryAmount,
    st.sampled_from(["eq", "ge", "gt", "approx", "nearly"]),
    VALUES | THIRDS,
    st.none(),
    st.sampled_from(["EUR", "USD", "KWD"]),
) | st.builds(
    lambda value, width, unit, ends: SummaryAmount("between", value, value + width, unit, ends),
    VALUES,
    st.integers(0, 9),
    st.sampled_from(["EUR", "USD"]),
    st.sampled_from([None, "low", "high", "both"]),
) | st.builds(
    lambda op, value: SummaryAmount(op, abs(value) + 1, None, "EUR"), st.sampled_from(["le", "lt"]), VALUES
)  # fmt: skip
PLEDGED = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["met", "overdue"]),
        "flags": st.lists(st.sampled_from(["late", "stale"]), unique=True, max_size=2).map(tuple),
        "tags": st.lists(st.sampled_from("xyz"), unique=True, max_size=3).map(tuple),
        "target": st.none() | AMOUNTS,
        "actual": st.none() | AMOUNTS,
        "is_level": st.sampled_from([False, False, False, True]),
    }
)
POPULATIONS = st.dictionaries(st.sampled_from(NAMES), PLEDGED)
WHOLES = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES), max_size=5)


def pledged(name: str, said: Mapping[str, Any]) -> Pledged:
    target, actual = said["target"], said["actual"]
    unit = next((amount.unit for amount in (target, actual) if amount is not None), None)
    converted = None if actual is None or actual.unit == unit else actual._replace(unit=unit)
    amounts = SummaryAmounts(target, actual, converted, date(2025, 6, 2), said["is_level"])
    return Pledged(name, said["status"], said["flags"], "money", unit, {"tag": said["tags"]}, amounts)


class FakeTables:
    """Two points with the pledges that hold at them."""

    def __init__(self, rows: Mapping[Clocks, Mapping[str, Any]], whole: Mapping[Clocks, Mapping[str, str]]) -> None:
        self.rows, self.whole = rows, whole

    def pledged(self, _: Any, filters: Filters, clocks: Clocks) -> Iterator[Pledged]:
        for name, row in self.rows[clocks].items():
            if not filters.pledge or name in filters.pledge:
                yield pledged(name, row)

    def rows_of(self, query: Any, clocks: Clocks, pledges: Any = None) -> list[Any]:
        assert query is queries.parts
        whole = self.whole[clocks]
        return [Part(part, whole[part]) for part in whole if pledges is None or part in pledges]


class Part:
    def __init__(self, pledge: str, part_of: str) -> None:
        self.pledge, self.part_of = pledge, part_of


@given(POPULATIONS, POPULATIONS, WHOLES, WHOLES, st.sampled_from([None, "tag"]), st.sampled_from([None, "EUR"]))
def test_a_summary_that_is_brought_to_another_point_is_the_one_that_is_added_up_there(
    was: dict[str, Any], now: dict[str, Any], whole: dict[str, str], wholes: dict[str, str], by: str, currency: str
) -> None:
    # Whoever is part of another one is there, and of itself nobody is.
    old, new = ({p: w for p, w in of.items() if p in there and p != w} for of, there in ((whole, was), (wholes, now)))
    tables: Any = FakeTables({BEFORE: was, AFTER: now}, {BEFORE: old, AFTER: new})
    names = [n for n in NAMES if (was.get(n), old.get(n)) != (now.get(n), new.get(n))]
    summary = KeptSummary(Filters(), by, currency)
    with patch("projections.kept_summary._pledged", tables.pledged):
        summary.read(tables, BEFORE)
        anew = summarize([pledged(name, row) for name, row in was.items()], old, by, currency)
        assert summary.document() == anew
        summary.difference(tables, names, BEFORE, AFTER)()
        anew = summarize([pledged(name, row) for name, row in now.items()], new, by, currency)
        assert summary.document() == anew
        summary.difference(tables, names, AFTER, BEFORE)()
        anew = summarize([pledged(name, row) for name, row in was.items()], old, by, currency)
        assert summary.document() == anew


@given(st.lists(AMOUNTS.filter(lambda amount: amount.unit == "EUR")), st.randoms())
def test_a_sum_is_the_same_in_any_order_and_after_what_was_taken_away(amounts: list[Any], random: Random) -> None:
    whole, other = AmountSum(), AmountSum()
    for amount in amounts:
        whole.add(amount)
    more = [*amounts, *amounts]
    random.shuffle(more)
    for amount in more:
        other.add(amount)
    for amount in amounts:
        other.add(amount, -1)
    assert (other.count, other.document("EUR")) == (whole.count, whole.document("EUR"))
    assert other.document("EUR", cents=True) == whole.document("EUR", cents=True)


ASKED = [
    (Filters(), None, None),
    (Filters(), "pledgor", "EUR"),
    (Filters(), "tag", None),
    (Filters(tag=("nato",)), "kind", None),
    (Filters(q="aid", status=("in_progress", "overdue", "missed")), None, "USD"),
    (Filters(pledge=("pledge-001", "pledge-003", "whole")), "beneficiary", None),
]
DAYS = [date(2024, 7, 1), date(2024, 7, 2)]
ENDS = [date(2024, 1, 1) + timedelta(days=183 * number) for number in range(5)]


def must_be_as_added_anew(it: World, timeline: Timeline) -> None:
    """Every kept answer is that of reads which have never answered before."""
    anew = Timeline(it.engine, it.log)
    for on in DAYS:
        clocks = it.clocks(on)
        for filters, by, currency in ASKED:
            assert timeline.summary(filters, clocks, by, currency) == anew.summary(filters, clocks, by, currency)
            assert timeline.listed_total(filters, clocks) == len(anew.page(filters, clocks, limit=500).items)
    for filters, *_ in ASKED:
        narrowed = replace(filters, unit=("EUR", "USD"))  # traits do not answer it
        facets = timeline._kept.at(
            ("facets", narrowed), partial(KeptFacets, narrowed), it.clocks(), KeptFacets.document
        )
        assert facets == anew.facets(narrowed, it.clocks())
        found = list(timeline.statuses(narrowed, ENDS, it.clocks()))
        assert found == list(anew.statuses(narrowed, ENDS, it.clocks()))


def test_what_is_kept_is_what_is_added_up_anew_after_every_event_and_on_every_day(it: World) -> None:
    many(it, 12)
    timeline, dice = it.timeline, Random(11)
    must_be_as_added_anew(it, timeline)
    money = {"op": "ge", "value": "100", "unit": "EUR"}
    of_part: dict[str, str] = {}

    def corrected(part: str, day: str, whole: str) -> dict[str, Any]:
        return kept("EventCorrected", day, of_part[part], changes={"part_of": whole})

    steps: list[tuple[str, Callable[[], dict[str, Any]]]] = [
        ("part", lambda: made(part_of="whole", tags=["nato"])),
        ("piece", lambda: made(part_of="part", tags=["nato", "ukraine"])),
        ("whole", lambda: made(target=money, tags=["nato"])),
        ("whole", lambda: progress("70 EUR", "2024-06-30")),
        ("whole", lambda: said("PledgeRevised", "2024-07-02", tags=["ukraine"], reason="other words")),
        ("pledge-002", lambda: said("StatementMade", "2024-02-01", summary="Aid, said late.")),
        ("piece", lambda: corrected("piece", "2024-06-01", "pledge-001")),
        ("part", lambda: corrected("part", "2024-07-02", "piece")),
        ("part", lambda: corrected("part", "2024-07-03", "whole")),
        ("whole", lambda: kept("EventVoided", "2024-07-02", of_part["whole"])),
    ]
    for pledge, fact in steps:
        of_part.setdefault(pledge, it.record(pledge, fact()))
        it.runner.catch_up()
        must_be_as_added_anew(it, timeline)
    for _ in range(2):  # several events at once
        for _ in range(5):
            pledge = dice.choice(it.pledges())
            events = it.events(pledge)
            with suppress(BatchRefused):
                it.record(pledge, kept("EventVoided", "2024-07-02", dice.choice(events).id))
            with suppress(BatchRefused):
                it.record(pledge, progress(f"{dice.randrange(90)} EUR", "2024-06-30", summary=str(it.now)))
        it.runner.catch_up()
        must_be_as_added_anew(it, timeline)
    it.runner.rebuild()
    must_be_as_added_anew(it, timeline)


def test_after_an_event_only_its_pledge_is_looked_at_and_after_midnight_only_what_turns(it: World) -> None:
    many(it, 12)
    clocks = it.clocks("2024-06-29")
    first = it.timeline.summary(Filters(), clocks)
    asked: list[tuple[str, Any]] = []
    rows_of = TableReader.rows_of

    def counting(self: TableReader, query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append((query.__name__, args[0].pledge if query is queries.amounts else None))
        return rows_of(self, query, *args, **kwargs)

    with patch.object(TableReader, "rows_of", counting):
        assert it.timeline.summary(Filters(), clocks) == first
        assert asked == []
        it.record("pledge-001", said("StatementMade", "2024-06-01", summary="Talk."))
        it.runner.catch_up()
        it.timeline.summary(Filters(), it.clocks("2024-06-29"))
        assert {named for query, named in asked if query == "amounts"} == {("pledge-001",)}
        asked.clear()
        it.timeline.summary(Filters(), it.clocks("2024-07-01"))
        assert {query for query, _ in asked} <= {"turning", "amounts", "parts"}
        assert all(named is None or 0 < len(named) < 12 for query, named in asked if query == "amounts")


def test_a_position_long_past_and_too_many_events_are_added_up_anew(it: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed_pledges, "MAX_CHANGED", 3)
    monkeypatch.setattr(kept_answers, "MAX_BEHIND_EVENTS", 3)
    many(it, 6)
    now = it.clocks("2024-07-01")
    assert it.timeline.summary(Filters(), replace(now, position=1))["by_status"] != {}
    assert len(it.timeline._kept._entries) == 0
    must_be_as_added_anew(it, it.timeline)
    for number in range(5):
        it.record("pledge-001", said("StatementMade", "2024-06-01", summary=f"Talk {number}."))
    it.runner.catch_up()
    must_be_as_added_anew(it, it.timeline)


def test_the_longest_unasked_answers_go_where_there_are_too_many(it: World, monkeypatch: pytest.MonkeyPatch) -> None:
    many(it, 6)
    monkeypatch.setattr(kept_answers, "MAX_KEPT_ANSWERS", 2)
    days = [date(2024, 6, 1), *DAYS]
    for day in days:
        it.timeline.summary(Filters(), it.clocks(day))
    assert [day for _, day in it.timeline._kept._entries] == days[-2:]
    monkeypatch.setattr(kept_answers, "MAX_KEPT_COUNTS", 0)
    it.timeline.summary(Filters(), it.clocks(DAYS[0]))
    assert len(it.timeline._kept._entries) == 0
