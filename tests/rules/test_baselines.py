"""Targets against a baseline: bounds that are turned, the way that is gone, and what is no step of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import Posted, missed, pledge, progress, revised, share, until, year
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

HUNDRED = {"quantity": "100 count:mtco2e"}


def emissions(target: str, **more: Any) -> Posted:
    """So much or less by the end of 2024, where there were 100."""
    fields = {"kind": "count", "direction": "down", "baseline": HUNDRED, "window": year(2024)}
    return pledge(target, **{**fields, **more})


def level(words: str, **more: Any) -> Posted:
    """What there is at the end of 2024, said afterwards."""
    return progress(words, **{"basis": "level", "period": year(2024), "stated_on": "2025-02-01", **more})


@pytest.mark.parametrize(
    ("relative", "op", "value"),
    [
        ("at most 20 percent:above-baseline", "le", "120"),
        ("under 20 percent:above-baseline", "lt", "120"),
        ("at least 20 percent:below-baseline", "le", "80"),
        ("over 20 percent:below-baseline", "lt", "80"),
        ("20 percent:above-baseline", "eq", "120"),
    ],
)
def test_a_share_keeps_its_bound_when_it_becomes_an_amount(relative: str, op: str, value: str) -> None:
    given(emissions(relative)).then(as_of="2024-08-01", target={"op": op, "value": value, "unit": "count:mtco2e"})


def test_a_share_above_nothing_is_a_lower_bound_of_nothing() -> None:
    promise = emissions("at least 20 percent:above-baseline", direction="up", baseline={"quantity": "0 count:mtco2e"})
    given(promise).then(as_of="2024-08-01", target={"op": "ge", "value": "0", "unit": "count:mtco2e"})


@pytest.mark.parametrize(
    ("amount", "trajectory"),
    [("86 count:mtco2e", "behind"), ("80 count:mtco2e", "on_track"), ("74 count:mtco2e", "ahead")],
)
def test_the_way_to_a_range_ends_at_the_end_of_it_that_keeps_the_target(amount: str, trajectory: str) -> None:
    """Half of the time has passed, and half of the way from 100 to 60 leads to 80."""
    window = until("2024-01-20", start="2024-01-01")
    half = level(amount, period=until("2024-01-10"), stated_on="2024-01-12")
    given(emissions("between 40 and 60 count:mtco2e", window=window), half).then(
        as_of="2024-01-12", trajectory=trajectory
    )


def test_the_progress_towards_a_range_is_measured_to_the_end_of_it_that_keeps_the_target() -> None:
    given(emissions("between 40 and 60 count:mtco2e"), level("80 count:mtco2e")).then(
        as_of="2025-02-01", progress="0.5"
    )
    given(emissions("between 40 and 60 count:mtco2e"), level("30 count:mtco2e")).then(as_of="2025-02-01", ratio="0.5")


@pytest.mark.parametrize(
    ("amount", "status"),
    [
        ("110 count:mtco2e", "missed"),
        ("over 100 count:mtco2e", "missed"),
        ("between 95 and 110 count:mtco2e", "indeterminate"),
    ],
)
def test_more_than_a_baseline_that_is_the_target_itself_is_no_step(amount: str, status: str) -> None:
    given(emissions("at most 100 count:mtco2e"), level(amount)).then(as_of="2025-02-01", status=status, progress=None)


@pytest.mark.parametrize(
    ("amount", "status"),
    [("90bn UAH", "partly_met"), ("110bn UAH", "partly_met"), ("110bn EUR", "missed"), ("90bn EUR", "partly_met")],
)
def test_what_cannot_be_compared_with_the_baseline_is_not_certainly_nothing(amount: str, status: str) -> None:
    promise = pledge(
        "at most 60bn EUR", direction="down", baseline={"quantity": "100bn EUR"}, window=until("2024-12-31")
    )
    given(promise, progress(amount, basis="level", stated_on="2024-07-01"), missed(stated_on="2025-02-01")).then(
        as_of="2025-02-01", status=status
    )


# --- more than all of the baseline: an amount below zero, of which only the high end is known

NET = {"kind": "count", "baseline": HUNDRED, "window": year(2024)}
MORE_THAN_ALL = "at least 120 percent:below-baseline"


def test_a_firmer_figure_without_a_low_end_says_nothing_of_the_stages_below_it() -> None:
    own = level("-10 count:mtco2e", stage="committed")
    firmer = level(MORE_THAN_ALL, stage="disbursed", source="Other")
    record = given(pledge("at least 100 percent:below-baseline", **NET), own, firmer)
    record.then(as_of="2025-02-01", status="exceeded", actual="-10 count:mtco2e", stage="committed")
    record.figure(firmer, as_of="2025-02-01", chosen=False, outcome="stage")


def test_whether_more_than_all_of_the_baseline_keeps_a_target_below_zero_is_open() -> None:
    given(pledge(MORE_THAN_ALL, **NET), level("over 100 percent:below-baseline")).then(
        as_of="2025-02-01", status="indeterminate", actual={"op": "lt", "value": "0", "unit": "count:mtco2e"}
    )


def test_a_firmer_figure_with_a_low_end_lies_above_one_without() -> None:
    own = level(MORE_THAN_ALL, stage="committed")
    firmer = level("-30 count:mtco2e", stage="disbursed", source="Other")
    given(pledge("at least 100 percent:below-baseline", **NET), own, firmer).then(
        as_of="2025-02-01", actual={"op": "ge", "value": "-30", "unit": "count:mtco2e"}, stage="disbursed"
    )


def test_a_firmer_figure_without_a_low_end_does_not_answer_for_a_stage_that_is_required() -> None:
    firmer = level(MORE_THAN_ALL, stage="disbursed")
    promise = pledge("at least 100 percent:below-baseline", required_stage="committed", **NET)
    record = given(promise, firmer).then(as_of="2025-02-01", status="overdue", actual=None)
    record.figure(firmer, as_of="2025-02-01", outcome="stage", why="no figure answers the question")


def test_a_sum_without_a_low_end_and_money_without_a_rate_bound_nothing() -> None:
    money = {"baseline": {"quantity": "100bn EUR"}, "window": year(2024)}
    parts = [
        progress(MORE_THAN_ALL, basis="increment", period={"start": "2024-01-01", "end": "2024-03-31"}),
        progress("5bn UAH", basis="increment", period={"start": "2024-04-01", "end": "2024-06-30"}),
        progress("1bn EUR", basis="increment", period={"start": "2024-07-01", "end": "2024-09-30"}),
    ]
    given(pledge("at least 100 percent:below-baseline", **money), *parts).then(
        as_of="2024-12-01",
        actual={"op": "le", "value": "-19000000000", "unit": "EUR"},
        ratio=None,
        status="in_progress",
    )


@pytest.mark.parametrize(
    ("amount", "status"),
    [("90", "missed"), ("100", "missed"), ("up to 100", "missed"), ("101", "partly_met"), ("up to 101", "partly_met")],
)
def test_what_is_no_more_than_the_baseline_is_no_step_up_from_it(amount: str, status: str) -> None:
    promise = pledge("at least 150 count:trees", kind="count", baseline={"quantity": "100 count:trees"})
    report = progress(f"{amount} count:trees", final=True)
    given(promise, report).then(as_of="2024-08-01", status=status)


@pytest.mark.parametrize(
    ("baseline", "past"),
    [
        ({"quantity": "100 count:mtco2e", "on": "1990"}, []),
        ({"quantity": "100 count:mtco2e", "on": "1990", "text": "as in the Kyoto Protocol"}, []),
        ({"quantity": "100 count:mtco2e", "on": "1991"}, [{"until": "2024-06-01"}]),
        ({"quantity": "100 count:mtco2e"}, [{"until": "2024-06-01"}]),
        ({"quantity": "90 count:mtco2e", "on": "1990"}, [{"until": "2024-06-01"}]),
    ],
)
def test_a_baseline_of_another_year_or_amount_is_another_target(
    baseline: dict[str, str], past: list[dict[str, str]]
) -> None:
    """It leaves an entry; the value of an absolute target stays as it was, so there is no flag."""
    promise = emissions("at most 60 count:mtco2e", baseline={**HUNDRED, "on": "1990"})
    given(promise, revised(baseline=baseline, stated_on="2024-06-01")).then(
        as_of="2024-08-01", past_targets=past, no_flag="revised_target"
    )


def test_a_share_of_an_amount_without_a_low_end_bounds_nothing() -> None:
    part = share("Europe", "more than 50 percent:emissions")
    given(pledge("at least 100 percent:below-baseline", **NET), level(MORE_THAN_ALL), part).then(
        as_of="2025-03-01", shares=[{"bound": None}]
    )


def test_a_baseline_that_changes_turns_a_relative_target_into_another_amount() -> None:
    promise = emissions("at least 40 percent:below-baseline")
    given(promise, revised(baseline={"quantity": "90 count:mtco2e"}, stated_on="2024-06-01")).then(
        as_of="2024-08-01", target={"op": "le", "value": "54"}, flag="revised_target"
    )


def test_less_of_what_has_no_baseline_is_no_progress_on_a_way() -> None:
    promise = pledge("at most 60 count:mtco2e", kind="count", direction="down", window=year(2024))
    given(promise, level("45 count:mtco2e")).then(as_of="2025-02-01", status="exceeded", progress=None)


def test_a_figure_without_a_low_end_is_passed_over_where_it_is_asked_when_the_target_was_kept() -> None:
    early = level("up to 10 percent:above-baseline", period=until("2024-06-30"), stated_on="2024-07-01")
    given(pledge("at least 20 percent:above-baseline", **NET), early, level("20 percent:above-baseline")).then(
        as_of="2025-03-01", status="met", schedule=("kept_on_time", "kept_on_time")
    )


def test_a_target_that_becomes_a_share_of_no_baseline_can_be_measured_no_more() -> None:
    trees = pledge("at least 40 count:trees", kind="count", window=year(2024))
    turned = revised(target="at least 20 percent:above-baseline", stated_on="2024-08-01")
    given(trees, progress("30 count:trees", final=True), turned).then(
        as_of="2024-08-01", status="not_measurable", target=None, past_targets=[{"status": "partly_met"}]
    )


@pytest.mark.parametrize("on", ["2024-12-31", "2025-06-30"])
def test_a_baseline_of_the_end_of_the_window_or_a_later_day_leaves_no_time_to_be_on_track_in(on: str) -> None:
    promise = pledge(window=year(2024), baseline={"quantity": "10bn EUR", "on": on})
    given(promise, progress("30bn EUR", stated_on="2025-08-01")).then(as_of="2025-08-01", trajectory="unknown")
