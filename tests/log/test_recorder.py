"""The log on both stores: no holes, no second copy, no event a follower could miss, nothing taken back."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import pytest
from eventsourcing.persistence import IntegrityError

from tests.support.log_lines import NOON, SECOND, append, line, stamp
from tests.support.waiting import HANG_SECONDS
from tracker.log.open import open_recorder
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow, NewLogRow, leaf_hash

# Appending


def test_what_is_read_is_what_was_appended(log: LogRecorder) -> None:
    given = line(state=b'{"a": 1}', key="k", key_index=0, payload_hash=b"h" * 32)
    (row,) = append(log, given)
    assert row == LogRow(
        1, "p", 1, "ProgressReported", given.event_id, NOON, b'{"a": 1}', "k", 0, b"h" * 32, leaf_hash(b'{"a": 1}')
    )
    assert log.read() == [row]
    assert log.read()[0].recorded_at.tzinfo is UTC
    assert (log.head(), log.last_recorded_at(), log.recorded_at(1)) == (1, NOON, NOON)


def test_an_empty_log_has_no_head(log: LogRecorder) -> None:
    log.ping()
    assert append(log) == []
    assert (log.head(), log.last_recorded_at(), log.recorded_at(1), log.read()) == (0, None, None, [])
    assert (log.version("p"), log.heads(["p"]), log.heads([]), log.by_keys(["k"])) == (0, {}, {}, [])
    assert (log.position_at(NOON), log.changed_since(0, 10), log.leaves(0, 10)) == (0, [], [])


@pytest.mark.parametrize(
    "second",
    [
        line("p", 1, event_id="new"),
        line("q", 1, event_id="taken"),
        line("q", 1, event_id="new", key="k", key_index=0),
        line("q", 1, event_id="new", key="k"),
    ],
    ids=["version", "event id", "key", "a key without its index"],
)
def test_a_conflict_leaves_no_hole_and_nothing_behind(log: LogRecorder, second: NewLogRow) -> None:
    append(log, line("p", 1, event_id="taken", key="k", key_index=0))
    with pytest.raises(IntegrityError):
        append(log, line("r", 1), second)
    assert log.head() == 1
    assert log.version("r") == 0
    assert [row.position for row in append(log, line("p", 2))] == [2]


def test_restamping_that_fails_leaves_nothing_behind(log: LogRecorder) -> None:
    append(log, line("p", 1))
    with pytest.raises(ZeroDivisionError):
        log.append([line("p", 2, recorded_at=NOON - SECOND)], restamp=lambda *_: bytes(1 // 0))
    assert [row.position for row in append(log, line("p", 2))] == [2]


def test_a_clock_set_back_does_not_set_back_the_log(log: LogRecorder) -> None:
    append(log, line("p", 1))
    rows = append(
        log,
        line("p", 2, recorded_at=NOON - SECOND),
        line("p", 3, recorded_at=NOON + SECOND, state=b"as given"),
        line("p", 4, recorded_at=NOON),
    )
    assert [row.recorded_at for row in rows] == [NOON, NOON + SECOND, NOON + SECOND]
    assert [row.state for row in rows] == [stamp(b"", NOON), b"as given", stamp(b"", NOON + SECOND)]
    assert [row.leaf for row in rows] == [leaf_hash(row.state) for row in rows]
    assert log.read(after=1) == rows


def test_an_instant_without_an_offset_is_refused(log: LogRecorder) -> None:
    with pytest.raises(ValueError, match="offset"):
        append(log, line(recorded_at=datetime(2026, 1, 1)))
    with pytest.raises(ValueError, match="offset"):
        log.position_at(datetime(2026, 1, 1))


def test_another_offset_is_the_same_instant(log: LogRecorder) -> None:
    append(log, line(recorded_at=datetime.fromisoformat("2026-01-01T14:00:00.000001+02:00")))
    assert log.last_recorded_at() == NOON + timedelta(microseconds=1)
    assert log.position_at(NOON) == 0


def test_ten_thousand_lines_are_one_append(log: LogRecorder) -> None:
    state = b"x" * 700
    rows = append(log, *(line(f"p-{n // 10}", n % 10 + 1, state=state) for n in range(10_000)))
    assert [row.position for row in rows] == list(range(1, 10_001))
    assert log.head() == 10_000
    assert log.read(after=9_998) == rows[-2:]


def test_appending_the_same_lines_again_answers_the_first_time(log: LogRecorder) -> None:
    lines = [line("p", 1), line("p", 2, recorded_at=NOON - SECOND)]
    rows = append(log, *lines)
    assert append(log, *lines) == rows
    with pytest.raises(IntegrityError):
        append(log, *reversed(lines))
    assert log.head() == 2


# Reading


def test_reads_select_by_position_pledge_and_type(log: LogRecorder) -> None:
    append(log, line("p", 1, type="PledgeMade"), line("q", 1, type="PledgeMade"), line("p", 2), line("p", 3))

    def positions(rows: Sequence[LogRow]) -> list[int]:
        return [row.position for row in rows]

    assert positions(log.read()) == [1, 2, 3, 4]
    assert positions(log.read(1, 2)) == [2, 3]
    assert positions(log.read(1, upto=3)) == [2, 3]
    assert positions(log.read(type="PledgeMade")) == [1, 2]
    assert positions(log.read(pledge="p", after=1)) == [3, 4]
    assert positions(log.read(pledge="p", type="PledgeMade", limit=1)) == [1]
    assert positions(log.pledge_rows("p")) == [1, 3, 4]
    assert positions(log.pledge_rows("p", upto=3)) == [1, 3]
    assert log.heads(["q", "p", "none"]) == {"p": (3, 4), "q": (1, 2)}
    assert log.heads(["q", "p"], upto=1) == {"p": (1, 1)}
    assert (log.version("p"), log.version("none")) == (3, 0)
    assert log.changed_since(1, 2) == [(2, "q", 1), (3, "p", 2)]
    assert log.leaves(2, 10) == [row.leaf for row in log.read(2)]


def test_a_look_with_what_is_ahead_is_a_look_and_a_read(log: LogRecorder) -> None:
    assert log.look_on(0, 5) == (log.look(), [])
    rows = append(log, *(line("p", version) for version in range(1, 9)))
    log.withhold(rows[5].event_id, ["note"], reason="asked for", at=NOON, by="operator")
    found, ahead = log.look_on(3, 4)
    assert (found.head.position, found.withheld, found.event_there) == (8, 1, rows[-1].event_id)
    assert ahead == log.read(3, 4)
    assert [row.position for row in ahead] == [4, 5, 6, 7]
    assert ahead[2].withheld == ("note",)
    assert log.look_on(8, 4) == (log.look(), [])


def test_a_key_gives_its_rows_in_the_order_of_their_index(log: LogRecorder) -> None:
    append(log, line("p", 1, key="k", key_index=1), line("p", 2, key="k", key_index=0), line("p", 3))
    assert [row.version for row in log.by_keys(["k"])] == [2, 1]
    assert log.by_keys(["other"]) == []


def test_known_at_is_the_last_position_recorded_by_then(log: LogRecorder) -> None:
    for version, seconds in enumerate([0, 0, 2], start=1):
        append(log, line("p", version, recorded_at=NOON + seconds * SECOND))
    tick = timedelta(microseconds=1)
    asked = [NOON - tick, NOON, NOON + tick, NOON + 2 * SECOND - tick, NOON + 2 * SECOND, NOON + 3 * SECOND]
    assert [log.position_at(known_at) for known_at in asked] == [0, 2, 2, 2, 3, 3]


# Many at once


def test_a_follower_sees_every_position_once_and_in_order(log: LogRecorder, database_url: str) -> None:
    writers, each, size = 6, 15, 3
    done = threading.Event()

    def write(writer: int) -> None:
        for n in range(each):
            append(log, *(line(f"w{writer}", n * size + k + 1) for k in range(size)))
            with pytest.raises(IntegrityError):
                append(log, line(f"w{writer}", 1))

    def follow() -> list[int]:
        seen: list[int] = []
        with closing(open_recorder(database_url)) as reader:
            while True:
                last_round = done.is_set()
                rows = reader.read(after=seen[-1] if seen else 0, limit=50)
                seen += [row.position for row in rows]
                if last_round and not rows:
                    return seen

    with ThreadPoolExecutor(writers + 1) as threads:
        follower = threads.submit(follow)
        for written in [threads.submit(write, writer) for writer in range(writers)]:
            written.result()
        done.set()
        assert follower.result() == list(range(1, writers * each * size + 1))


def test_a_writer_held_open_hides_itself_and_those_who_wait_for_it(log: LogRecorder, database_url: str) -> None:
    inside, go_on = threading.Event(), threading.Event()
    append(log, line("p", 1, recorded_at=NOON + SECOND))

    def held(state: bytes, recorded_at: datetime) -> bytes:
        inside.set()
        assert go_on.wait(HANG_SECONDS)
        return state

    with closing(open_recorder(database_url)) as other, ThreadPoolExecutor(2) as threads:
        first = threads.submit(log.append, [line("a", 1)], restamp=held)
        assert inside.wait(HANG_SECONDS)
        second = threads.submit(append, other, line("b", 1))
        try:
            with suppress(TimeoutError):
                second.result(timeout=0.3)
            assert not second.done()
            assert log.head() == 1
            assert log.read(after=1) == []
        finally:
            go_on.set()
        assert [row.position for row in first.result()] == [2]
        assert [row.position for row in second.result()] == [3]
    assert [row.pledge for row in log.read()] == ["p", "a", "b"]


def test_two_processes_may_make_the_tables_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        logs = list(threads.map(lambda _: open_recorder(database_url), range(8)))
    for version, opened in enumerate(logs, start=1):
        with closing(opened):
            append(opened, line("p", version))
            assert opened.head() == version
