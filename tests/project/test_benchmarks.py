"""The benchmarks run, and what they are run on is what the tracker would have recorded."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import generate, growth, moving, one_pledge, pages, scale, verify, write_load, writes
from tracker.event import Event
from tracker.log.open import open_recorder
from tracker.log.rows import NewLogRow
from tracker.pledge import Pledge


def lines(pledges: int, seed: int = generate.SEED) -> Iterator[NewLogRow]:
    return generate.log_lines(pledges, seed)


def test_every_generated_fact_would_have_been_recorded() -> None:
    pledges: dict[str, Pledge] = {}
    for position, line in enumerate(lines(300), start=1):
        event = Event.read(line.state, position)
        pledge = pledges.setdefault(event.pledge, Pledge(event.pledge))
        pledge.check(event.fact, event.recorded_at)
        pledge.apply(event)
    assert len(pledges) == 300
    counts = [len(pledge.facts) for pledge in pledges.values()]
    assert (min(counts), max(counts)) >= (8, 12)


def test_the_same_seed_gives_the_same_log() -> None:
    assert [line.state for line in lines(20)] == [line.state for line in lines(20)]
    assert [line.state for line in islice(lines(20, seed=1), 5)] != [line.state for line in islice(lines(20), 5)]


@pytest.mark.slow
def test_the_run_at_scale_runs(
    database_url: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "SAMPLED_READS", 2)
    # A run that was done before goes on alike on both stores.
    for already_done in (False, True) if database_url.startswith("sqlite") else (False,):
        scale.run(database_url, 30)
        printed = capfd.readouterr().out
        assert ("| rebuild |" in printed) is not already_done
        for work in ("list of 100, random past on both clocks", "diff over a week", "no difference", "memory"):
            assert work in printed, printed


@pytest.mark.slow
def test_the_pages_are_measured(sqlite_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    pages.run(sqlite_url, 30, 1)
    printed = capfd.readouterr().out
    for name, _ in pages.PAGES:
        assert f"| {name} |" in printed, printed


@pytest.mark.slow
def test_a_log_that_moves_there_and_back_is_measured(
    postgres_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    moving.run(postgres_url, tmp_path / "moving", 40)
    printed = capfd.readouterr().out
    assert "are the same in all three exports" in printed
    for work in ("export from SQLite", "killed at", "run again", "export from PostgreSQL", "import of that"):
        assert work in printed, printed


def test_what_one_pledge_costs_is_measured(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    one_pledge.run(database_url, 12)
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines()[2:]]
    rectangles = {row[1].strip(): int(row[4].replace(",", "")) for row in rows}
    assert rectangles["12 increments of one sum, newest first"] > rectangles["12 running totals, newest first"] > 12
    log = open_recorder(database_url)
    assert log.head() == 4 * 13
    log.close()


def test_what_it_costs_to_verify_a_log_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify.run(tmp_path / "log", 30)
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines()]
    assert rows[0][1].strip() == f"of {(tmp_path / 'log' / 'checkpoint').read_text().splitlines()[1]} events"
    assert [row[1].strip() for row in rows[2:]] == ["verify", "verify and fold all statuses"]
    assert all(float(row[5].split()[0]) > 10 for row in rows[2:])


def test_the_same_seed_gives_the_same_facts_and_each_pledge_is_opened_first() -> None:
    facts = list(islice(write_load.facts("a"), 100))
    assert facts == list(islice(write_load.facts("a"), 100))
    assert not {slug for slug, _ in facts} & {slug for slug, _ in islice(write_load.facts("b"), 100)}
    firsts = dict(reversed(facts))
    assert {fact["type"] for fact in firsts.values()} == {"PledgeMade"}


@pytest.mark.slow
@pytest.mark.many
def test_writes_are_measured_beside_their_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "PLEDGES", 5)
    found = list(writes.rows(tmp_path, rounds=1, seconds=0.3, facts_at_once=50, stores=("sqlite",)))
    assert [row.row for row in found] == ["5s", "5s", "5s", "11", "11", "6"]
    assert all(row.ours > 0 < row.peer for row in found)


@pytest.mark.slow
@pytest.mark.many
def test_what_grows_with_the_log_is_measured_and_drawn(tmp_path: Path) -> None:
    found = [growth.measured(tmp_path, pledges, load_seconds=0.3, reads=2, appends=1) for pledges in (5, 20)]
    assert found[0].events < found[1].events
    assert found[0].disk < found[1].disk
    assert all(store.rebuilt > 0 < store.appended and store.summary and store.past for store in found)
    drawing = ElementTree.fromstring(growth.picture(found))
    words = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"summary after an append, ms", "10²"} <= set(words)
    assert len(list(drawing.iter("{http://www.w3.org/2000/svg}circle"))) == 2 * 6
