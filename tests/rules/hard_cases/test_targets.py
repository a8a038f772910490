"""Ceilings, baselines, envelopes, and targets that change. Hard cases of docs/hard-cases.md."""

from __future__ import annotations

import pytest

from tests.support.facts import (
    first_half,
    met,
    pledge,
    progress,
    reached,
    revised,
    scheduled,
    year,
)
from tests.support.given import given
from tests.support.hard_cases import annual, case

pytestmark = pytest.mark.usefixtures("every_record_holds")
EMISSIONS = {"kind": "count", "baseline": {"quantity": "100 count:mtco2e", "on": "1990"}, "window": year(2024)}


@case(25)
def test_a_direction_without_a_test_is_not_measurable_whatever_its_steps() -> None:
    """An "irreversible path" is declared not measurable; a step beneath it is reached.

    Not measurable, with the step shown as reached.
    """
    path = pledge(None, kind="qualitative", measurable=False, title="Irreversible path")
    given(path, scheduled("invitation"), reached("invitation", stated_on="2025-03-01")).then(
        as_of="2025-03-01",
        status="not_measurable",
        target=None,
        schedule=("no_deadline", "no_deadline"),
        milestones=[{"milestone": "invitation", "state": "reached"}],
    )


@case(28)
def test_a_target_raised_after_it_was_met_asks_anew() -> None:
    """At least 40bn are met in July 2024; in September the target is raised to 60bn, within the same window.

    In progress against 60bn, and the past target says met under the first.
    """
    given(
        pledge(window=year(2024)),
        met("40bn EUR", period=first_half(2024), stated_on="2024-07-10"),
        revised(target="at least 60bn EUR", stated_on="2024-09-01"),
    ).then(as_of="2024-08-31", status="met", target="at least 40bn EUR", past_targets=[]).then(
        as_of="2024-09-01",
        status="in_progress",
        target="at least 60bn EUR",
        actual="40bn EUR",
        ratio="0.666667",
        flag="revised_target",
        past_targets=[
            {"target": "at least 40bn EUR", "window": year(2024), "until": "2024-09-01", "status": "met"},
        ],
        original={"target": "at least 40bn EUR"},
    ).then(as_of="2024-09-01", known_at="2024-08-31", status="met", past_targets=[])


@case(39)
@pytest.mark.parametrize(
    ("target", "final"), [("at most 40 count:cases", "400 count:cases"), ("0 count:cases", "5 count:cases")]
)
def test_a_broken_ceiling_is_missed(target: str, final: str) -> None:
    """At most 40 are promised, and in the end there are 400; none is promised, and five happen.

    A ceiling is kept or broken: missed, never partly met.
    """
    promise = pledge(target, kind="count", direction="down", window=year(2024))
    given(promise, progress(final, **annual(stage=None))).then(
        as_of="2025-02-12", status="missed", schedule=("closed", "closed")
    )


@case(40)
def test_a_running_total_beyond_a_ceiling_has_missed_it_at_once() -> None:
    """At most 40 cases are promised for the year; a running total says 45 in June, and is not final.

    What has happened does not unhappen: missed in June.
    """
    promise = pledge("at most 40 count:cases", kind="count", direction="down", window=year(2024))
    given(promise, progress("45 count:cases", period=first_half(2024), stated_on="2024-07-02")).then(
        as_of="2024-07-02", status="missed"
    ).then(as_of="2024-07-01", status="announced")


@case(41)
@pytest.mark.parametrize(
    ("final", "status", "progress_", "ratio"),
    [("80", "partly_met", "0.5", "1.333333"), ("110", "missed", "-0.25", "1.833333"), ("60", "met", "1", "1")],
)
def test_progress_is_the_share_of_the_way_from_the_baseline(
    final: str, status: str, progress_: str, ratio: str
) -> None:
    """From 100 the emissions are to come down to 60; in the end they are 80, 110 or 60.

    Half the way is partly met, the wrong way missed, all of it met.
    """
    promise = pledge("60 count:mtco2e", direction="down", **EMISSIONS)
    given(promise, progress(f"{final} count:mtco2e", **annual(stage=None, basis="level"))).then(
        as_of="2025-02-12", status=status, progress=progress_, ratio=ratio
    )


@case(42)
@pytest.mark.parametrize(("level", "status"), [("45", "met"), ("44", "exceeded")])
def test_a_share_below_the_baseline_is_an_amount(level: str, status: str) -> None:
    """At least 55 % below the 100 of 1990 are promised; in the end the level is 45, or 44.

    The target is at most 45, with direction down by itself, and the share that was said stays beside it.
    """
    promise = pledge("at least 55 percent:below-baseline", **EMISSIONS)
    given(promise, progress(f"{level} count:mtco2e", **annual(stage=None, basis="level"))).then(
        as_of="2025-02-12",
        status=status,
        target="up to 45 count:mtco2e",
        relative_target="at least 55 percent:below-baseline",
        baseline={"quantity": "100 count:mtco2e", "on": "1990"},
        direction="down",
    )


@case(43)
@pytest.mark.parametrize(
    ("final", "status"), [("80m", "partly_met"), ("100m", "met"), ("197m", "exceeded"), ("0", "missed")]
)
def test_up_to_is_an_envelope_to_be_filled(final: str, status: str) -> None:
    """Up to 100m are promised; in the end it is 80m, 100m, 197m or nothing.

    Compared as 100m: partly met, met, exceeded, missed, each flagged as an envelope.
    """
    given(pledge("up to 100m EUR", window=year(2024)), progress(f"{final} EUR", **annual())).then(
        as_of="2025-02-12", status=status, flags=["envelope", "single_source"]
    )


@case(46)
def test_goalposts_moved_after_the_close_change_no_answer() -> None:
    """30bn of 40bn stand in the end; after the close the target is lowered to 25bn.

    Still partly met; the new target is shown and flagged, and the past target says what was judged.
    """
    given(
        pledge(window=year(2024)), progress("30bn EUR", **annual()), revised(target="25bn EUR", stated_on="2025-03-01")
    ).then(as_of="2025-02-28", status="partly_met", past_targets=[]).then(
        as_of="2025-03-01",
        status="partly_met",
        target="25bn EUR",
        ratio="0.75",
        flags=["revised_target", "revised_after_close", "single_source"],
        past_targets=[
            {"target": "at least 40bn EUR", "window": year(2024), "until": "2025-03-01", "status": "partly_met"}
        ],
    )


@case(59)
@pytest.mark.parametrize(("final", "status"), [("0", "met"), ("3", "missed")])
def test_net_zero_is_kept_by_nothing_more(final: str, status: str) -> None:
    """Net zero is promised: at most 0, and in the end it is 0, or 3.

    Met, or missed.
    """
    promise = pledge("at most 0 count:net-mtco2e", kind="count", direction="down", window=year(2024))
    given(promise, progress(f"{final} count:net-mtco2e", **annual(stage=None, basis="level"))).then(
        as_of="2025-02-12", status=status
    )
