"""The hard cases of public pledges, each a test whose name is the rule. docs/hard-cases.md is made from this file.

The first paragraph of a docstring says what is given, the second what follows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

import pytest

from projections.fold import SummaryAmount, SummaryAmounts
from projections.summary import Pledged, summarize
from tests.support.given import (
    Given,
    Posted,
    condition,
    condition_reported,
    corrected,
    exceeded,
    first_half,
    given,
    group,
    instalment,
    member,
    met,
    missed,
    pledge,
    progress,
    quarter,
    ranked,
    reached,
    reaffirmed,
    restated,
    retracted,
    revised,
    scheduled,
    share,
    source,
    statement,
    tally,
    until,
    voided,
    withdrawn,
    year,
    yearly,
)
from tracker.rules.status import StatusFold, complete

pytestmark = pytest.mark.usefixtures("every_record_holds")

F = TypeVar("F", bound=Callable[..., None])


def case(number: int) -> Callable[[F], F]:
    """Says which hard case a test is."""
    return lambda test: test


def half(**more: object) -> dict[str, object]:
    """Figures for January to June 2024, said in October."""
    return {"period": first_half(2024), "stated_on": "2024-10-16", "stage": "committed", **more}


def annual(**more: object) -> dict[str, object]:
    """Figures for the year 2024, said in February 2025."""
    return {"period": year(2024), "stated_on": "2025-02-12", "stage": "committed", **more}


@case(1)
def test_a_later_running_total_replaces_the_earlier_one() -> None:
    """At least 40bn is promised for 2024; 20.9bn stand after six months, and in February "over 50bn" for the year.

    The actual is over 50bn, never 70.9bn: over 125 % of the target, exceeded.
    """
    h1, whole = progress("20.9bn EUR", **half()), exceeded("over 50bn EUR", **annual())
    given(pledge(window=year(2024)), h1, whole).then(
        as_of="2024-10-16",
        status="in_progress",
        actual="20.9bn EUR",
        ratio="0.5225",
        trajectory="on_track",
        schedule=("open", "open"),
        flags=["single_source"],
    ).then(
        as_of="2025-02-12",
        status="exceeded",
        actual="over 50bn EUR",
        ratio="over 1.25",
        stage="committed",
        period=year(2024),
        schedule=("kept_on_time", "kept_on_time"),
        flags=["single_source"],
    ).figure(whole, as_of="2025-02-12", chosen=True, final=True).figure(
        h1, as_of="2025-02-12", chosen=False, outcome="outranked"
    ).then(as_of="2025-02-12", known_at="2025-02-11", status="overdue", actual="20.9bn EUR")


@case(2)
def test_progress_from_before_the_promise_is_recorded() -> None:
    """The promise is made in July for the whole year; the report covers January to June.

    The report is accepted, and counts.
    """
    given(
        pledge(window=year(2024), stated_on="2024-07-31", precision="month"),
        progress("20.9bn EUR", **half()),
    ).then(as_of="2024-10-16", status="in_progress", actual="20.9bn EUR", period=first_half(2024)).does_not_exist(
        as_of="2024-07-30"
    )


@case(3)
@pytest.mark.parametrize(
    ("said", "status", "ratio"),
    [
        ("nearly 40bn EUR", "partly_met", "nearly 1"),
        ("about 40bn EUR", "indeterminate", "about 1"),
        ("at least 30bn EUR", "indeterminate", "at least 0.75"),
    ],
)
def test_a_final_amount_that_may_or_may_not_reach_the_target_is_not_rounded_up(
    said: str, status: str, ratio: str
) -> None:
    """Of at least 40bn the last word is "nearly 40bn", "about 40bn" or "at least 30bn".

    Nearly is below: partly met. About and at least 30 may be either: indeterminate, never met.
    """
    given(pledge(window=year(2024)), progress(said, **annual())).then(
        as_of="2025-06-01", status=status, actual=said, ratio=ratio
    )


@case(4)
def test_a_half_year_figure_does_not_decide_the_year() -> None:
    """Only the figure for six months is known when the last reading of the deadline has passed.

    Overdue, not missed: nobody has said how it ended.
    """
    given(
        pledge(window={**year(2024), "latest": "2025-07-31"}),
        progress("20.9bn EUR", **half()),
    ).then(as_of="2025-07-31", status="in_progress", schedule=("due_soon", "due_soon"), flag="stale").then(
        as_of="2025-08-01", status="overdue", actual="20.9bn EUR", schedule=("overdue", "overdue"), no_flag="stale"
    )


@case(5)
def test_rounded_words_do_not_contradict_an_exact_figure() -> None:
    """One outlet has "about half of the 40bn", another 20.9bn, for the same months.

    They agree: not disputed, two sources, and the exact one is chosen.
    """
    exact, rounded = progress("20.9bn EUR", **half()), progress("about 20bn EUR", **half(source="Other"))
    given(pledge(window=year(2024)), exact, rounded).then(
        as_of="2024-10-16", actual="20.9bn EUR", evidence="corroborated", flags=[]
    ).figure(rounded, as_of="2024-10-16", outcome="outranked", conflicts=[])


@case(6)
def test_the_same_digits_in_two_currencies_are_a_suspected_unit_error() -> None:
    """Two outlets give 20.9bn for the same months, one in euro and one in dollars.

    Flagged as a suspected unit error, with both reports named, until one is corrected.
    """
    euro, dollar = progress("20.9bn EUR", **half()), progress("20.9bn USD", **half(source="Other"))
    promise = pledge(window=year(2024))
    given(promise, euro, dollar).then(
        as_of="2024-10-16", flag="suspected_unit_error", because={"suspected_unit_error": [promise, euro, dollar]}
    ).figure(dollar, as_of="2024-10-16", conflicts=[euro]).accepts(
        corrected(dollar, {"figure": {"quantity": {"unit": "EUR"}}})
    ).then(as_of="2024-10-16", flags=[], evidence="corroborated").then(
        as_of="2024-10-16", known_at="2024-12-31", flag="suspected_unit_error"
    )


@case(7)
def test_another_currency_is_compared_at_the_rate_of_the_end_of_its_period() -> None:
    """55bn dollars and "over 50bn" euro, both for the year 2024.

    The dollars are converted at the rate of 31 December 2024 for the comparison and the ratio; not disputed.
    """
    given(
        pledge(window=year(2024)),
        progress("55bn USD", **annual(source="Other")),
        exceeded("over 50bn EUR", **annual()),
    ).then(
        as_of="2025-02-12",
        status="exceeded",
        actual="55bn USD",
        ratio="1.323515",
        evidence="corroborated",
        flags=["converted"],
        conversion={"from": "USD", "to": "EUR", "rate": "1.0389", "date": "2024-12-31", "provider": "ECB"},
    )


@case(8)
@pytest.mark.parametrize("required", ["committed", "disbursed"])
def test_committed_and_provided_are_two_figures(required: str) -> None:
    """The headline has 20.9bn provided, the quote beneath it 20.9bn committed.

    Two figures at two stages, both kept; the stage that the promise asks for decides which one counts.
    """
    quote, headline = progress("20.9bn EUR", **half()), progress("20.9bn EUR", **half(stage="disbursed"))
    record = given(pledge(window=year(2024), required_stage=required), quote, headline)
    record.then(as_of="2024-10-16", actual="20.9bn EUR", stage=required, flags=["single_source"])
    rows = {row["stage"]: row["chosen"] for row in record.figures("2024-10-16")}
    assert rows == {"committed": required == "committed", "disbursed": required == "disbursed"}


@case(9)
def test_a_share_gives_a_bound_and_never_the_rest() -> None:
    """More than half of "over 50bn" came from some of the members.

    They gave over 25bn, marked as derived; nothing is said of the others.
    """
    whole = exceeded("over 50bn EUR", **annual())
    part = share("European Allies and Canada", "more than 50 percent:assistance", of=whole)
    record = given(pledge(window=year(2024)), whole, part)
    record.then(as_of="2025-02-12", status="exceeded", actual="over 50bn EUR")
    document = record.document("2025-02-12")
    assert document is not None
    (derived,) = document["shares"]
    assert derived == {
        "subset": "European Allies and Canada",
        "share": {"op": "gt", "value": "50", "unit": "percent:assistance", "text": "more than 50 percent:assistance"},
        "of": record.id(whole),
        "bound": {"op": "gt", "value": "25000000000", "unit": "EUR"},
        "derived": True,
        "event": record.id(part),
    }


ALLIES = " ".join(f"member-{number}" for number in range(1, 32)) + " IS"


def each_ally(**more: object) -> dict[str, object]:
    """Two percent of GDP in 2024, promised by each of 32 members, one of which has no armed forces."""
    aside = {"not_applicable": [{"member": "IS", "reason": "no armed forces"}], **more}
    return {"target": "at least 2 percent:gdp", "kind": "ratio", "window": year(2024), "group": group(ALLIES, **aside)}


@case(10)
def test_members_to_whom_it_does_not_apply_are_not_counted() -> None:
    """Of 32 members 22 met it and nine did not; to one it does not apply.

    31 are eligible: 22 met, 9 not, none missing. Partly met, and the sum reconciles.
    """
    given(pledge(**each_ally()), tally(met=22, not_met=9, total=32)).then(
        as_of="2025-02-01",
        status="partly_met",
        members={
            "eligible": 31,
            "met": 22,
            "not_met": 9,
            "not_applicable": 1,
            "opted_out": 0,
            "not_reported": 0,
            "total": 32,
        },
        schedule=("closed", "closed"),
        flags=["single_source"],
    ).then(as_of="2025-01-31", status="overdue")


@case(11)
def test_an_expected_count_is_shown_until_the_count_is_in() -> None:
    """In June 23 members are expected to meet it, in February 22 have.

    In between 23 stand as projected and count for nothing; afterwards 22 met.
    """
    given(
        pledge(**each_ally()),
        tally(met=23, nature="projection", stated_on="2024-06-17"),
        tally(met=22, not_met=9, total=32),
    ).then(
        as_of="2024-12-01",
        status="announced",
        members={"met": 0, "not_reported": 31, "projected": 23},
    ).then(as_of="2025-02-01", status="partly_met", members={"met": 22, "projected": None}).then(
        as_of="2025-02-01", known_at="2025-01-31", status="overdue", members={"met": 0, "projected": 23}
    )


@case(12)
def test_the_group_as_one_and_each_member_are_two_pledges() -> None:
    """The group together spends 2.02 %, while nine of its members stay below 2 %.

    Two pledges with two statuses: exceeded by the group as one, partly met by each member.
    """
    together = pledge(**{**each_ally(), "group": group(ALLIES, "aggregate")})
    given(together, met("2.02 percent:gdp", period=year(2024), basis="level")).then(
        as_of="2025-02-12", status="exceeded", actual="2.02 percent:gdp", ratio="1.01"
    )
    given(pledge(**each_ally()), tally(met=22, not_met=9, total=32)).then(as_of="2025-02-12", status="partly_met")


@case(13)
def test_a_member_that_opted_out_leaves_the_count_and_not_the_total() -> None:
    """One of four members opted out; the other three met it, and the group reports 45bn together.

    Three of three eligible members met it; the group's total stays 45bn.
    """
    given(
        pledge(window=year(2024), group=group("BE FR DE HU", opted_out=["HU"])),
        progress("45bn EUR", **annual()),
        *(member(code, "met") for code in ("BE", "FR", "DE")),
    ).then(
        as_of="2025-02-12",
        status="met",
        actual="45bn EUR",
        members={"eligible": 3, "met": 3, "not_met": 0, "opted_out": 1, "total": 4},
    )


@case(14)
def test_nominal_and_real_growth_are_two_measures() -> None:
    """485bn dollars, "nearly 20 %" more; later 486bn and "19.4 % in real terms".

    The amount is restated and history has both; the two growth figures have two units and meet nowhere.
    """
    first = progress("485bn USD", **annual())
    nominal = progress("nearly 20 percent:nominal-growth", **annual(stage="unspecified", basis="level"))
    real = progress("19.4 percent:real-growth", **annual(stage="unspecified", basis="level", stated_on="2025-06-30"))
    later = restated(first, "486bn USD", **annual(stated_on="2025-06-30"))
    record = given(pledge(target=None), first, nominal, later, real)
    record.then(as_of="2025-02-12", status="not_measurable", actual="485bn USD", other_measures=[{"event": nominal}])
    record.then(
        as_of="2025-06-30",
        status="not_measurable",
        actual="486bn USD",
        other_measures=[{"event": nominal}, {"event": real}],
        flags=["single_source"],
    ).figure(first, as_of="2025-06-30", quantity="486bn USD", as_recorded={"quantity": "485bn USD"})
    assert [step[0] for step in record.history("2025-06-30")] == [
        "PledgeMade",
        "ProgressReported",
        "ProgressReported",
        "FigureRestated",
        "ProgressReported",
    ]


@case(15)
def test_a_running_total_that_falls_is_flagged_until_it_is_explained() -> None:
    """480,000 rounds by December, then 330,000 by January, both as running totals.

    Falling total and disputed, until the first one is restated or a reviewer ranks one of them.
    """
    december = progress("480k count:155mm-rounds", period=until("2023-12-31"), stated_on="2024-01-05")
    january = progress("330k count:155mm-rounds", period=until("2024-01-31"), stated_on="2024-02-01")
    shells = pledge("1m count:155mm-rounds", kind="count", stated_on="2023-03-20", window=until("2024-03-31"))
    record = given(shells, december, january).then(
        as_of="2024-02-01",
        actual="330k count:155mm-rounds",
        evidence="disputed",
        flags=["disputed", "falling_total"],
    )
    record.figure(january, as_of="2024-02-01", conflicts=[december])
    record.accepts(
        restated(december, "310k count:155mm-rounds", period=until("2023-12-31"), stated_on="2024-03-01")
    ).then(as_of="2024-02-29", flag="falling_total").then(
        as_of="2024-03-01", actual="330k count:155mm-rounds", evidence="single_source", flags=["single_source"]
    )
    given(shells, december, january, ranked(december, "deprecated")).then(
        as_of="2024-02-01", actual="330k count:155mm-rounds", flags=["single_source"]
    ).then(as_of="2024-02-01", known_at="2024-02-01", flag="falling_total")


@case(16)
def test_a_forecast_is_never_the_actual() -> None:
    """Somebody says that 524,000 rounds will be reached by March.

    Shown as the projection; the pledge stays announced, with no actual.
    """
    forecast = progress(
        "524k count:155mm-rounds", nature="projection", period=until("2024-03-31"), stated_on="2024-01-31"
    )
    given(
        pledge("500k count:155mm-rounds", kind="count", stated_on="2023-03-20", window=until("2024-03-31")),
        forecast,
    ).then(
        as_of="2024-02-01",
        status="announced",
        actual=None,
        ratio=None,
        evidence="none",
        projection={"quantity": "524k count:155mm-rounds", "event": forecast, "period": until("2024-03-31")},
    ).figure(forecast, as_of="2024-02-01", chosen=False, outcome="projection").then(
        as_of="2024-04-01", status="overdue", actual=None
    )


@case(17)
def test_a_moved_deadline_leaves_the_first_one_visible() -> None:
    """The deadline is moved from March to December; the target is reached in June.

    In between the first deadline is overdue, the one in force open, and the headline not overdue. Met in June, it is
    late by the first deadline and on time by the second.
    """
    promise = pledge(window=until("2024-03-31", start="2024-01-01"))
    moved = revised(window=until("2024-12-31"), stated_on="2024-03-01")
    given(promise, moved).then(
        as_of="2024-05-01",
        status="announced",
        schedule=("open", "overdue"),
        window=year(2024),
        original={"window": until("2024-03-31", start="2024-01-01")},
        past_targets=[],
    ).accepts(progress("41bn EUR", period=first_half(2024))).then(
        as_of="2024-07-01",
        status="exceeded",
        schedule=("kept_on_time", "kept_late"),
        flags=["late", "single_source"],
    )
    given(promise).then(as_of="2024-05-01", status="overdue", schedule=("overdue", "overdue"))


@case(18)
def test_a_promise_repeated_is_no_new_money() -> None:
    """At the next summit the promise is repeated.

    The target is the same, the actual too; only the date of the last statement changes.
    """
    record = given(
        pledge(window=year(2024)),
        progress("20.9bn EUR", **half()),
        reaffirmed(stated_on="2024-11-20"),
    )
    for day in ("2024-11-19", "2024-11-20"):
        record.then(as_of=day, status="in_progress", target="at least 40bn EUR", actual="20.9bn EUR", past_targets=[])
    record.then(as_of="2024-11-20", last_stated_on="2024-11-20", flags=["single_source"])


@case(19)
def test_the_promise_for_the_next_year_is_another_pledge() -> None:
    """35bn are promised for 2025 as well, and reported on.

    Another pledge with its own figures; none of them enters the one for 2024.
    """
    this = given(pledge(window=year(2024)), progress("20.9bn EUR", **half()), slug="aid-2024")
    following = given(
        pledge("35bn EUR", window=year(2025), stated_on="2024-12-04"),
        progress("20bn EUR", period=first_half(2025), stated_on="2025-07-10"),
        slug="aid-2025",
    )
    this.then(as_of="2025-08-01", actual="20.9bn EUR", target="at least 40bn EUR")
    following.then(as_of="2025-08-01", actual="20bn EUR", target="35bn EUR")


@case(20)
def test_a_valuation_restated_by_its_source_holds_from_that_day_on() -> None:
    """41bn of at least 40bn are reported; in June the source values the same goods at 38bn.

    As of any day before, 41bn and exceeded; from that day on 38bn and partly met.
    """
    first = progress("41bn EUR", **annual())
    again = restated(first, "38bn EUR", **annual(stated_on="2025-06-15"))
    given(pledge(window=year(2024)), first, again).then(as_of="2025-06-14", status="exceeded", actual="41bn EUR").then(
        as_of="2025-06-15", status="partly_met", actual="38bn EUR", ratio="0.95"
    ).then(as_of="2025-06-15", known_at="2025-06-14", status="exceeded", actual="41bn EUR").figure(
        first, as_of="2025-06-15", quantity="38bn EUR", as_recorded={"quantity": "41bn EUR"}
    )


@case(21)
def test_a_typing_error_shows_only_before_it_was_corrected() -> None:
    """209bn are recorded where the source has 20.9bn; a year later the record is corrected.

    Known before the correction it is 209bn, known after it 20.9bn, on every day since it was said.
    """
    typed = progress("209bn EUR", **half())
    mended = corrected(typed, {"figure": {"quantity": {"value": "20900000000"}}}, stated_on="2025-10-01")
    record = given(pledge(window=year(2024)), typed, mended)
    for day in ("2024-10-16", "2025-10-01", "2026-01-01"):
        record.then(as_of=day, known_at="2025-09-30", status="exceeded", actual="209bn EUR")
        record.then(as_of=day, known_at="2025-10-01", actual="20.9bn EUR", ratio="0.5225")
        record.then(as_of=day, actual="20.9bn EUR")
    record.then(as_of="2024-10-15", actual=None).then(as_of="2024-10-15", known_at="2025-09-30", actual=None)


@case(22)
def test_a_statement_taken_back_is_gone_from_that_day() -> None:
    """A report of 20.9bn is retracted in December by who made it.

    Before that day it stands, from then on there is none; as known before, it still stands.
    """
    said = progress("20.9bn EUR", **half())
    given(pledge(window=year(2024)), said, retracted(said, stated_on="2024-12-01")).then(
        as_of="2024-11-30", status="in_progress", actual="20.9bn EUR"
    ).then(as_of="2024-12-01", status="announced", actual=None, evidence="retracted", flags=[]).then(
        as_of="2024-12-01", known_at="2024-11-30", status="in_progress", actual="20.9bn EUR"
    ).figure(said, as_of="2024-12-01", chosen=False, outcome="retracted")


@case(23)
def test_what_was_recorded_on_the_wrong_pledge_moves() -> None:
    """A report is recorded on one pledge and belongs to another.

    Voided on the one, naming where it went, and recorded on the other; nothing is erased.
    """
    there = given(pledge(window=year(2024)), moved := progress("20.9bn EUR", **half()), slug="aid")
    elsewhere = {"pledge": "aid", "event": there.id(moved)}
    wrong = progress("20.9bn EUR", **half())
    void = voided(wrong, recorded_as=elsewhere)
    here = given(pledge(window=year(2024)), wrong, void, slug="loans")
    here.then(as_of="2024-10-16", status="announced", actual=None, evidence="none")
    here.then(as_of="2024-10-16", known_at="2024-12-31", status="in_progress", actual="20.9bn EUR")
    here.figure(wrong, as_of="2024-10-16", chosen=False, outcome="voided")
    there.then(as_of="2024-10-16", status="in_progress", actual="20.9bn EUR")


@case(24)
def test_an_old_source_found_today_changes_the_past_and_not_what_was_known() -> None:
    """A report of October 2024 is found and recorded in March 2026.

    The status of November 2024 has it, as known now; as known in 2025 it has not.
    """
    given(
        pledge(window=year(2024)),
        progress("20.9bn EUR", **half(recorded="2026-03-01")),
    ).then(as_of="2024-11-01", status="in_progress", actual="20.9bn EUR").then(
        as_of="2024-11-01", known_at="2025-12-31", status="announced", actual=None
    ).then(as_of="2024-10-15", status="announced", actual=None)


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


@case(26)
def test_rounds_of_one_calibre_and_of_all_are_two_units() -> None:
    """A promise counts rounds of 155 mm; a report counts rounds of all calibres.

    Two units: the report is refused here, and without a target kept beside the actual, never added.
    """
    rounds = pledge("1m count:155mm-rounds", kind="count")
    given(rounds).refuses(progress("1.5m count:rounds"), "unit_mismatch", "/figure/quantity/unit")
    some, all_ = progress("300k count:155mm-rounds", stated_on="2024-07-02"), progress("1.5m count:rounds")
    given(pledge(None, kind="count"), all_, some).then(
        as_of="2024-07-02", actual="300k count:155mm-rounds", other_measures=[{"event": all_}]
    )


@case(27)
def test_totals_work_where_the_breakdown_is_secret() -> None:
    """The group reports one total; who gave what is classified.

    The total counts, and every member stands as not reported.
    """
    record = given(
        pledge(window=year(2024), group=group("BE FR DE", "aggregate")),
        exceeded("over 50bn EUR", **annual()),
    )
    record.then(
        as_of="2025-02-12",
        status="exceeded",
        actual="over 50bn EUR",
        members={"eligible": 3, "met": 0, "not_met": 0, "not_reported": 3, "total": 3},
    )
    assert record.members("2025-02-12") == {"BE": "not_reported", "FR": "not_reported", "DE": "not_reported"}


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


@case(29)
def test_returned_money_needs_a_reason() -> None:
    """Of increments of 30bn and 15bn, 4bn are given back.

    A negative increment with a reason is subtracted; without one it is refused.
    """
    steps = [
        progress("30bn EUR", basis="increment", period=quarter(1, of=2024), stated_on="2024-04-10"),
        progress("15bn EUR", basis="increment", period=quarter(2, of=2024), stated_on="2024-07-10"),
    ]
    returned = {"basis": "increment", "period": quarter(3, of=2024), "stated_on": "2024-10-10"}
    given(pledge(window=year(2024)), *steps).then(as_of="2024-07-10", status="exceeded", actual="45bn EUR").refuses(
        progress("-4bn EUR", **returned), "invalid_fact", ""
    ).accepts(progress("-4bn EUR", reason="aircraft handed back", **returned)).then(
        as_of="2024-10-10", status="exceeded", actual="41bn EUR", period=until("2024-09-30", start="2024-01-01")
    )


@case(30)
def test_a_part_is_not_added_to_its_whole() -> None:
    """One article reports on two pledges, one of which is part of the other.

    Both record it; a sum over both has the whole only.
    """
    article = source("News", url="https://news.example/aid")
    whole = given(pledge(window=year(2024)), progress("20.9bn EUR", **half(source=article)), slug="aid")
    part = given(
        pledge("10bn EUR", window=year(2024), part_of="aid"),
        progress("5bn EUR", **half(source=article)),
        slug="air-defence",
    )
    part.then(as_of="2024-10-16", actual="5bn EUR", part_of="aid")
    summary = summarize([row(whole), row(part)], {"air-defence": "aid"})
    assert summary["totals"] == [
        {
            "unit": "EUR",
            "pledges": 1,
            "reported": 1,
            "target": {"op": "ge", "value": "40000000000", "unit": "EUR"},
            "actual": {"op": "eq", "value": "20900000000", "unit": "EUR"},
        }
    ]
    assert summary["by_status"]["in_progress"] == 2


@case(31)
def test_two_analysts_record_a_report_once() -> None:
    """Two analysts submit the same report of the same article.

    The second is refused as a duplicate, naming the event it repeats.
    """
    first = progress("20.9bn EUR", **half(source=source(url="https://news.example/1")))
    again = progress("EUR 20.9 billion", summary="other words", **half(source=source(url="https://news.example/1")))
    given(pledge(window=year(2024)), first).refuses(again, "duplicate_fact", event=first).then(
        as_of="2024-10-16", evidence="single_source", actual="20.9bn EUR"
    )


@case(32)
def test_a_claim_that_its_own_figure_contradicts_is_flagged() -> None:
    """Somebody says the target of 40bn is exceeded, with 39bn.

    Recorded and flagged as a conflict; the figure decides: partly met.
    """
    claim = exceeded("39bn EUR", **annual())
    promise = pledge(window=year(2024))
    given(promise, claim).then(
        as_of="2025-02-12",
        status="partly_met",
        actual="39bn EUR",
        ratio="0.975",
        flags=["assertion_conflict", "single_source"],
        because={"assertion_conflict": [promise, claim]},
    )


@case(33)
def test_an_amount_without_a_currency_is_refused() -> None:
    """The source gives "over 50 billion" and no currency.

    Refused with what is missing; nothing is guessed.
    """
    given(pledge(window=year(2024))).refuses(
        progress("over 50 billion", **annual()), "invalid_fact", "/figure/quantity"
    ).refuses(progress({"op": "gt", "value": "50000000000"}, **annual()), "invalid_fact", "/figure/quantity/unit")


@case(34)
def test_a_deadline_passes_without_an_event() -> None:
    """The last reading of the deadline is 31 July 2025; nobody says anything.

    On 1 August the pledge is overdue, with the same events and another document, so another entity tag.
    """
    record = given(pledge(window={**year(2024), "latest": "2025-07-31"}), statement(stated_on="2025-07-01"))
    record.then(as_of="2025-07-31", status="announced", schedule=("due_soon", "due_soon"))
    record.then(as_of="2025-08-01", status="overdue", schedule=("overdue", "overdue"))
    bodies = [
        complete(status.body, as_of=day, known_at=None, position=2, version=2)
        for day in (date(2025, 7, 31), date(2025, 8, 1))
        if (status := StatusFold(record.events).status(day)) is not None
    ]
    assert bodies[0] != bodies[1]
    assert date(2025, 8, 1) in StatusFold(record.events).boundaries()
    assert record.history("2025-08-01")[-1] == (None, "2025-08-01", "announced", "overdue")


@case(35)
def test_two_papers_with_one_press_conference_are_one_source() -> None:
    """Two newspapers report the same figure from one press conference.

    One origin: single source. A third paper with its own source corroborates it.
    """
    briefing = "Press conference, 2024-10-16"
    reports = [progress("20.9bn EUR", **half(source=source(name, origin=briefing))) for name in ("Daily", "Herald")]
    given(pledge(window=year(2024)), *reports).then(
        as_of="2024-10-16", evidence="single_source", flags=["single_source"]
    ).accepts(progress("20.9bn EUR", **half(source="Agency"))).then(
        as_of="2024-10-16", evidence="corroborated", flags=[]
    )


@case(36)
def test_a_rate_alone_makes_no_total_fall() -> None:
    """20.9m USD for nine months, then 21.2m USD for the year; the target is in euros, and the dollar fell in between.

    Two figures of one currency are never converted to be compared: not falling, not disputed.
    """
    given(
        pledge("at least 40m EUR", window=year(2024)),
        progress("20.9m USD", period=until("2024-09-30", start="2024-01-01"), stated_on="2024-10-10"),
        progress("21.2m USD", period=until("2024-12-10", start="2024-01-01"), stated_on="2024-12-12"),
    ).then(as_of="2024-12-12", actual="21.2m USD", evidence="single_source", flags=["converted", "single_source"])


@case(37)
def test_slack_is_no_more_than_a_fortieth() -> None:
    """Two outlets report 100bn and 60bn for one period.

    Both are round, and still they contradict each other: disputed.
    """
    given(
        pledge("at least 200bn EUR", window=year(2024)),
        progress("100bn EUR", **half()),
        progress("60bn EUR", **half(source="Herald")),
    ).then(as_of="2024-10-16", evidence="disputed", flags=["disputed"])


@case(38)
def test_promising_is_not_doing() -> None:
    """Of at least 40bn, 100bn are said to be pledged.

    Announced, with no actual: the 100bn stand among the announced amounts.
    """
    said = progress("100bn EUR", **half(stage="pledged"))
    given(pledge(window=year(2024)), said).then(
        as_of="2024-10-16", status="announced", actual=None, evidence="none", flags=[],
        announced_amounts=[{"quantity": "100bn EUR", "event": said}],
    )  # fmt: skip


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


EMISSIONS = {"kind": "count", "baseline": {"quantity": "100 count:mtco2e", "on": "1990"}, "window": year(2024)}


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


@case(44)
def test_a_replay_never_knows_a_later_rate() -> None:
    """In October dollars are reported for the whole year; the target is in euros.

    They are compared at October's rate, on that day and for ever, not at that of the year's end.
    """
    said = progress("50bn USD", period=year(2024), stated_on="2024-10-16")
    rate = {"from": "USD", "to": "EUR", "rate": "1.0897", "date": "2024-10-16", "provider": "ECB"}
    given(pledge(window=year(2024)), said).then(as_of="2024-10-16", flag="converted", conversion=rate).then(
        as_of="2025-12-31", conversion=rate, actual="50bn USD"
    )


@case(45)
def test_what_the_source_itself_says_it_comes_to_goes_before_a_rate() -> None:
    """8bn SEK are reported, 760m USD by the source's own words; the target is in dollars.

    Compared as 760m USD, and the provider of the conversion is the source.
    """
    said = progress("8bn SEK", equivalent="760m USD", **annual())
    given(pledge("at least 750m USD", window=year(2024)), said).then(
        as_of="2025-02-12",
        status="exceeded",
        actual="8bn SEK",
        ratio="1.013333",
        flag="converted",
        conversion={"from": "SEK", "to": "USD", "provider": "source"},
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


@case(47)
def test_a_deadline_extended_after_it_passed_is_a_new_question() -> None:
    """30bn of 40bn stand at the end of March; in May the deadline moves to December.

    In progress again, and the past target says partly met under March.
    """
    march = until("2024-03-31", start="2024-01-01")
    given(
        pledge(window=march),
        progress("30bn EUR", period=march, stated_on="2024-04-10"),
        revised(window=until("2024-12-31"), stated_on="2024-05-02"),
    ).then(as_of="2024-05-01", status="partly_met", schedule=("closed", "closed")).then(
        as_of="2024-05-02",
        status="in_progress",
        schedule=("open", "overdue"),
        no_flag="revised_after_close",
        past_targets=[{"target": "at least 40bn EUR", "window": march, "until": "2024-05-02", "status": "partly_met"}],
    )


@case(48)
def test_what_is_said_of_a_year_before_it_is_over_is_not_final() -> None:
    """In July somebody says "30bn for 2024".

    A forecast, not the last word: in progress, and overdue after the close.
    """
    said = progress("30bn EUR", period=year(2024), stated_on="2024-07-15")
    given(pledge(window=year(2024)), said).then(as_of="2024-12-31", status="in_progress").then(
        as_of="2025-01-01", status="overdue"
    ).figure(said, as_of="2025-01-01", final=False)


@case(49)
def test_totals_of_separate_years_add_up() -> None:
    """A running total of 60bn for 2024 and one of 55bn for 2025; at least 100bn are promised for both years.

    Two parts of the whole: 115bn, exceeded, flagged as added.
    """
    given(
        pledge("at least 100bn EUR", window=until("2025-12-31", start="2024-01-01")),
        progress("60bn EUR", period=year(2024), stated_on="2025-01-20"),
        progress("55bn EUR", period=year(2025), stated_on="2026-01-20"),
    ).then(as_of="2025-01-20", status="in_progress", actual="60bn EUR", no_flag="added_totals").then(
        as_of="2026-01-20", status="exceeded", actual="115bn EUR", flags=["added_totals", "single_source"]
    )


@case(50)
def test_a_withdrawal_can_be_taken_back() -> None:
    """The pledge is withdrawn in May and reaffirmed in June.

    Withdrawn in between, active from June, flagged as reinstated.
    """
    given(pledge(window=year(2024)), withdrawn(stated_on="2024-05-02"), reaffirmed(stated_on="2024-06-03")).then(
        as_of="2024-05-02", status="withdrawn", lifecycle="withdrawn", schedule=("closed", "closed")
    ).then(as_of="2024-06-03", status="announced", lifecycle="active", flags=["reinstated"])


@case(51)
def test_what_is_paid_is_held_against_what_was_due() -> None:
    """Instalments of 10bn, 20bn and 70bn are promised; 10bn are paid by the eve of the second.

    On track until then; the day after the second was due, an instalment is overdue.
    """
    plan = [instalment("2024-03", "10bn EUR"), instalment("2024-06-30", "20bn EUR"), instalment("2024-12", "70bn EUR")]
    paid = progress("10bn EUR", period=until("2024-06-29", start="2024-01-01"), stated_on="2024-06-29")
    given(pledge("100bn EUR", window=year(2024), instalments=plan), paid).then(
        as_of="2024-06-30",
        trajectory="on_track",
        no_flag="instalment_overdue",
        instalments=[{"state": "paid"}, {"state": "open"}, {"due": "2024-12", "state": "open"}],
    ).then(
        as_of="2024-07-01",
        trajectory="on_track",
        flag="instalment_overdue",
        instalments=[{"state": "paid"}, {"state": "overdue"}, {"state": "open"}],
    )


@case(52)
def test_each_period_of_a_recurring_promise_is_judged_by_itself() -> None:
    """100bn a year are promised for 2020 to 2022; 83bn, 90bn and 116bn are reported.

    A broken period from 2021 on; in the end one of three is kept, so partly met.
    """
    reports = [
        progress(f"{amount}bn USD", period=year(y), stated_on=f"{y + 1}-02-01")
        for y, amount in ((2020, 83), (2021, 90), (2022, 116))
    ]
    promise = pledge("100bn USD", recurrence=yearly(2020, 2022), window=None, stated_on="2019-12-01")
    given(promise, *reports).then(as_of="2021-01-31", status="announced", no_flag="broken_period").then(
        as_of="2021-02-01", status="in_progress", flag="broken_period", actual="83bn USD", ratio="0.83"
    ).then(
        as_of="2023-02-01",
        status="partly_met",
        actual="116bn USD",
        periods=[{"status": "partly_met"}, {"status": "partly_met"}, {"status": "exceeded", "ratio": "1.16"}],
        periods_tally={"total": 3, "closed": 3, "kept": 1, "not_kept": 2, "unreported": 0, "undecided": 0},
    )


@case(53)
def test_a_conditional_promise_has_no_deadline() -> None:
    """40bn are promised on the condition that parliament agrees; the deadline passes, and then it does.

    Conditional without a deadline until then; once the condition is fulfilled, overdue.
    """
    given(
        pledge(window=year(2024), conditions=[condition("parliament")]),
        condition_reported("parliament", "fulfilled", stated_on="2025-03-01"),
    ).then(
        as_of="2025-02-28",
        status="conditional",
        schedule=("no_deadline", "no_deadline"),
        flags=["conditional"],
        conditions=[{"condition": "parliament", "state": "open"}],
    ).then(as_of="2025-03-01", status="overdue", schedule=("overdue", "overdue"), no_flag="conditional")


@case(54)
def test_a_party_that_merges_has_its_old_name_before() -> None:
    """The donor merges into another in September 2020.

    As of 2019 the promise is the old one's, afterwards the new one's.
    """
    old, new = {"name": "DFID", "code": "dfid"}, {"name": "FCDO", "code": "fcdo"}
    given(
        pledge(pledgor=old, stated_on="2019-01-10", window=year(2021)), revised(pledgor=new, stated_on="2020-09-02")
    ).then(as_of="2019-12-31", pledgor=old).then(as_of="2020-09-02", pledgor=new, no_flag="revised_target")


@case(55)
def test_one_payment_reported_from_both_ends_may_be_counted_twice() -> None:
    """Donor and receiver report a payment of 10bn, five weeks apart.

    Counted twice, flagged as a suspected duplicate; once when both give one reference, or a reviewer prefers one.
    """

    def both(**reference: str) -> list[Posted]:
        return [
            progress("10bn EUR", basis="increment", stated_on=on, source=source(who, **reference))
            for who, on in (("Donor", "2024-05-01"), ("Receiver", "2024-06-05"))
        ]

    twice = both()
    given(pledge(window=year(2024)), *twice).then(
        as_of="2024-06-05", actual="20bn EUR", flag="suspected_duplicate"
    ).accepts(ranked(twice[0], "preferred")).then(as_of="2024-06-05", actual="10bn EUR", no_flag="suspected_duplicate")
    given(pledge(window=year(2024)), *both(reference="T-1")).then(
        as_of="2024-06-05", actual="10bn EUR", no_flag="suspected_duplicate", evidence="corroborated"
    )


@case(56)
def test_what_can_be_compared_goes_before_what_cannot() -> None:
    """5m LKR, which has no rate, are reported after "over 15,000 USD"; the target is 15,000 USD.

    The figure that can be compared with the target is chosen.
    """
    dollars = progress("over 15000 USD", stated_on="2024-05-02")
    rupees = progress("5m LKR", stated_on="2024-06-03")
    given(pledge("15000 USD", window=year(2024)), dollars, rupees).then(
        as_of="2024-06-03", status="exceeded", actual="over 15000 USD"
    ).figure(rupees, as_of="2024-06-03", chosen=False, outcome="outranked")


@case(57)
def test_the_last_member_that_keeps_it_late_makes_it_late() -> None:
    """Each member is to meet it in 2024; the last one does a year late.

    Partly met in between; then met, but kept late.
    """
    given(
        pledge(**{**each_ally(), "group": group("BE FR")}),
        member("BE", "met", stated_on="2024-12-01"),
        member("FR", "not_met", stated_on="2025-01-15"),
        member("FR", "met", on="2026-01", stated_on="2026-02-15"),
    ).then(as_of="2025-06-01", status="partly_met", schedule=("closed", "closed"), no_flag="late").then(
        as_of="2026-02-15", status="met", schedule=("kept_late", "kept_late"), flag="late"
    )


@case(58)
def test_an_admission_on_steps_counts_what_was_reached() -> None:
    """Two of four steps are reached when the promise is given up.

    Partly met from that day on, without waiting for the close.
    """
    names = ["law", "agency", "staff", "office"]
    given(
        pledge(None, kind="milestone", window=year(2024)),
        *(scheduled(name) for name in names),
        *(reached(name, stated_on="2024-05-02") for name in names[:2]),
        missed(stated_on="2024-11-02"),
    ).then(as_of="2024-11-01", status="in_progress").then(
        as_of="2024-11-02", status="partly_met", schedule=("closed", "closed")
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


@case(60)
def test_constant_prices_are_another_measure() -> None:
    """20bn USD are reported, and the same as 17bn at the prices of 2020.

    Two measures: neither disputes nor adds to the other, and the second is listed beside the actual.
    """
    constant = progress("17bn USD:constant-2020", **annual(source="Institute"))
    given(pledge("at least 40bn USD", window=year(2024)), progress("20bn USD", **annual()), constant).then(
        as_of="2025-02-12",
        actual="20bn USD",
        evidence="single_source",
        flags=["single_source"],
        other_measures=[{"event": constant}],
    )


@case(61)
def test_a_currency_that_the_euro_replaced_is_read_as_before() -> None:
    """10m BGN are promised and reported in 2025; the euro replaces the lev in January 2026.

    Recorded and read as before, and compared with euros at the irrevocable rate.
    """
    promise = pledge("10m BGN", window=year(2025), stated_on="2025-01-10")
    given(promise, progress("10m BGN", period=year(2025), stated_on="2026-02-12")).then(
        as_of="2026-02-12", status="met", target="10m BGN", actual="10m BGN"
    )
    in_euros = pledge("5m EUR", window=year(2025), stated_on="2025-01-10")
    given(in_euros, progress("10m BGN", basis="increment", stated_on="2026-03-02")).then(
        as_of="2026-03-02", status="exceeded", conversion={"rate": "1.95583", "date": "2026-01-01"}
    )


@case(62)
def test_an_estimate_for_a_later_period_goes_before_an_earlier_actual() -> None:
    """An official 20bn stand for six months; then somebody estimates 30bn for nine.

    The later period counts, flagged as estimated.
    """
    given(
        pledge(window=year(2024)),
        progress("20bn EUR", period=first_half(2024), stated_on="2024-07-10", source=source("Ministry", "official")),
        progress("30bn EUR", period=until("2024-09-30", start="2024-01-01"), stated_on="2024-10-10", nature="estimate"),
    ).then(as_of="2024-10-10", status="in_progress", actual="30bn EUR", flag="estimated")


def row(record: Given, on: date = date(2024, 10, 16)) -> Pledged:
    """What a summary knows of a pledge."""
    status = StatusFold(record.events).status(on)
    assert status is not None
    target, actual, converted = (
        None if q is None else SummaryAmount.of(q) for q in (status.target, status.actual, status.converted)
    )
    amounts = SummaryAmounts(target, actual, converted, on)
    return Pledged(record.slug, status.status, status.flags, status.kind, "EUR", {}, amounts)
