"""What a process knows of the log, and when it may write to it. No store is needed."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError

from tests.support.log_lines import append, line
from tracker.errors import ClockImplausible, LogWentBack, OtherLog, Unavailable
from tracker.log.clock_watch import MAX_MOVED, ClockWatch
from tracker.log.guard import LogGuard
from tracker.log.identity import NOWHERE, LogPoint, LogStanding
from tracker.log.memory import LogMemory
from tracker.log.open import open_recorder
from tracker.log.recorder import LogRecorder
from tracker.log.remembered import RememberedLogs

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def point(position: int, event_id: str | None = None) -> LogPoint:
    return LogPoint(position, event_id or f"e{position}", b"l" * 32) if position else NOWHERE


def standing(head: LogPoint, there: str | None = None, log: str = "one") -> LogStanding:
    return LogStanding(log, head, there)


def knowing(position: int) -> LogGuard:
    guard = LogGuard()
    guard.take_in(standing(point(position)), guard.basis())
    return guard


# The guard


def test_a_log_that_grew_is_followed() -> None:
    guard = knowing(3)
    guard.take_in(standing(point(5), "e3"), guard.basis())
    assert (guard.known, guard.refusal, guard.changes) == (point(5), None, 0)
    guard.take_in(standing(point(5), "e5"), guard.basis())
    guard.must_allow_writes()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (standing(point(2)), "the log ends at position 2, and 3 was recorded"),
        (standing(NOWHERE), "the log ends at position 0"),
        (standing(point(3, "x"), "x"), "another event stands at position 3"),
        (standing(point(9), "x"), "another event stands at position 3"),
    ],
)
def test_a_log_that_lost_the_known_event_is_refused(found: LogStanding, words: str) -> None:
    guard = knowing(3)
    with pytest.raises(LogWentBack, match=words):
        guard.basis().must_hold(found)
    guard.take_in(found, guard.basis())
    with pytest.raises(LogWentBack, match="tracker log fork --reason"):
        guard.must_allow_writes()
    assert guard.changes == 1


def test_a_refusal_stays_until_the_log_has_another_id() -> None:
    guard = knowing(3)
    guard.take_in(standing(point(2)), guard.basis())
    guard.take_in(standing(point(1)), guard.basis())
    guard.take_in(standing(point(3), "e3"), guard.basis())
    assert guard.refusal is not None
    assert guard.changes == 1
    guard.take_in(standing(point(1), log="two"), guard.basis())
    assert (guard.log, guard.known, guard.refusal, guard.changes) == ("two", point(1), None, 2)


def test_a_decision_on_one_log_is_not_written_to_another() -> None:
    basis = knowing(3).basis()
    with pytest.raises(Unavailable, match="two has taken the place of one"):
        basis.must_hold(standing(point(9), "e3", log="two"))
    basis.must_be_of(None)
    basis.must_be_of("one")
    with pytest.raises(OtherLog):
        basis.must_be_of("two")


def test_a_look_that_began_before_a_fork_says_nothing_of_it() -> None:
    guard = knowing(3)
    before = guard.basis()
    guard.take_in(standing(point(3), "e3", log="two"), before)
    guard.take_in(standing(point(2)), before)
    assert (guard.log, guard.refusal) == ("two", None)


# The recorder


def test_every_log_has_an_id_of_its_own_that_stays(log: LogRecorder, database_url: str, tmp_path: Path) -> None:
    (first,) = log.identities()
    assert (first.number, first.forked_from, first.position, first.event_id) == (1, None, 0, None)
    assert abs(first.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert log.look().log == first.log == log.guard.log
    with closing(open_recorder(database_url)) as again:
        assert again.identities() == [first]
    with closing(open_recorder(f"sqlite:///{tmp_path}/other.db")) as other:
        assert other.look().log != first.log


def test_the_ids_are_only_added_to(log: LogRecorder) -> None:
    for sql in ("UPDATE {ids} SET reason = 'x'", "DELETE FROM {ids}"):
        with pytest.raises(Exception, match="append-only"):
            log._write(sql.format(**log.names), {})


def test_a_fork_gives_a_new_id_and_says_from_where(log: LogRecorder) -> None:
    (row,) = append(log, line())
    first = log.look().log
    forked = log.fork("put back")
    assert (forked.number, forked.forked_from, forked.position, forked.event_id) == (2, first, 1, row.event_id)
    assert (forked.reason, log.guard.log, log.look().log) == ("put back", forked.log, forked.log)
    assert log.guard.refusal is None


@pytest.mark.parametrize("second", [line("p", 3), line("p", 1), line("q", 2)], ids=["gap", "again", "from nothing"])
def test_a_version_follows_the_last_of_its_pledge(log: LogRecorder, second: object) -> None:
    append(log, line("p", 1))
    with pytest.raises(IntegrityError):
        append(log, second)  # type: ignore[arg-type]
    assert log.head() == 1


def test_what_was_decided_before_a_fork_by_another_process_is_not_written(log: LogRecorder, database_url: str) -> None:
    append(log, line("p", 1))
    log.look()
    with closing(open_recorder(database_url)) as other:
        other.fork("put back")
    with pytest.raises(Unavailable, match="has taken the place of"):
        append(log, line("p", 2))
    log.look()
    append(log, line("p", 2))


# The memory outside the store


def test_a_restart_notices_a_log_that_went_back(log: LogRecorder, database_url: str, tmp_path: Path) -> None:
    append(log, line("p", 1))
    memory = LogMemory(log, tmp_path / "kept", "store")
    memory.begin()
    memory.keep(at_once=True)
    remembered = RememberedLogs(tmp_path / "kept")
    id_ = log.guard.log
    assert remembered.known(id_) == log.guard.known
    assert remembered.last_seen("store") == id_
    with closing(open_recorder(database_url)) as again:
        LogMemory(again, tmp_path / "kept", "store").begin()
        again.guard.must_allow_writes()
    remembered.note("store", id_, LogPoint(2, "lost", b"l" * 32))
    with closing(open_recorder(database_url)) as again:
        LogMemory(again, tmp_path / "kept", "store").begin()
        with pytest.raises(LogWentBack, match="the log ends at position 1, and 2 was recorded"):
            again.guard.must_allow_writes()
        again.fork("it is lost")
        again.guard.must_allow_writes()


def test_a_position_is_remembered_and_never_lowered(tmp_path: Path) -> None:
    remembered = RememberedLogs(tmp_path / "state")
    assert (remembered.known("one"), remembered.last_seen("here")) == (None, None)
    for position in (3, 2):
        remembered.note("here", "one", point(position))
    assert remembered.known("one") == point(3)
    remembered.note("here", "two", point(1))
    assert (remembered.known("one"), remembered.last_seen("here")) == (point(3), "two")


@pytest.mark.parametrize("broken", ["file", "directory"])
def test_a_state_directory_that_cannot_be_used_is_told_once(
    log: LogRecorder, tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    place = tmp_path / "state"
    if broken == "file":
        place.mkdir()
        (place / "logs.json").write_text("not ours")
    else:
        place.write_text("a file")
    memory = LogMemory(log, place, "store")
    memory.begin()
    append(log, line())
    memory.keep(at_once=True)
    log.guard.must_allow_writes()
    assert [record.message for record in caplog.records if "TRACKER_STATE_DIR" in record.message].__len__() == 1


def test_another_log_than_last_time_is_told_and_goes_on(
    log: LogRecorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    RememberedLogs(tmp_path).note("store", "gone", point(9))
    LogMemory(log, tmp_path, "store").begin()
    log.guard.must_allow_writes()
    assert "and had gone when it was last open" in caplog.text


# The clock


class Clocks:
    """A wall clock that is set, and one that nobody sets."""

    def __init__(self) -> None:
        self.wall, self.boot = NOON, 1000.0

    def watch(self) -> ClockWatch:
        return ClockWatch(lambda: self.wall, lambda: self.boot)


@pytest.mark.parametrize("moved", [timedelta(hours=2), timedelta(hours=-2), timedelta(days=365)])
def test_a_wall_clock_that_moved_is_refused(moved: timedelta) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.wall += moved
    with pytest.raises(ClockImplausible, match="TRACKER_TRUST_CLOCK=true"):
        watch.must_have_kept_pace()
    clocks.boot += moved.total_seconds()
    watch.must_have_kept_pace()


def test_a_clock_that_is_set_a_little_is_believed() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.wall += timedelta(minutes=59)
    watch.must_have_kept_pace()
    watch.must_be_near([NOON + timedelta(seconds=59)], NOON)
    with pytest.raises(ClockImplausible, match="the database's says 2026-11-26T12:00:00"):
        watch.must_be_near([NOON, NOON - timedelta(seconds=61)], NOON)


def test_a_stamp_that_was_taken_while_the_clock_was_wrong_is_refused(database_url: str) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    watch.must_keep_pace([clocks.wall, clocks.wall + MAX_MOVED])
    for moved in (2 * MAX_MOVED, -2 * MAX_MOVED):
        watch.must_have_kept_pace()  # the clock is right again, or was still right
        with pytest.raises(ClockImplausible, match="TRACKER_TRUST_CLOCK=true"):
            watch.must_keep_pace([clocks.wall, clocks.wall + moved])
    with closing(open_recorder(database_url)) as log:
        log.clock = watch
        with pytest.raises(ClockImplausible):
            append(log, line(recorded_at=clocks.wall + 2 * MAX_MOVED))
        assert log.head() == 0
