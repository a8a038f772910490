"""What holds of every stream of facts that a pledge accepts, on every day and for every reader."""

import json
import os
import random
import re
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.paths import ROOT
from tests.support.profiles import examples
from tests.support.streams import DAYS, envelope, event_id, random_stream, streams
from tracker.acting import ACTING
from tracker.event import Event
from tracker.facts import ShareReported
from tracker.rules.status import StatusFold, derive
from tracker.rules.status_history import history

ONE_DAY = timedelta(days=1)
LONG_AGO = date(1999, 1, 1)

days_asked = st.one_of(st.sampled_from(DAYS).map(date.fromisoformat), st.dates(date(2023, 6, 1), date(2026, 6, 1)))


def body(fold: StatusFold, day: date) -> bytes | None:
    status = fold.status(day)
    return None if status is None else status.body


# --- one answer


def digest(seeds: Sequence[int]) -> str:
    """Of the bodies that the streams of some seeds have on a day each."""
    bodies = [derive(random_stream(seed), date(2024, 3, 1) + timedelta(days=seed * 7 % 700)) for seed in seeds]
    return sha256(b"\n".join(b"" if found is None else found.body for found in bodies)).hexdigest()


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "4711", "TZ": "America/Los_Angeles", "LC_ALL": "tr_TR.UTF-8"},
    ],
)
def test_another_process_gives_the_same_bytes(surroundings: dict[str, str]) -> None:
    code = "from tests.rules.test_any_stream import digest; print(digest(range(80)))"
    environment = {**os.environ, **surroundings, "PYTHONPATH": str(ROOT)}
    other = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == digest(range(80))


def without_order(document: Any, names: dict[str, str]) -> Any:
    """The document with events named by their facts, and lists that are in the order of recording put in another."""
    if isinstance(document, dict):
        return {key: without_order(value, names) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return sorted((without_order(value, names) for value in document), key=repr)
    return names.get(document, document) if isinstance(document, str) else document


@settings(max_examples=examples(150))
@given(streams(), days_asked, st.randoms(use_true_random=True))
def test_the_order_of_recording_makes_no_difference_to_what_was_said_on_different_days(
    events: list[Event], day: date, shuffle: random.Random
) -> None:
    by_day = {event.in_force_on: event.fact for event in reversed(events[1:]) if not isinstance(event.fact, ACTING)}
    facts = [fact for fact in by_day.values() if not isinstance(fact, ShareReported) or fact.of is None]
    orders = [list(range(len(facts))), list(range(len(facts)))]
    shuffle.shuffle(orders[1])
    found = []
    for order in orders:
        stream = [events[0], *(envelope(facts[place], version) for version, place in enumerate(order, start=2))]
        names = {event_id(version): f"fact {place}" for version, place in enumerate(order, start=2)}
        status = derive(stream, day)
        found.append(None if status is None else without_order(status.document, names))
    assert found[0] == found[1]


@settings(max_examples=examples(150))
@given(streams(), days_asked, st.integers(0, 30))
def test_what_was_known_at_an_instant_is_what_was_recorded_by_then(events: list[Event], day: date, count: int) -> None:
    known_at: datetime = events[min(count, len(events) - 1)].recorded_at
    before = [event for event in events if event.recorded_at <= known_at]
    now, then = derive(events, day, known_at), derive(before, day)
    assert (now and now.body) == (then and then.body)


# --- the axis of days


@settings(max_examples=examples(150))
@given(streams(), st.lists(days_asked, min_size=1, max_size=12))
def test_nothing_changes_between_two_boundaries(events: list[Event], asked: list[date]) -> None:
    fold = StatusFold(events)
    boundaries = [LONG_AGO, *fold.boundaries()]
    for day in asked:
        since = boundaries[bisect_right(boundaries, day) - 1]
        assert body(StatusFold(events), day) == body(fold, since), (since, day)


@settings(max_examples=examples(100))
@given(streams())
def test_segments_are_the_statuses_of_their_days(events: list[Event]) -> None:
    fold = StatusFold(events)
    segments = fold.segments()
    for segment in segments:
        last = (segment.valid_to or segment.valid_from + ONE_DAY) - ONE_DAY
        assert body(fold, segment.valid_from) == body(fold, last) == segment.status.body
    for earlier, later in pairwise(segments):
        assert earlier.valid_to is not None
        assert earlier.valid_to <= later.valid_from
        assert earlier.valid_to < later.valid_from or earlier.status.body != later.status.body


@settings(max_examples=examples(200))
@given(streams())
def test_a_record_that_is_followed_is_the_record_of_all_its_events(events: list[Event]) -> None:
    followed = StatusFold(())
    for count, event in enumerate(events, start=1):
        followed, whole = followed.followed_by(event), StatusFold(events[:count])
        since = whole.acts_from(event)
        assert followed.acts_from(event) == since
        assert [(s.valid_from, s.valid_to, s.status) for s in followed.segments(since)] == [
            (s.valid_from, s.valid_to, s.status) for s in whole.segments(since)
        ]
    assert followed.boundaries() == whole.boundaries()
    assert [s.status.body for s in followed.segments()] == [s.status.body for s in whole.segments()]


@settings(max_examples=examples(150))
@given(streams())
def test_an_event_changes_nothing_before_the_day_from_which_it_acts(events: list[Event]) -> None:
    before, after = StatusFold(events[:-1]), StatusFold(events)
    acts_from = after.acts_from(events[-1])
    for day in {acts_from - ONE_DAY, *before.boundaries(), *after.boundaries()}:
        if day < acts_from:
            assert body(before, day) == body(after, day), (acts_from, day)


# --- the document


@settings(max_examples=examples(150))
@given(streams(), days_asked)
def test_the_document_is_json_with_plain_decimals(events: list[Event], day: date) -> None:
    def no_float(digits: str) -> float:
        raise AssertionError(f"a float, {digits}")

    status = derive(events, day)
    if status is None:
        return
    document = json.loads(status.body, parse_float=no_float, parse_constant=no_float)
    versions = {event.id: event.version for event in events}

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name in ("value", "upper", "rate", "to_rate") and inner is not None:
                    assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", inner), (name, inner)
                if name in ("event", "of") and inner is not None:
                    assert inner in versions
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(document)
    for name in ("pledge", "title", "kind", "status", "flags", "evidence", "trajectory", "tags"):
        assert document[name] == (list(found) if isinstance(found := getattr(status, name), tuple) else found)
    for name in ("target", "actual", "ratio"):
        assert (document[name] is None) == (getattr(status, name) is None)
    assert document["last_stated_on"] == status.last_stated_on.isoformat()
    for name, causes in document["because"].items():
        assert causes, f"{name} has no cause"
        assert [versions[id_] for id_ in causes] == sorted({versions[id_] for id_ in causes}), name


@settings(max_examples=examples(60))
@given(streams(), days_asked, st.sampled_from(["as_of", "known"]))
def test_a_history_has_every_event_of_its_time_once_and_ends_where_the_status_is(
    events: list[Event], day: date, axis: Any
) -> None:
    steps = history(events, axis, day)
    told = [step.event.id for step in steps if step.event is not None]
    assert len(told) == len(set(told))
    status = derive(events, day)
    if axis == "known":
        assert told == [event.id for event in events]
    if steps:
        assert steps[-1].status_after == (None if status is None else status.status)
    for before, after in pairwise(steps):
        assert before.status_after == after.status_before
