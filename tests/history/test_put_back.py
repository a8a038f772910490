"""An older copy of the log is put back under a running server: nothing is written into a wrong history, and all
that hangs on the lost events is told so. Real processes, on both stores."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.support.api import ADMIN, made, problem, progress, statement
from tests.support.put_back import PutBack, copied
from tests.support.servers import serving
from tests.support.shell import Shell, ended, with_tables
from tests.support.waiting import HANG_SECONDS, wait_until

PLEDGE = "/v1/pledges/aid-2024"


@dataclass
class Server:
    """A server as a process of its own, whose log had three events that a copy has, and two more."""

    shell: Shell
    client: httpx.Client
    process: Any
    put_back: PutBack
    log: str

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers=headers)

    def ready(self) -> httpx.Response:
        return self.client.get("/health/ready")

    def fork(self) -> str:
        """Fork the log, and wait until the server goes on."""
        forked = self.shell.run("log", "fork", "--reason", "the copy of yesterday").stdout.splitlines()[-1]
        wait_until(lambda: self.client.get("/v1/log").headers["tracker-log"] == forked, self.process)
        return forked


def told(**fields: Any) -> dict[str, Any]:
    return statement(**fields)


LOST_KEY = {"Idempotency-Key": "lost"}
LOST = progress("30bn EUR")


def connected(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=HANG_SECONDS)


@pytest.fixture(params=["sqlite-restore", "sqlite-cp", "sqlite-mv", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    kind, _, how = request.param.partition("-")
    shell = with_tables(request.getfixturevalue(f"{kind}_url"), tmp_path)
    settings = {"TRACKER_ADMIN_KEY": ADMIN, "TRACKER_RATE_LIMIT": "0"}
    with shell.serving(**settings) as (address, process), connected(address) as client:
        server = Server(shell, client, process, lambda: None, "")
        assert server.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()}).status_code == 201
        assert server.post("/v1/pledges", {"pledge": "other", "fact": made()}).status_code == 201
        assert server.post(f"{PLEDGE}/events", told()).status_code == 201
        server.put_back = copied(shell.url, how, process)
        assert server.post(f"{PLEDGE}/events", LOST, **LOST_KEY).status_code == 201
        assert server.post("/v1/pledges", {"pledge": "lost", "fact": made()}).status_code == 201
        server.log = client.get("/v1/log").json()["log"]
        yield server


def test_nothing_is_written_until_the_operator_forks_the_log(server: Server) -> None:
    tag = server.client.get(PLEDGE).headers["etag"]
    cursor = server.client.get("/v1/pledges?limit=1").json()["next_cursor"]
    server.put_back()
    refused = problem(server.post(f"{PLEDGE}/events", told(summary="After.")), 503, "log_went_back")
    assert "tracker log fork --reason" in refused["detail"]
    assert server.ready().status_code == 503
    assert server.ready().json()["refusal"] == "log_went_back"
    problem(server.post(f"{PLEDGE}/events", LOST, **LOST_KEY), 503, "log_went_back")
    problem(server.post("/v1/events", [{"pledge": "other", "fact": told()}]), 503, "log_went_back")
    assert server.client.get("/v1/events").status_code == 200
    assert server.shell.head() == 3
    wait_until(lambda: server.client.get("/v1/pledges/lost").status_code == 404, server.process)
    wait_until(lambda: server.client.get(PLEDGE).json()["version"] == 2, server.process)

    forked = server.fork()
    assert forked != server.log
    wait_until(lambda: server.ready().status_code == 200, server.process)
    answer = server.client.get(PLEDGE, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.headers["tracker-log"], answer.json()["version"]) == (200, forked, 2)
    for path in (f"/v1/pledges?limit=1&cursor={cursor}", "/v1/events?after=5", f"{PLEDGE}?log={server.log}"):
        assert problem(server.client.get(path), 409, "other_log")["log"] == forked
    problem(server.client.get("/v1/events/stream", headers={"Last-Event-ID": "5"}), 409, "other_log")
    problem(server.post(f"{PLEDGE}/events", told(), **{"Tracker-Log": server.log}), 409, "other_log")
    assert server.client.get("/v1/pledges/lost").status_code == 404

    again = server.post(f"{PLEDGE}/events", LOST, **LOST_KEY, **{"Tracker-Log": forked})
    assert (again.status_code, again.json()["position"], again.json()["replayed"]) == (201, 4, False)
    assert server.client.get(PLEDGE).json()["version"] == 3
    which = server.client.get("/v1/log").json()
    assert (which["log"], which["head"]) == (forked, 4)
    assert [(f["from"], f["position"], f["reason"]) for f in which["forks"]] == [
        (server.log, 3, "the copy of yesterday")
    ]
    differences = server.client.get("/v1/replay?compare=true").json()["differences"]
    assert differences == []


def test_readiness_notices_before_any_write(server: Server) -> None:
    server.put_back()
    assert server.ready().status_code == 503
    problem(server.post("/v1/pledges", {"pledge": "new", "fact": made()}), 503, "log_went_back")


def test_a_log_that_went_back_is_read_as_it_is_now_and_the_process_answers_reads(server: Server) -> None:
    assert server.client.get("/health/reads").status_code == 200
    server.put_back()
    wait_until(lambda: server.ready().json().get("refusal") == "log_went_back", server.process)
    wait_until(lambda: server.client.get("/health/reads").status_code == 200, server.process)
    wait_until(lambda: server.client.get(PLEDGE).json()["version"] == 2, server.process)
    failing = {name for name, check in server.ready().json()["checks"].items() if not check["ok"]}
    assert failing == {"log"}


def test_open_streams_end_with_a_word(server: Server) -> None:
    said: list[str] = []

    def listen(position: int) -> None:
        url = f"{server.client.base_url}/v1/events/stream?after={position}"
        with httpx.stream("GET", url, timeout=HANG_SECONDS) as answer:
            said.extend(line for line in answer.iter_lines() if line.startswith(("event:", "data:")))

    reader = Thread(target=listen, args=(5,))
    reader.start()
    wait_until(lambda: "tracker_streams 1" in server.client.get("/metrics").text, server.process)
    server.put_back()
    reader.join(HANG_SECONDS)
    assert not reader.is_alive()
    assert said == ["event: log_changed", f'data: {{"log":"{server.log}"}}']


def test_a_restart_notices_and_commands_refuse_too(server: Server) -> None:
    assert ended(server.process) == 0
    server.put_back()
    item = json.dumps({"pledge": "aid-2024", "fact": told(summary="More.")})
    facts = server.shell.write("more.ndjson", item)
    assert "tracker log fork" in server.shell.run("import", facts, code=1).stderr
    with serving(server.shell) as again:
        assert again.get("/health/ready").status_code == 503
        problem(again.client.post(f"{PLEDGE}/events", json=told(summary="After.")), 503, "log_went_back")
        assert again.get(PLEDGE).status_code == 200
        server.shell.run("log", "fork", "--reason", "lost for good")
        again.comes(lambda: not again.failing())
        assert again.client.post(f"{PLEDGE}/events", json=told(summary="After.")).status_code == 201
