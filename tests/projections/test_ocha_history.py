"""A real history, recorded vintage by vintage through the API and replayed: OCHA FTS on Ebola, 2014–15."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.ocha_ebola import Recorder, vintages
from tests.support.api import ADMIN, Api
from tests.support.paths import SHARED

DATA = SHARED / "data" / "ocha_fts_ebola"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the OCHA FTS vintages are not at {DATA}"),
]


@pytest.fixture(scope="module")
def recorded(module_api: Api) -> tuple[Api, dict[str, tuple[str, int]]]:
    """The API with all vintages recorded, once a store, and for each its day and the log position after it."""
    recorder = Recorder(module_api.client, ADMIN)
    positions = {vintage.at: (vintage.day, recorder.record(vintage)) for vintage in vintages(DATA)}
    recorder.wait_projected(max(position for _, position in positions.values()))
    return module_api, positions


def usd(api: Api, status: str, figure: str, as_of: str, position: int, **filters: str) -> int:
    """The exact sum of targets or actuals of the pledges with a status, at a point on both clocks."""
    params: dict[str, Any] = {"status": status, "as_of": as_of, "at_position": position, **filters}
    totals = api.get("/v1/summary", params=params).json()["totals"]
    amounts = {total["unit"]: total[figure] for total in totals}
    assert set(amounts) <= {"USD"}
    assert all(amount["op"] == "eq" for amount in amounts.values())
    return int(amounts["USD"]["value"]) if amounts else 0


def test_every_vintage_replays_to_its_known_sums(recorded: tuple[Api, dict[str, tuple[str, int]]]) -> None:
    api, positions = recorded
    answers = json.loads((DATA / "answers.json").read_text("utf-8"))
    for answer in answers["q1_usd_by_vintage"]:
        day, position = positions[answer["at"]]
        assert usd(api, "met", "actual", day, position) == answer["committed"], answer["at"]
        assert usd(api, "announced", "target", day, position) == answer["pledged"], answer["at"]
        listed = api.get("/v1/pledges", params={"as_of": day, "at_position": position, "limit": 1}).json()["total"]
        gone = {"as_of": day, "at_position": position, "limit": 1, "status": "withdrawn"}
        assert listed - api.get("/v1/pledges", params=gone).json()["total"] == answer["rows"]
    last = max(position for _, position in positions.values())
    world_bank = answers["q2_world_bank_as_known_at"]
    for day, sums in world_bank.items():
        assert usd(api, "met", "actual", day, last, pledgor="world bank") == sums["committed"], day
        assert usd(api, "announced", "target", day, last, pledgor="world bank") == sums["pledged"], day


def test_the_log_itself_says_the_same_as_the_projection(recorded: tuple[Api, dict[str, tuple[str, int]]]) -> None:
    api, positions = recorded
    for day, position in list(positions.values())[::6]:
        params = {"as_of": day, "at_position": position, "compare": "true"}
        answer = api.get("/v1/replay", params=params, headers={"Authorization": f"Bearer {ADMIN}"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["differences"] == []
