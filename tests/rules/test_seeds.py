"""The seed pledges stand where the five documents leave them; the first of them replayed to four days."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

import pytest

from seeds import seed_files
from tracker.event import Event, event_id
from tracker.fact_reading import read_fact
from tracker.pledge import Pledge
from tracker.rules.status import derive

TODAY = date(2026, 11, 21)
RECORDED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def seeds() -> dict[str, list[Event]]:
    """The events of each seed pledge, as the aggregate accepts them."""
    pledges: dict[str, Pledge] = {}
    events: dict[str, list[Event]] = defaultdict(list)
    ids: dict[str, str] = {}
    for number, item in enumerate(
        (json.loads(line) for file in seed_files() for line in file.read_text("utf-8").splitlines()), start=1
    ):
        slug, raw = item["pledge"], item["fact"]
        for name in ("event", "of"):
            if isinstance(raw.get(name), dict):
                raw[name] = ids[raw[name]["ref"]]
        fact, pledge = read_fact(raw), pledges.setdefault(slug, Pledge(slug))
        pledge.check(fact, RECORDED)
        id_ = event_id(RECORDED, number.to_bytes(10, "big"))
        event = Event(id_, slug, pledge.version + 1, RECORDED, "seed", fact, number)
        pledge.apply(event)
        events[slug].append(event)
        if "ref" in item:
            ids[item["ref"]] = id_
    return dict(events)


def test_every_seed_pledge_has_the_status_that_the_documents_give_it(seeds: dict[str, list[Event]]) -> None:
    found = {slug: status.status for slug, events in seeds.items() if (status := derive(events, TODAY)) is not None}
    assert found == {
        "commercial-space-strategy": "overdue",
        "defence-production-action-plan": "announced",
        "equal-burden-for-ukraine": "not_measurable",
        "europe-canada-defence-investment": "not_measurable",
        "hague-spending-guideline": "not_measurable",
        "integrated-air-missile-defence": "overdue",
        "jatec-poland": "announced",
        "nato-155mm-2024": "overdue",
        "nato-2-percent-2024": "partly_met",
        "nato-ukraine-2024": "exceeded",
        "nsatu-wiesbaden": "met",
        "ukraine-nato-membership": "not_measurable",
    }


@pytest.mark.parametrize(
    ("as_of", "status", "actual", "ratio", "trajectory"),
    [
        ("2024-09-01", "announced", None, None, "unknown"),
        ("2024-10-16", "in_progress", ("eq", "20900000000"), ("eq", "0.5225"), "on_track"),
        ("2025-01-01", "in_progress", ("eq", "20900000000"), ("eq", "0.5225"), "on_track"),
        ("2025-02-12", "exceeded", ("gt", "50000000000"), ("gt", "1.25"), "ahead"),
    ],
)
def test_the_pledge_to_ukraine_replayed(
    seeds: dict[str, list[Event]], as_of: str, status: str, actual: Any, ratio: Any, trajectory: str
) -> None:
    derived = derive(seeds["nato-ukraine-2024"], date.fromisoformat(as_of))
    assert derived is not None
    document = derived.document
    assert document["status"] == status
    assert (document["target"]["op"], document["target"]["value"]) == ("ge", "40000000000")
    for name, wanted in (("actual", actual), ("ratio", ratio)):
        found = document[name]
        assert wanted == (None if found is None else (found["op"], found["value"]))
    assert document["trajectory"] == trajectory


def test_the_pledge_to_ukraine_in_full(seeds: dict[str, list[Event]]) -> None:
    events = seeds["nato-ukraine-2024"]
    assert derive(events, date(2024, 7, 30)) is None
    october = derive(events, date(2024, 10, 16))
    today = derive(events, TODAY)
    assert october is not None
    assert today is not None
    assert october.evidence == "single_source"
    assert [claim["trajectory"] for claim in october.document["claimed_trajectory"]] == ["on_track"]
    assert today.document["schedule"] == {"current": "kept_on_time", "original": "kept_on_time"}
    (share,) = today.document["shares"]
    assert share["bound"] == {"op": "gt", "value": "25000000000", "unit": "EUR"}
    assert share["derived"] is True


def test_the_two_percent_pledge_counts_22_of_31(seeds: dict[str, list[Event]]) -> None:
    status = derive(seeds["nato-2-percent-2024"], TODAY)
    assert status is not None
    assert status.document["members"] == {
        "eligible": 31,
        "met": 22,
        "not_met": 9,
        "not_applicable": 1,
        "opted_out": 0,
        "not_reported": 0,
        "total": 32,
    }
    assert "tally_mismatch" not in status.flags


def test_what_has_no_target_still_shows_its_actual(seeds: dict[str, list[Event]]) -> None:
    status = derive(seeds["europe-canada-defence-investment"], TODAY)
    assert status is not None
    assert status.actual is not None
    assert (str(status.actual), status.ratio) == ("485000000000 USD", None)
    assert [other["quantity"]["unit"] for other in status.document["other_measures"]] == ["percent:increase-on-2023"]
