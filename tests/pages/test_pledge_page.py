"""What the pages say of pledges: whatever is on record, and what follows from what."""

import re
from typing import Any

import pytest

from api.pages.form_fields import RECORD_KEEPING
from tests.support.api import SOURCE, Api, progress
from tests.support.pages import BROWSER, text_of
from tracker.facts import FACT_TYPES


def terms_of_version_two(api: Api) -> None:
    """Pledges with a condition, instalments and another party, with periods, and against a baseline."""
    api.open("hung", conditions=[{"condition": "law", "text": "if parliament agrees"}],
             joint=[{"party": {"name": "Norway", "code": "NO"}, "share": "25"}],
             instalments=[{"due": "2024-06", "quantity": "10bn EUR"},
                          {"due": "2024", "quantity": "30bn EUR"}])  # fmt: skip
    every_half = {"every": "half", "start": "2024-01-01", "end": "2025-12-31"}
    api.open("yearly", window=None, recurrence=every_half, target="at least 50bn EUR")
    baseline = {"quantity": "100 count:mtco2e", "on": "1990", "text": "as of 1990"}
    api.open("cleaner", kind="count", target="at least 55 percent:below-baseline", baseline=baseline)


def test_every_type_of_fact_is_shown_at_every_clock(lite: Api) -> None:
    """One of each: nothing on record keeps a page from being shown, at any point on both clocks."""
    api, ids = lite, {}
    group = {"rule": "each_member", "members": ["BE", "FR", "IS", "NL"], "opted_out": ["NL"],
             "not_applicable": [{"member": "IS", "reason": "no armed forces"}]}  # fmt: skip
    api.open("whole")
    window = {"start": "2024-01-01", "end": "2024-12-31", "latest": "2025-07-31", "text": "this year"}
    to = {"name": "Ukraine", "code": "UA"}
    api.open("aid", part_of="whole", beneficiary=to, required_stage="committed", window=window)
    api.open("group", kind="ratio", target="at least 2 percent:gdp", group=group)
    api.open("steps", kind="milestone", target=None, window=None)
    api.open("words", kind="qualitative", target=None, window=None, measurable=False, measurable_note="no test")
    terms_of_version_two(api)

    def add(pledge: str, name: str, type_: str, **fields: Any) -> None:
        source = {} if type_ in RECORD_KEEPING else {"source": SOURCE}
        said = {"type": type_, "stated_on": "2024-07-10", **source, **fields}
        ids[name] = api.add(said, pledge)["event"]["id"]

    def figure(quantity: str, **fields: Any) -> dict[str, Any]:
        half = {"start": "2024-01-01", "end": "2024-06-30"}
        return {"quantity": quantity, "basis": "cumulative", "stage": "committed", "period": half} | fields

    add("aid", "first", "ProgressReported", figure=figure("209bn EUR"))
    add("aid", "again", "ProgressReported", figure=figure("about 21bn EUR"), source={**SOURCE, "publisher": "Other"})
    add("aid", "dollars", "ProgressReported", figure=figure("30bn USD", stage="disbursed"), speaker={"name": "S"})
    add("aid", "hope", "ProgressReported", figure=figure("between 40bn and 60bn EUR", nature="projection"))
    api.open("spent", target=None)
    add("spent", "spent", "ProgressReported", figure=figure("485bn USD"))
    add("spent", "growth", "ProgressReported", figure=figure("nearly 20 percent:increase-on-2023", basis="level"))
    add("aid", "test", "StatementMade", summary="a test", stance="doubts", trajectory="behind", quote="slow")
    add("aid", "share", "ShareReported", subset="Europe", share="more than half", of=ids["again"])
    add("aid", "repair", "EventCorrected", event=ids["first"], reason="a slip",
        changes={"figure": {"quantity": {"value": "20900000000"}}})  # fmt: skip
    add("aid", "void", "EventVoided", event=ids["test"], reason="a test")
    add("aid", "rank", "FigureRanked", event=ids["again"], rank="deprecated", reason="vague")
    add("aid", "proof", "SourceCaptured", event=ids["first"], sha256="0" * 64, archive_url="https://example.org/a")
    add("aid", "restated", "FigureRestated", event=ids["first"], figure=figure("22bn EUR"), reason="revalued",
        stated_on="2024-08-01")  # fmt: skip
    add("aid", "same", "PledgeReaffirmed", stated_on="2024-09-01")
    add("aid", "more", "PledgeRevised", target="between 50bn and 60bn EUR", reason="raised", stated_on="2024-10-01",
        window={"start": "2024-01-01", "end": "2026-12-31"})  # fmt: skip
    add("aid", "claim", "PledgeExceeded", stated_on="2025-02-12")
    add("aid", "vague", "PledgeMet", figure=figure("over 50bn EUR", stage="disbursed"), stated_on="2025-03-01")
    add("aid", "back", "StatementRetracted", event=ids["vague"], reason="a slip", stated_on="2025-04-01")
    add("aid", "grade", "AssessmentIssued", rating="B", rubric="R", rubric_version="1", reasoning="well")
    add("group", "row", "MemberReported", member="BE", verdict="met", figure=figure("2.1 percent:gdp", basis="level"))
    add("group", "later", "TallyReported", met="two-thirds of members", nature="projection")
    add("group", "tally", "TallyReported", met=1, not_met=1, total=4, stated_on="2024-08-01")
    add("group", "gone", "PledgeWithdrawn", reason="over", stated_on="2025-01-01")
    add("steps", "plan", "MilestoneScheduled", milestone="agreed", due="2024-Q4")
    add("steps", "half", "MilestoneReached", milestone="agreed", partly=True, stated_on="2024-11-01")
    add("steps", "plan2", "MilestoneScheduled", milestone="built", due="2025-H1", stated_on="2024-11-02")
    add("steps", "late", "MilestoneMissed", milestone="built", stated_on="2025-07-01")
    add("words", "miss", "PledgeMissed", stated_on="2025-01-01")
    add("words", "next", "PledgeSuperseded", by="aid", stated_on="2025-02-01")
    add("hung", "agreed", "ConditionReported", condition="law", state="fulfilled", stated_on="2024-09-10")
    add("hung", "paid", "ProgressReported", figure=figure("1bn EUR", stage="pledged"), stated_on="2024-09-11")
    add("yearly", "kept", "ProgressReported", figure=figure("60bn EUR"), stated_on="2024-09-11")
    assert {event["fact"]["type"] for event in api.get("/v1/events?limit=1000").json()["items"]} == set(FACT_TYPES)

    days = ("2024-01-10", "2024-07-10", "2024-09-30", "2024-12-31", "2025-03-15", "2026-01-01", "2027-06-01")
    for pledge in ("whole", "aid", "group", "steps", "words", "spent", "hung", "yearly", "cleaner"):
        for day in days:
            for path in (f"{pledge}?", f"{pledge}?at_position=15&", f"{pledge}/record?axis=known&"):
                page = api.get(f"/pledges/{path}as_of={day}", headers=BROWSER)
                assert page.status_code == 200, (path, day)
    for day in days:
        for path in (f"/?as_of={day}", f"/?as_of={day}&at_position=15", f"/compare?from=2024-01-01&to={day}"):
            assert api.get(path, headers=BROWSER).status_code == 200, path
    shown = api.get("/pledges/aid?as_of=2025-05-01", headers=BROWSER).text
    for words_ in (
        "first deadline",
        "corrected by us",
        "restated by its source",
        "taken back",
        "void",
        "Revised target",
    ):
        assert words_ in shown, words_


# --- what follows from what


def rows_of(page: str, table: str) -> list[list[str]]:
    found = re.search(rf"<table {table}.*?</table>", page, re.DOTALL)
    assert found is not None
    rows = re.findall(r"<tr.*?</tr>", found[0], re.DOTALL)[1:]
    return [[text_of(c) for c in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


def test_a_single_source_is_linked_where_its_origin_counts(lite: Api) -> None:
    """The pledge and a figure that is passed over quote other origins: they are not what counts."""
    lite.open(source=SOURCE | {"origin": "The pledge's"})
    lite.add(progress("20bn EUR", stated_on="2024-05-10", source=SOURCE | {"origin": "Another"},
                      figure={"period": {"start": "2024-01-01", "end": "2024-04-30"}}))  # fmt: skip
    lite.add(progress("21bn EUR", source=SOURCE | {"origin": "The chosen one's"}))
    page = lite.get("/pledges/aid-2024?as_of=2024-12-01", headers=BROWSER).text
    flag = re.search(r"Single source</span>.*?</li>", page, re.DOTALL)
    evidence = re.search(r"<dt>Evidence</dt>.*?</dd>", page, re.DOTALL)
    assert flag is not None
    assert evidence is not None
    assert text_of(flag[0]) == "Single source what counts here goes back to one origin (event 3)"
    assert text_of(evidence[0]) == "Evidenceone origin event 3"
    lite.add(progress("21bn EUR", stated_on="2024-07-11", source={"publisher": "Other", "tier": "media"}))
    page = lite.get("/pledges/aid-2024?as_of=2024-12-01", headers=BROWSER).text
    evidence = re.search(r"<dt>Evidence</dt>.*?</dd>", page, re.DOTALL)
    assert evidence is not None
    assert text_of(evidence[0]) == "Evidencetwo origins or more event 3, event 4"


def test_parts_of_a_sum_that_have_an_origin_each_are_not_said_to_share_one(lite: Api) -> None:
    lite.open()
    for half, publisher in (("01-01/06-30", "One"), ("07-01/12-31", "Two")):
        start, end = (f"2024-{day}" for day in half.split("/"))
        lite.add(progress("10bn EUR", stated_on=end, source={"publisher": publisher, "tier": "media"},
                          figure={"basis": "increment", "period": {"start": start, "end": end}}))  # fmt: skip
    page = text_of(lite.get("/pledges/aid-2024", headers=BROWSER).text)
    assert "Single source each of these goes back to one origin only (event 2, event 3)" in page


def test_members_and_milestones_name_the_reports_that_count(lite: Api) -> None:
    group = {"rule": "each_member", "members": ["BE", "FR"]}
    lite.open("group", kind="ratio", target="at least 2 percent:gdp", group=group, source=SOURCE | {"origin": "X"})
    lite.add({"type": "TallyReported", "stated_on": "2025-01-10", "source": SOURCE, "met": 1, "not_met": 1, "total": 2},
             "group")  # fmt: skip
    lite.open("steps", kind="milestone", target=None, window=None)
    lite.add({"type": "MilestoneReached", "stated_on": "2025-01-10", "source": SOURCE, "milestone": "agreed"}, "steps")
    for pledge in ("group", "steps"):
        page = text_of(lite.get(f"/pledges/{pledge}", headers=BROWSER).text)
        assert "Single source what counts here goes back to one origin (event 2)" in page


def test_a_restated_figure_stands_in_the_chart_on_the_days_on_which_each_was_said(lite: Api) -> None:
    lite.open()
    figure = {"period": {"start": "2024-01-01", "end": "2024-08-31"}}
    first = lite.add(progress("55bn EUR", stated_on="2024-09-10", figure=figure))["event"]["id"]
    quantity = {"quantity": "45bn EUR", "basis": "cumulative", **figure}
    lite.add({"type": "FigureRestated", "stated_on": "2024-10-10", "source": SOURCE, "event": first, "figure": quantity,
              "reason": "counted twice"})  # fmt: skip
    page = lite.get("/pledges/aid-2024", headers=BROWSER).text
    assert rows_of(page, "data-points") == [
        ["10 Sep 2024", "31 Aug 2024", "€55bn", "55,000,000,000 EUR", "until 10 Oct 2024"],
        ["10 Oct 2024", "31 Aug 2024", "€45bn", "45,000,000,000 EUR", "yes"],
    ]
    drawing = re.search(r'<svg class="drawing drawing-wide".*?</svg>', page, re.DOTALL)
    assert drawing is not None
    assert re.findall(r'<circle class="(c-point[^"]*)"', drawing[0]) == ["c-point c-earlier", "c-point"]
    assert "counted until it was replaced" in page
    before = lite.get("/pledges/aid-2024?as_of=2024-10-09", headers=BROWSER).text
    assert rows_of(before, "data-points") == [["10 Sep 2024", "31 Aug 2024", "€55bn", "55,000,000,000 EUR", "yes"]]
    assert "counted until it was replaced" not in before


@pytest.mark.parametrize("latest", ["2025-01-31", "2025-02-28", "2025-12-31"])
def test_no_label_of_a_chart_is_printed_over_another(lite: Api, latest: str) -> None:
    lite.open(window={"start": "2024-01-01", "end": "2024-03-31"})
    more = {"start": "2024-01-01", "end": "2024-12-31", "latest": latest}
    lite.add({"type": "PledgeRevised", "stated_on": "2024-02-10", "source": SOURCE, "reason": "moved", "window": more,
              "target": "at least 41bn EUR"})  # fmt: skip
    lite.add(progress())
    page = lite.get("/pledges/aid-2024", headers=BROWSER).text
    for size, width, late in (("wide", 720, "or, read late, here"), ("narrow", 360, "late")):
        drawn = re.search(rf'<svg class="drawing drawing-{size}".*?</svg>', page, re.DOTALL)
        assert drawn is not None
        texts = r'<text class="c-(?:label|note)" x="([\d.]+)" y="([\d.]+)"( text-anchor="end")?>([^<]+)<'
        found = re.findall(texts, drawn[0])
        if size == "wide":
            assert {text for *_, text in found} >= {"due", late, "first deadline", "target: at least €41bn"}
        boxes = [(float(x) - 8 * len(text) * bool(end), float(y), 8 * len(text)) for x, y, end, text in found]
        for index, (x, y, letters) in enumerate(boxes):
            assert x >= 0
            assert x + letters <= width
            for other_x, other_y, other in boxes[:index]:
                assert abs(y - other_y) >= 15 or x + letters <= other_x or other_x + other <= x


def test_other_words_for_the_same_amount_are_no_difference(lite: Api) -> None:
    lite.open()
    said = lite.add(progress("20.9bn EUR"))["event"]["id"]
    lite.add({"type": "EventCorrected", "stated_on": "2024-07-12", "event": said, "reason": "as printed",
              "changes": {"figure": {"quantity": {"text": "20.9 milliards"}}}})  # fmt: skip
    page = lite.get("/pledges/aid-2024?at_position=2", headers=BROWSER).text
    assert "both say the same" in page


# --- when it is due


def due_of(api: Api, pledge: str, query: str = "") -> tuple[str, str]:
    """The deadline of a pledge on the overview and on its own page; — on both for none."""
    row = re.search(
        rf'<tr role="row" class="pledge" id="p-{pledge}">.*?data-label="Due">(.*?)</td>', shown(api, f"/{query}"), re.S
    )
    own = re.search(
        r"<dt>Deadline</dt><dd>(<time.*?</time>|<span class=.quiet.>no deadline)",
        shown(api, f"/pledges/{pledge}{query}"),
        re.S,
    )
    assert row is not None
    assert own is not None
    return text_of(row[1]), text_of(own[1]).replace("no deadline", "—")


def shown(api: Api, path: str) -> str:
    return api.get(path, headers=BROWSER).text


def scheduled(api: Api, pledge: str, **steps: str | None) -> None:
    """A pledge of milestones, each with its due."""
    api.open(pledge, kind="milestone", target=None, window=None)
    for milestone, due in steps.items():
        fact = {"type": "MilestoneScheduled", "stated_on": "2024-02-01", "source": SOURCE, "milestone": milestone}
        api.add(fact | ({} if due is None else {"due": due}), pledge)


@pytest.mark.parametrize(
    ("pledge", "steps", "deadline"),
    [
        ("dated", {"agreed": "2025-Q1", "built": "2025-12-31"}, "2025-12-31"),
        ("partial", {"agreed": "2025-Q1", "built": "2024"}, "2025-03-31"),
        ("undated", {"agreed": "2025-Q1", "built": None}, None),
    ],
)
def test_a_pledge_of_milestones_is_due_when_the_api_says(
    lite: Api, pledge: str, steps: dict[str, str | None], deadline: str | None
) -> None:
    scheduled(lite, pledge, **steps)
    status = lite.get(f"/v1/pledges/{pledge}").json()
    assert status["deadline"] == deadline
    day = {"2025-12-31": "31 Dec 2025", "2025-03-31": "31 Mar 2025", None: "—"}[deadline]
    assert due_of(lite, pledge) == (day, day)


def test_the_latest_reading_of_the_deadline_is_shown_as_it_stood_on_the_day(lite: Api) -> None:
    lite.open(window={"end": "2024-12-31", "latest": "2025-07-10"})
    later = {"end": "2025-12-31"}
    lite.add({"type": "PledgeRevised", "stated_on": "2024-06-01", "source": SOURCE, "reason": "moved", "window": later})
    assert lite.get("/v1/pledges/aid-2024?as_of=2024-05-31").json()["deadline"] == "2025-07-10"
    assert due_of(lite, "aid-2024", "?as_of=2024-05-31") == ("10 Jul 2025", "10 Jul 2025")
    assert due_of(lite, "aid-2024") == ("31 Dec 2025", "31 Dec 2025")


def test_a_target_from_nothing_on_is_drawn(lite: Api) -> None:
    lite.open(target="between 0 and 5bn EUR")
    assert "between €0 and €5bn" in shown(lite, "/")
    assert "between €0 and €5bn" in shown(lite, "/pledges/aid-2024")
