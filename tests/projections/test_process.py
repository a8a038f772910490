"""Who keeps a projector's process starts it again when it ends, ever later, and believes nothing that came in part."""

import sys
from collections.abc import Iterator

import pytest

from projections.process import DOUBTFUL_SECONDS, RESTART_SECONDS, SILENT_SECONDS, START_SECONDS, ProjectorProcess
from projections.projected import Projected
from tests.support.waiting import wait_until

ENDS = [sys.executable, "-c", "import sys; sys.exit(3)"]
SAYS = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.sendall({said!r}); s.recv(9)"


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(clock: Clock, request: pytest.FixtureRequest) -> Iterator[ProjectorProcess]:
    process = ProjectorProcess(request.param, clock)
    yield process
    process.stop()


def says(said: bytes) -> list[str]:
    return [sys.executable, "-c", SAYS.format(said=said)]


def has_ended(process: ProjectorProcess) -> bool:
    return process._process is not None and process._process.poll() is not None


@pytest.mark.parametrize("kept", [ENDS], indirect=True)
def test_a_process_that_ends_each_time_is_started_ever_later(
    kept: ProjectorProcess, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    kept.look()
    for pause in (*RESTART_SECONDS, RESTART_SECONDS[-1]):
        wait_until(lambda: has_ended(kept))
        kept.look()
        if pause:
            assert kept.pid is None
            assert kept.is_silent
            assert "is started again" in kept.trouble
            clock.now += pause - 0.01
            kept.look()
            assert kept.pid is None
            clock.now += 0.02
            kept.look()
        assert kept.pid is not None
    assert all("exit code 3" in record.__dict__["reason"] for record in caplog.records)


@pytest.mark.parametrize("kept", [says(b"standby\n1 0 0 7\n1 0 0 8\nactive\n1 0 0")], indirect=True)
def test_what_it_says_is_taken_in_and_what_came_in_part_is_not(kept: ProjectorProcess) -> None:
    heard: list[Projected] = []
    kept.committed = heard.append
    kept.look()
    assert "being started" in kept.trouble
    wait_until(lambda: (kept.receive(), kept.is_active)[1])
    assert heard == [Projected(1, 0, 0, 8)]
    assert kept.trouble == ""
    assert Projected.read("1 0 0") is Projected.read("1 0 0 x") is None


@pytest.mark.parametrize("kept", [says(b"active\n")], indirect=True)
def test_one_that_shows_no_life_is_not_waited_for_and_then_replaced(kept: ProjectorProcess, clock: Clock) -> None:
    kept.look()
    clock.now += START_SECONDS - 1
    kept.look()
    wait_until(lambda: (kept.receive(), kept.is_active)[1])
    first = kept.pid
    clock.now += DOUBTFUL_SECONDS
    kept.look()
    assert kept.is_silent
    assert "shows no life" in kept.trouble
    assert kept.pid == first
    clock.now += SILENT_SECONDS
    kept.look()
    assert kept.pid not in (None, first)
    assert not kept.is_active
