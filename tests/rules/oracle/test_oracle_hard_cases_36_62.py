"""The hard cases 36–62 of DOMAIN §7 against the oracle alone.

Left out, being about recording only: 61 (a BGN pledge is recorded and read as before).
"""

from __future__ import annotations

import pytest

from .facts import Given, event_id, fact, made, member, q, report, revised, year


def test_36_a_rate_alone_makes_no_total_fall():
    given = Given(
        made("ge 40 EUR"),
        report("eq 20.9 USD", "2024-12-31", period={"start": "2024-01-01", "end": "2024-09-30"}),
        report("eq 21.2 USD", "2025-01-02", period={"start": "2024-01-01", "end": "2024-12-31"}),
    )
    assert not {"falling_total", "disputed"} & given.at("2025-01-02")["flags"]


def test_37_100_and_60_are_disputed():
    given = Given(
        made("ge 200 EUR"),
        report("eq 100 EUR", "2025-01-02", period=year(2024)),
        report("eq 60 EUR", "2025-01-02", "Bloomberg", period=year(2024)),
    )
    then = given.at("2025-01-02")
    assert "disputed" in then["flags"]
    assert then["evidence"] == "disputed"


def test_38_promising_is_not_doing():
    given = Given(made("ge 40 EUR"), report("eq 100 EUR", "2024-05-01", stage="pledged"))
    then = given.at("2024-05-01")
    assert (then["status"], then["actual"]) == ("announced", None)
    assert [amount["quantity"] for amount in then["announced_amounts"]] == [q("eq 100 EUR")]


@pytest.mark.parametrize(("target", "final"), [("le 40", "400"), ("eq 0", "5")])
def test_39_a_broken_ceiling_is_missed(target, final):
    given = Given(
        made(f"{target} count:cases", kind="count", direction="down", window=year(2024)),
        report(f"eq {final} count:cases", "2025-01-02", period=year(2024)),
    )
    assert given.status("2025-01-02") == "missed"


def test_40_a_running_total_beyond_a_ceiling_has_missed_it_at_once():
    given = Given(
        made("le 40 count:cases", kind="count", direction="down", window=year(2024)),
        report("eq 45 count:cases", "2024-07-02", period={"start": "2024-01-01", "end": "2024-06-30"}),
    )
    assert given.status("2024-07-02") == "missed"


@pytest.mark.parametrize(("final", "status"), [("80", "partly_met"), ("110", "missed"), ("60", "met")])
def test_41_a_step_from_the_baseline(final, status):
    given = Given(
        made(
            "eq 60 count:tonnes",
            kind="count",
            direction="down",
            window=year(2024),
            baseline={"quantity": q("eq 100 count:tonnes"), "on": "2020"},
        ),
        report(f"eq {final} count:tonnes", "2025-01-02", basis="level", period=year(2024)),
    )
    then = given.at("2025-01-02")
    assert then["status"] == status
    if final == "80":
        assert then["progress"] == {"op": "eq", "value": "0.5"}


@pytest.mark.parametrize(("level", "status"), [("45", "met"), ("44", "exceeded")])
def test_42_a_relative_target(level, status):
    given = Given(
        made(
            "ge 55 percent:below-baseline",
            kind="count",
            window=year(2024),
            baseline={"quantity": q("eq 100 count:mtco2e"), "on": "1990"},
        ),
        report(f"eq {level} count:mtco2e", "2025-01-02", basis="level", period=year(2024)),
    )
    then = given.at("2025-01-02")
    assert (then["status"], then["target"]) == (status, q("le 45 count:mtco2e"))
    assert then["relative_target"] == q("ge 55 percent:below-baseline")


@pytest.mark.parametrize(
    ("final", "status"), [("80", "partly_met"), ("100", "met"), ("197", "exceeded"), ("0", "missed")]
)
def test_43_an_envelope(final, status):
    given = Given(
        made("le 100 EUR", window=year(2024)),
        report(f"eq {final} EUR", "2025-01-02", period=year(2024)),
    )
    then = given.at("2025-01-02")
    assert then["status"] == status
    assert "envelope" in then["flags"]


def test_44_no_rate_from_the_future():
    given = Given(made("ge 40 EUR", window=year(2024)), report("eq 30 USD", "2024-10-16", period=year(2024)))
    for day in ("2024-10-16", "2025-06-01"):
        assert given.at(day)["conversion"]["date"] == "2024-10-16"


def test_45_the_source_says_what_it_comes_to():
    given = Given(
        made("ge 700 USD", window=year(2024)),
        report("eq 8000 SEK", "2025-01-02", period=year(2024), equivalent=q("eq 760 USD")),
    )
    then = given.at("2025-01-02")
    assert then["status"] == "exceeded"
    assert then["conversion"]["provider"] == "source"
    assert then["actual"] == q("eq 8000 SEK")
    assert then["ratio"]["value"] == "1.085714"


def test_46_a_target_lowered_after_the_close_changes_no_answer():
    given = Given(
        made("ge 40 EUR", window=year(2024)),
        report("eq 30 EUR", "2025-01-10", period=year(2024)),
        revised("2025-03-01", target=q("ge 25 EUR")),
    )
    then = given.at("2025-03-01")
    assert then["status"] == "partly_met"
    assert "revised_after_close" in then["flags"]
    assert then["target"] == q("ge 25 EUR")
    (past,) = then["past_targets"]
    assert (past["target"], past["status"]) == (q("ge 40 EUR"), "partly_met")


def test_47_an_extended_deadline_reopens():
    given = Given(
        made("ge 40 EUR", window={"start": "2024-01-01", "end": "2024-03-31"}),
        report("eq 30 EUR", "2024-04-10", period={"start": "2024-01-01", "end": "2024-03-31"}),
        revised("2024-05-10", window={"end": "2024-12-31"}),
    )
    assert given.status("2024-05-09") == "partly_met"
    then = given.at("2024-05-10")
    assert then["status"] == "in_progress"
    (past,) = then["past_targets"]
    assert (past["window"]["end"], past["status"]) == ("2024-03-31", "partly_met")


def test_48_a_forecast_is_not_final():
    given = Given(made("ge 40 EUR", window=year(2024)), report("eq 30 EUR", "2024-07-10", period=year(2024)))
    assert given.status("2024-07-10") == "in_progress"
    assert given.status("2025-01-01") == "overdue"


def test_49_totals_of_separate_years_add_up():
    given = Given(
        made("ge 100 EUR", window=year(2024, 2025)),
        report("eq 60 EUR", "2025-01-10", period=year(2024)),
        report("eq 55 EUR", "2026-01-10", period=year(2025)),
    )
    then = given.at("2026-01-10")
    assert (then["status"], then["actual"]) == ("exceeded", q("eq 115 EUR"))
    assert "added_totals" in then["flags"]


def test_50_a_withdrawal_taken_back():
    given = Given(
        made("ge 40 EUR"),
        fact("PledgeWithdrawn", "2024-05-10", reason="r"),
        fact("PledgeReaffirmed", "2024-06-10"),
    )
    assert given.status("2024-05-10") == "withdrawn"
    then = given.at("2024-06-10")
    assert (then["lifecycle"], then["status"]) == ("active", "announced")
    assert "reinstated" in then["flags"]


def test_51_instalments():
    plan = [
        {"due": "2024-03-31", "quantity": q("eq 10 EUR")},
        {"due": "2024-06-30", "quantity": q("eq 20 EUR")},
        {"due": "2024-12-31", "quantity": q("eq 70 EUR")},
    ]
    given = Given(
        made("ge 100 EUR", window=year(2024), instalments=plan),
        report("eq 10 EUR", "2024-06-29", period={"start": "2024-01-01", "end": "2024-06-29"}),
    )
    eve = given.at("2024-06-30")
    assert eve["trajectory"] == "on_track"
    assert "instalment_overdue" not in eve["flags"]
    after = given.at("2024-07-01")
    assert "instalment_overdue" in after["flags"]
    assert [i["state"] for i in after["instalments"]] == ["paid", "overdue", "open"]


def test_52_a_hundred_a_year():
    given = Given(
        made("ge 100 EUR", "2020-01-01", recurrence={"every": "year", "start": "2020-01-01", "end": "2022-12-31"}),
        report("eq 83 EUR", "2021-01-10", period=year(2020)),
        report("eq 90 EUR", "2022-01-10", period=year(2021)),
        report("eq 116 EUR", "2023-01-10", period=year(2022)),
    )
    assert "broken_period" not in given.at("2021-01-09")["flags"]
    first = given.at("2021-01-10")
    assert (first["status"], "broken_period" in first["flags"]) == ("in_progress", True)
    then = given.at("2023-01-10")
    assert then["status"] == "partly_met"
    tally = {"total": 3, "closed": 3, "kept": 1, "not_kept": 2, "unreported": 0, "undecided": 0}
    assert then["periods_tally"] == tally
    assert then["actual"] == q("eq 116 EUR")


def test_53_on_the_condition_that_parliament_agrees():
    given = Given(
        made("ge 40 EUR", window=year(2024), conditions=[{"condition": "parliament", "text": "if it agrees"}]),
        fact("ConditionReported", "2025-03-01", condition="parliament", state="fulfilled"),
    )
    then = given.at("2025-02-01")
    assert (then["status"], then["schedule"]["current"]) == ("conditional", "no_deadline")
    assert given.status("2025-03-01") == "overdue"


def test_54_a_donor_that_merges():
    given = Given(
        made("ge 40 GBP", "2018-01-10", pledgor={"name": "DFID", "code": "dfid"}),
        revised("2020-09-02", pledgor={"name": "FCDO", "code": "fcdo"}),
    )
    assert given.at("2019-06-01")["pledgor"]["name"] == "DFID"
    assert given.at("2020-09-02")["pledgor"]["name"] == "FCDO"


def test_55_one_payment_reported_by_both_sides():
    def facts(**reference):
        return (
            made("ge 40 EUR"),
            report("eq 10 EUR", "2024-05-01", "Donor", basis="increment", **reference),
            report("eq 10 EUR", "2024-06-05", "Receiver", basis="increment", **reference),
        )

    twice = Given(*facts()).at("2024-06-05")
    assert twice["actual"] == q("eq 20 EUR")
    assert "suspected_duplicate" in twice["flags"]
    once = Given(*facts(reference="T-1")).at("2024-06-05")
    assert once["actual"] == q("eq 10 EUR")
    assert "suspected_duplicate" not in once["flags"]
    ranked = Given(*facts(), fact("FigureRanked", "2024-07-01", event=event_id(3), rank="preferred", reason="r"))
    assert ranked.at("2024-07-01")["actual"] == q("eq 10 EUR")


def test_56_what_can_be_compared_goes_first():
    given = Given(
        made("ge 15000 USD", window=year(2024)),
        report("gt 15000 USD", "2024-05-01"),
        report("eq 5000000 LKR", "2024-06-01"),
    )
    then = given.at("2024-06-01")
    assert then["actual"] == q("gt 15000 USD")


def test_57_the_last_member_meets_it_a_year_late():
    group = {"rule": "each_member", "members": ["a", "b"]}
    given = Given(
        made("ge 2 percent:gdp", kind="ratio", group=group, window=year(2024)),
        member("a", "met", "2024-12-01"),
        member("b", "not_met", "2025-01-15"),
        member("b", "met", "2026-01-15"),
    )
    assert given.status("2025-06-01") == "partly_met"
    then = given.at("2026-01-15")
    assert (then["status"], then["schedule"]["current"]) == ("met", "kept_late")
    assert "late" in then["flags"]


def test_58_an_admission_on_a_pledge_of_steps():
    given = Given(
        made(kind="milestone", window=year(2024)),
        *(fact("MilestoneScheduled", "2024-01-02", milestone=name) for name in "abcd"),
        *(fact("MilestoneReached", "2024-03-02", milestone=name) for name in "ab"),
        fact("PledgeMissed", "2024-11-02"),
    )
    assert given.status("2024-11-02") == "partly_met"


@pytest.mark.parametrize(("final", "status"), [("0", "met"), ("3", "missed")])
def test_59_net_zero(final, status):
    given = Given(
        made("le 0 count:net-mtco2e", kind="count", direction="down", window=year(2024)),
        report(f"eq {final} count:net-mtco2e", "2025-01-02", basis="level", period=year(2024)),
    )
    assert given.status("2025-01-02") == status


def test_60_constant_dollars_are_another_measure():
    given = Given(
        made("ge 40 USD", window=year(2024)),
        report("eq 20 USD", "2025-01-02", period=year(2024)),
        report("eq 17 USD:constant-2020", "2025-01-02", "Other", period=year(2024)),
    )
    then = given.at("2025-01-02")
    assert then["actual"] == q("eq 20 USD")
    assert "disputed" not in then["flags"]


def test_62_an_estimate_for_a_later_period():
    given = Given(
        made("ge 40 EUR", window=year(2024)),
        report("eq 20 EUR", "2024-07-10", period={"start": "2024-01-01", "end": "2024-06-30"}),
        report(
            "eq 30 EUR", "2024-10-10", "Other", period={"start": "2024-01-01", "end": "2024-09-30"}, nature="estimate"
        ),
    )
    then = given.at("2024-10-10")
    assert then["actual"] == q("eq 30 EUR")
    assert "estimated" in then["flags"]
