"""Points that POINTS.md decides, against the oracle alone."""

from __future__ import annotations

import pytest

from .facts import Given, event_id, fact, made, member, q, report, revised, year


def test_an_admission_before_a_raise_is_not_final_for_it():
    given = Given(
        made("ge 40 EUR", window=year(2024)),
        report("eq 30 EUR", "2024-05-01"),
        fact("PledgeMissed", "2024-06-01"),
        revised("2024-07-01", target=q("ge 50 EUR")),
    )
    assert given.status("2024-06-01") == "partly_met"
    assert given.status("2024-07-01") == "in_progress"


def test_an_admission_of_nothing_is_missed():
    assert Given(made("ge 40 EUR"), fact("PledgeMissed", "2024-06-01")).status("2024-06-01") == "missed"


def test_a_window_and_a_target_moved_on_one_day_keep_the_answer():
    for revisions in (
        [revised("2025-03-01", target=q("ge 60 EUR"), window=year(2024, 2025))],
        [revised("2025-03-01", window=year(2024, 2025)), revised("2025-03-01", target=q("ge 60 EUR"))],
        [revised("2025-03-01", target=q("ge 60 EUR")), revised("2025-03-01", window=year(2024, 2025))],
    ):
        given = Given(
            made("ge 40 EUR", window=year(2024)), report("eq 30 EUR", "2025-01-10", period=year(2024)), *revisions
        )
        then = given.at("2025-03-01")
        assert then["status"] == "in_progress"
        assert [(p["target"], p["status"]) for p in then["past_targets"]] == [(q("ge 40 EUR"), "partly_met")]
        assert "revised_after_close" not in then["flags"]


def test_a_net_lowering_of_one_day_is_no_raise():
    given = Given(
        made("ge 40 EUR", window=year(2024)),
        report("eq 30 EUR", "2024-05-01", final=True),
        revised("2024-07-01", target=q("ge 50 EUR")),
        revised("2024-07-01", target=q("ge 35 EUR")),
    )
    assert given.status("2024-07-01") == "partly_met"


def test_a_new_open_window_makes_the_shown_target_count():
    given = Given(
        made("ge 40 EUR", window=year(2024)),
        report("eq 30 EUR", "2025-01-10", period=year(2024)),
        revised("2025-03-01", target=q("ge 25 EUR")),
        revised("2025-04-01", window={"end": "2025-12-31"}),
    )
    assert given.status("2025-03-31") == "partly_met"
    then = given.at("2025-04-01")
    assert then["status"] == "exceeded"
    assert "revised_after_close" not in then["flags"]
    assert then["window"] == {"start": "2024-01-01", "end": "2025-12-31"}


def test_a_changed_baseline_under_an_absolute_target_makes_an_entry_and_no_flag():
    base = {"quantity": q("eq 100 count:t"), "on": "2020"}
    given = Given(
        made("le 60 count:t", kind="count", direction="down", baseline=base),
        revised("2024-05-01", baseline={"quantity": q("eq 120 count:t"), "on": "2020"}),
    )
    then = given.at("2024-05-01")
    assert len(then["past_targets"]) == 1
    assert "revised_target" not in then["flags"]


def test_a_first_target_makes_no_entry():
    then = Given(made(), revised("2024-05-01", target=q("ge 40 EUR"))).at("2024-05-01")
    assert then["past_targets"] == []
    assert "revised_target" not in then["flags"]


def test_a_conditional_pledge_has_no_close():
    given = Given(
        made("ge 40 EUR", window=year(2024), conditions=[{"condition": "c", "text": "if"}]),
        report("eq 30 EUR", "2025-01-10", period=year(2024)),
        revised("2025-02-01", target=q("ge 25 EUR")),
        fact("ConditionReported", "2025-03-01", condition="c", state="fulfilled"),
    )
    assert given.status("2025-01-10") == "conditional"
    then = given.at("2025-03-01")
    assert then["status"] == "exceeded"
    assert "revised_after_close" not in then["flags"]


def test_a_failed_condition_keeps_the_headline():
    given = Given(
        made("ge 40 EUR", window=year(2024), conditions=[{"condition": "c", "text": "if"}]),
        fact("ConditionReported", "2024-03-01", condition="c", state="failed"),
    )
    assert given.status("2025-03-01") == "conditional"


def test_the_sum_reads_ge_when_a_part_has_no_rate():
    given = Given(
        made("ge 40 USD"),
        report("eq 30 USD", "2024-05-01", basis="increment"),
        report("eq 9000 LKR", "2024-06-01", basis="increment"),
    )
    then = given.at("2024-06-01")
    assert (then["actual"], then["status"]) == (q("ge 30 USD"), "in_progress")


def test_open_ends_are_kept_in_sums():
    given = Given(
        made("ge 40 EUR"),
        report("nearly 40 EUR", "2024-05-01", basis="increment"),
        report("le 10 EUR", "2024-06-01", basis="increment"),
    )
    assert given.at("2024-06-01")["actual"] == q("between 38 50 EUR") | {"open": "both"}


def test_a_sum_is_corroborated_only_if_each_part_is():
    parts = [report("eq 10 EUR", f"2024-0{m}-01", by, basis="increment") for m in (5, 9) for by in ("A", "B")]
    assert Given(made("ge 40 EUR"), *parts).at("2024-09-01")["evidence"] == "corroborated"
    assert Given(made("ge 40 EUR"), *parts[:3]).at("2024-09-01")["evidence"] == "single_source"


def test_a_shorter_total_after_whole_years_adds_to_them():
    given = Given(
        made("ge 200 EUR", window=year(2023, 2025)),
        report("eq 60 EUR", "2024-01-10", period=year(2023)),
        report("eq 55 EUR", "2025-01-10", period=year(2024)),
        report("eq 20 EUR", "2025-07-10", period={"start": "2025-01-01", "end": "2025-06-30"}),
    )
    assert given.at("2025-07-10")["actual"] == q("eq 135 EUR")


def test_shorter_periods_that_do_not_meet_are_running_totals():
    given = Given(
        made("ge 200 EUR", window=year(2024)),
        report("eq 20 EUR", "2024-04-10", period={"start": "2024-01-01", "end": "2024-03-31"}),
        report("eq 50 EUR", "2024-07-10", period={"start": "2024-04-01", "end": "2024-06-30"}),
    )
    assert given.at("2024-07-10")["actual"] == q("eq 50 EUR")


def test_a_partial_overlap_is_not_summed():
    given = Given(
        made("ge 200 EUR", window=year(2024)),
        report("eq 20 EUR", "2024-04-10", basis="increment", period={"start": "2024-01-01", "end": "2024-03-31"}),
        report("eq 50 EUR", "2024-06-10", basis="increment", period={"start": "2024-03-01", "end": "2024-05-31"}),
    )
    then = given.at("2024-06-10")
    assert then["actual"] == q("eq 50 EUR")
    assert "overlap" in then["flags"]


def test_a_higher_stage_replaces_only_where_it_lies_above():
    facts = (made("ge 200 EUR"), report("eq 100 EUR", "2024-04-10", stage="committed"))
    lower = Given(*facts, report("eq 40 EUR", "2024-05-10", stage="disbursed")).at("2024-05-10")
    assert lower["actual"] == q("eq 100 EUR")
    above = Given(*facts, report("gt 120 EUR", "2024-05-10", stage="disbursed")).at("2024-05-10")
    assert (above["actual"], above["stage"]) == (q("gt 120 EUR"), "disbursed")


@pytest.mark.parametrize(
    ("met", "status"), [(q("ge 4 count:members"), "met"), (q("gt 3 count:members"), "met"), (3, "partly_met")]
)
def test_a_tally_given_as_a_quantity_decides_where_it_is_certain(met, status):
    group = {"rule": "each_member", "members": ["a", "b", "c", "d"]}
    given = Given(
        made("ge 2 percent:gdp", kind="ratio", group=group, window=year(2024)),
        fact("TallyReported", "2025-02-01", met=met),
    )
    assert given.status("2025-02-01") == status


def test_count_at_least_is_met_as_soon_as_reached_and_may_be_late():
    group = {"rule": "count_at_least", "count": 2, "members": ["a", "b", "c", "d"]}
    opening = made("ge 2 percent:gdp", kind="ratio", group=group, window=year(2024))
    rows = [member("a", "met", "2024-02-01"), member("b", "met", "2024-03-01")]
    assert Given(opening, *rows).status("2024-03-01") == "met"
    assert Given(opening, *rows, member("c", "met", "2024-04-01")).status("2024-04-01") == "exceeded"
    late = Given(opening, rows[0], member("b", "met", "2025-10-01")).at("2025-10-01")
    assert "late" in late["flags"]
    grace = Given(opening, rows[0], member("b", "met", "2025-05-01")).at("2025-05-01")
    assert "late" not in grace["flags"]


def test_a_row_later_than_a_tally_of_none():
    group = {"rule": "each_member", "members": ["a", "b"]}
    given = Given(
        made("ge 2 percent:gdp", kind="ratio", group=group, window=year(2024)),
        fact("TallyReported", "2025-02-01", met=0),
        member("a", "met", "2025-03-01"),
    )
    assert given.status("2025-02-01") == "missed"
    then = given.at("2025-03-01")
    assert then["status"] == "partly_met"
    assert "tally_mismatch" in then["flags"]


def test_a_step_without_a_schedule_leaves_the_deadline_of_those_that_have_one():
    given = Given(
        made(kind="milestone"),
        fact("MilestoneScheduled", "2024-01-05", milestone="a", due="2024-06"),
        fact("MilestoneReached", "2024-02-05", milestone="b"),
    )
    assert given.status("2024-06-30") == "in_progress"
    assert given.status("2024-07-01") == "partly_met"


def test_a_step_scheduled_after_the_close_is_not_needed():
    given = Given(
        made(kind="milestone"),
        fact("MilestoneScheduled", "2024-01-05", milestone="a", due="2024-06"),
        fact("MilestoneReached", "2024-02-05", milestone="a"),
        fact("MilestoneScheduled", "2024-08-05", milestone="b", due="2025-06"),
    )
    assert given.status("2024-08-05") == "met"


def test_a_step_reached_after_its_own_due_stays_late():
    given = Given(
        made(kind="milestone", window=year(2024)),
        fact("MilestoneScheduled", "2024-01-05", milestone="a", due="2024-03"),
        fact("MilestoneScheduled", "2024-01-05", milestone="b", due="2024-09"),
        fact("MilestoneReached", "2024-05-05", milestone="a", on="2024-05-04"),
    )
    assert "late" in given.at("2024-04-01")["flags"]
    assert "late" in given.at("2024-05-05")["flags"]
    assert "late" in given.at("2025-05-05")["flags"]


def test_withdrawal_leaves_closed_periods_as_they_were():
    given = Given(
        made("ge 100 EUR", "2020-01-01", recurrence={"every": "year", "start": "2020-01-01", "end": "2022-12-31"}),
        report("eq 116 EUR", "2021-01-10", period=year(2020)),
        fact("PledgeWithdrawn", "2021-06-01", reason="r"),
    )
    then = given.at("2023-01-10")
    assert [period["status"] for period in then["periods"]] == ["exceeded", "withdrawn", "withdrawn"]
    assert then["status"] == "withdrawn"


def test_a_target_changed_later_leaves_closed_periods_as_they_were():
    given = Given(
        made("ge 100 EUR", "2020-01-01", recurrence={"every": "year", "start": "2020-01-01", "end": "2021-12-31"}),
        report("eq 110 EUR", "2021-01-10", period=year(2020)),
        revised("2021-06-01", target=q("ge 120 EUR")),
        report("eq 110 EUR", "2022-01-10", period=year(2021)),
    )
    then = given.at("2022-01-10")
    assert [period["status"] for period in then["periods"]] == ["exceeded", "partly_met"]


def test_retracting_a_restatement_undoes_it():
    again = {"quantity": q("eq 25 EUR"), "basis": "cumulative"}
    given = Given(
        made("ge 40 EUR"),
        report("eq 20 EUR", "2024-05-01"),
        fact("FigureRestated", "2024-06-01", event=event_id(2), figure=again, reason="r"),
        fact("StatementRetracted", "2024-07-01", event=event_id(3), reason="r"),
    )
    assert given.at("2024-06-30")["actual"] == q("eq 25 EUR")
    assert given.at("2024-07-01")["actual"] == q("eq 20 EUR")


def test_an_imprecise_fact_is_in_force_from_its_last_day():
    given = Given(made("ge 40 EUR"), report("eq 20 EUR", "2024-05-10") | {"precision": "month"})
    assert given.status("2024-05-30") == "announced"
    assert given.status("2024-05-31") == "in_progress"


def test_a_figure_that_reaches_the_end_but_not_the_latest_reading():
    window = {"start": "2024-01-01", "end": "2024-12-31", "latest": "2025-07-31"}
    given = Given(made("ge 40 EUR", window=window), report("eq 30 EUR", "2025-01-10", period=year(2024)))
    assert given.status("2025-07-31") == "in_progress"
    assert given.status("2025-08-01") == "partly_met"
