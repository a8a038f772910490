"""The log as a stream of NATS JetStream: every event once, in order, whoever is killed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import made, statement
from tests.support.nats import Nats, nats_server
from tests.support.shell import Shell, ended, gone, with_tables
from tests.support.waiting import wait_until
from tracker.log.recorder import LogRecorder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nats]:
    with nats_server(tmp_path / "jetstream") as server:
        yield server


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    return with_tables(database_url, tmp_path)


def record(shell: Shell, pledge: str, events: int) -> None:
    """Record a pledge with so many events."""
    facts = [made(title=pledge), *(statement(summary=f"{pledge} {number}") for number in range(events - 1))]
    lines = "\n".join(json.dumps({"pledge": pledge, "fact": fact}) for fact in facts)
    shell.run("import", shell.write(f"{pledge}.ndjson", lines))


def must_have_all(server: Nats, log: LogRecorder) -> list[Any]:
    """The messages of the stream, which MUST be the events of the log, each once and in its order."""
    messages = server.messages()
    rows = log.read(limit=100_000)
    assert [m.headers["Nats-Msg-Id"] for m in messages] == [row.event_id for row in rows]
    assert [m.headers["Tracker-Position"] for m in messages] == [str(row.position) for row in rows]
    return messages


def test_events_are_published_as_cloudevents_and_a_second_run_adds_only_what_is_new(shell: Shell, server: Nats) -> None:
    record(shell, "first", 3)
    env = {"TRACKER_PUBLIC_URL": "https://pledges.example.org", "TRACKER_DATA_LICENSE": "CC-BY-4.0"}
    told = shell.run("publish", "--nats", server.url, "--once", **env).stderr
    assert "3 events were published" in told
    record(shell, "second", 2)
    assert "2 events were published" in shell.run("publish", "--nats", server.url, "--once", **env).stderr
    with shell.log() as log:
        last = must_have_all(server, log)[-1]
        (row,) = log.read(4, 1)
    event = json.loads(last.data)
    assert last.subject == "tracker.events.second.StatementMade"
    assert last.headers["Content-Type"] == "application/cloudevents+json"
    assert event["id"] == last.headers["Nats-Msg-Id"]
    assert event["source"] == "https://pledges.example.org/v1/pledges/second"
    assert event["type"] == "org.commitments-tracker.StatementMade"
    assert event["dataschema"].startswith("https://pledges.example.org/schema/openapi.json#")
    assert event["license"] == "CC-BY-4.0"
    assert event["data"] == {**json.loads(row.state), "position": 5}


def test_all_are_there_once_and_in_order_though_both_are_killed_again_and_again(shell: Shell, server: Nats) -> None:
    record(shell, "killed", 2_500)
    process = shell.start("publish", "--nats", server.url)
    try:
        for kills in range(1, 4):
            wait_until(lambda until=kills * 500: server.last_sequence() >= until)  # type: ignore[misc]
            server.kill()
            if kills == 2:
                gone(process)
                process = shell.start("publish", "--nats", server.url)
            server.start()
        record(shell, "afterwards", 3)
        wait_until(lambda: server.last_sequence() >= 2_503)
        assert ended(process) == 0
    finally:
        gone(process)
    with shell.log() as log:
        must_have_all(server, log)


def test_two_publishers_publish_each_event_once(shell: Shell, server: Nats) -> None:
    record(shell, "contended", 1_200)
    processes = [shell.start("publish", "--nats", server.url) for _ in range(2)]
    try:
        wait_until(lambda: server.last_sequence() >= 1_200)
        assert [ended(process) for process in processes] == [0, 0]
    finally:
        for process in processes:
            gone(process)
    with shell.log() as log:
        must_have_all(server, log)


def test_a_stream_whose_messages_were_deleted_goes_on_and_a_new_one_gets_everything(shell: Shell, server: Nats) -> None:
    record(shell, "deleted", 3)
    shell.run("publish", "--nats", server.url, "--once")
    server.purge()
    record(shell, "later", 1)
    shell.run("publish", "--nats", server.url, "--once")
    assert [m.headers["Tracker-Position"] for m in server.messages()] == ["4"]
    shell.run("publish", "--nats", server.url, "--stream", "ANEW", "--subject", "anew", "--once")
    assert [m.headers["Tracker-Position"] for m in server.messages("ANEW")] == ["1", "2", "3", "4"]


def test_messages_deleted_at_the_end_are_not_published_again_by_a_machine_that_remembers_nothing(
    shell: Shell, server: Nats, tmp_path: Path
) -> None:
    record(shell, "deleted", 5)
    shell.run("publish", "--nats", server.url, "--once")
    server.delete(5)
    server.delete(4)
    record(shell, "later", 1)
    elsewhere = str(tmp_path / "another-machine")
    shell.run("publish", "--nats", server.url, "--once", TRACKER_STATE_DIR=elsewhere)
    assert [m.headers["Tracker-Position"] for m in server.messages()] == ["1", "2", "3", "6"]
    (tmp_path / "another-machine" / "published.json").write_text("[")
    server.purge()
    told = shell.run("publish", "--nats", server.url, "--once", code=1, TRACKER_STATE_DIR=elsewhere).stderr
    assert "published.json is broken" in told


def test_a_server_that_stands_still_keeps_no_publisher_from_its_end(shell: Shell, server: Nats) -> None:
    record(shell, "first", 1)
    with (shell.directory / "told.log").open("w") as errors:
        process = shell.start("publish", "--nats", server.url, errors=errors)
    try:
        wait_until(lambda: server.last_sequence() == 1, process)
        server.freeze(on=True)
        conditions = [{"condition": f"condition-{number}", "text": "x" * 4_000} for number in range(5)]
        facts = [made(title=f"Large {number}", conditions=conditions) for number in range(400)]
        lines = "\n".join(json.dumps({"pledge": f"large-{number}", "fact": fact}) for number, fact in enumerate(facts))
        shell.run("import", shell.write("large.ndjson", lines))
        wait_until(lambda: "nothing is published" in (shell.directory / "told.log").read_text(), process)
        assert ended(process) == 0
    finally:
        server.freeze(on=False)
        gone(process)
    shell.run("publish", "--nats", server.url, "--once")
    with shell.log() as log:
        must_have_all(server, log)


def test_a_stream_of_another_history_is_refused(shell: Shell, server: Nats, tmp_path: Path) -> None:
    record(shell, "ours", 2)
    shell.run("publish", "--nats", server.url, "--once")
    other = with_tables(f"sqlite:///{tmp_path}/other.db", tmp_path)
    record(other, "theirs", 5)
    assert "name another stream" in other.run("publish", "--nats", server.url, "--once", code=1).stderr


def test_a_fork_goes_on_in_the_stream_that_has_what_it_has(shell: Shell, server: Nats) -> None:
    record(shell, "forked", 2)
    process = shell.start("publish", "--nats", server.url)
    try:
        wait_until(lambda: server.last_sequence() == 2, process)
        shell.run("log", "fork", "--reason", "a drill")
        record(shell, "after", 1)
        wait_until(lambda: server.last_sequence() == 3, process)
        assert ended(process) == 0
    finally:
        gone(process)
    with shell.log() as log:
        messages = must_have_all(server, log)
    assert len({m.headers["Tracker-Log"] for m in messages}) == 2
    for message in messages:
        assert message.headers["Tracker-Log"] in json.loads(message.data)["source"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--nats", "http://localhost"], "addresses such as"),
        (["--nats", ","], "addresses such as"),
        (["--nats", "nats://localhost", "--stream", "a b"], "letters, digits"),
        (["--nats", "nats://localhost", "--subject", "a..b"], "letters, digits"),
    ],
)
def test_what_cannot_be_is_wrong_usage(shell: Shell, arguments: list[str], why: str) -> None:
    assert why in shell.run("publish", *arguments, code=2).stderr


def test_a_server_that_is_not_there_is_told(shell: Shell, server: Nats) -> None:
    record(shell, "nobody", 1)
    server.kill()
    assert "NATS: " in shell.run("publish", "--nats", server.url, "--once", code=1).stderr
