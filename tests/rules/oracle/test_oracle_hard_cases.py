"""The hard cases 1–35 of DOMAIN §7 against the oracle alone.

Left out, being about recording only: 31 (the same report twice is refused) and 33 (no currency is refused).
"""

from __future__ import annotations

from .facts import Given, event_id, fact, figure, made, member, q, report, revised, year

H1 = {"start": "2024-01-01", "end": "2024-06-30"}
WINDOW = {"start": "2024-01-01", "end": "2024-12-31", "latest": "2025-07-31"}


def test_01_a_later_running_total_replaces_the_earlier_one():
    given = Given(
        made("ge 40 EUR", window=WINDOW),
        report("eq 20.9 EUR", "2024-10-16", period=H1),
        report("gt 50 EUR", "2025-02-12", "Sofia", "PledgeExceeded", period=year(2024)),
    )
    then = given.at("2025-02-12")
    assert (then["status"], then["actual"], then["ratio"]) == (
        "exceeded",
        q("gt 50 EUR"),
        {"op": "gt", "value": "1.25"},
    )
    assert given.at("2024-10-16")["trajectory"] == "on_track"
    assert given.status("2024-09-01") == "announced"


def test_02_a_period_may_end_before_the_pledge_was_made():
    given = Given(made("ge 40 EUR", "2024-07-11", window=WINDOW), report("eq 20.9 EUR", "2024-10-16", period=H1))
    assert given.at("2024-10-16")["actual"] == q("eq 20.9 EUR")


def test_03_nearly_about_and_at_least():
    for words, status in (("nearly 40", "partly_met"), ("approx 40", "indeterminate"), ("ge 30", "indeterminate")):
        given = Given(
            made("ge 40 EUR", window=year(2024)), report(f"{words} EUR", "2025-01-10", period=year(2024), final=True)
        )
        assert given.status("2025-02-01") == status


def test_04_a_half_year_figure_is_not_final():
    given = Given(made("ge 40 EUR", window=WINDOW), report("eq 20.9 EUR", "2024-10-16", period=H1))
    assert given.status("2025-07-31") == "in_progress"
    assert given.status("2025-08-01") == "overdue"


def test_05_about_half_agrees_with_20_9():
    given = Given(
        made("ge 40 EUR", window=WINDOW),
        report("eq 20.9 EUR", "2024-10-16", period=H1),
        report("approx 20 EUR", "2024-10-17", "Bloomberg", period=H1),
    )
    then = given.at("2024-10-17")
    assert "disputed" not in then["flags"]
    assert then["evidence"] == "corroborated"


def test_06_the_same_digits_in_two_currencies():
    given = Given(
        made("ge 40 EUR", window=WINDOW),
        report("eq 20.9 EUR", "2024-10-16", period=H1),
        report("eq 20.9 USD", "2024-10-16", "Bloomberg", period=H1),
    )
    assert "suspected_unit_error" in given.at("2024-10-16")["flags"]


def test_07_dollars_are_converted_at_the_end_of_the_period():
    given = Given(
        made("ge 40 EUR", window=year(2024)),
        report("eq 55 USD", "2025-02-12", "Bloomberg", period=year(2024)),
        report("gt 50 EUR", "2025-02-12", period=year(2024)),
    )
    assert "disputed" not in given.at("2025-02-12")["flags"]
    alone = Given(made("ge 40 EUR", window=year(2024)), report("eq 55 USD", "2025-02-12", period=year(2024)))
    then = alone.at("2025-02-12")
    assert then["conversion"]["rate"] == "1.0389"
    assert then["conversion"]["date"] == "2024-12-31"
    assert then["ratio"] == {"op": "eq", "value": "1.323515"}
    assert "converted" in then["flags"]


def test_08_one_amount_at_two_stages():
    facts = (
        report("eq 30 EUR", "2024-10-16", stage="disbursed"),
        report("eq 30 EUR", "2024-10-16", stage="committed"),
    )
    assert Given(made("ge 40 EUR", required_stage="disbursed"), facts[1]).status("2024-10-16") == "announced"
    then = Given(made("ge 40 EUR", required_stage="committed"), *facts).at("2024-10-16")
    assert (then["stage"], then["actual"]) == ("committed", q("eq 30 EUR"))


def test_09_a_share_is_a_derived_bound():
    given = Given(
        made("ge 40 EUR"),
        report("gt 50 EUR", "2025-02-12"),
        fact("ShareReported", "2025-02-12", subset="European Allies and Canada", share=q("gt 50 percent:total")),
    )
    (share,) = given.at("2025-02-12")["shares"]
    assert share["bound"] == q("gt 25 EUR")
    assert share["derived"]


ALLIES = [f"m{number}" for number in range(1, 33)]


def test_10_twenty_two_and_nine_are_thirty_one():
    group = {"rule": "each_member", "members": ALLIES, "not_applicable": [{"member": "m32", "reason": "no forces"}]}
    given = Given(
        made("ge 2 percent:gdp", kind="ratio", group=group, window=year(2024)),
        fact("TallyReported", "2025-04-01", met=22, not_met=9),
    )
    then = given.at("2025-04-01")
    assert then["status"] == "partly_met"
    counts = then["members"]
    assert (counts["eligible"], counts["met"], counts["not_met"], counts["not_reported"]) == (31, 22, 9, 0)
    assert given.status("2024-12-31") == "announced"


def test_11_what_was_expected_is_projected():
    group = {"rule": "each_member", "members": ALLIES}
    given = Given(
        made("ge 2 percent:gdp", kind="ratio", group=group, window=year(2024)),
        fact("TallyReported", "2024-06-17", met=23, nature="projection"),
        fact("TallyReported", "2025-04-01", met=22),
    )
    assert given.status("2024-06-18") == "announced"
    assert given.at("2025-04-01")["members"]["met"] == 22


def test_12_the_group_as_one_is_another_pledge():
    given = Given(
        made("ge 2 percent:gdp", kind="ratio", window=year(2024), group={"rule": "aggregate", "members": ALLIES}),
        report("eq 2.02 percent:gdp", "2025-04-01", basis="level", period=year(2024)),
    )
    assert given.status("2025-04-01") == "exceeded"


def test_13_who_opted_out_is_not_counted():
    group = {"rule": "each_member", "members": ["a", "b", "c"], "opted_out": ["c"]}
    given = Given(
        made("ge 2 percent:gdp", kind="ratio", group=group, window=year(2024)),
        member("a", "met", "2025-01-05"),
        member("b", "met", "2025-01-05"),
    )
    assert given.status("2025-01-05") == "met"
    assert given.at("2025-01-05")["members"]["eligible"] == 2


def test_14_a_restatement_keeps_both():
    given = Given(
        made(None),
        report("eq 485 USD", "2025-02-12", period=year(2024)),
        fact(
            "FigureRestated",
            "2025-04-24",
            event=event_id(2),
            figure=figure("eq 486 USD", period=year(2024)),
            reason="r",
        ),
    )
    assert given.at("2025-04-23")["actual"] == q("eq 485 USD")
    assert given.at("2025-04-24")["actual"] == q("eq 486 USD")
    assert given.status("2025-04-24") == "not_measurable"


def test_15_a_falling_total_until_it_is_restated_or_ranked():
    facts = (
        made("ge 1000 count:155mm-rounds", kind="count"),
        report("eq 480 count:155mm-rounds", "2024-12-20"),
        report("eq 330 count:155mm-rounds", "2025-01-20"),
    )
    assert {"falling_total", "disputed"} <= Given(*facts).at("2025-01-20")["flags"]
    ranked = Given(*facts, fact("FigureRanked", "2025-02-01", event=event_id(2), rank="deprecated", reason="r"))
    assert not {"falling_total", "disputed"} & ranked.at("2025-01-20")["flags"]
    again = figure("eq 320 count:155mm-rounds")
    restated = Given(*facts, fact("FigureRestated", "2025-02-01", event=event_id(2), figure=again, reason="r"))
    assert "falling_total" in restated.at("2025-01-31")["flags"]
    assert "falling_total" not in restated.at("2025-02-01")["flags"]


def test_16_a_projection_is_not_the_actual():
    given = Given(
        made("ge 1000 count:155mm-rounds", kind="count"),
        report("eq 524 count:155mm-rounds", "2024-12-20", nature="projection"),
    )
    then = given.at("2024-12-20")
    assert (then["status"], then["actual"]) == ("announced", None)
    assert then["projection"]["quantity"] == q("eq 524 count:155mm-rounds")


def test_17_a_moved_deadline():
    given = Given(
        made("ge 40 EUR", window={"start": "2024-01-01", "end": "2024-03-31"}),
        report("eq 20 EUR", "2024-02-20"),
        revised("2024-03-15", window={"end": "2024-12-31"}),
        report("eq 41 EUR", "2024-10-15", period={"start": "2024-01-01", "end": "2024-09-30"}),
    )
    between = given.at("2024-04-10")
    assert between["schedule"] == {"current": "open", "original": "overdue"}
    assert between["status"] == "in_progress"
    then = given.at("2024-10-15")
    assert then["schedule"] == {"current": "kept_on_time", "original": "kept_late"}
    assert "late" in then["flags"]


def test_18_repeating_is_no_new_money():
    given = Given(made("ge 40 EUR"), report("eq 20 EUR", "2024-05-01"), fact("PledgeReaffirmed", "2024-07-11"))
    assert given.at("2024-07-11")["actual"] == q("eq 20 EUR")
    assert "reinstated" not in given.at("2024-07-11")["flags"]


def test_19_figures_of_the_time_before_do_not_enter():
    given = Given(made("ge 40 EUR", window=year(2025)), report("eq 50 EUR", "2025-02-01", period=year(2024)))
    assert given.status("2025-02-01") == "announced"


def test_20_a_restated_valuation_may_reopen_a_met_pledge():
    given = Given(
        made("ge 40 EUR"),
        report("eq 41 EUR", "2024-10-01"),
        fact("FigureRestated", "2024-11-01", event=event_id(2), figure=figure("eq 39 EUR"), reason="r"),
    )
    assert given.status("2024-10-31") == "exceeded"
    assert given.status("2024-11-01") == "in_progress"


def test_21_a_typo_is_corrected_on_the_known_axis():
    changes = {"figure": {"quantity": {"value": "20.9"}}}
    given = Given(
        made("ge 40 EUR"),
        report("eq 209 EUR", "2024-10-16"),
        fact("EventCorrected", "2024-10-20", event=event_id(2), changes=changes, reason="r"),
    )
    assert given.at("2024-10-16", known=2)["actual"] == q("eq 209 EUR")
    assert given.at("2024-10-16", known=3)["actual"] == q("eq 20.9 EUR")


def test_22_a_retracted_statement_is_gone_from_its_day():
    given = Given(
        made("ge 40 EUR"),
        report("eq 20 EUR", "2024-10-16"),
        fact("StatementRetracted", "2024-11-01", event=event_id(2), reason="r"),
    )
    assert given.status("2024-10-31") == "in_progress"
    then = given.at("2024-11-01")
    assert (then["status"], then["evidence"]) == ("announced", "retracted")


def test_23_a_void_fact_never_was():
    void = fact("EventVoided", "2024-11-01", event=event_id(2), reason="wrong pledge")
    given = Given(made("ge 40 EUR"), report("eq 20 EUR", "2024-10-16"), void)
    assert given.status("2024-10-16", known=2) == "in_progress"
    assert given.status("2024-10-16") == "announced"
    gone = Given(made("ge 40 EUR"), fact("EventVoided", "2024-11-01", event=event_id(1), reason="test"))
    assert gone.found("2024-11-01") is None
    assert gone.found("2024-11-01", known=1) is not None


def test_24_an_old_source_found_today():
    given = Given(made("ge 40 EUR"), report("eq 30 EUR", "2024-10-16"), report("eq 20 EUR", "2024-06-01"))
    assert given.status("2024-06-01", known=2) == "announced"
    assert given.at("2024-06-01")["actual"] == q("eq 20 EUR")


def test_25_an_irreversible_path_is_not_measurable():
    given = Given(
        made(kind="qualitative", measurable=False), fact("MilestoneReached", "2024-12-01", milestone="council set up")
    )
    then = given.at("2024-12-01")
    assert then["status"] == "not_measurable"
    assert then["milestones"]["council set up"]["state"] == "reached"


def test_26_two_units_are_never_summed():
    given = Given(
        made("ge 100 count:155mm-rounds", kind="count"),
        report("eq 40 count:155mm-rounds", "2024-05-01", basis="increment"),
        report("eq 70 count:all-rounds", "2024-06-01", basis="increment"),
    )
    assert given.at("2024-06-01")["actual"] == q("eq 40 count:155mm-rounds")


def test_27_a_secret_breakdown():
    group = {"rule": "each_member", "members": ["a", "b", "c"]}
    given = Given(
        made("ge 2 percent:gdp", kind="ratio", group=group, window=year(2024)),
        fact("TallyReported", "2025-01-05", met=2),
    )
    then = given.at("2025-01-05")
    assert (then["status"], then["members"]["met"]) == ("partly_met", 2)


def test_28_a_target_raised_after_it_was_met():
    given = Given(
        made("ge 40 EUR", window=year(2024)),
        report("eq 41 EUR", "2024-06-01"),
        revised("2024-07-01", target=q("ge 60 EUR")),
    )
    then = given.at("2024-07-01")
    assert then["status"] == "in_progress"
    (past,) = then["past_targets"]
    assert (past["target"], past["until"], past["status"]) == (q("ge 40 EUR"), "2024-07-01", "exceeded")
    assert "revised_target" in then["flags"]


def test_29_returned_money():
    given = Given(
        made("ge 40 EUR"),
        report("eq 30 EUR", "2024-05-01", basis="increment"),
        report("eq -5 EUR", "2024-06-01", basis="increment", reason="returned"),
    )
    assert given.at("2024-06-01")["actual"] == q("eq 25 EUR")


def test_30_a_part_does_not_change_the_whole():
    given = Given(made("ge 40 EUR", part_of="the-whole"), report("eq 41 EUR", "2024-05-01"))
    assert given.status("2024-05-01") == "exceeded"


def test_32_a_claim_that_its_own_figure_contradicts():
    given = Given(
        made("ge 40 EUR", window=year(2024)),
        report("eq 39 EUR", "2025-01-05", "NATO", "PledgeExceeded", period=year(2024)),
    )
    then = given.at("2025-01-05")
    assert then["status"] == "partly_met"
    assert "assertion_conflict" in then["flags"]


def test_34_a_deadline_passes_at_midnight():
    given = Given(made("ge 40 EUR", window=year(2024)))
    assert given.status("2024-12-31") == "announced"
    assert given.status("2025-01-01") == "overdue"


def test_35_one_press_conference_in_two_newspapers():
    given = Given(
        made("ge 40 EUR"),
        report("eq 20.9 EUR", "2024-10-16", "Bloomberg", origin="press conference", period=H1),
        report("eq 20.9 EUR", "2024-10-17", "Interfax", origin="press conference", period=H1),
    )
    then = given.at("2024-10-17")
    assert then["evidence"] == "single_source"
    assert "single_source" in then["flags"]
