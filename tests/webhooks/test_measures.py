"""What `/metrics` tells of webhooks and of the feed: what waits, what failed, and how far it is."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from api.outgoing.measures import measures
from api.outgoing.published import STATE_FILE
from api.outgoing.webhooks import disable_webhook, webhooks
from tests.support.api import MONITOR, Api, made, statement
from tests.support.metric_names import faults_of_metrics
from tests.support.webhook_desk import Desk


def told(desk: Desk) -> dict[str, float]:
    """The samples at the test's time: by name, and the label's value behind a colon."""
    services = desk.api.services
    found = measures(desk.engine, services.settings.state_directory, services.heads, lambda: desk.now)
    return {
        ":".join((sample.name, *sample.labels.values())).removeprefix("tracker_"): sample.value
        for family in found
        for sample in family.samples
    }


def test_what_waits_and_what_failed_is_told(desk: Desk) -> None:
    assert told(desk) == {}
    desk.add("--what", "events")
    desk.api.open()
    desk.send()
    desk.receiver.answer = lambda _: (500, {})
    desk.api.add(statement())
    desk.send()
    waiting = told(desk)
    assert waiting == {
        "webhooks:in_force": 1, "webhooks:disabled": 0, "webhook_messages:pending": 1, "webhook_messages:failed": 0,
        "webhook_overdue_seconds": 0,
    }  # fmt: skip
    desk.now += timedelta(hours=1)
    assert 0 < told(desk)["webhook_overdue_seconds"] <= 3600
    (hook,) = webhooks(desk.engine, desk.now)
    disable_webhook(desk.engine, hook.id, "by hand")
    disabled = told(desk)
    assert (disabled["webhooks:disabled"], disabled["webhook_overdue_seconds"]) == (1, 0)


def test_the_feed_is_told_by_stream_for_this_log_alone(lite: Api) -> None:
    lite.open()
    directory = lite.services.settings.state_directory
    directory.mkdir(exist_ok=True)
    log = lite.services.heads.log_id
    (directory / STATE_FILE).write_text(json.dumps({f"{log} TRACKER": 7, f"{log} NEW ONE": 3, "other TRACKER": 9}))
    page = lite.get("/metrics", headers=MONITOR).text
    assert dict(re.findall(r'^tracker_published_position\{stream="(.+)"\} (\S+)$', page, flags=re.M)) == {
        "TRACKER": "7.0", "NEW ONE": "3.0",
    }  # fmt: skip
    assert faults_of_metrics(page) == []


@pytest.mark.parametrize("broken", ["[", "[1]", '{"a": null}'])
def test_a_broken_file_and_missing_tables_hide_nothing_else(lite: Api, broken: str) -> None:
    lite.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()})
    directory = lite.services.settings.state_directory
    directory.mkdir(exist_ok=True)
    (directory / STATE_FILE).write_text(broken)
    page = lite.get("/metrics", headers=MONITOR).text
    assert "tracker_store_up 1.0" in page
    assert "tracker_published_position" not in page
    assert "tracker_webhook" not in page
