"""The metrics keep the conventions of Prometheus; those of several workers are looked at in `tests/cli`."""

from tests.support.api import MONITOR, Api
from tests.support.metric_names import faults_of_metrics


def test_metrics_are_named_and_told_as_prometheus_wants_them(lite: Api) -> None:
    lite.open()
    assert lite.get("/v1/pledges/nobody").status_code == 404
    assert faults_of_metrics(lite.get("/metrics", headers=MONITOR).text) == []


def test_names_that_it_does_not_want_are_found() -> None:
    text = "\n".join(
        f"# HELP {name} {told}\n# TYPE {name} {kind}\n{name}{parts} 1"
        for name, told, kind, parts in [
            *((f"tracker_good_{number}", "Told.", "gauge", "") for number in range(16)),
            ("tracker_answers_total", "Told.", "counter", ""),
            ("tracker_wait_seconds", "Told.", "histogram", '_bucket{le="+Inf"}'),
            ("tracker_wait_ms", "", "gauge", '{Route="/"}'),
            ("tracker_open_total", "Told.", "gauge", ""),
            ("tracker_gauge_count", "Told.", "gauge", ""),
        ]
    )
    assert faults_of_metrics(text) == [
        "tracker_wait_ms: it has no help",
        "tracker_wait_ms: its unit is no base unit",
        "tracker_wait_ms: a label has letters that are not small, or signs",
        "tracker_open_total: it ends in _total and is no counter",
        "tracker_gauge_count: its type is in its name",
        "tracker_gauge_count: it ends as parts of a histogram do",
    ]
