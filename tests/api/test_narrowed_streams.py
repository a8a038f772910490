"""Streams narrowed by pledges, types, parties, tags and statuses: from memory, and from the store."""

from collections.abc import Iterator
from itertools import islice

import pytest

from api.http import event_tail
from api.resources import event_stream
from projections.timeline import Timeline
from tests.api.test_stream import listening
from tests.support.api import SOURCE, made, prepare, progress, statement
from tests.support.live import Live, serving


@pytest.fixture(params=[1_000, 0], ids=["memory", "store"])
def live(request: pytest.FixtureRequest, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A server that holds the newest events in memory, or none."""
    prepare(database_url)
    monkeypatch.setattr(event_tail, "TAIL_EVENTS", request.param)
    with serving(database_url) as live:
        yield live


def record(live: Live) -> None:
    """Six events of two pledges: `aid-2024` is met with the third, and loses its tag with the fifth."""
    live.post("/v1/pledges", {"pledge": "aid-2024", "fact": made(tags=["aid"], window={"end": "2999-12-31"})})
    live.post("/v1/pledges", {"pledge": "other", "fact": made(title="Other", pledgor={"name": "Belgium", "code": "BE"},
                                                            window={"end": "2999-12-31"})})  # fmt: skip
    live.post("/v1/pledges/aid-2024/events", progress("50bn EUR"))
    live.post("/v1/pledges/other/events", statement())
    revised = {"type": "PledgeRevised", "stated_on": "2024-09-01", "source": SOURCE, "tags": ["none"], "reason": "x"}
    live.post("/v1/pledges/aid-2024/events", revised)
    live.post("/v1/pledges/aid-2024/events", statement(summary="More talk."))


NARROWED = {
    "pledge=aid-2024": [1, 3, 5, 6],
    "pledge=aid-2024,other": [1, 2, 3, 4, 5, 6],
    "pledge=other&pledge=none": [2, 4],
    "type=PledgeMade,ProgressReported": [1, 2, 3],
    "type=StatementMade&pledge=other": [4],
    "party=be": [2, 4],
    "party=Alliance&party=BE": [1, 2, 3, 4, 5, 6],
    "party=nobody": [],
    "tag=aid": [1, 3, 5],
    "status=announced": [1, 2, 3, 4],
    "status=exceeded": [3, 5, 6],
    "status=exceeded&type=StatementMade": [6],
    "tag=aid&status=exceeded": [3, 5],
}


def test_a_stream_has_the_events_of_what_passes(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that brings its pledge into the filter or takes it out is sent too; the rest in between is not."""
    monkeypatch.setattr(event_stream, "COMMENT_SECONDS", 0.5)
    record(live)
    for query, positions in NARROWED.items():
        with listening(live.address, f"?after=0&{query}") as blocks:
            found = [block.id for block in islice(blocks, len(positions) + 1)]
        assert found == [*map(str, positions), None], query  # a comment behind the last
    with listening(live.address, "?after=4&status=exceeded") as blocks:
        assert [block.id for block in islice(blocks, 2)] == ["5", "6"]


def test_an_event_whose_status_is_still_folded_is_sent_once_it_is_known(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes behind it is sent after it; what the pledge passes before it is known would lose it."""
    monkeypatch.setattr(event_stream, "COMMENT_SECONDS", 0.2)
    record(live)
    with monkeypatch.context() as folded:
        folded.setattr(Timeline, "waiting", lambda *_: {"aid-2024": 5})
        with listening(live.address, "?after=0&status=exceeded") as blocks:
            assert [block.id for block in islice(blocks, 2)] == ["3", None]
            folded.undo()
            sent = (block.id for block in blocks if block.id is not None)
            assert list(islice(sent, 2)) == ["5", "6"]


def test_a_narrowed_stream_hears_of_what_comes(live: Live) -> None:
    with (
        listening(live.address, "?after=0&status=exceeded") as exceeded,
        listening(live.address, "?after=0&tag=aid&party=alliance") as tagged,
    ):
        record(live)
        assert [block.id for block in islice(tagged, 3)] == ["1", "3", "5"]
        assert [block.id for block in islice(exceeded, 3)] == ["3", "5", "6"]


def test_what_passes_no_filter_keeps_no_comment_away(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "COMMENT_SECONDS", 0.2)
    record(live)
    with listening(live.address, "?after=0&tag=nothing") as blocks:
        for number in range(20):
            live.post("/v1/pledges/other/events", statement(summary=f"Talk {number}."))
        assert [block.comment for block in islice(blocks, 2)] == [":", ":"]
