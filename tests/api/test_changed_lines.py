"""Bytes that were changed in the table of a store: broken JSON in the middle of a line harms its own pledge alone."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from projections.runner import ProjectionRunner
from tests.support.api import MONITOR, Api, prepare, problem, progress, running, statement
from tests.support.readable import failing, get_routes
from tests.support.shell import Shell
from tests.support.waiting import wait_until
from tracker.event import served

NOW = datetime(2026, 11, 26, tzinfo=UTC)

CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "colon": lambda line: line.replace(b'"figure":', b'"figure";'),
    "cut": lambda line: line[: len(line) // 2] + b"}",
    "bytes": lambda line: line.replace(b"Gazette", b"\xff\xfe\x00"),
    "number": lambda line: line.replace(b'"version":2', b'"version":NaN'),
    "lines": lambda line: line.replace(b'"fact":', b'"fact"\r\n\n:\x00'),
}
"""What becomes of the second line of the pledge of this name; each still begins and ends as an object does."""

SPACED = "spaced"
"""A pledge whose second line is JSON still, and more than one line."""


def written_over(url: str, pledge: str, change: Callable[[bytes], bytes]) -> None:
    """Change the bytes of a pledge's second event, as a broken disk or a careless hand does."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60)) as conn, conn:
            where = "WHERE originator_id = ? AND originator_version = 2"
            (line,) = conn.execute(f"SELECT state FROM stored_events {where}", (pledge,)).fetchone()
            (trigger,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = 'stored_events_no_update'").fetchone()
            conn.execute("DROP TRIGGER stored_events_no_update")
            conn.execute(f"UPDATE stored_events SET state = ? {where}", (change(bytes(line)), pledge))
            conn.execute(trigger)
        return
    with psycopg.connect(url) as server:
        where = "WHERE originator_id = %s AND originator_version = 2"
        row = server.execute(f"SELECT state FROM tracker_events {where}", (pledge,)).fetchone()
        assert row is not None
        server.execute("ALTER TABLE tracker_events DISABLE TRIGGER USER")
        server.execute(f"UPDATE tracker_events SET state = %s {where}", (change(bytes(row[0])), pledge))
        server.execute("ALTER TABLE tracker_events ENABLE TRIGGER USER")


@pytest.fixture
def changed(database_url: str) -> Iterator[Api]:
    """Pledges with two events each, whose second lines were changed in the table; `sound` alone is as it was."""
    prepare(database_url)
    with running(database_url) as api:
        for pledge in ("sound", SPACED, *CHANGES):
            api.open(pledge, title=f"Pledge {pledge}")
            api.add(progress(), pledge)
        assert api.services.follower.wait(api.head(), 20)
        for pledge, change in CHANGES.items():
            written_over(database_url, pledge, change)
        written_over(database_url, SPACED, lambda line: line.replace(b'"fact":', b'\r\n"fact" :\n'))
        yield api


def rebuilt(api: Api, url: str) -> None:
    runner = ProjectionRunner(url, api.services.tracker.log, lambda: NOW, engine=api.services.engine)
    try:
        runner.rebuild()
    finally:
        runner.stop()


def stale(api: Api) -> set[str]:
    items = api.get("/v1/pledges").json()["items"]
    return {item["pledge"] for item in items if "stale_projection" in item["flags"]}


def test_every_read_answers_and_that_pledge_alone_is_stale(changed: Api, database_url: str) -> None:
    routes = list(get_routes(changed, ("sound", "colon", "cut", "lines", SPACED)))
    assert failing(changed, routes) == {}
    # What was folded before the bytes were changed stands, until the pledge is folded again.
    assert stale(changed) == set()
    rebuilt(changed, database_url)
    wait_until(lambda: stale(changed) == set(CHANGES))
    assert failing(changed, routes) == {}
    for pledge in CHANGES:
        (unread,) = changed.get(f"/v1/pledges/{pledge}/figures").json()["unreadable"]
        assert unread["reason"].startswith("the stored line is broken"), unread
        assert unread["event"]["line"]
        assert "unreadable" not in changed.get("/v1/pledges/sound/figures").json()
        assert "Not taken in: 1 event" in changed.get(f"/pledges/{pledge}").text


def test_the_log_shows_the_line_as_text_between_the_others(changed: Api) -> None:
    items = changed.get("/v1/events?limit=1000").json()["items"]
    assert [item["position"] for item in items] == list(range(1, changed.head() + 1))
    assert sum("line" in item for item in items) == len(CHANGES)
    lines = changed.get("/v1/events?limit=1000&format=ndjson").text.splitlines()
    assert len(lines) == len(items)
    clouds = changed.get("/v1/events?limit=1000&format=cloudevents").json()
    assert sum(cloud["type"] == "org.commitments-tracker.unreadable" for cloud in clouds) == len(CHANGES)


def test_a_replay_finds_what_the_projection_does_not_show_yet(changed: Api, database_url: str) -> None:
    assert {d["pledge"] for d in changed.get("/v1/replay?compare=true", headers=MONITOR).json()["differences"]} == set(
        CHANGES
    )
    rebuilt(changed, database_url)
    assert changed.get("/v1/replay?compare=true", headers=MONITOR).json()["differences"] == []


def test_that_pledge_alone_takes_no_more_facts_once_its_line_is_read_again(changed: Api, database_url: str) -> None:
    with running(database_url) as again:
        for pledge in CHANGES:
            refused = problem(again.post(f"/v1/pledges/{pledge}/events", statement()), 503, "unavailable")
            assert "cannot be read" in refused["detail"]
        for pledge in ("sound", SPACED):
            again.add(statement(), pledge)


def test_every_command_answers(database_url: str, tmp_path: object) -> None:
    prepare(database_url)
    with running(database_url) as api:
        for pledge in ("sound", *CHANGES):
            api.open(pledge)
            api.add(progress(), pledge)
    for pledge, change in CHANGES.items():
        written_over(database_url, pledge, change)
    shell = Shell(database_url, tmp_path)  # type: ignore[arg-type]
    shell.run("replay", "--compare", code=1)
    shell.run("rebuild")
    shell.run("replay", "--compare")
    for events in ([], ["--events"]):
        for format_ in ("json", "ndjson", "csv"):
            shell.run("export", "--format", format_, *events)
    assert shell.run("parked", code=1).stdout.count("broken") >= len(CHANGES)
    for pledge in CHANGES:
        shell.run("history", pledge)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_line_is_served_as_one_line_of_json_whatever_its_bytes_are(change: Callable[[bytes], bytes]) -> None:
    line = b'{"id":"1","version":2,"fact":{"source":{"publisher":"Gazette"},"figure":{"final":true}}}'
    answered = served(change(line), 7)
    assert len(answered.splitlines()) == 1
    told = json.loads(answered)
    assert set(told) == {"line", "position"}
    assert told["position"] == 7
