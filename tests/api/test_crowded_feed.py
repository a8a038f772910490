"""What one request makes known is one entry of the feed, and takes no place from the others."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from freezegun import freeze_time

from tests.support.api import Api, made, running, statement

TITLE = "{http://www.w3.org/2005/Atom}title"
ENTRY = "{http://www.w3.org/2005/Atom}entry"


def titles(api: Api, query: str = "") -> list[str]:
    """The titles of the entries, newest first."""
    answer = api.get(f"/v1/feed.atom{query}")
    assert answer.status_code == 200, answer.text
    return [entry.findtext(TITLE) or "" for entry in ElementTree.fromstring(answer.content).findall(ENTRY)]


@pytest.mark.parametrize("at_a_time", [3, 500])
def test_one_large_request_hides_no_other(api: Api, monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    monkeypatch.setattr("projections.timeline.EXPORT_BATCH_ROWS", at_a_time)
    names = [f"other-{n}" for n in range(4)]
    for name in names:
        api.open(name, title=name, window=None)
    many = [{"pledge": f"p{n}", "fact": made(title=f"Pledge {n}", window=None)} for n in range(30)]
    said = [{"pledge": name, "fact": statement(summary="Words that change no headline.")} for name in names]
    said += [{"pledge": item["pledge"], "fact": statement()} for item in many]
    for items in (many, said):
        assert api.post("/v1/events", items).status_code == 201
    wanted = ["Several pledges: Pledge 29, Pledge 28, Pledge 27 and others"]
    wanted += [f"Announced: {name}" for name in reversed(names)]
    assert titles(api) == wanted
    for limit in (1, 2, 4):
        assert titles(api, f"?limit={limit}") == wanted[:limit]
    assert titles(api, "?type=PledgeMade&limit=3") == wanted[:3]
    assert len(api.get("/v1/parties/alliance").json()["changes"]) == len(names) + len(many)


def test_what_was_said_since_hides_no_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.timeline.EXPORT_BATCH_ROWS", 3)
    url = f"sqlite:///{tmp_path}/tracker.db"
    with freeze_time("2025-07-01 12:00:00", real_asyncio=True), running(url) as api:
        for day in (5, 6):
            api.open(f"due-{day}", title=f"Due {day}", window={"end": f"2025-07-0{day}"})
    with freeze_time("2025-07-10 12:00:00", real_asyncio=True), running(url) as api:
        later = [{"pledge": f"p{n}", "fact": made(stated_on="2025-07-09", window=None)} for n in range(20)]
        assert api.post("/v1/events", later).status_code == 201
        batch = "Several pledges: Aid of 2024, Aid of 2024, Aid of 2024 and others"
        assert titles(api, "?limit=3") == [batch, "Overdue: Due 6", "Overdue: Due 5"]
        assert titles(api)[3:] == ["Several pledges: Due 6, Due 5"]
