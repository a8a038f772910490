"""What the pages say and how they are sent, without a browser."""

import hashlib
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import wording as words
from api.pages.bars import bar
from api.pages.frame import POLICY, static_files
from api.pages.record import sections
from tests.support.api import MONITOR, SOURCE, Api, progress, running, statement
from tests.support.paths import ROOT
from tracker import quantity_words
from tracker.comparison import Direction, compare, ratio
from tracker.facts import FACT_TYPES
from tracker.quantity import Quantity, plain
from tracker.rules.flags import FLAGS

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
KEPT = ("EventCorrected", "EventVoided", "FigureRanked", "SourceCaptured", "AssessmentIssued")
PATHS = ["/", "/pledges/aid-2024", "/audit", "/record", "/record?pledge=aid-2024", "/?since=2024-01-01"]


# --- what is vendored


@pytest.mark.parametrize("folder", ["api/pages/static/vendor", "tests/vendor"])
def test_vendored_files_are_the_published_ones_with_their_licences(folder: str) -> None:
    listed = re.findall(r"^\| (\S+\.js) \| .+ \| `([0-9a-f]{64})` \|$", (ROOT / folder / "README.md").read_text(), re.M)
    assert listed
    for name, digest in listed:
        assert hashlib.sha256((ROOT / folder / name).read_bytes()).hexdigest() == digest, name
        assert (ROOT / folder / name).parent.joinpath("LICENSE").is_file()
    there = {str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*.js")}
    assert there == {name for name, _ in listed}


# --- how pages are sent


@pytest.mark.parametrize("path", PATHS)
def test_a_page_brings_everything_along_from_here(kept: Api, path: str) -> None:
    page = kept.get(path, headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page.text)
    for address in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page.text):
        assert address.startswith("/")
        assert kept.get(address).status_code == 200
    again = kept.get(path, headers={**BROWSER, "If-None-Match": page.headers["etag"]})
    assert again.status_code == 304


def test_static_files_have_their_types_and_nothing_else_is_served(kept: Api) -> None:
    types = {name: kept.get(f"/assets/{name}").headers["content-type"] for name in static_files()}
    assert types["app.js"].startswith("text/javascript")
    assert types["app.css"].startswith("text/css")
    assert types["icon.svg"] == "image/svg+xml"
    assert kept.get("/assets/../pages.py").status_code == 404
    assert kept.get("/assets/%2e%2e/pages.py").status_code == 404


@pytest.mark.parametrize("path", ["/", "/pledges/aid-2024", "/audit", "/record", "/schema", "/nowhere"])
def test_every_page_has_its_icon_from_here(kept: Api, path: str) -> None:
    page = kept.get(path, headers=BROWSER)
    icon = re.search(r'<link rel="icon" href="(/[^"]+)"', page.text)
    assert icon is not None
    assert "img-src 'self'" in page.headers["content-security-policy"]
    for address in (icon[1], "/favicon.ico"):
        found = kept.get(address, headers={"Accept": "image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8"})
        assert (found.status_code, found.headers["content-type"]) == (200, "image/svg+xml")


def test_our_scripts_and_styles_name_no_other_machine() -> None:
    for name, answer in static_files().items():
        if not name.startswith("vendor/") and name.endswith((".js", ".css")):
            text = (answer.body or b"").decode()
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name
            assert not re.search(r"localStorage|sessionStorage|document\.cookie|indexedDB|innerHTML|eval\(", text), name


def test_what_is_recorded_is_never_markup(lite: Api) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    lite.open("evil", title=evil, pledgor={"name": evil}, summary=evil, tags=["a"])
    lite.add(statement(summary=evil, quote=evil, speaker={"name": evil}, source={"publisher": evil, "tier": "media",
             "url": "https://example.org/?\"><script>"}), "evil")  # fmt: skip
    for path in ("/", "/pledges/evil", "/audit", "/record?pledge=evil&type=EventCorrected", "/?since=2020-01-01"):
        page = lite.get(path, headers=BROWSER).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert '"><script>' not in page


# --- what is asked


def test_blank_fields_of_a_form_count_as_not_given(kept: Api) -> None:
    blank = kept.get("/?as_of=&known_on=&since=&axis=&q=&pledgor=&sort=&status=", headers=BROWSER)
    assert blank.status_code == 200
    assert "1 pledge<" in blank.text
    assert str(blank.url).endswith("/")


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("/?q=aid&status=&tag=", "/?q=aid"),
        ("/?q=+&as_of=2024-08-01&status=met,exceeded&sort=", "/?as_of=2024-08-01&status=met,exceeded"),
        ("/audit?by=&pledge=aid-2024&type=", "/audit?pledge=aid-2024"),
        ("/pledges/aid-2024?as_of=2024-08-01&known_on=", "/pledges/aid-2024?as_of=2024-08-01"),
        ("/record?pledge=&type=PledgeMade", "/record?type=PledgeMade"),
        ("/pledges/a%0d%0ab%3f?as_of=", "/pledges/a%0D%0Ab%3F"),
    ],
)
def test_the_address_of_a_form_is_the_one_without_its_blank_fields(kept: Api, asked: str, canonical: str) -> None:
    answer = kept.get(asked, headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, canonical)
    assert kept.client.head(asked, headers=BROWSER, follow_redirects=False).status_code == 302
    assert "location" not in kept.get(canonical, headers=BROWSER, follow_redirects=False).headers


@pytest.mark.parametrize("axis", ["said", "recorded"])
def test_what_changed_is_told_of_the_pledges_in_the_list(lite: Api, axis: str) -> None:
    lite.open()
    lite.open("trees", title="Plant trees", tags=["green"], pledgor={"name": "Belgium", "code": "BE"})
    lite.add(progress("over 50bn EUR"), "trees")

    def changed(query: str) -> set[str]:
        page = lite.get(f"/?since=2024-01-01&axis={axis}&{query}", headers=BROWSER).text
        panel = re.search(r'<section class="panel changes".*?</section>', page, re.DOTALL)
        assert panel is not None
        return set(re.findall(r'<h3><a href="/pledges/([^"?]+)', panel[0]))

    assert changed("") == {"aid-2024", "trees"}
    for query in ("q=trees", "pledgor=BE", "tag=green", "status=exceeded", "q=belgium&tag=green"):
        assert changed(query) == {"trees"}, query
    assert changed("q=aid") == {"aid-2024"}
    assert changed("q=aid&tag=green") == set()


def test_a_filter_without_a_field_of_its_own_stays_when_another_is_set(kept: Api) -> None:
    page = kept.get("/?unit=EUR&due_before=2030-01-01&status=overdue", headers=BROWSER).text
    form = re.search(r'<form class="filters".*?</form>', page, re.DOTALL)
    assert form is not None
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0]))
    assert hidden == {"unit": "EUR", "due_before": "2030-01-01", "status": "overdue"}


@pytest.mark.parametrize("asked", ["beneficiary=ua", "beneficiary=UKRAINE", "pledgor=nato allies", "beneficiary=UA"])
def test_what_is_asked_for_stands_once_among_the_choices(lite: Api, asked: str) -> None:
    lite.open(pledgor={"name": "NATO Allies", "code": "nato-allies"}, beneficiary={"name": "Ukraine", "code": "UA"})
    name, _, _ = asked.partition("=")
    page = lite.get(f"/?{asked}", headers=BROWSER).text
    assert "1 pledge found" in cell(page)
    select = re.search(rf'<select id="{name}".*?</select>', page, re.DOTALL)
    assert select is not None
    options = re.findall(r"<option value=\"([^\"]*)\"( selected)?>([^<]*)<", select[0])
    value, words_ = ("UA", "Ukraine") if name == "beneficiary" else ("nato-allies", "NATO Allies")
    assert options == [("", "", "any"), (value, " selected", words_)]
    elsewhere = lite.get(f"/?{name}=nobody", headers=BROWSER).text
    assert '<option value="nobody" selected>nobody<' in elsewhere


def test_an_unknown_parameter_is_refused_by_a_page_too(kept: Api) -> None:
    page = kept.get("/?asof=2024-01-01", headers=BROWSER)
    assert page.status_code == 400
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert "unknown_parameter" in page.text


def test_a_browser_is_told_in_a_page_and_a_program_in_a_problem(kept: Api) -> None:
    for path in ("/pledges/nothing", "/nowhere", "/problems/nothing"):
        assert kept.get(path, headers=BROWSER).headers["content-type"] == "text/html; charset=utf-8"
        assert kept.get(path).headers["content-type"] == "application/problem+json"
    program = kept.get("/v1/pledges/nothing", headers=BROWSER)
    assert program.headers["content-type"] == "application/problem+json"


def test_the_end_of_a_day_is_what_was_known_on_it(lite: Api) -> None:
    lite.open()
    assert "No pledge fits" in lite.get("/?known_on=2020-01-01", headers=BROWSER).text
    assert "Aid of 2024" in lite.get("/", headers=BROWSER).text
    assert lite.get("/?known_on=2999-01-01", headers=BROWSER).status_code == 400
    assert lite.get("/?known_on=2020-01-01&at_position=1", headers=BROWSER).status_code == 400


def test_a_page_can_be_made_again_from_its_own_footer(lite: Api) -> None:
    lite.open()
    lite.add(progress("20.9bn EUR"))
    page = lite.get("/pledges/aid-2024", headers=BROWSER).text
    again = re.search(r'href="(/pledges/aid-2024\?as_of=[0-9-]+&amp;at_position=2)"', page)
    assert again is not None
    lite.add(progress("over 50bn EUR", stated_on="2024-12-01", figure={"period": {"end": "2024-12-31"}}))
    pinned = lite.get(again[1].replace("&amp;", "&"), headers=BROWSER).text
    assert "€20.9bn of at least €40bn" in pinned
    assert "over €50bn" in pinned  # beside it, as it is now
    assert "over €50bn of at least" in lite.get("/pledges/aid-2024", headers=BROWSER).text


def test_a_whole_replay_is_for_auditors_and_kept_for_nobody(kept: Api) -> None:
    assert "is for auditors" in kept.get("/audit?replay=true", headers=BROWSER).text
    assert "No difference" in kept.get("/audit?replay=true", headers=BROWSER | MONITOR).text
    assert "is for auditors" in kept.get("/audit?replay=true", headers=BROWSER).text
    assert "No difference" in kept.get("/audit?replay=true&pledge=aid-2024", headers=BROWSER).text


def test_the_licence_of_the_data_stands_in_the_footer(sqlite_url: str) -> None:
    with running(sqlite_url, data_license="CC BY 4.0") as api:
        assert "Data: CC BY 4.0." in api.get("/", headers=BROWSER).text
    with running(sqlite_url, data_license="CC-BY-4.0") as api:
        linked = '<a href="https://spdx.org/licenses/CC-BY-4.0.html" rel="license noopener external">CC-BY-4.0</a>'
        assert f"Data: {linked}." in api.get("/", headers=BROWSER).text


def test_a_private_record_is_no_page_for_strangers(sqlite_url: str) -> None:
    with running(sqlite_url, public_read=False) as api:
        api.open(title="A secret")
        for path in PATHS:
            page = api.get(path, headers=BROWSER)
            assert page.status_code == 401
            assert page.headers["content-type"].startswith("text/html")
            assert page.headers["content-security-policy"] == POLICY
            assert page.headers["www-authenticate"].startswith("Bearer")
            assert "This record is not public" in page.text
            assert "key with the role “reader”" in page.text
            assert "secret" not in page.text
            assert api.get(path).headers["content-type"] == "application/problem+json"
            revoked = api.get(path, headers=BROWSER | {"Authorization": "Bearer 0123456789ab.nonsense"})
            assert "The key is not known, or it is revoked" in revoked.text
        assert api.get("/", headers=BROWSER | MONITOR).status_code == 200
        assert api.get("/", headers=BROWSER).status_code == 401


def test_a_voided_pledge_is_found_in_the_log_and_replayed_to_nothing(lite: Api) -> None:
    made_ = lite.open()["event"]["id"]
    lite.add(progress())
    lite.open("other")
    assert 'href="/pledges/aid-2024#event-' in lite.get("/audit", headers=BROWSER).text
    lite.add({"type": "EventVoided", "stated_on": "2024-08-01", "event": made_, "reason": "a test"})
    assert lite.get("/pledges/aid-2024", headers=BROWSER).status_code == 404
    page = lite.get("/audit", headers=BROWSER).text
    links = re.findall(r'href="(/(?:pledges|audit)[^"]*)"[^>]*>(aid-2024|other)<', page)
    assert {link.partition("#")[0] for link, _ in links} == {"/audit?pledge=aid-2024", "/pledges/other"}
    for link, _ in links:
        assert lite.get(link, headers=BROWSER).status_code == 200
    replayed = lite.get("/audit?pledge=aid-2024&replay=true", headers=BROWSER)
    assert replayed.status_code == 200
    said = cell(replayed.text)
    assert "No difference. The log has 3 events of aid-2024 up to position 4. Folded, they are no pledge as of" in said
    assert "The projection has no such pledge either." in said
    assert "Our record voided" in said
    assert 'href="/audit?pledge=aid-2024"' in lite.get("/pledges/aid-2024", headers=BROWSER).text


def test_a_replay_at_a_day_before_the_pledge_shows_its_log_and_says_so(kept: Api) -> None:
    said = cell(kept.get("/audit?as_of=2020-01-01&pledge=aid-2024&replay=true", headers=BROWSER).text)
    assert "The log has 2 events of aid-2024 up to position 2. Folded, they are no pledge as of 1 Jan 2020" in said
    assert "Progress reported" in said
    nobody = kept.get("/audit?pledge=nobody&replay=true", headers=BROWSER)
    assert nobody.status_code == 200
    assert "The log has no event of nobody up to position 2." in cell(nobody.text)


def test_what_a_problem_means_is_a_page_for_browsers_and_json_for_programs(kept: Api) -> None:
    for path in ("/problems", "/problems/unknown_parameter", "/problems/unauthorized"):
        page = kept.get(path, headers=BROWSER)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"] == POLICY
        assert '<html lang="en">' in page.text
        assert len(re.findall("<h1>", page.text)) == len(re.findall("<main", page.text)) == 1
        program = kept.get(path)
        assert program.headers["content-type"] == "application/json"
        assert "Accept" in page.headers["vary"]
        assert "Accept" in program.headers["vary"]
    shown = kept.get("/problems/unknown_parameter", headers=BROWSER).text
    assert "<title>No such parameter · Commitments Tracker</title>" in shown
    assert kept.get("/problems/unknown_parameter").json()["about"] in unescape(shown)


def test_the_name_of_a_parameter_is_written_as_it_is(kept: Api) -> None:
    page = unescape(kept.get("/pledges/aid-2024?compare=true", headers=BROWSER).text)
    assert "<p class=\"standfirst\">'compare' is not known here" in page
    assert "first-letter" not in (static_files()["app.css"].body or b"").decode()
    assert '<p class="standfirst">Nothing is served' in kept.get("/nowhere", headers=BROWSER).text


# --- whatever is on record


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
    api.open("hangs", window=window, conditions=[{"condition": "parliament", "text": "if parliament agrees"}])
    api.open("yearly", window=None, recurrence={"every": "year", "start": "2023-01-01"})

    def add(pledge: str, name: str, type_: str, **fields: Any) -> None:
        source = {} if type_ in KEPT else {"source": SOURCE}
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
    add("hangs", "agreed", "ConditionReported", condition="parliament", state="fulfilled", stated_on="2025-01-01")
    add("yearly", "part", "ProgressReported", figure=figure("30bn EUR", stage="unspecified"))
    add("group", "gone", "PledgeWithdrawn", reason="over", stated_on="2025-01-01")
    add("steps", "plan", "MilestoneScheduled", milestone="agreed", due="2024-Q4")
    add("steps", "half", "MilestoneReached", milestone="agreed", partly=True, stated_on="2024-11-01")
    add("steps", "plan2", "MilestoneScheduled", milestone="built", due="2025-H1", stated_on="2024-11-02")
    add("steps", "late", "MilestoneMissed", milestone="built", stated_on="2025-07-01")
    add("words", "miss", "PledgeMissed", stated_on="2025-01-01")
    add("words", "next", "PledgeSuperseded", by="aid", stated_on="2025-02-01")
    assert {event["fact"]["type"] for event in api.get("/v1/events?limit=1000").json()["items"]} == set(FACT_TYPES)

    days = ("2024-01-10", "2024-07-10", "2024-09-30", "2024-12-31", "2025-03-15", "2026-01-01", "2027-06-01")
    for pledge in ("whole", "aid", "group", "steps", "words", "spent"):
        for day in days:
            for known in ("", "&at_position=12", "&axis=known"):
                page = api.get(f"/pledges/{pledge}?as_of={day}{known}", headers=BROWSER)
                assert page.status_code == 200, (pledge, day, known)
    for day in days:
        for rest in ("", "&since=2024-06-01", "&since=2026-01-01&axis=recorded"):
            assert api.get(f"/?as_of={day}{rest}", headers=BROWSER).status_code == 200
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


def cell(html: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", "", html)).split())


def rows_of(page: str, table: str) -> list[list[str]]:
    found = re.search(rf"<table {table}.*?</table>", page, re.DOTALL)
    assert found is not None
    rows = re.findall(r"<tr.*?</tr>", found[0], re.DOTALL)[1:]
    return [[cell(c) for c in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


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
    assert cell(flag[0]) == "Single source what counts here goes back to one origin (event 3)"
    assert cell(evidence[0]) == "Evidenceone origin event 3"
    lite.add(progress("21bn EUR", stated_on="2024-07-11", source={"publisher": "Other", "tier": "media"}))
    page = lite.get("/pledges/aid-2024?as_of=2024-12-01", headers=BROWSER).text
    evidence = re.search(r"<dt>Evidence</dt>.*?</dd>", page, re.DOTALL)
    assert evidence is not None
    assert cell(evidence[0]) == "Evidencetwo origins or more event 3, event 4"


def test_parts_of_a_sum_that_have_an_origin_each_are_not_said_to_share_one(lite: Api) -> None:
    lite.open()
    for half, publisher in (("01-01/06-30", "One"), ("07-01/12-31", "Two")):
        start, end = (f"2024-{day}" for day in half.split("/"))
        lite.add(progress("10bn EUR", stated_on=end, source={"publisher": publisher, "tier": "media"},
                          figure={"basis": "increment", "period": {"start": start, "end": end}}))  # fmt: skip
    page = cell(lite.get("/pledges/aid-2024", headers=BROWSER).text)
    assert "Single source each of these goes back to one origin only (event 2, event 3)" in page


def test_members_and_milestones_name_the_reports_that_count(lite: Api) -> None:
    group = {"rule": "each_member", "members": ["BE", "FR"]}
    lite.open("group", kind="ratio", target="at least 2 percent:gdp", group=group, source=SOURCE | {"origin": "X"})
    lite.add({"type": "TallyReported", "stated_on": "2025-01-10", "source": SOURCE, "met": 1, "not_met": 1, "total": 2},
             "group")  # fmt: skip
    lite.open("steps", kind="milestone", target=None, window=None)
    lite.add({"type": "MilestoneReached", "stated_on": "2025-01-10", "source": SOURCE, "milestone": "agreed"}, "steps")
    for pledge in ("group", "steps"):
        page = cell(lite.get(f"/pledges/{pledge}", headers=BROWSER).text)
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
        ["10 Sep 2024", "31 Aug 2024", "€55bn", "55,000,000,000 EUR", "no"],
        ["10 Oct 2024", "31 Aug 2024", "€45bn", "45,000,000,000 EUR", "yes"],
    ]
    drawing = re.search(r'<svg class="drawing".*?</svg>', page, re.DOTALL)
    assert drawing is not None
    assert re.findall(r'<circle class="(c-point[^"]*)"', drawing[0]) == ["c-point c-aside", "c-point"]
    assert "said, but does not count" in page
    before = lite.get("/pledges/aid-2024?as_of=2024-10-09", headers=BROWSER).text
    assert rows_of(before, "data-points") == [["10 Sep 2024", "31 Aug 2024", "€55bn", "55,000,000,000 EUR", "yes"]]
    assert "said, but does not count" not in before


@pytest.mark.parametrize("latest", ["2025-01-31", "2025-02-28", "2025-12-31"])
def test_no_label_of_a_chart_is_printed_over_another(lite: Api, latest: str) -> None:
    lite.open(window={"start": "2024-01-01", "end": "2024-03-31"})
    more = {"start": "2024-01-01", "end": "2024-12-31", "latest": latest}
    lite.add({"type": "PledgeRevised", "stated_on": "2024-02-10", "source": SOURCE, "reason": "moved", "window": more,
              "target": "at least 41bn EUR"})  # fmt: skip
    lite.add(progress())
    page = lite.get("/pledges/aid-2024", headers=BROWSER).text
    found = re.findall(r'<text class="c-(?:label|note)" x="([\d.]+)" y="([\d.]+)"( text-anchor="end")?>([^<]+)<', page)
    texts = {text for *_, text in found}
    assert texts >= {"due", "or, read late, here", "first deadline", "target: at least €41bn"}
    boxes = [(float(x) - 8 * len(text) * bool(end), float(y), 8 * len(text)) for x, y, end, text in found]
    for index, (x, y, width) in enumerate(boxes):
        assert x >= 0
        assert x + width <= 720
        for other_x, other_y, other_width in boxes[:index]:
            assert abs(y - other_y) >= 15 or x + width <= other_x or other_x + other_width <= x


def test_other_words_for_the_same_amount_are_no_difference(lite: Api) -> None:
    lite.open()
    said = lite.add(progress("20.9bn EUR"))["event"]["id"]
    lite.add({"type": "EventCorrected", "stated_on": "2024-07-12", "event": said, "reason": "as printed",
              "changes": {"figure": {"quantity": {"text": "20.9 milliards"}}}})  # fmt: skip
    page = lite.get("/pledges/aid-2024?at_position=2", headers=BROWSER).text
    assert "both say the same" in page
    changes = lite.get("/?since=2020-01-01&axis=recorded", headers=BROWSER).text
    assert "€20.9bn" in changes


# --- what is said


@pytest.mark.parametrize(
    ("quantity", "short", "exact"),
    [
        ({"op": "eq", "value": "20900000000", "unit": "EUR"}, "€20.9bn", "20,900,000,000\u00a0EUR"),
        ({"op": "gt", "value": "50000000000", "unit": "EUR"}, "over €50bn", "over 50,000,000,000\u00a0EUR"),
        ({"op": "gt", "value": "49990000000", "unit": "EUR"}, "over €49.9bn", "over 49,990,000,000\u00a0EUR"),
        ({"op": "le", "value": "20010000000", "unit": "NOK"}, "up to NOK\u00a020.1bn", "up to 20,010,000,000\u00a0NOK"),
        ({"op": "eq", "value": "999999999", "unit": "USD"}, "US$1bn", "999,999,999\u00a0USD"),
        ({"op": "eq", "value": "12500", "unit": "GBP"}, "£12,500", "12,500\u00a0GBP"),
        ({"op": "eq", "value": "-2000000", "unit": "EUR"}, "−€2m", "−2,000,000\u00a0EUR"),
        ({"op": "ge", "value": "2", "unit": "percent:gdp"}, "at least 2\u00a0% of GDP", "at least 2\u00a0% of GDP"),
        ({"op": "eq", "value": "2000000", "unit": "count:155mm-rounds"}, "2m\u00a0155mm rounds",
         "2,000,000\u00a0155mm rounds"),
        ({"op": "between", "value": "1234567", "upper": "2345678", "unit": "EUR"}, "between €1.23m and €2.35m",
         "between 1,234,567\u00a0EUR and 2,345,678\u00a0EUR"),
    ],
)  # fmt: skip
def test_an_abbreviation_never_says_more_than_the_figure(quantity: dict[str, str], short: str, exact: str) -> None:
    said = words.amount(quantity)
    assert said is not None
    assert (said.short, said.exact) == (short, exact)


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ({"op": "gt", "value": "1.25"}, "over 125\u00a0%"),
        ({"op": "gt", "value": "0.99999"}, "over 99.9\u00a0%"),
        ({"op": "lt", "value": "0.50001"}, "under 50.1\u00a0%"),
        ({"op": "eq", "value": "0.5225"}, "52.2\u00a0%"),
        ({"op": "eq", "value": "0.999975"}, "99.998\u00a0%"),
        ({"op": "approx", "value": "1.000001"}, "about 100.0001\u00a0%"),
        ({"op": "gt", "value": "1.0004"}, "over 100.04\u00a0%"),
        ({"op": "nearly", "value": "0.9999"}, "nearly 99.99\u00a0%"),
        ({"op": "eq", "value": "1"}, "100\u00a0%"),
        ({"op": "eq", "value": "0"}, "0\u00a0%"),
        ({"op": "eq", "value": "0.0004"}, "under 0.1\u00a0%"),
        ({"op": "nearly", "value": "0.0004"}, "under 0.1\u00a0%"),
        ({"op": "eq", "value": "-0.0004"}, "under 0\u00a0%"),
        ({"op": "ge", "value": "0.0004"}, "at least 0.04\u00a0%"),
        ({"op": "between", "value": "0.1", "upper": "0.25"}, "between 10\u00a0% and 25\u00a0%"),
    ],
)
def test_a_ratio_keeps_its_bound(ratio: dict[str, str], said: str) -> None:
    assert words.ratio(ratio) == said


SHORTFALLS = [
    ("39.999bn EUR", "€39.999bn of at least €40bn", "99.998\u00a0%"),
    ("39999999999.99 EUR", "€39,999,999,999.99 of at least €40bn", "99.9999\u00a0%"),
    ("1 EUR", "€1 of at least €40bn", "under 0.1\u00a0%"),
    ("at least 1 EUR", "at least €1 of at least €40bn", "over 0\u00a0%"),
]


@pytest.mark.parametrize(("reported", "progress_", "share"), SHORTFALLS)
def test_a_shortfall_is_never_shown_as_the_target(lite: Api, reported: str, progress_: str, share: str) -> None:
    lite.open()
    lite.add(progress(reported, figure={"period": {"start": "2024-01-01", "end": "2024-12-31"}}))
    for path in ("/", "/pledges/aid-2024"):
        page = lite.get(path, headers=BROWSER).text
        assert progress_ in page
        assert share in page
    assert f"{share} of the target" in lite.get("/embed/aid-2024").text
    assert share in lite.get("/v1/pledges/aid-2024/badge.svg").text
    told = lite.get("/v1/feed.atom").text
    actual, _, target = progress_.partition(" of ")
    assert f"Reported: {actual}, target: {target}, {share}." in told


def test_the_hover_of_a_ratio_has_all_of_its_digits(lite: Api) -> None:
    lite.open()
    for value, exact in (("20.9bn EUR", "exactly 52.25\u00a0%"), ("13bn EUR", "exactly 32.5\u00a0%")):
        lite.add(progress(value, stated_on="2024-07-11" if "13" in value else "2024-07-10"))
        assert f'title="{exact}"' in lite.get("/pledges/aid-2024", headers=BROWSER).text
    status = lite.get("/v1/pledges/aid-2024").json()
    third = status | {"target": {"op": "ge", "value": "39", "unit": "EUR"}, "ratio": {"op": "eq", "value": "0.333333"}}
    assert words.exact_ratio(third) == "rounded to 33.3333\u00a0%"
    assert words.exact_ratio(third | {"ratio": {"op": "gt", "value": "1.25"}}) == "over 125\u00a0%"


NUMBERS = st.one_of(
    st.decimals(0, 10**13, allow_nan=False, allow_infinity=False, places=2),
    st.builds(
        lambda lead, rest, power, sign: (lead + sign * Decimal(rest) / 10**9) * 10**power,
        st.sampled_from([Decimal(n) for n in ("1", "2", "39.9", "40", "999")]),
        st.integers(0, 10**7), st.integers(5, 10), st.sampled_from([-1, 1]),
    ),
)  # fmt: skip
"""Amounts, many of which lie beside each other."""


@st.composite
def quantities(draw: st.DrawFn) -> Quantity:
    op = draw(st.sampled_from(["eq", "ge", "gt", "le", "lt", "approx", "nearly", "between"]))
    value = draw(NUMBERS) + (1 if op in ("lt", "nearly") else 0)
    upper = value + draw(NUMBERS) if op == "between" else None
    unit = draw(st.sampled_from(["EUR", "NOK", "count:trees"])) if upper is None else "EUR"
    fields = {"op": op, "value": plain(value), "unit": unit} | ({"upper": plain(upper)} if upper is not None else {})
    return Quantity.model_validate(fields)


def read_back(printed: str) -> Quantity:
    if not printed.startswith("between "):
        return quantity_words.read(printed)
    low, high = (quantity_words.read(end) for end in printed.removeprefix("between ").split(" and "))
    return Quantity(op="between", value=low.value, upper=high.value, unit=low.unit)


@settings(max_examples=300, deadline=None)
@given(quantities(), quantities(), st.sampled_from(["up", "down"]))
def test_what_is_printed_stands_to_the_target_as_what_was_said(said: Quantity, aim: Quantity, way: Direction) -> None:
    """The abbreviations are read back: each end lies to each end of the other as it did; no bound is narrower."""
    aim = aim.model_copy(update={"unit": said.unit})
    documents = [q.model_dump(mode="json", exclude_none=True) for q in (said, aim)]
    near = words.apart(*documents)
    printed = [words.amount(document, near) for document in documents]
    said_again, aim_again = (read_back(p.short) for p in printed if p is not None)
    assert (said_again.op, aim_again.op) == (said.op, aim.op)
    for one, again in ((said, said_again), (aim, aim_again)):
        if one.exactness == 1:
            assert one.interval.within(again.interval)
    ends = [[end for end in (q.value, q.upper) if end is not None] for q in (said, aim, said_again, aim_again)]
    for mine, mine_again in zip(ends[0], ends[2], strict=True):
        for theirs, theirs_again in zip(ends[1], ends[3], strict=True):
            assert (mine < theirs, mine == theirs) == (mine_again < theirs_again, mine_again == theirs_again)
    if said.exactness < 2 and aim.exactness < 2:
        assert compare(said_again, aim_again, way) == compare(said, aim, way)


@settings(max_examples=300, deadline=None)
@given(quantities(), quantities())
def test_a_share_in_percent_stands_to_the_whole_as_the_ratio(said: Quantity, aim: Quantity) -> None:
    aim = aim.model_copy(update={"unit": said.unit, "value": aim.value or Decimal(1)})
    share = ratio(said, aim)
    assert share is not None
    printed = words.ratio(
        share.model_dump(mode="json", exclude_none=True), said.model_dump(mode="json", exclude_none=True)
    )
    numbers = [Decimal(n.replace(",", "")) / 100 for n in re.findall(r"[\d,.]+", printed or "")]
    assert [n > 1 for n in numbers] == [n > 1 for n in (share.value, share.upper) if n is not None]
    assert [n == 1 for n in numbers] == [n == 1 for n in (share.value, share.upper) if n is not None]
    if said.op == "eq":
        assert (numbers[0] == 0) == (said.value == 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(quantities(), max_size=12))
def test_amounts_beside_each_other_read_the_same_only_if_they_are(shown: list[Quantity]) -> None:
    near = words.apart([q.model_dump(mode="json", exclude_none=True) for q in shown])
    printed: dict[str, Quantity] = {}
    for quantity in shown:
        said = words.amount(quantity.model_dump(mode="json", exclude_none=True), near)
        assert said is not None
        assert printed.setdefault(said.short, quantity) == quantity


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ({"stated_on": "2024-07-31", "precision": "month"}, "July\u00a02024"),
        ({"stated_on": "2025-06-30", "precision": "half"}, "first half of 2025"),
        ({"stated_on": "2014-12-31", "precision": "year"}, "2014"),
        ({"stated_on": "2025-03-31", "precision": "quarter"}, "Q1 2025"),
        ({"stated_on": "2024-10-16"}, "16\u00a0Oct\u00a02024"),
    ],
)
def test_a_day_is_shown_no_more_precisely_than_it_is_known(fact: dict[str, str], said: str) -> None:
    assert words.stated(fact) == said


def status(op: str, value: str, **more: str) -> dict[str, Any]:
    return {"status": "in_progress", "target": {"op": "ge", "value": "40", "unit": "EUR"},
            "ratio": {"op": op, "value": value, **more}}  # fmt: skip


@pytest.mark.parametrize(
    ("op", "value", "kinds"),
    [
        ("eq", "0.5", ["solid"]),
        ("gt", "0.5", ["solid", "fade"]),
        ("ge", "0", ["fade"]),
        ("le", "0.5", ["possible"]),
        ("approx", "0.5", ["solid", "possible"]),
        ("nearly", "1", ["solid", "possible"]),
        ("eq", "-0.1", []),
    ],
)
def test_a_bar_draws_a_bound_as_a_bound(op: str, value: str, kinds: list[str]) -> None:
    drawn = bar(status(op, value))
    assert drawn is not None
    assert [segment.kind for segment in drawn.segments] == kinds
    for segment in drawn.segments:
        assert Decimal(segment.x[:-1]) + Decimal(segment.width[:-1]) <= 100


def test_what_goes_on_after_the_bar_is_told() -> None:
    drawn = bar(status("eq", "3"))
    assert drawn is not None
    assert drawn.beyond
    assert bar(status("eq", "1.2")) is not None


def test_every_word_of_the_field_has_its_words() -> None:
    assert set(words.TYPE) == set(FACT_TYPES)
    assert set(FLAGS) <= set(words.FLAG)
    assert set(words.STATUS) == set(words.STATUS_MEANS)


@pytest.mark.parametrize("kind", FACT_TYPES)
def test_every_fact_has_a_form_with_all_that_it_needs(kind: str) -> None:
    pointers = {field.pointer for section in sections(kind) for field in section.fields}
    for name, field in FACT_TYPES[kind].model_fields.items():
        if field.is_required() and name != "type":
            assert any(p == f"/{name}" or p.startswith(f"/{name}/") for p in pointers), name
    for pointer in pointers:
        assert pointer.split("/")[1] in FACT_TYPES[kind].model_fields, pointer
