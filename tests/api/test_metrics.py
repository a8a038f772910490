"""What Prometheus scrapes: every answer counted once, by route and not by address."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api.http.access_keys import create_key
from api.http.contract import Role
from projections.timeline import Timeline
from tests.support.api import MONITOR, Api, problem, running
from tests.support.paths import ROOT
from tracker.errors import Unavailable


def scraped(api: Api) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = api.get("/metrics", headers=MONITOR)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.text)
    samples: Iterator[Any] = (sample for family in families for sample in family.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def labelled(**labels: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def test_answers_are_counted_by_route_and_status(api: Api) -> None:
    api.open()
    for _ in range(3):
        tag = api.get("/v1/pledges/aid-2024").headers["etag"]
    api.get("/v1/pledges/aid-2024", headers={"If-None-Match": tag})
    api.get("/v1/pledges/nobody")
    api.get("/not/there")
    api.client.request("BREW", "/v1/pledges")
    found = scraped(api)

    def count(route: str, status: int, method: str = "GET") -> float:
        labels = labelled(method=method, route=route, status=str(status))
        return found.get(("tracker_http_requests_total", labels), 0)

    assert count("/v1/pledges/{pledge}", 200) == 3
    assert count("/v1/pledges/{pledge}", 304) == 1
    assert count("/v1/pledges/{pledge}", 404) == 1
    assert count("/v1/pledges", 201, "POST") == 1
    assert count("none", 404) == 1
    assert count("none", 405, "other") == 1
    assert not any("nobody" in str(labels) for _, labels in found)
    times = labelled(method="GET", route="/v1/pledges/{pledge}")
    assert found["tracker_http_request_seconds_count", times] == 5
    assert 0 < found["tracker_http_request_seconds_sum", times] < 60
    assert found["tracker_http_request_seconds_bucket", (("le", "+Inf"), *times)] == 5


def test_the_log_and_the_projection_are_told(lite: Api) -> None:
    lite.open()
    found = scraped(lite)
    for name, value in {"log_position": 1, "projection_position": 1, "projection_lag": 0, "store_up": 1}.items():
        assert found[f"tracker_{name}", ()] == value
    assert found["tracker_projection_heartbeat_seconds", ()] < 60
    assert found["tracker_streams", ()] == 0
    assert found["process_resident_memory_bytes", ()] > 1_000_000


def test_a_store_that_is_away_is_told_too(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("away")

    monkeypatch.setattr(Timeline, "progress", away)
    found = scraped(lite)
    assert found["tracker_store_up", ()] == 0
    assert ("tracker_log_position", ()) not in found


@pytest.mark.parametrize("public_read", [True, False])
def test_metrics_are_for_keys_alone_also_where_reads_are_public(sqlite_url: str, public_read: bool) -> None:
    with running(sqlite_url, public_read=public_read) as api:
        problem(api.get("/metrics"), 401, "unauthorized")
        problem(api.get("/metrics?x=1"), 401, "unauthorized")
        problem(api.get("/metrics", headers={"Authorization": "Bearer no"}), 401, "unauthorized")
        keys = [create_key(api.services.engine, f"a-{role}", role) for role in get_args(Role)]
        api.services.keys.refresh()
        for key in keys:
            assert api.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        documented = api.get("/schema/openapi.json").json()["paths"]["/metrics"]["get"]
        assert documented["security"] == [{"key": ["reader"]}]
        assert {"401", "403"} <= documented["responses"].keys()


def test_the_example_of_a_scrape_asks_with_a_key_in_a_file() -> None:
    (job,) = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    assert job["authorization"] == {"type": "Bearer", "credentials_file": "/etc/prometheus/tracker.key"}
    assert job.get("metrics_path", "/metrics") == "/metrics"
