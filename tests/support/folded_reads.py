"""What the reads over many pledges answer, from a fold of the log: nothing here asks a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from projections.facets import FACETS
from projections.party_lines import key_of
from projections.passing import concerns
from projections.queries import Clocks, Filters
from projections.words import words_on
from tests.support.timelines import World, expected
from tracker.event import Event
from tracker.quantity import Quantity
from tracker.rules.causes import Point, cause_of
from tracker.rules.status import Status, StatusFold
from tracker.values import Party


@dataclass(frozen=True)
class Folded:
    """One pledge at a point, from its events."""

    fold: StatusFold
    status: Status
    changed: date
    as_of: date

    @property
    def pledgors(self) -> set[Party]:
        joint = [Party(**one["party"]) for one in self.status.document.get("joint", ())]
        return {self.status.pledgor, *joint}

    @property
    def beneficiaries(self) -> set[Party]:
        return set() if self.status.beneficiary is None else {self.status.beneficiary}

    def values(self, facet: str) -> set[str]:
        """The values of a filter that this pledge passes, keys of parties."""
        match facet:
            case "status" | "kind":
                return {getattr(self.status, facet)}
            case "flag":
                return set(self.status.flags)
            case "tag":
                return set(self.status.tags)
            case "pledgor":
                return {key_of(party) for party in self.status.pledgors}
        return {key_of(party) for party in self.status.beneficiaries}

    def passes(self, filters: Filters) -> bool:
        """Whether the pledge passes the filters."""
        status, words = self.status, "\n".join(row.text for row in words_on(self.fold.history, self.as_of))
        own, judged = status.target or status.actual, status.document.get("assessment", {})
        ever = {"pledgor": status.pledgors, "beneficiary": status.beneficiaries}
        names = {role: {name.casefold() for one in of for name in (one.name, key_of(one))} for role, of in ever.items()}
        have: dict[str, set[str | None]] = {
            "status": {status.status}, "pledge": {status.pledge}, "kind": {status.kind}, "flag": set(status.flags),
            "tag": set(status.tags), "part_of": {status.part_of}, "unit": {own and own.unit},
            "rating": {judged.get("rating")}, "rubric": {judged.get("rubric")}, "pledgor": {*names["pledgor"]},
            "beneficiary": {*names["beneficiary"]}, "party": names["pledgor"] | names["beneficiary"],
        }  # fmt: skip
        parties = ("pledgor", "beneficiary", "party")
        asked = {name: {w.casefold() if name in parties else w for w in getattr(filters, name)} for name in have}
        return (
            all(not wanted or wanted & have[name] for name, wanted in asked.items())
            and (filters.due_before is None or (status.deadline is not None and status.deadline < filters.due_before))
            and (filters.q is None or all(word in words for word in filters.q.casefold().split()))
        )


def folded(it: World, clocks: Clocks) -> dict[str, Folded]:
    """All pledges at a point."""
    found = {}
    for pledge in it.pledges():
        if (one := folded_one(it, pledge, clocks)) is not None:
            found[pledge] = one
    return found


def folded_one(it: World, pledge: str, clocks: Clocks) -> Folded | None:
    """One pledge at a point; None where it does not exist."""
    fold = StatusFold(known(it, pledge, clocks.position))
    status = fold.status(clocks.as_of) if fold.events else None
    changed = None if status is None else fold.changed_on(clocks.as_of)
    return None if status is None or changed is None else Folded(fold, status, changed, clocks.as_of)


def known(it: World, pledge: str, position: int) -> list[Event]:
    """The events of a pledge up to a position."""
    return [event for event in it.events(pledge) if event.position <= position]


def by_status(pledges: Iterable[Folded]) -> dict[str, int]:
    """How many have which status."""
    return dict(sorted(Counter(one.status.status for one in pledges).items()))


FILTERS = (
    Filters(), Filters(status=("announced", "overdue")), Filters(q="aid"), Filters(q="shells 40"), Filters(q="mended"),
    Filters(pledge=("aid", "none")), Filters(tag=("mended",)), Filters(part_of=("aid", "shells"), kind=("money",)),
    Filters(party=("be", "union"), unit=("EUR",)), Filters(rating=("B",), rubric=("R", "none")),
    Filters(due_before=date(2025, 1, 1), flag=("late", "disputed", "revised_target")),
)  # fmt: skip

LISTED = (Filters(status=("announced", "overdue")), Filters(tag=("mended",), party=("be", "union", "nato")))
"""What streams are narrowed by."""


def assert_reads_equal_log(it: World, earlier: Clocks, later: Clocks) -> None:
    """Every read over many pledges, at a point and between it and a later one, is what a fold of the log says."""
    timeline, span = it.timeline, later.as_of - earlier.as_of
    days = [earlier.as_of, *(earlier.as_of + span * part / 4 for part in (1, 2, 3)), later.as_of]
    on_days = [folded(it, replace(later, as_of=day)) for day in days]
    pledges = on_days[-1]
    for filters in FILTERS:
        chosen = {name for name, one in pledges.items() if one.passes(filters)}
        for sort in ("pledge", "-changed"):
            page = timeline.page(filters, later, sort, 500)
            names = [json.loads(item)["pledge"] for item in page.items]
            assert (set(names), page.total) == (chosen, len(chosen)), filters
            if sort == "-changed":
                changed = [pledges[name].changed for name in names]
                assert changed == sorted(changed, reverse=True)
        found = timeline.facets(filters, later)
        for facet in FACETS:
            others: dict[str, Any] = {facet: ()}
            narrowed = [one for one in pledges.values() if one.passes(replace(filters, **others))]
            counts = Counter(value for one in narrowed for value in one.values(facet))
            assert {entry["key"]: entry["count"] for entry in found[facet]} == counts, (facet, filters)
        assert_summary_equal(timeline.summary(filters, later), [pledges[name] for name in sorted(chosen)], pledges)
        assert_changes_equal(it, later, filters, pledges)
        wanted = [by_status(one for one in on_day.values() if one.passes(filters)) for on_day in on_days]
        assert list(timeline.statuses(filters, days, later)) == wanted, filters
        assert list(timeline.statuses(filters, days[-1:], later)) == wanted[-1:], filters
    assert_parties_equal(it, later, pledges)
    assert_causes_equal(it, earlier, later)
    assert_streams_equal(it, later)


def assert_summary_equal(summary: dict[str, Any], chosen: list[Folded], pledges: dict[str, Folded]) -> None:
    """The counts of a summary, and in each unit the sums: of no pledge that is part of another one in the selection."""
    assert summary["by_status"] == by_status(chosen)
    assert summary["by_kind"] == Counter(one.status.kind for one in chosen)
    assert summary["flags"] == Counter(flag for one in chosen for flag in one.status.flags)
    names = {one.status.pledge for one in chosen}
    by_unit: dict[str, list[tuple[Quantity | None, Quantity | None, bool]]] = {}
    for one in chosen:
        status, own = one.status, one.status.target or one.status.actual
        if own is not None and not is_in_its_whole(status.pledge, names, pledges):
            actual = next((a for a in (status.actual, status.converted) if a is not None and a.unit == own.unit), None)
            can_be_added = not own.unit.startswith("percent:") and not status.is_level
            by_unit.setdefault(own.unit, []).append((status.target, actual, can_be_added))
    assert [total["unit"] for total in summary["totals"]] == sorted(by_unit)
    for total in summary["totals"]:
        has = by_unit[total["unit"]]
        both = [(target, actual, adds) for target, actual, adds in has if target is not None and actual is not None]
        assert (total["pledges"], total["reported"]) == (len(has), sum(actual is not None for _, actual, _ in has))
        assert total["compared"]["pledges"] == len(both)
        must_be_sum(total["target"], [target for target, _, adds in has if adds])
        must_be_sum(total["compared"]["target"], [target for target, _, adds in both if adds])
        if all(actual is None or actual.unit == total["unit"] for _, actual, _ in has):
            must_be_sum(total["actual"], [actual for _, actual, adds in has if adds])
            must_be_sum(total["compared"]["actual"], [actual for _, actual, adds in both if adds])


def is_in_its_whole(pledge: str, chosen: set[str], pledges: dict[str, Folded]) -> bool:
    """Whether one of those that a pledge is part of is chosen too; never where they are parts in a circle."""
    above = [pledge]
    while (one := pledges.get(above[-1])) is not None and (whole := one.status.part_of) is not None:
        if whole in above:
            return whole != pledge and not chosen.isdisjoint(above[1:])
        above.append(whole)
    return not chosen.isdisjoint(above[1:])


def must_be_sum(found: dict[str, Any] | None, of: list[Quantity | None]) -> None:
    """The sum has as its ends the sums of the ends; there is none of nothing."""
    intervals = [quantity.interval for quantity in of if quantity is not None]
    lows, highs = [one.low for one in intervals], [one.high for one in intervals]
    low = None if None in lows else sum(low for low in lows if low is not None)
    high = None if None in highs else sum(high for high in highs if high is not None)
    if not intervals or low is high is None:
        assert found is None
        return
    assert found is not None
    added = Quantity.model_validate(found).interval
    assert (added.low, added.high) == (low, high)
    assert added.low_open == any(one.low_open for one in intervals)


def assert_changes_equal(it: World, clocks: Clocks, filters: Filters, pledges: dict[str, Folded]) -> None:
    """The changes of headlines that a feed and a party's page tell, where no filter is one of words or of statuses."""
    if filters not in (Filters(), Filters(pledge=("aid", "none"))):
        return
    wanted = set()
    for name in it.pledges():
        fold, before = StatusFold(known(it, name, clocks.position)), None
        if not fold.events or (filters.pledge and name not in filters.pledge):
            continue
        for segment in fold.segments():
            if segment.status.status != before and segment.valid_from <= clocks.as_of:
                wanted.add((name, segment.valid_from, before, segment.status.status))
            before = segment.status.status if segment.valid_to is not None else None
    for by_position in (True, False):
        found = [one for some in it.timeline.changes(filters, clocks, by_position=by_position) for one in some.found]
        assert {(one.pledge, one.on, one.before, one.after) for one in found} == wanted
        assert len(found) == len(wanted)


def assert_streams_equal(it: World, clocks: Clocks) -> None:
    """Which events a stream has that is narrowed by party, tag or status, as of the day."""
    rows = it.log.read(limit=100_000, upto=clocks.position)
    for filters in LISTED:
        spans = it.timeline.passing(filters, {row.pledge for row in rows}, clocks.as_of, 0, clocks.position)
        for row in rows:
            near = [folded_one(it, row.pledge, replace(clocks, position=at)) for at in (row.position - 1, row.position)]
            wanted = any(one is not None and one.passes(filters) for one in near)
            assert concerns(spans, row.pledge, row.position) == wanted, (filters, row.position)


def assert_parties_equal(it: World, clocks: Clocks, pledges: dict[str, Folded]) -> None:
    """The parties in force and their counts, one by one and all together."""
    wanted: dict[str, dict[str, Any]] = {}
    roles: dict[str, Callable[[Folded], set[Party]]]
    roles = {"as_pledgor": lambda one: one.pledgors, "as_beneficiary": lambda one: one.beneficiaries}
    for role, of in roles.items():
        for key in {key_of(party) for one in pledges.values() for party in of(one)}:
            counts = by_status(one for one in pledges.values() if key in {key_of(party) for party in of(one)})
            wanted.setdefault(key, {})[role] = {"total": sum(counts.values()), "by_status": counts}
    none = {"total": 0, "by_status": dict[str, int]()}
    wanted = {key: {role: found.get(role, none) for role in roles} for key, found in wanted.items()}
    parties = {key: one.document() for key, one in it.timeline.parties(clocks).items() if one.is_in_force}
    assert {one["key"]: {role: one[role] for role in roles} for one in parties.values()} == wanted
    for key in wanted:
        (one,) = it.timeline.parties(clocks, key.swapcase()).values()
        assert one.document() == parties[key.casefold()]


def assert_causes_equal(it: World, earlier: Clocks, later: Clocks) -> None:
    """The pledges that differ are those whose documents do; each has a cause, and without an event it is the time."""
    before, after = folded(it, earlier), folded(it, later)
    wanted = {
        name
        for name in before.keys() | after.keys()
        if name not in before or name not in after or before[name].status.document != after[name].status.document
    }
    differences = [one for some in it.timeline.diff(earlier, later) for one in some]
    found = [one.pledge for one in differences]
    assert found == sorted(wanted)
    for one in differences:
        assert (one.before, one.after) == (expected(it, one.pledge, earlier), expected(it, one.pledge, later))
    points = Point(earlier.as_of, earlier.position), Point(later.as_of, later.position)
    for pledge in found:
        events = known(it, pledge, later.position)
        if not [event for event in events if event.position > earlier.position] and earlier.as_of == later.as_of:
            raise AssertionError(f"{pledge} differs without an event or a day")
        assert cause_of(events, *points) in ("time", "said", "repaired")
