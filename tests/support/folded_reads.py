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
from projections.queries import Clocks, Filters
from projections.words import words_on
from tests.support.timelines import World
from tracker.event import Event
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
        """Whether the pledge passes those filters that the tests use."""
        words = "\n".join(row.text for row in words_on(self.fold.history, self.as_of))
        return (
            (not filters.status or self.status.status in filters.status)
            and (not filters.pledge or self.status.pledge in filters.pledge)
            and (not filters.tag or bool(set(filters.tag) & set(self.status.tags)))
            and (filters.q is None or all(word in words for word in filters.q.casefold().split()))
        )


def folded(it: World, clocks: Clocks) -> dict[str, Folded]:
    """All pledges at a point."""
    found = {}
    for pledge in it.pledges():
        fold = StatusFold(known(it, pledge, clocks.position))
        status = fold.status(clocks.as_of) if fold.events else None
        changed = None if status is None else fold.changed_on(clocks.as_of)
        if status is not None and changed is not None:
            found[pledge] = Folded(fold, status, changed, clocks.as_of)
    return found


def known(it: World, pledge: str, position: int) -> list[Event]:
    """The events of a pledge up to a position."""
    return [event for event in it.events(pledge) if event.position <= position]


def by_status(pledges: Iterable[Folded]) -> dict[str, int]:
    """How many have which status."""
    return dict(sorted(Counter(one.status.status for one in pledges).items()))


FILTERS = (
    Filters(), Filters(status=("announced", "overdue")), Filters(q="aid"), Filters(q="shells 40"), Filters(q="mended"),
    Filters(pledge=("aid", "none")), Filters(tag=("mended",)),
)  # fmt: skip


def assert_reads_equal_log(it: World, earlier: Clocks, later: Clocks) -> None:
    """Every read over many pledges, at a point and between it and a later one, is what a fold of the log says."""
    timeline, days = it.timeline, [earlier.as_of, later.as_of]
    on_days = [folded(it, replace(later, as_of=day)) for day in days]
    pledges = on_days[1]
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
        assert_counts_equal(timeline.summary(filters, later), [pledges[name] for name in chosen])
        wanted = [by_status(one for one in on_day.values() if one.passes(filters)) for on_day in on_days]
        assert list(timeline.statuses(filters, days, later)) == wanted, filters
    assert_parties_equal(it, later, pledges)
    assert_causes_equal(it, earlier, later)


def assert_counts_equal(summary: dict[str, Any], pledges: list[Folded]) -> None:
    """How many pledges a summary counts by status, and in each unit; none of them is part of another."""
    assert summary["by_status"] == by_status(pledges)
    units = [(one.status.target or one.status.actual, one.status.actual, one.status.target) for one in pledges]
    wanted = Counter[tuple[str, str]]()
    for own, actual, target in units:
        if own is not None:
            has = actual is not None and actual.unit == own.unit
            wanted[own.unit, "pledges"] += 1
            wanted[own.unit, "reported"] += has
            wanted[own.unit, "compared"] += has and target is not None
    found = {(total["unit"], name): total[name] for total in summary["totals"] for name in ("pledges", "reported")}
    found |= {(total["unit"], "compared"): total["compared"]["pledges"] for total in summary["totals"]}
    assert found == wanted


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
    found = [one.pledge for some in it.timeline.diff(earlier, later) for one in some]
    assert found == sorted(wanted)
    points = Point(earlier.as_of, earlier.position), Point(later.as_of, later.position)
    for pledge in found:
        events = known(it, pledge, later.position)
        if not [event for event in events if event.position > earlier.position] and earlier.as_of == later.as_of:
            raise AssertionError(f"{pledge} differs without an event or a day")
        assert cause_of(events, *points) in ("time", "said", "repaired")
