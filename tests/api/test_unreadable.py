"""An event that this version cannot understand harms its own pledge alone: no 500 and no trace anywhere."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from projections.runner import ProjectionRunner
from tests.support.api import MONITOR, Api, made, prepare, problem, progress, running, statement
from tests.support.readable import failing, get_routes
from tests.support.shell import Shell
from tracker.event import restamp, stamp
from tracker.log.rows import NewLogRow

LOST = "ZZQ"
"""A currency that no table has, as one that the table of some day has lost."""

PARKED = ("broken", "decimals", "fielded", "newer", "reckless", "typed")
"""Pledges whose second event cannot be taken in."""

READABLE = ("lost", "sound")
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def append(api: Api, pledge: str, version: int, fact: Any = None, *, line: bytes | None = None) -> int:
    """Write an event into the log as a newer version or an administrator would; its position."""
    log = api.services.tracker.log
    now = log.last_recorded_at()
    assert now is not None
    id_ = str(uuid.uuid4())
    envelope = {"id": id_, "pledge": pledge, "version": version, "recorded_at": stamp(now), "recorded_by": "newer"}
    state = json.dumps({**envelope, "fact": fact}, separators=(",", ":")).encode() if line is None else line
    type_ = fact["type"] if isinstance(fact, dict) else "Unknown"
    (row,) = log.append([NewLogRow(pledge, version, type_, id_, state, now)], restamp=restamp)
    return row.position


def quantity(unit: str = "EUR", value: str = "12000000000") -> dict[str, str]:
    return {"op": "eq", "value": value, "unit": unit}


def filled(api: Api) -> None:
    """Pledges with one event each that is not understood, beside one that is sound."""
    for pledge in ("sound", *PARKED):
        api.open(pledge, title=f"Pledge {pledge}", tags=["all"])
    api.add(progress(), "sound")
    lost = made(target=quantity(LOST, "40000000000"), title="In a lost currency", tags=["all"])
    append(api, "lost", 1, lost)
    append(api, "lost", 2, progress(quantity(LOST)))
    append(api, "first", 1, made(target=quantity(), gilt=True))
    append(api, "newer", 2, {"type": "PledgeGilded", "stated_on": "2024-07-01", "gilt": "gold"})
    append(api, "newer", 3, progress(quantity()))
    append(api, "fielded", 2, progress(quantity(), shine=7))
    append(api, "decimals", 2, progress(quantity(value="12,5")))
    append(api, "typed", 2, {**progress(quantity()), "source": ["a", 7], "figure": "much"})
    append(api, "reckless", 2, {**statement(), "type": "MilestoneReached", "milestone": "Law", "due": "soon"})
    append(api, "broken", 2, line=b"not\njson")
    settled(api)


def settled(api: Api) -> None:
    assert api.services.follower.wait(api.head(), 20)


@pytest.fixture
def mixed(database_url: str) -> Iterator[Api]:
    prepare(database_url)
    with running(database_url) as api:
        filled(api)
        yield api


def test_every_read_answers(mixed: Api) -> None:
    asked = list(get_routes(mixed, (*READABLE, *PARKED, "first")))
    assert len(asked) > 150
    assert failing(mixed, asked) == {}


def test_the_pledge_is_as_it_was_before_the_event_and_the_others_are_not_touched(mixed: Api) -> None:
    items = {item["pledge"]: item for item in mixed.get("/v1/pledges?tag=all").json()["items"]}
    assert sorted(items) == sorted((*READABLE, *PARKED))
    for pledge in PARKED:
        assert items[pledge]["status"] in ("announced", "overdue")
        assert items[pledge]["actual"] is None
        assert "stale_projection" in items[pledge]["flags"]
    for pledge in READABLE:
        assert "stale_projection" not in items[pledge]["flags"]
    assert items["lost"]["actual"]["unit"] == LOST
    assert items["lost"]["ratio"]["value"] == "0.3"


@pytest.mark.parametrize("kind", ["history", "figures", "members", "timeline"])
def test_an_answer_shows_the_raw_event_and_why(mixed: Api, kind: str) -> None:
    for pledge in PARKED:
        answer = mixed.get(f"/v1/pledges/{pledge}/{kind}?as_of=2025-06-01").json()
        first = answer["unreadable"][0]
        assert first["reason"], (pledge, answer)
        assert first["event"]["position"] <= answer["position"]
    newer = mixed.get(f"/v1/pledges/newer/{kind}").json()["unreadable"]
    assert newer[0]["event"]["fact"]["type"] == "PledgeGilded"
    assert newer[0]["reason"] == "type: this version knows no fact of type 'PledgeGilded'"
    assert newer[1]["reason"] == f"it waits for event {newer[0]['event']['position']} of the same pledge"
    assert "unreadable" not in mixed.get(f"/v1/pledges/sound/{kind}").json()


def test_events_are_listed_as_they_are_stored(mixed: Api) -> None:
    events = mixed.get("/v1/pledges/newer/events").json()["items"]
    assert [event["fact"]["type"] for event in events] == ["PledgeMade", "PledgeGilded", "ProgressReported"]
    assert [e["fact"]["type"] for e in mixed.get("/v1/pledges/newer/events?as_of=2024-07-05").json()["items"]] == [
        "PledgeMade",
        "PledgeGilded",
    ]
    log = mixed.get("/v1/events?limit=1000").json()["items"]
    assert [event["position"] for event in log] == list(range(1, mixed.head() + 1))
    assert log[-1] == {"line": "not\njson", "position": mixed.head()}


def test_a_pledge_whose_first_event_is_not_understood_is_not_found_and_says_why(mixed: Api) -> None:
    missing = problem(mixed.get("/v1/pledges/first"), 404, "pledge_not_found")
    assert missing["unreadable"][0]["reason"] == "gilt: this version knows no such field"
    assert problem(mixed.get("/v1/pledges/first/figures"), 404, "pledge_not_found")["unreadable"]
    assert mixed.get("/v1/pledges/first/events").json()["items"][0]["fact"]["gilt"] is True


def test_the_page_shows_what_is_not_taken_in(mixed: Api) -> None:
    html = mixed.get("/pledges/newer").text
    assert "Not taken in: 2 events" in html
    assert "more behind these" not in html
    assert "PledgeGilded" in html
    assert "Not taken in" not in mixed.get("/pledges/sound").text


def test_a_replay_differs_nowhere(mixed: Api) -> None:
    answer = mixed.get("/v1/replay?compare=true&as_of=2025-06-01", headers=MONITOR).json()
    assert answer["differences"] == []
    stale = {item["pledge"] for item in answer["items"] if "stale_projection" in item["flags"]}
    assert stale == set(PARKED)


def test_a_write_to_the_pledge_is_refused_with_a_sentence_and_others_are_recorded(mixed: Api) -> None:
    refused = problem(mixed.post("/v1/pledges/newer/events", statement()), 503, "unavailable")
    assert "cannot be read by this version" in refused["detail"]
    assert "PledgeGilded" in refused["detail"]
    problem(mixed.post("/v1/pledges/newer/events?dry_run=true", statement()), 503, "unavailable")
    both = [{"pledge": "sound", "fact": statement()}, {"pledge": "fielded", "fact": statement()}]
    head = mixed.head()
    problem(mixed.post("/v1/events", both), 503, "unavailable")
    assert mixed.head() == head
    mixed.add(statement(), "sound")
    problem(mixed.post("/v1/pledges", {"pledge": "newer", "fact": made()}), 409, "pledge_exists")


def test_a_pledge_in_a_lost_currency_can_be_repaired(mixed: Api) -> None:
    report = mixed.get("/v1/pledges/lost/events").json()["items"][1]
    changes = {"figure": {"quantity": {"value": "20000000000"}}}
    mixed.add(
        {"type": "EventCorrected", "stated_on": "2024-09-01", "event": report["id"], "changes": changes, "reason": "x"},
        "lost",
    )
    assert mixed.get("/v1/pledges/lost").json()["ratio"]["value"] == "0.5"


def test_a_rebuild_keeps_the_pledges_as_they_were(mixed: Api, database_url: str) -> None:
    before = mixed.get("/v1/pledges?as_of=2025-06-01").json()["items"]
    runner = ProjectionRunner(database_url, mixed.services.tracker.log, lambda: NOW, engine=mixed.services.engine)
    try:
        runner.rebuild()
    finally:
        runner.stop()
    assert mixed.get("/v1/pledges?as_of=2025-06-01").json()["items"] == before


def test_every_command_answers(database_url: str, tmp_path: Any) -> None:
    prepare(database_url)
    with running(database_url) as api:
        filled(api)
    shell = Shell(database_url, tmp_path)
    shell.run("rebuild")
    shell.run("status")
    for pledge in (*READABLE, *PARKED):
        told = shell.run("status", pledge)
        assert ("not taken in" in told.stderr) == (pledge in PARKED)
        told = shell.run("history", pledge, "--json")
        assert ("unreadable" in json.loads(told.stdout)) == (pledge in PARKED)
        shell.run("history", pledge, "--axis", "known")
    shell.run("replay", "--compare")
    for format_ in ("json", "ndjson", "csv", "iati"):
        shell.run("export", "--format", format_)
    listed = shell.run("parked", code=1)
    assert "PledgeGilded" in listed.stdout
    assert "are parked" in listed.stderr
    assert b"not\njson" in shell.run("parked", "--raw", code=1).stdout_bytes
    again = shell.run("parked", "--retry", code=1)
    assert again.stdout == listed.stdout
    assert "is folded now" not in again.stderr


def test_a_page_names_the_first_ten_of_many_events_that_are_not_taken_in(mixed: Api) -> None:
    for number in range(12):
        append(mixed, "newer", 4 + number, statement(summary=f"Talk {number}."))
    settled(mixed)
    html = mixed.get("/pledges/newer").text
    assert "Not taken in: 14 events" in html
    assert html.count("As it is stored") == 10
    assert "and 4 more behind these" in html
