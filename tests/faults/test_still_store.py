"""A store that stands still, locked or frozen, is 503 within the read time-out, and answered from again afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.outages import frozen, locked
from tests.support.servers import Server, serving
from tests.support.shell import with_tables

HISTORY = "/v1/pledges/aid-2024/history"
"""What no memory answers the first time that it is asked for a day."""


@contextmanager
def started(url: str, directory: Path) -> Iterator[Server]:
    """A server that is ready, with one pledge."""
    with serving(with_tables(url, directory)) as server:
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1 and not server.failing())
        yield server


def answered_503(server: Server, path: str) -> None:
    """The store stands still until this is answered; how long that takes is measured by `make faults`."""
    answer = server.get(path)
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"]


def test_a_locked_store_is_503_after_the_read_time_out(postgres_url: str, tmp_path: Path) -> None:
    with started(postgres_url, tmp_path) as server:
        with locked(postgres_url):
            answered_503(server, f"{HISTORY}?as_of=2024-05-05")
            server.comes(lambda: "store" in server.failing("/health/reads"))
            answered_503(server, "/health/ready")
        server.comes(lambda: not server.failing())
        assert server.get(f"{HISTORY}?as_of=2024-05-05").status_code == 200


def test_a_sqlite_file_that_another_process_locks_keeps_no_reader_waiting_and_is_not_ready(
    sqlite_url: str, tmp_path: Path
) -> None:
    with started(sqlite_url, tmp_path) as server:
        with locked(sqlite_url):
            assert server.get(f"{HISTORY}?as_of=2024-05-05").status_code == 200
            assert server.failing("/health/reads") == {}
            answered_503(server, "/health/ready")
            assert "another process has locked the file" in server.failing()["writes"]
        assert server.add("shells").status_code == 201
        server.comes(lambda: not server.failing())


def test_a_sqlite_file_whose_own_writer_waits_for_another_process_is_not_ready(sqlite_url: str, tmp_path: Path) -> None:
    with started(sqlite_url, tmp_path) as server, ThreadPoolExecutor() as writer:
        with locked(sqlite_url):
            waiting = writer.submit(server.add, "shells")
            server.comes(lambda: "another process has locked the file" in server.failing().get("writes", ""))
            answered_503(server, "/health/ready")
            assert not waiting.done()
        assert waiting.result().status_code == 201
        server.comes(lambda: not server.failing())


@pytest.fixture
def frozen_url(postgres_url: str) -> str:
    if os.environ.get("TRACKER_TEST_POSTGRES_URL"):
        pytest.skip("this server is somebody else's: it cannot be stopped")
    return postgres_url


def test_a_frozen_postgres_is_503_after_the_read_time_out_on_connections_that_were_open(
    frozen_url: str, tmp_path: Path
) -> None:
    with started(frozen_url, tmp_path) as server:
        with frozen(frozen_url):
            answered_503(server, "/health/ready")
            answered_503(server, "/health/reads")
            for day in range(1, 6):
                answered_503(server, f"{HISTORY}?as_of=2024-05-0{day}")
            assert server.get("/health/live").status_code == 200
        server.comes(lambda: not server.failing())
        assert server.add("shells").status_code == 201
        server.comes(lambda: server.total() == 2)
