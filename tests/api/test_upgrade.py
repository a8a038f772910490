"""A record made by version 0.1 is opened, upgraded and answers as before: tests/data/v0.1 stays for ever."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, prepare, progress, running
from tests.support.first_version import DATA, postgres_of_the_first_version, sqlite_of_the_first_version
from tests.support.waiting import wait_until

NEW_MEMBERS = {"deadline", "answers_by", "progress"}
"""Members of a status that 0.1 did not have."""

TOLD_OTHERWISE = {"rules_version", "because", "changed", "why"}
"""What names the reasons of an answer: version 2 names more events in them (tests/rules/test_because.py)."""

_SCHEDULE = "a pledge that is settled is `kept_on_time`, `kept_late` or `closed`, and no longer `closed_on_time`"
_STEPS_LATE = "a pledge that is overdue or settled is not `late` for a step that still waits, which one that is open is"
_CAUSES = "the day on which only the causes changed is a day on which a rectangle ends, or no longer is one"
MOVED = {
    ("commercial-space-strategy", "flags"): _STEPS_LATE,
    ("integrated-air-missile-defence", "flags"): _STEPS_LATE,
    ("every-fact-steps", "flags"): _STEPS_LATE,
    (None, "flags"): "the summary counts the flags that moved",
    (None, "totals"): "percentages and levels are not added, and what can be set side by side is told by itself",
    (None, "next_after"): "it is how far was read, on the last page too",
    ("every-fact", "flags"): (
        "slack is capped at 2.5 %, so that 50m EUR and nearly 60m USD (at most 56m EUR) dispute each other; of the two"
        " the dollars count, so it is `converted` and not `provisional`; an admission beside the final figure that kept"
        " the target is `assertion_conflict`"
    ),
    ("every-fact", "actual"): "nature goes before exactness: 50m EUR are provisional, nearly 60m USD an actual",
    ("every-fact", "ratio"): "it is that of the other actual",
    ("every-fact-steps", "schedule"): "`original` is PledgeMade's own window, and it gave none; a step scheduled later"
    " gives one to `current` alone, which is `closed` where the pledge is partly met",
    **dict.fromkeys(
        [
            (pledge, "schedule")
            for pledge in (
                "every-fact", "every-fact-group", "every-fact-lev", "every-fact-superseded", "every-fact-withdrawn",
                "nato-2-percent-2024", "nato-ukraine-2024",
            )
        ],
        _SCHEDULE,
    ),
    **dict.fromkeys(
        [
            (pledge, "items")
            for pledge in (
                "defence-production-action-plan", "integrated-air-missile-defence", "jatec-poland", "nsatu-wiesbaden",
            )
        ],
        _CAUSES,
    ),
}  # fmt: skip
"""Which members of which pledges version 2 of the rules answers otherwise, and why; everything else is as it was."""


@pytest.fixture(params=["sqlite", "postgres"])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Api, dict[str, Any]]]:
    """The API on the record of 0.1, and what 0.1 answered."""
    store = request.param
    if store == "sqlite":
        url = sqlite_of_the_first_version(tmp_path)
    else:
        url = postgres_of_the_first_version(request.getfixturevalue("postgres_url"), tmp_path)
        prepare(url)  # what `tracker init` does; on SQLite it is done by itself
    with gzip.open(DATA / f"answers-{store}.json.gz") as packed:
        answers = json.load(packed)
    with running(url) as api:
        wait_until(lambda: is_rebuilt(api))
        yield api, answers


def is_rebuilt(api: Api) -> bool:
    """Whether the projection of this version answers, which is built beside the one of 0.1."""
    items = api.get("/v1/pledges?limit=1&as_of=2025-06-30").json()["items"]
    return bool(items) and items[0].keys() >= NEW_MEMBERS


def moved(before: Any, after: Any, pledge: str | None, member: str = "") -> Iterator[tuple[str | None, str]]:
    """The members of pledges that two answers tell differently, as pledge and member."""
    if isinstance(before, dict) and isinstance(after, dict):
        own = before.get("pledge", pledge)
        named = own if isinstance(own, str) else pledge
        for name in {*before, *after} - NEW_MEMBERS - TOLD_OTHERWISE:
            at_top = member in ("", "items")
            yield from moved(before.get(name), after.get(name), named, name if at_top else member)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from moved(one, other, pledge, member)
    elif before != after:
        yield pledge, member


def test_a_record_of_the_first_version_answers_as_before_but_for_what_the_rules_moved(
    upgraded: tuple[Api, dict[str, Any]],
) -> None:
    api, answers = upgraded
    found: set[tuple[str | None, str]] = set()
    for address, before in answers.items():
        answer = api.get(address)
        assert answer.status_code == 200, address
        after = answer.json()
        if "as_of=" not in address:  # it is asked of another day than it was then
            assert after["as_of"] >= before["as_of"]
            after["as_of"] = before["as_of"]
        _, _, rest = address.partition("/pledges/")
        found.update(moved(before, after, rest.partition("/")[0].partition("?")[0] or None))
    assert found == MOVED.keys()


def test_a_record_of_the_first_version_goes_on(upgraded: tuple[Api, dict[str, Any]]) -> None:
    api, _ = upgraded
    head, fact, key = api.head(), progress("6 USD", stated_on="2025-05-05"), {"Idempotency-Key": "once"}
    first = api.add(fact, "every-fact-two", **key)
    again = api.add(fact, "every-fact-two", **key)
    assert (first["position"], again["position"], again["replayed"]) == (head + 1, head + 1, True)
