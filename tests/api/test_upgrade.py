"""A record made by version 0.1 is opened, upgraded and answers as before: tests/data/v0.1 stays for ever."""

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, prepare, progress, running
from tests.support.paths import ROOT
from tests.support.stores import postgres_tool
from tests.support.waiting import wait_until

DATA = ROOT / "tests" / "data" / "v0.1"
NEW_MEMBERS = {"deadline"}
"""Members of a status that 0.1 did not have."""


def unpacked(name: str, folder: Path) -> Path:
    target = folder / name
    with gzip.open(DATA / f"{name}.gz") as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return target


@pytest.fixture(params=["sqlite", "postgres"])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Api, dict[str, Any]]]:
    """The API on the record of 0.1, and what 0.1 answered."""
    store = request.param
    if store == "sqlite":
        url = f"sqlite:///{unpacked('tracker.db', tmp_path)}"
    else:
        url = request.getfixturevalue("postgres_url")
        dump = unpacked("tracker.sql", tmp_path)
        subprocess.run([postgres_tool("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-f", dump, url], check=True)
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


def without_new(document: Any) -> Any:
    """The document as 0.1 would have written it, as far as only members were added and the rules' version counted."""
    if isinstance(document, dict):
        dropped = {*NEW_MEMBERS, "rules_version"}
        return {name: without_new(value) for name, value in document.items() if name not in dropped}
    if isinstance(document, list):
        return [without_new(value) for value in document if not (isinstance(value, str) and value in NEW_MEMBERS)]
    return document


def test_a_record_of_the_first_version_answers_as_before(upgraded: tuple[Api, dict[str, Any]]) -> None:
    api, answers = upgraded
    for address, before in answers.items():
        answer = api.get(address)
        assert answer.status_code == 200, address
        assert without_new(answer.json()) == without_new(before), address


def test_a_record_of_the_first_version_goes_on(upgraded: tuple[Api, dict[str, Any]]) -> None:
    api, _ = upgraded
    head, fact, key = api.head(), progress("6 USD", stated_on="2025-05-05"), {"Idempotency-Key": "once"}
    first = api.add(fact, "every-fact-two", **key)
    again = api.add(fact, "every-fact-two", **key)
    assert (first["position"], again["position"], again["replayed"]) == (head + 1, head + 1, True)
