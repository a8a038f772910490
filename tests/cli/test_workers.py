"""Several workers behind one port are one service: one rate limit, one count of everything, one log to read."""

import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.http.metrics import SHARED_VARIABLE, ProcessMetrics
from tests.support.api import made, statement
from tests.support.metric_names import faults_of_metrics
from tests.support.servers import KEY, Server, is_up
from tests.support.shell import Shell, gone
from tests.support.stores import postgres_database
from tests.support.waiting import HANG_SECONDS, wait_until

WORKERS = 4
LIMIT, FAILED_LIMIT = 40, 10
WRONG = {"Authorization": "Bearer ctk_" + "0" * 12 + "_" + "0" * 64 + "_00000000"}


@dataclass
class Several:
    """A server of several workers; each request comes over a connection of its own, so that any worker answers."""

    address: str
    server: Server
    errors: Path
    shell: Shell
    seen: set[int] = field(default_factory=set)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path}", headers=headers, timeout=HANG_SECONDS)

    def post(self, path: str, body: object, headers: dict[str, str] = KEY) -> httpx.Response:
        return httpx.post(f"{self.address}{path}", json=body, headers=headers, timeout=HANG_SECONDS)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.errors.read_text("utf-8").splitlines() if line.startswith("{")]

    def who_answered(self, **fields: str) -> set[object]:
        """The processes that have told of a request with these fields."""
        return {line["process"] for line in self.lines() if fields.items() <= line.items()}

    def sample(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels, as some worker tells it."""
        families = text_string_to_metric_families(self.get("/metrics", **KEY).text)
        samples = [s for family in families for s in family.samples if s.name == name]
        return sum(s.value for s in samples if labels.items() <= s.labels.items())


@pytest.fixture(scope="module")
def several(postgres_server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    directory = tmp_path_factory.mktemp("workers")
    with postgres_database(postgres_server_url) as url:
        shell = Shell(url, directory)
        shell.run("init", TRACKER_STATE_DIR=str(directory / "state"))
        settings = {
            "TRACKER_ADMIN_KEY": KEY["Authorization"].removeprefix("Bearer "),
            "TRACKER_STATE_DIR": str(directory / "state"),
            "TRACKER_RATE_LIMIT": str(LIMIT),
            "TRACKER_FAILED_KEY_LIMIT": str(FAILED_LIMIT),
            "TRACKER_ACCESS_LOG": "true",
        }
        errors = directory / "errors"
        with errors.open("w", encoding="utf-8") as file:
            process = shell.start("serve", "--port", "0", "--workers", str(WORKERS), errors=file, **settings)
            try:
                wait_until(lambda: "http://" in errors.read_text("utf-8"), process)
                found = re.search(r"http://\S+", errors.read_text("utf-8"))
                assert found is not None
                several = Several(found[0], Server(found[0], process), errors, shell)
                wait_until(lambda: is_up(several.server) and several.sample("tracker_workers") == WORKERS, process)
                yield several
            finally:
                several.server.client.close()
                gone(process)


def test_the_rate_limit_is_one_for_all_workers(several: Several) -> None:
    assert several.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()}).status_code == 201
    with ThreadPoolExecutor(2 * WORKERS) as threads:
        posts = [statement(summary=f"Number {number}.") for number in range(2 * LIMIT)]
        answers = [*threads.map(lambda post: several.post("/v1/pledges/aid-2024/events", post), posts)]
    taken = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(taken) == LIMIT - 1
    assert len(taken) + len(refused) == len(answers)
    left = {int(answer.headers["ratelimit"].partition(";r=")[2].partition(";")[0]) for answer in taken}
    assert left == set(range(LIMIT - 1))
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    assert several.shell.head() == LIMIT
    assert len(several.who_answered(method="POST")) > 1, "one worker alone answered, so nothing was shown"


def test_the_limit_of_refused_keys_is_one_for_all_workers(several: Several) -> None:
    codes = [several.get("/v1/pledges", **WRONG).status_code for _ in range(2 * FAILED_LIMIT)]
    assert codes == [401] * FAILED_LIMIT + [429] * FAILED_LIMIT
    assert several.get("/v1/pledges", **KEY).status_code == 200


def test_the_metrics_are_those_of_all_workers_whoever_is_asked(several: Several) -> None:
    asked = 0

    def several_answered() -> bool:
        nonlocal asked
        with ThreadPoolExecutor(2 * WORKERS) as threads:
            answers = [*threads.map(several.get, 4 * WORKERS * ["/v1/pledges/nobody"])]
        assert {answer.status_code for answer in answers} == {404}
        asked += len(answers)
        return len(several.who_answered(route="/v1/pledges/{pledge}")) > 1

    wait_until(several_answered)
    for _ in range(8):
        route = {"route": "/v1/pledges/{pledge}", "status": "404"}
        assert several.sample("tracker_http_requests_total", **route) == asked
        assert several.sample("tracker_refusals_total", code="pledge_not_found") == asked
        assert several.sample("tracker_events_recorded_total") == several.shell.head()
        assert several.sample("tracker_workers") == WORKERS
    assert several.sample("tracker_pool_connections") >= WORKERS
    assert several.sample("tracker_http_request_duration_seconds_count", route="/v1/pledges/{pledge}") == asked
    assert faults_of_metrics(several.get("/metrics", **KEY).text) == []


def test_a_process_that_has_just_begun_to_count_does_not_keep_the_others_from_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED_VARIABLE, str(tmp_path))
    (tmp_path / "counter_1.db").touch()
    assert ProcessMetrics().text() == b""


def test_a_stream_on_one_worker_is_counted_by_all(several: Several) -> None:
    with httpx.stream("GET", f"{several.address}/v1/events/stream", timeout=HANG_SECONDS):
        for _ in range(4):
            wait_until(lambda: several.sample("tracker_streams") == 1, several.server.process)
    wait_until(lambda: several.sample("tracker_streams") == 0, several.server.process)


def test_a_worker_that_was_replaced_counts_no_more_and_what_it_counted_stays(several: Several) -> None:
    before = several.sample("tracker_http_requests_total", method="GET", status="404")
    recorded = several.sample("tracker_events_recorded_total")
    (worker, *_) = {line["process"] for line in several.lines() if "route" in line}
    os.kill(int(str(worker)), signal.SIGKILL)
    wait_until(lambda: any(line["message"] == "a worker was replaced" for line in several.lines()))
    wait_until(lambda: several.sample("tracker_workers") == WORKERS, several.server.process)
    assert several.sample("tracker_http_requests_total", method="GET", status="404") >= before
    assert several.sample("tracker_events_recorded_total") == recorded


def test_every_line_of_every_process_is_json_without_a_secret(several: Several) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    several.get("/v1/pledges/traced?q=needle", traceparent=f"00-{trace}-00f067aa0ba902b7-01", **KEY)
    wait_until(lambda: any(line.get("request_id") == trace for line in several.lines()))
    (line,) = (line for line in several.lines() if line.get("request_id") == trace)
    assert line["key"] == "admin"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/pledges/{pledge}", 400)
    assert isinstance(line["milliseconds"], float)
    text = several.errors.read_text("utf-8")
    greeting = [told for told in text.splitlines() if not told.startswith("{")]
    assert len(greeting) == 1, greeting
    for secret in (KEY["Authorization"].removeprefix("Bearer "), WRONG["Authorization"].removeprefix("Bearer ")):
        assert secret not in text
    assert "needle" not in text
