"""Two days beside each other: which statuses changed into which, why, and what is said of it."""

import re
from datetime import date, timedelta
from html import unescape

import pytest

from api.http.system_clock import today
from api.pages.compare import MAX_EXPLAINED, TwoPoints, press_sentence
from projections.queries import Clocks
from projections.trait_runs import StatusMove
from tests.support.api import SOURCE, Api, made, progress
from tests.support.pages import BROWSER, shown, text_of

YEAR = {"figure": {"period": {"start": "2024-01-01", "end": "2024-12-31"}}}


def cells(page: str) -> dict[tuple[str, str], tuple[int, str]]:
    """The cells of the matrix by their statuses in words, each with its number and its address."""
    found = re.findall(
        r'<a class="cell num" href="([^"]*)"[^>]*>(\d+)<span[^>]*> pledges? from (.+?) to (.+?)</span>', page
    )
    return {(before, after): (int(n), unescape(link)) for link, n, before, after in found}


def causes(page: str) -> dict[str, list[str]]:
    """The pledges that are listed under each cause."""
    parts = re.split(r'<h3 class="cause-title">(.*?)</h3>', page, flags=re.DOTALL)[1:]
    return {
        text_of(title).rpartition(" ")[0]: re.findall(r'class="change-title" href="/pledges/([^"?]+)', body)
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.fixture
def changed(lite: Api) -> Api:
    """Between the end of 2024 and March 2025 one is exceeded, two become overdue, and one is made."""
    lite.open(tags=["aid"])
    lite.open("trees", title="Plant trees")
    lite.open("roads", title="Build roads", tags=["aid"])
    lite.add(progress("over 50bn EUR", stated_on="2025-02-12", **YEAR))
    lite.open("late", title="A later one", stated_on="2025-02-01", window=None)
    return lite


def test_a_matrix_counts_the_changes_and_each_has_its_cause(changed: Api) -> None:
    page = shown(changed, "/compare?from=2024-12-31&to=2025-03-01")
    counts = {pair: n for pair, (n, _) in cells(page).items()}
    assert counts == {("Announced", "Exceeded"): 1, ("Announced", "Overdue"): 2, ("none", "Announced"): 1}
    assert causes(page) == {"Said in the world": ["aid-2024", "late"], "A deadline passed": ["roads", "trees"]}
    assert "said 12 Feb 2025, recorded" in text_of(page)


def test_a_cell_opens_and_closes(changed: Api) -> None:
    page = shown(changed, "/compare?from=2024-12-31&to=2025-03-01")
    _, link = cells(page)["Announced", "Overdue"]
    assert link == "/compare?from=2024-12-31&to=2025-03-01&before=announced&after=overdue#changes"
    opened = shown(changed, link)
    assert causes(opened) == {"A deadline passed": ["roads", "trees"]}
    assert cells(opened)["Announced", "Overdue"] == (2, "/compare?from=2024-12-31&to=2025-03-01#changes")
    assert len(cells(opened)) == 3
    made_ = shown(changed, cells(page)["none", "Announced"][1])
    assert causes(made_) == {"Said in the world": ["late"]}


def test_filters_and_one_pledge_narrow_what_is_compared(changed: Api) -> None:
    page = shown(changed, "/compare?from=2024-12-31&to=2025-03-01&tag=aid")
    assert {pair: n for pair, (n, _) in cells(page).items()} == {
        ("Announced", "Exceeded"): 1, ("Announced", "Overdue"): 1,
    }  # fmt: skip
    changed.add(progress("1bn EUR", stated_on="2025-02-20", **YEAR), "trees")
    one = shown(changed, "/compare?from=2025-02-15&to=2025-03-01&pledge=trees")
    assert cells(one).keys() == {("Overdue", "Partly met")}
    talk = {"type": "StatementMade", "stated_on": "2025-03-10", "source": SOURCE, "summary": "Talk."}
    changed.add(talk, "trees")
    same = shown(changed, "/compare?from=2025-03-01&to=2025-03-11&pledge=trees")
    assert not cells(same)
    assert causes(same) == {"Said in the world": ["trees"]}


def test_a_repair_is_told_along_our_record(lite: Api) -> None:
    lite.open()
    wrong = lite.add(progress("209bn EUR"))
    day = today().isoformat()
    page = shown(lite, f"/compare?axis=recorded&from={today() - timedelta(days=1)}")
    assert causes(page) == {"Said in the world": ["aid-2024"]}
    assert cells(page).keys() == {("none", "Exceeded")}
    lite.add({"type": "EventVoided", "stated_on": day, "event": wrong["event"]["id"], "reason": "a slip"})
    repaired = lite.get("/v1/diff", params={"known_from": wrong["event"]["recorded_at"], "format": "json"}).json()
    assert [item["cause"] for item in repaired["items"]] == ["repaired"]
    later = shown(lite, f"/compare?axis=recorded&from={today() - timedelta(days=1)}")
    assert cells(later).keys() == {("none", "Overdue")}
    assert "our record of no pledge changed its status; 1 was recorded" in text_of(later)


def test_the_csv_has_the_same_changes(changed: Api) -> None:
    page = shown(changed, "/compare?from=2024-12-31&to=2025-03-01&tag=aid")
    link = re.search(r'<a href="([^"]*)" download>CSV', page)
    assert link is not None
    rows = changed.get(unescape(link[1])).text.splitlines()
    assert [row.split(",")[0] for row in rows[1:3]] == ["aid-2024", "roads"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("from=2025-03-01&to=2025-01-01", "invalid_parameter"),
        ("as_of=2025-01-01", "invalid_parameter"),
        ("axis=recorded&to=2999-01-01", "invalid_parameter"),
        ("axis=recorded&at_position=1", "invalid_parameter"),
        ("before=nonsense", "invalid_parameter"),
        ("since=2024-01-01", "unknown_parameter"),
    ],
)
def test_what_cannot_be_compared_is_refused(changed: Api, wrong: str, code: str) -> None:
    answer = changed.get(f"/compare?{wrong}", headers=BROWSER)
    assert answer.status_code == 400
    assert code in answer.text


def test_only_so_many_are_told_at_once_and_the_page_says_so(lite: Api) -> None:
    items = [
        {"pledge": f"pledge-{number:03d}", "fact": made(title=f"Promise {number:03d}")}
        for number in range(MAX_EXPLAINED + 5)
    ]
    assert lite.post("/v1/events", items).status_code == 201
    page = shown(lite, "/compare?from=2024-12-31&to=2025-03-01")
    assert cells(page)["Announced", "Overdue"][0] == MAX_EXPLAINED + 5
    assert sum(map(len, causes(page).values())) == MAX_EXPLAINED
    assert f"The first {MAX_EXPLAINED} are told here" in page


# --- the sentence


def sentence(*moves: tuple[str | None, str | None], total: int = 9, is_record: bool = False) -> str:
    first, second = date(2024, 9, 1), date(2025, 2, 12)
    two = TwoPoints(Clocks(first, 5), Clocks(second, 5), first, second, is_record)
    some = [StatusMove(f"p{place}", before, after) for place, (before, after) in enumerate(moves)]
    return press_sentence(some, total, two, is_filtered=False).replace("\xa0", " ")


def test_the_sentence_counts_the_commonest_changes_and_those_that_were_made() -> None:
    assert sentence(*[("announced", "overdue")] * 2, ("in_progress", "met"), (None, "announced")) == (
        "Between 1 Sep 2024 and 12 Feb 2025, 3 pledges changed their status: 2 from announced to overdue and 1 from in"
        " progress to met; 1 was made. 9 pledges are tracked."
    )
    assert sentence(("announced", "met"), total=1) == (
        "Between 1 Sep 2024 and 12 Feb 2025, 1 pledge changed its status: 1 from announced to met. 1 pledge is tracked."
    )
    assert sentence() == "Between 1 Sep 2024 and 12 Feb 2025, no pledge changed its status. 9 pledges are tracked."
    assert "1 is no longer there" in sentence(("met", None))
    assert "our record of 1 pledge changed: 1 from met to missed" in sentence(("met", "missed"), is_record=True)


def test_the_sentence_says_of_how_many_that_were_found(changed: Api) -> None:
    filtered = text_of(shown(changed, "/compare?from=2024-12-31&to=2025-03-01&status=overdue"))
    assert "2 pledges of the 2 found changed their status: 2 from announced to overdue." in filtered
    assert "tracked." not in filtered
    assert "as we know it now. Among the pledges" in filtered


def test_the_sentence_of_one_pledge_has_its_title(changed: Api) -> None:
    one = text_of(shown(changed, "/compare?from=2024-12-31&to=2025-03-01&pledge=trees"))
    assert "“Plant trees” changed from announced to overdue." in one
    recorded = text_of(shown(changed, "/compare?axis=recorded&from=2000-01-01&pledge=trees"))
    assert "“Plant trees” was recorded, and was then overdue." in recorded
    still = text_of(shown(changed, "/compare?from=2025-03-01&to=2025-03-01&pledge=trees"))
    assert "“Plant trees” did not change its status." in still


@pytest.mark.parametrize(
    ("old", "leads_to"),
    [
        ("since=2024-02-01", "from=2024-02-01"),
        ("since=2024-02-01&axis=said&as_of=2024-08-01&party=UA&sort=title", "from=2024-02-01&to=2024-08-01&party=UA"),
        ("since=2024-02-01&as_of=2024-01-01", "from=2024-01-01&to=2024-01-01"),
        ("since=2024-02-01&axis=recorded&at_position=1", "from=2024-02-01&axis=recorded"),
        ("since=2024-02-01&axis=recorded&known_on=2024-03-01", "from=2024-02-01&to=2024-03-01&axis=recorded"),
        ("since=2024-02-01&axis=recorded&as_of=2024-08-01", "as_of=2024-08-01&from=2024-02-01&axis=recorded"),
    ],
)
def test_an_old_address_of_what_changed_since_a_day_leads_here(lite: Api, old: str, leads_to: str) -> None:
    lite.open()
    answer = lite.get(f"/?{old}", headers=BROWSER, follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/compare?{leads_to}"
    assert lite.get(answer.headers["location"], headers=BROWSER).status_code == 200


@pytest.mark.parametrize("old", ["since=yesterday", "since=2024-02-01&axis=other"])
def test_an_old_address_with_a_slip_is_told_so(lite: Api, old: str) -> None:
    assert lite.get(f"/?{old}", headers=BROWSER).status_code == 400


@pytest.mark.parametrize("query", ["", "?from=2024-01-01&to=2024-12-31", "?axis=recorded"])
def test_its_own_address_for_ever_leads_to_the_same_page(lite: Api, query: str) -> None:
    lite.open()
    page = shown(lite, f"/compare{query}")
    link = re.search(r'<a href="([^"]+)">Make this very page again', page)
    assert link is not None
    again = shown(lite, unescape(link[1]))
    assert "What changed" in again
    assert (
        re.findall(r'type="date"[^>]*value="([^"]+)"', again)[:2]
        == re.findall(r'type="date"[^>]*value="([^"]+)"', page)[:2]
    )
