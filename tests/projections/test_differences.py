"""What differs between two points: found by what changes, or by a look at all, the same."""

from __future__ import annotations

import pytest

from projections.queries import Clocks, Filters
from projections.timeline import PledgeDifference
from tests.support.timelines import (
    World,
    expected,
    kept,
    made,
    many,
    progress,
    said,
    source,
)


def differing(it: World, before: Clocks, after: Clocks, filters: Filters | None = None) -> list[PledgeDifference]:
    """What differs, which is the same whether the pledges that may differ are looked up or all are looked at."""
    looked_up = [found for some in it.timeline.diff(before, after, filters) for found in some]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("projections.changed_pledges.MAX_CHANGED", 0)
        looked_at = [found for some in it.timeline.diff(before, after, filters) for found in some]
    assert looked_up == looked_at
    return looked_up


def test_diff_has_what_is_not_the_same_at_two_points(it: World) -> None:
    it.record("aid", made())
    it.record("new", made(stated_on="2024-05-01"))
    it.record("aid", progress(20, "2024-06-01"))
    it.runner.catch_up()
    before, after = it.clocks("2024-02-01"), it.clocks("2024-06-02")
    differences = differing(it, before, after)
    assert [(d.pledge, d.before is None, d.after is None) for d in differences] == [
        ("aid", False, False),
        ("new", True, False),
    ]
    for d in differences:
        assert (d.before, d.after) == (expected(it, d.pledge, before), expected(it, d.pledge, after))
    assert differing(it, before, before) == []
    known = differing(it, it.clocks("2024-07-01", 2), it.clocks("2024-07-01", 3))
    assert [d.pledge for d in known] == ["aid"]
    assert [d.pledge for d in differing(it, before, after, Filters(status=("announced",)))] == ["new"]


def test_a_pledge_that_does_not_exist_from_a_day_on_differs_and_is_not_counted(it: World) -> None:
    """Its first day was corrected to an earlier one, which was retracted: between the two days it is no pledge."""
    opened = it.record("aid", made(stated_on="2024-06-01"))
    earlier = {"stated_on": "2024-01-10"}
    corrected = it.record(
        "aid", kept("EventCorrected", "2024-07-01", opened, changes=earlier, source=source("Ministry"))
    )
    it.record("aid", said("StatementRetracted", "2024-03-01", event=corrected, reason="A mistake."))
    it.record("other", made(stated_on="2024-01-01"))
    it.runner.catch_up()
    exists, gone = it.clocks("2024-02-01"), it.clocks("2024-04-01")
    assert [(d.pledge, d.before is None, d.after is None) for d in differing(it, exists, gone)] == [
        ("aid", False, True)
    ]
    assert [(d.pledge, d.before is None, d.after is None) for d in differing(it, gone, exists)] == [
        ("aid", True, False)
    ]
    assert it.timeline.summary(Filters(), exists)["by_status"] == {"announced": 2}
    assert it.timeline.summary(Filters(), gone)["by_status"] == {"announced": 1}


@pytest.mark.parametrize("size", [1, 2, 7])
def test_diff_is_the_same_in_pieces_of_any_size(it: World, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    many(it)
    half = it.clocks().position // 2
    pairs = [
        (it.clocks("2024-02-01", half), it.clocks("2024-12-02")),
        (it.clocks("2024-12-02", half), it.clocks("2024-12-02")),
        (it.clocks("2024-02-01"), it.clocks("2024-12-02")),
    ]
    whole = [differing(it, *pair) for pair in pairs]
    assert min(map(len, whole)) > 20
    monkeypatch.setattr("projections.timeline.EXPORT_BATCH_ROWS", size)
    monkeypatch.setattr("projections.changed_pledges.PLEDGES_AT_ONCE", size)
    assert [differing(it, *pair) for pair in pairs] == whole
