"""The audit page shows what is signed, and leads to the proof of every event."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape

import pytest

from benchmarks.generate import load
from tests.support.api import Api, catch_up, progress, running, statement
from tests.support.pages import text_of
from tests.support.waiting import wait_until
from tracker.tlog_proof import TlogProof

BROWSER = {"Accept": "text/html"}


def audit(api: Api, query: str = "") -> str:
    answer = api.get(f"/audit{query}", headers=BROWSER)
    assert answer.status_code == 200
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.text)))


def signed(api: Api) -> None:
    wait_until(lambda: api.get("/v1/log").json().get("checkpoint", {}).get("size") == api.head())


def test_the_last_checkpoint_and_the_last_proof_are_shown_and_follow_the_log(lite: Api) -> None:
    lite.open()
    signed(lite)
    lite.add(progress())
    signed(lite)
    checkpoint = lite.get("/v1/log").json()["checkpoint"]
    wait_until(lambda: "The last checkpoint is of 2 events, signed" in audit(lite))
    said = audit(lite)
    assert f"with the root {checkpoint['root']}." in said
    assert "the log of 2 events was last proved to begin with the 1 that were signed before" in said
    assert f'datetime="{checkpoint["signed_at"]}" data-since' in lite.get("/audit", headers=BROWSER).text
    lite.add(statement())
    wait_until(lambda: "the log of 3 events was last proved to begin with the 2" in audit(lite))


def test_every_event_leads_to_its_proof(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    signed(lite)
    links = re.findall(r'href="(/ledger/proof/event[^"]*)"', lite.get("/audit", headers=BROWSER).text)
    assert links == [f"/ledger/proof/event?position={position}" for position in (2, 1)]
    assert [TlogProof.parse(lite.get(link).content).index for link in links] == [1, 0]


def test_at_a_past_position_the_first_checkpoint_that_covers_it_is_shown(lite: Api) -> None:
    lite.open()
    signed(lite)
    lite.add(progress())
    signed(lite)
    said = audit(lite, "?at_position=1")
    assert "The first checkpoint that covers position 1 is of 1 events, signed" in said
    assert "last proved" not in said


def test_that_nothing_is_signed_any_more_is_told(lite: Api) -> None:
    lite.open()
    signed(lite)
    (lite.services.settings.state_directory / "signing-keys").chmod(0o644)
    wait_until(lambda: "Nothing is signed any more: the file of signing keys" in audit(lite))


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Six pledges whose events were recorded over years."""
    url = f"sqlite:///{tmp_path_factory.mktemp('years')}/tracker.db"
    load(url, 6)
    with running(url, projector=False) as api:
        catch_up(api)
        yield api


def listed(api: Api, query: str) -> list[tuple[int, str]]:
    """The positions of the events of a page, and the days on which they were recorded."""
    page = api.get(f"/audit?{query}", headers=BROWSER)
    assert page.status_code == 200, page.text
    rows = re.findall(r'data-key="(\d+)".*?<time datetime="([0-9-]+)T', page.text, re.DOTALL)
    return [(int(position), day) for position, day in rows]


def test_the_log_is_narrowed_to_the_days_on_which_it_was_recorded(years: Api) -> None:
    events = years.get("/v1/events?limit=1000").json()["items"]
    days = [event["recorded_at"][:10] for event in events]
    first, last = days[10], days[20]
    wanted = [event["position"] for event in events if first <= event["recorded_at"][:10] <= last]
    assert 10 < len(wanted) < 30
    assert [position for position, _ in listed(years, f"from={first}&to={last}")] == wanted[::-1]
    newest = next(position for position, _ in listed(years, f"to={first}"))
    assert newest == max(event["position"] for event in events if event["recorded_at"][:10] <= first)
    assert listed(years, f"from={days[-1]}")[-1][1] == days[-1]
    assert listed(years, "from=2019-01-01&to=2019-12-31") == []
    nothing = text_of(years.get("/audit?from=2019-01-01&to=2019-12-31", headers=BROWSER).text)
    assert f"The log, filtered of {len(events)} events" in nothing
    refused = years.get(f"/audit?from={last}&to={first}", headers=BROWSER)
    assert refused.status_code == 400


def test_who_type_pledge_and_days_go_together_and_the_csv_has_the_same_events(years: Api) -> None:
    query = "from=2021-01-01&to=2025-12-31&by=monitor-2&type=ProgressReported&pledge=pledge-000002"
    shown = listed(years, query)
    assert shown
    page = years.get(f"/audit?{query}", headers=BROWSER).text
    link = re.search(r'<a href="([^"]*)" download>CSV', page)
    assert link is not None
    rows = list(csv.DictReader(io.StringIO(years.get(unescape(link[1])).text)))
    assert [int(row["position"]) for row in rows] == [position for position, _ in reversed(shown)]


def test_pages_of_some_days_end_with_the_first_of_them(years: Api) -> None:
    events = years.get("/v1/events?limit=1000").json()["items"]
    day = events[3]["recorded_at"][:10]
    wanted = [event["position"] for event in events if event["recorded_at"][:10] >= day]
    found, before = [], ""
    while True:
        page = listed(years, f"from={day}{before}")
        found += [position for position, _ in page]
        link = re.search(
            r"before=(\d+)[^>]*rel=\"next\"", years.get(f"/audit?from={day}{before}", headers=BROWSER).text
        )
        if link is None:
            break
        before = f"&before={link[1]}"
    assert found == wanted[::-1]
