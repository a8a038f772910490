"""What a page of a pledge must not say: nothing untrue, and nothing that misleads."""

import re
from typing import Any

import pytest

from tests.support.api import SOURCE, Api, progress, statement
from tests.support.pages import BROWSER, part_text, shown, text_of


def corrected(event: str, **changes: Any) -> dict[str, Any]:
    return {"type": "EventCorrected", "stated_on": "2024-07-12", "event": event, "reason": "a slip", "changes": changes}


# --- our repairs are ours, and what the world did is the world's


def test_what_the_world_said_since_a_repair_is_not_called_a_repair(lite: Api) -> None:
    lite.open()
    first = lite.add(progress())["event"]["id"]
    lite.add(corrected(first, summary="better words"))
    lite.add(progress("over 50bn EUR", stated_on="2025-01-10", figure={"period": {"start": "2024-01-01",
             "end": "2024-12-31"}}))  # fmt: skip
    assert 'class="panel compare"' not in shown(lite, "/pledges/aid-2024")


def test_a_repair_names_the_event_that_it_corrected_and_what_it_changed(lite: Api) -> None:
    lite.open()
    wrong = lite.add(progress("209bn EUR"))["event"]["id"]
    lite.add(corrected(wrong, figure={"quantity": {"value": "20900000000"}}))
    lite.add(progress("over 30bn EUR", stated_on="2024-09-10", figure={"period": {"start": "2024-01-01",
             "end": "2024-08-31"}}))  # fmt: skip
    assert 'class="panel compare"' not in shown(lite, "/pledges/aid-2024")
    panel = part_text(shown(lite, "/pledges/aid-2024?as_of=2024-08-01"), r'<section class="panel compare".*?</section>')
    assert "event 2 (Progress reported: €209bn) was corrected by us in event 3: a slip" in panel
    assert "Actual €209bn €20.9bn" in panel
    assert "30bn" not in panel


def test_only_the_repairs_that_changed_something_are_named(lite: Api) -> None:
    lite.open()
    wrong = lite.add(progress("209bn EUR"))["event"]["id"]
    talk = lite.add(statement())["event"]["id"]
    lite.add(corrected(talk, summary="better words"))
    lite.add(corrected(wrong, figure={"quantity": {"value": "20900000000"}}))
    panel = part_text(shown(lite, "/pledges/aid-2024"), r'<section class="panel compare".*?</section>')
    assert "in event 5: a slip" in panel
    assert "event 4" not in panel


def test_a_figure_that_we_corrected_never_changed_the_status(lite: Api) -> None:
    lite.open()
    wrong = lite.add(progress("209bn EUR"))["event"]["id"]
    lite.add(corrected(wrong, figure={"quantity": {"value": "20900000000"}}))
    page = shown(lite, "/pledges/aid-2024?as_of=2024-08-01")
    changes = part_text(page, r'<section aria-labelledby="changes-title".*?</section>')
    assert "Announced → In progress event 2 Progress reported" in changes.replace("\xa0", " ")
    assert "Exceeded" not in changes
    assert "Exceeded" not in part_text(page, r'<ul class="chips".*?</ul>')


# --- numbers that fit each other


def test_a_share_of_the_target_never_stands_beside_a_count_of_members(lite: Api) -> None:
    group = {"rule": "each_member", "members": ["BE", "FR"]}
    lite.open("group", kind="ratio", target="at least 2 percent:gdp", group=group)
    for member, verdict, figure in (("BE", "not_met", "1.3"), ("FR", "met", "2.1")):
        lite.add({"type": "MemberReported", "stated_on": "2024-09-01", "source": SOURCE, "member": member,
                  "verdict": verdict, "figure": {"quantity": f"{figure} percent:gdp", "basis": "level"}},
                 "group")  # fmt: skip
    lite.add(progress("1.3 percent:gdp", figure={"basis": "level"}), "group")
    assert lite.get("/v1/pledges/group").json()["ratio"] is not None
    headline = part_text(shown(lite, "/pledges/group"), r'<div class="headline">.*?</div>')
    row = part_text(shown(lite, "/"), r'<td role="cell" class="pledge-progress">.*?</td>')
    for said in (headline, row, text_of(shown(lite, "/embed/group"))):
        assert "1 of 2 members" in said
        assert "65" not in said


def test_a_figure_that_counted_until_it_was_replaced_is_not_said_to_not_count(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    lite.add(progress("over 50bn EUR", stated_on="2025-01-10", figure={"period": {"start": "2024-01-01",
             "end": "2024-12-31"}}))  # fmt: skip
    lite.add(progress("1bn EUR", stated_on="2025-01-11", figure={"stage": "pledged"}, source=SOURCE))
    page = shown(lite, "/pledges/aid-2024")
    table = text_of(page[page.index("<table data-points") :])
    assert re.search(r"20,900,000,000.EUR\s*until 10.Jan.2025", table)
    assert "counted until it was replaced" in page
    drawing = re.search(r'<svg class="drawing drawing-wide".*?</svg>', page, re.DOTALL)
    assert drawing is not None
    assert "c-earlier" in drawing[0]


# --- what events say


def test_a_tally_and_a_member_are_shown_with_their_numbers_and_verdicts(lite: Api) -> None:
    group = {"rule": "each_member", "members": ["BE", "FR", "IS"]}
    lite.open("group", kind="ratio", target="at least 2 percent:gdp", group=group)
    lite.add({"type": "TallyReported", "stated_on": "2025-01-10", "source": SOURCE, "met": 2, "not_met": 1,
              "total": 3}, "group")  # fmt: skip
    lite.add({"type": "MemberReported", "stated_on": "2025-01-11", "source": SOURCE, "member": "BE",
              "verdict": "not_met", "figure": {"quantity": "1.3 percent:gdp", "basis": "level"}}, "group")  # fmt: skip
    page = text_of(shown(lite, "/pledges/group"))
    assert "Tally reported: 2 met it, 1 did not, 3 in all" in page
    assert re.search("Member reported: Belgium, not met, 1.3.% of GDP", page)


# --- what is over


def test_a_withdrawn_pledge_is_never_said_to_have_been_in_time(lite: Api) -> None:
    lite.open()
    lite.add({"type": "PledgeWithdrawn", "stated_on": "2024-06-01", "source": SOURCE, "reason": "over"})
    facts = part_text(shown(lite, "/pledges/aid-2024"), r"<dt>Deadline</dt>.*?</dd>")
    assert "no longer stands: it was withdrawn" in facts
    assert "closed" not in facts
    assert "time" not in facts


# --- addresses and days at which there is nothing


@pytest.mark.parametrize("path", ["/nowhere", "/pledges/no-such-pledge"])
def test_a_wrong_address_gets_no_sentence_about_two_clocks(lite: Api, path: str) -> None:
    page = text_of(lite.get(path, headers=BROWSER).text)
    assert "clock" not in page
    assert "another day" not in page


def test_a_pledge_that_was_not_made_by_a_day_says_when_it_was_first_spoken_of(lite: Api) -> None:
    lite.open()
    answer = lite.get("/pledges/aid-2024?as_of=2023-01-01&known_on=2020-01-01", headers=BROWSER)
    assert answer.status_code == 404
    page = text_of(answer.text)
    assert "Nothing had been promised by 1 Jan 2023" in page.replace("\xa0", " ")
    assert 'href="/pledges/aid-2024?as_of=2024-01-10"' in answer.text


def test_the_list_before_the_first_record_tells_what_had_been_said_by_then(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    page = shown(lite, "/?known_on=2020-01-01&as_of=2024-02-01")
    assert "Aid of 2024" in page
    assert "20.9" not in text_of(page)
    assert "later than the day asked for" in page
    assert "later than the day asked for" not in shown(lite, "/?as_of=2024-02-01")


@pytest.mark.parametrize(
    ("path", "what_to_do"),
    [
        ("/nowhere", "Look for a slip in the address"),
        ("/pledges/no-such-pledge", "Look for a slip in its name"),
        ("/?asof=2024-01-01", "The address holds something this page does not take"),
        ("/v2", "Look for a slip in the address"),
    ],
)
def test_every_page_of_a_problem_says_what_to_do(lite: Api, path: str, what_to_do: str) -> None:
    answer = lite.get(path, headers=BROWSER)
    assert answer.status_code >= 400
    assert answer.headers["content-type"].startswith("text/html")
    assert what_to_do in text_of(answer.text)


def test_a_target_that_was_moved_after_the_close_stands_beside_no_answer_of_the_old_one(lite: Api) -> None:
    lite.open()
    period = {"start": "2024-01-01", "end": "2024-12-31"}
    figure = {"quantity": "30bn EUR", "basis": "cumulative", "period": period}
    lite.add(progress(stated_on="2025-01-20", figure=figure))
    lite.add({"type": "PledgeRevised", "stated_on": "2025-03-01", "source": SOURCE, "target": "25bn EUR",
              "reason": "A smaller budget."})  # fmt: skip
    page = shown(lite, "/pledges/aid-2024?as_of=2025-03-02")
    assert "€30bn of at least €40bn · 75" in text_of(page).replace("\xa0", " ")
    assert "€30bn of €25bn" not in page
    assert "€30bn of at least €40bn" in shown(lite, "/?as_of=2025-03-02")


def test_one_period_is_no_plural(lite: Api) -> None:
    lite.open(window=None, recurrence={"every": "year", "start": "2024-01-01"})
    assert "0 of 1 year kept" in shown(lite, "/pledges/aid-2024?as_of=2025-03-02")


# --- no sentence beside one that says otherwise


def test_of_an_indeterminate_pledge_nobody_says_that_it_was_not_kept(lite: Api) -> None:
    lite.open()
    year = {"start": "2024-01-01", "end": "2024-12-31"}
    lite.add(progress("at least 30bn EUR", stated_on="2025-02-12", figure={"period": year}))
    page = text_of(shown(lite, "/pledges/aid-2024?as_of=2025-03-01"))
    assert "nobody can say whether it was kept" in page
    assert "not kept" not in page


def test_what_hangs_on_a_condition_is_not_said_to_be_due(lite: Api) -> None:
    lite.open(conditions=[{"condition": "law", "text": "that parliament agrees"}])
    drawing = re.compile(r'<svg class="drawing drawing-wide".*?</svg>', re.DOTALL)
    page = shown(lite, "/pledges/aid-2024?as_of=2025-03-01")
    found = drawing.search(page)
    assert found is not None
    assert ">due<" not in found[0]
    assert "c-pace" not in found[0]
    lite.add({"type": "ConditionReported", "stated_on": "2024-02-01", "source": SOURCE, "condition": "law",
              "state": "fulfilled"})  # fmt: skip
    found = drawing.search(shown(lite, "/pledges/aid-2024?as_of=2025-03-01"))
    assert found is not None
    assert ">due<" in found[0]
    assert "c-pace" in found[0]


def test_a_pace_says_by_which_day_it_was_so(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    facts = part_text(shown(lite, "/pledges/aid-2024?as_of=2025-03-01"), r"<dt>Pace</dt>.*?</dd>").replace("\xa0", " ")
    assert facts == "Paceon track by 30 Jun 2024"


def test_the_pledge_itself_is_not_named_among_the_reports_that_raised_a_flag(lite: Api) -> None:
    lite.open()
    for publisher, quantity in (("One", "20.9bn EUR"), ("Two", "20.9bn USD")):
        lite.add(progress(quantity, source={"publisher": publisher, "tier": "media"}))
    flags = part_text(shown(lite, "/pledges/aid-2024"), r'<ul class="flag-list".*?</ul>').replace("\xa0", " ")
    assert "Unit error? the same digits in two currencies (event 2, event 3)" in flags


def test_a_chart_without_a_target_is_not_said_to_stand_against_one(lite: Api) -> None:
    lite.open(target=None)
    lite.add(progress())
    page = text_of(shown(lite, "/pledges/aid-2024"))
    assert "Reported so far" in page
    assert "against the promise" not in page


# --- what is no part of its target


@pytest.mark.parametrize(
    ("made", "reported", "said"),
    [
        ({"target": "at most 40 count:cases", "direction": "down"}, "45 count:cases",
         "45 cases, limit 40 cases · 112.5 %"),
        ({"target": "under 40 count:cases", "direction": "down"}, "45 count:cases", "45 cases, limit under 40 cases"),
        ({"target": "0 count:cases", "direction": "down"}, "5 count:cases", "5 cases, limit 0 cases"),
        ({"target": "at most 40 count:cases", "direction": "down"}, None, "nothing reported, limit 40 cases"),
        ({"target": "up to 40 count:cases"}, "30 count:cases", "30 cases of up to 40 cases"),
        ({"target": "at least 55 percent:below-baseline",
          "baseline": {"quantity": "100 count:mtco2e", "on": "1990"}}, "67 count:mtco2e",
         "67 mtco2e, target at most 45 mtco2e · 60 % of the way"),
    ],
)  # fmt: skip
def test_a_ceiling_and_a_way_to_go_are_no_whole_of_which_there_is_a_part(
    lite: Api, made: dict[str, Any], reported: str | None, said: str
) -> None:
    lite.open(kind="count", **made)
    if reported:
        basis = "level" if "baseline" in made else "cumulative"
        lite.add(progress(reported, figure={"basis": basis}))
    headline = part_text(shown(lite, "/pledges/aid-2024?as_of=2024-08-01"), r'<p class="headline-text.*?</p>')
    assert headline.replace("\xa0", " ").startswith(said)
    listed = text_of(shown(lite, "/?as_of=2024-08-01")).replace("\xa0", " ")
    assert said.partition(" · ")[0] in listed
    framed = text_of(shown(lite, "/embed/aid-2024?as_of=2024-08-01")).replace("\xa0", " ")
    assert ("of the limit" in framed) == ("112.5 %" in said or "under" in said)


def test_what_a_status_has_none_of_is_a_dash_beside_what_it_had(lite: Api) -> None:
    lite.open()
    wrong = lite.add(progress("50bn EUR"))["event"]["id"]
    lite.add({"type": "EventVoided", "stated_on": "2024-07-12", "event": wrong, "reason": "another pledge"})
    panel = part_text(shown(lite, "/pledges/aid-2024?as_of=2024-08-01"), r'<section class="panel compare".*?</section>')
    assert "Stage" in panel
    assert "as below" not in panel


def test_a_tally_of_what_is_to_come_is_no_result(lite: Api) -> None:
    lite.open(kind="ratio", target="at least 2 percent:gdp", group={"rule": "each_member", "members": ["BE", "FR"]})
    lite.add({"type": "TallyReported", "stated_on": "2024-07-10", "source": SOURCE, "met": 1, "not_met": 1, "total": 2,
              "nature": "projection"})  # fmt: skip
    page = text_of(shown(lite, "/pledges/aid-2024?as_of=2024-08-01"))
    assert "Tally reported: 1 expected to meet it, 1 not expected to, 2 in all" in page


def test_who_promised_together_stands_with_the_shares_in_one_line(lite: Api) -> None:
    lite.open(joint=[{"party": {"name": "Norway"}, "share": "25"}, {"party": {"name": "Sweden"}}])
    page = text_of(shown(lite, "/pledges/aid-2024?as_of=2024-08-01")).replace("\xa0", " ")
    assert "Together withNorway (25 %), Sweden" in page


def test_no_deadline_is_said_once(lite: Api) -> None:
    lite.open(kind="qualitative", target=None, window=None)
    page = shown(lite, "/pledges/aid-2024?as_of=2024-08-01")
    assert part_text(page, r"<dt>Deadline</dt>.*?</dd>") == "Deadlineno deadline"
