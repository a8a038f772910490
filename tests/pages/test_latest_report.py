"""What was said last stands on the page as corrected, and no more precisely than its source."""

import re
from typing import Any

import pytest

from tests.support.api import SOURCE, Api, progress, statement
from tests.support.pages import BROWSER, part_text, shown, text_of


def corrected(event: str, **changes: Any) -> dict[str, Any]:
    return {"type": "EventCorrected", "stated_on": "2024-07-12", "event": event, "reason": "a slip", "changes": changes}


# --- what is reported last, and as corrected


def latest(page: str) -> str:
    return part_text(page, r'<section class="latest".*?</section>').replace("\xa0", " ")


def test_talk_is_no_report(lite: Api) -> None:
    lite.open()
    lite.add(statement(stance="supports"))
    lite.add({"type": "PledgeReaffirmed", "stated_on": "2024-08-02", "source": SOURCE})
    assert "Nobody has reported anything that counts" in latest(shown(lite, "/pledges/aid-2024"))


def test_what_was_withdrawn_has_the_last_report_from_before(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    lite.add({"type": "PledgeWithdrawn", "stated_on": "2024-08-01", "source": SOURCE, "reason": "no majority"})
    assert "Progress reported: €20.9bn" in latest(shown(lite, "/pledges/aid-2024"))


def test_a_corrected_report_is_shown_as_corrected_and_says_what_was_recorded(lite: Api) -> None:
    lite.open()
    wrong = lite.add(progress("209bn EUR"))["event"]["id"]
    lite.add(corrected(wrong, figure={"quantity": {"value": "20900000000"}}))
    page = shown(lite, "/pledges/aid-2024?as_of=2024-08-01")
    assert "Progress reported: €20.9bn" in latest(page)
    changes = part_text(page, r'<section aria-labelledby="changes-title".*?</section>')
    assert "Progress reported: €20.9bn" in changes
    line = part_text(page, rf'<details class="event" data-key="{wrong}">.*?</summary>')
    assert "Progress reported: €20.9bn recorded as €209bn corrected by us" in line
    whole = shown(lite, "/pledges/aid-2024/record?as_of=2024-08-01")
    record = part_text(whole, rf'<li class="event" id="event-{wrong}".*?</h3>')
    assert "€209bn" in record


def test_a_restated_report_is_the_restatement_from_its_day_on(lite: Api) -> None:
    lite.open()
    first = lite.add(progress())["event"]["id"]
    figure = {"quantity": "18bn EUR", "basis": "cumulative", "period": {"start": "2024-01-01", "end": "2024-06-30"}}
    lite.add({"type": "FigureRestated", "stated_on": "2024-10-10", "source": SOURCE, "event": first, "figure": figure,
              "reason": "counted twice"})  # fmt: skip
    assert "Progress reported: €20.9bn" in latest(shown(lite, "/pledges/aid-2024?as_of=2024-10-09"))
    assert "Figure restated by its source: €18bn" in latest(shown(lite, "/pledges/aid-2024?as_of=2024-10-10"))


def test_a_repair_that_was_voided_repaired_nothing(lite: Api) -> None:
    lite.open()
    said = lite.add(progress())["event"]["id"]
    rank = {"type": "FigureRanked", "stated_on": "2024-08-01", "event": said, "rank": "deprecated", "reason": "vague"}
    ranked = lite.add(rank)["event"]["id"]
    assert "ranked by a reviewer" in shown(lite, "/pledges/aid-2024")
    lite.add({"type": "EventVoided", "stated_on": "2024-08-02", "event": ranked, "reason": "a test"})
    assert "ranked by a reviewer" not in part_text(
        shown(lite, "/pledges/aid-2024"), rf'<details class="event" data-key="{said}">.*?</summary>'
    )


def test_a_figure_that_was_taken_back_is_drawn_and_says_until_when_it_counted(lite: Api) -> None:
    lite.open()
    said = lite.add(progress())["event"]["id"]
    lite.add({"type": "StatementRetracted", "stated_on": "2024-11-01", "source": SOURCE, "event": said, "reason": "x"})
    page = shown(lite, "/pledges/aid-2024?as_of=2024-12-01")
    table = text_of(page[page.index("<table data-points") :])
    assert re.search(r"20,900,000,000.EUR\s*until 1.Nov.2024", table)
    assert "No figure was reported" not in page
    assert "Nobody has reported anything that counts" in latest(page)


# --- no more precise than its source


def test_a_report_of_some_day_of_a_month_is_said_to_be_of_that_month(lite: Api) -> None:
    lite.open(stated_on="2024-01-01", precision="month")
    lite.add(progress(stated_on="2024-07-01", precision="quarter"))
    page = shown(lite, "/pledges/aid-2024?as_of=2024-12-01").replace("\xa0", " ")
    changes = part_text(page, r'<section aria-labelledby="changes-title".*?</section>')
    assert "January 2024 Announced" in changes
    assert "Q3 2024 Announced → In progress" in changes
    table = text_of(page[page.index("<table data-points") :])
    assert "Q3 2024" in table
    assert "said in Q3 2024" in page
    assert "1 Jul 2024" not in text_of(page)
    assert '"datePublished": "2024-01"' in page


@pytest.mark.parametrize(
    ("basis", "nature", "said"),
    [
        ("cumulative", "actual", "€20.9bn"),
        ("increment", "actual", "€20.9bn (increment)"),
        ("increment", "provisional", "€20.9bn (increment, provisional)"),
        ("cumulative", "estimate", "€20.9bn (estimate)"),
    ],
)
def test_a_figure_that_is_no_total_says_so(lite: Api, basis: str, nature: str, said: str) -> None:
    lite.open()
    lite.add(progress(figure={"basis": basis, "nature": nature}))
    assert f"Progress reported: {said} 10 Jul 2024" in latest(shown(lite, "/pledges/aid-2024?as_of=2024-08-01"))


def test_a_number_of_thirty_digits_is_shown_in_full(lite: Api) -> None:
    lite.open(target="at least 123456789012345678901234567890 EUR")
    assert "123,456,789,012,345,678,901,234,567,890" in shown(lite, "/pledges/aid-2024")


# --- what leads on


def test_what_took_the_place_of_a_pledge_is_named_and_linked(lite: Api) -> None:
    lite.open("next")
    lite.open()
    said = lite.add({"type": "PledgeSuperseded", "stated_on": "2024-08-01", "source": SOURCE, "by": "next"})
    page = shown(lite, "/pledges/aid-2024?as_of=2024-09-01")
    because = re.search(r'<p class="because">.*?</p>', page, re.DOTALL)
    assert because is not None
    assert '<a href="/pledges/next?as_of=2024-09-01">next</a>' in because[0]
    assert "Pledge superseded: by next" in text_of(page)
    lite.add({"type": "EventVoided", "stated_on": "2024-08-02", "event": said["event"]["id"], "reason": "wrong pledge",
              "recorded_as": {"pledge": "next", "event": said["event"]["id"]}})  # fmt: skip
    assert f'<a href="/pledges/next#event-{said["event"]["id"]}">next</a>' in shown(lite, "/pledges/aid-2024")


def test_an_old_address_of_the_steps_on_the_other_clock_leads_to_the_record(lite: Api) -> None:
    lite.open()
    answer = lite.get("/pledges/aid-2024?axis=known&as_of=2024-08-01", headers=BROWSER, follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"] == "/pledges/aid-2024/record?as_of=2024-08-01&axis=known#history"
    assert lite.get("/pledges/aid-2024?axis=other", headers=BROWSER).status_code == 400


def test_what_is_linked_as_json_is_what_the_page_shows(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    page = shown(lite, "/pledges/aid-2024?at_position=1&as_of=2024-08-01")
    assert page.count('href="/v1/pledges/aid-2024?as_of=2024-08-01&amp;at_position=1"') == 2
    assert 'href="/v1/pledges/aid-2024?as_of=2024-08-01"' in shown(lite, "/pledges/aid-2024?as_of=2024-08-01")
