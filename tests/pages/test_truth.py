"""What a page of a pledge must not say: nothing untrue, and nothing that misleads."""

import re
from typing import Any

import pytest

from tests.support.api import SOURCE, Api, progress, statement
from tests.support.pages import BROWSER, text_of


def shown(api: Api, path: str) -> str:
    answer = api.get(path, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    return answer.text


def part(page: str, pattern: str) -> str:
    found = re.search(pattern, page, re.DOTALL)
    assert found is not None, pattern
    return text_of(found[0])


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
    panel = part(shown(lite, "/pledges/aid-2024?as_of=2024-08-01"), r'<section class="panel compare".*?</section>')
    assert "event 2 (Progress reported: €209bn) was corrected by us in event 3: a slip" in panel
    assert "Actual €209bn €20.9bn" in panel
    assert "30bn" not in panel


def test_only_the_repairs_that_changed_something_are_named(lite: Api) -> None:
    lite.open()
    wrong = lite.add(progress("209bn EUR"))["event"]["id"]
    talk = lite.add(statement())["event"]["id"]
    lite.add(corrected(talk, summary="better words"))
    lite.add(corrected(wrong, figure={"quantity": {"value": "20900000000"}}))
    panel = part(shown(lite, "/pledges/aid-2024"), r'<section class="panel compare".*?</section>')
    assert "in event 5: a slip" in panel
    assert "event 4" not in panel


def test_a_figure_that_we_corrected_never_changed_the_status(lite: Api) -> None:
    lite.open()
    wrong = lite.add(progress("209bn EUR"))["event"]["id"]
    lite.add(corrected(wrong, figure={"quantity": {"value": "20900000000"}}))
    page = shown(lite, "/pledges/aid-2024?as_of=2024-08-01")
    changes = part(page, r'<section aria-labelledby="changes-title".*?</section>')
    assert "Announced → In progress event 2 Progress reported" in changes.replace("\xa0", " ")
    assert "Exceeded" not in changes
    assert "Exceeded" not in part(page, r'<ul class="chips".*?</ul>')


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
    headline = part(shown(lite, "/pledges/group"), r'<div class="headline">.*?</div>')
    row = part(shown(lite, "/"), r'<p class="progress num".*?</p>')
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
    facts = part(shown(lite, "/pledges/aid-2024"), r"<dt>Deadline</dt>.*?</dd>")
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
    assert "20.9" not in page
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
