"""Several servers and projectors on one PostgreSQL: one is killed, one is cut off from the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.support.cut_off import way_to
from tests.support.replicas import Standby, standby
from tests.support.servers import serving
from tests.support.shell import IMPATIENT, gone, with_tables
from tests.support.stores import own_postgres_server, postgres_database
from tests.support.waiting import wait_until
from tests.support.writers import Writers

pytestmark = [pytest.mark.slow, pytest.mark.many]

BACK = ("another instance has taken the lease over", "the projector goes on")
"""What a projector says that was cut off and reaches the database again: found superseded, or its session was ended."""


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    folder = TemporaryDirectory(prefix="tracker-several-", ignore_cleanup_errors=True)
    with folder, own_postgres_server(Path(folder.name)) as url:
        yield url


@pytest.fixture
def url(server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TRACKER_STATE_DIR", str(tmp_path / "state"))
    with postgres_database(server_url) as url:
        yield url


def test_a_server_is_killed_and_a_projector_cut_off_and_nothing_is_lost_or_written_by_both(
    url: str, tmp_path: Path
) -> None:
    shell = with_tables(url, tmp_path)

    def holder() -> str:
        with psycopg.connect(url) as conn, suppress(psycopg.errors.UndefinedTable):  # a projector makes it
            row = conn.execute("SELECT holder FROM projections.projection_lease WHERE name = 'projector'").fetchone()
            return "" if row is None else str(row[0])
        return ""

    with ExitStack() as ending:
        far, way = ending.enter_context(way_to(url))
        told = tmp_path / "cut-off.log"
        with told.open("w") as errors:
            cut_off = shell.start("project", program=IMPATIENT, errors=errors, TRACKER_DATABASE_URL=far)
        ending.callback(gone, cut_off)
        wait_until(lambda: f":{cut_off.pid}:" in holder(), cut_off)
        with (tmp_path / "other.log").open("w") as errors:
            standing_by = shell.start("project", program=IMPATIENT, errors=errors)
        ending.callback(gone, standing_by)
        servers = [ending.enter_context(serving(shell, "--no-projector", program=IMPATIENT)) for _ in range(2)]
        writers = ending.enter_context(closing(Writers(lambda number: servers[number % len(servers)].address, 4)))
        writers.open()
        with writers.at_work():
            writers.more(20)
            way.cut()
            wait_until(lambda: f":{standing_by.pid}:" in holder(), standing_by)
            writers.more(20)
            gone(servers.pop(0).process)
            writers.more(20)
            way.heal()
            wait_until(lambda: any(said in told.read_text() for said in BACK), cut_off)
            writers.more(20)
        assert f":{standing_by.pid}:" in holder()
        wait_until(lambda: servers[0].get("/health/ready").status_code == 200)
        with shell.log() as log:
            audit = writers.audit(log)
        assert (audit.lost, audit.doubled, writers.unexpected) == ([], [], [])
        shell.run("replay", "--compare")


def test_a_replica_that_lagged_and_was_promoted_is_found(server_url: str, tmp_path: Path) -> None:
    """Without synchronous replication a server may take over that has not received everything."""
    folder = TemporaryDirectory(prefix="tracker-lagging-", ignore_cleanup_errors=True)
    with folder, own_postgres_server(Path(folder.name)) as own, postgres_database(own) as url, ExitStack() as ending:
        Path(folder.name).chmod(0o755)
        shell = with_tables(url, tmp_path)
        lagging: Standby = ending.enter_context(standby(url, Path(folder.name) / "standby"))
        near, way = ending.enter_context(way_to(url))
        _, other_way = ending.enter_context(way_to(lagging.url))
        both = near.replace(f":{way.port}/", f":{way.port},127.0.0.1:{other_way.port}/")
        env = {
            "TRACKER_DATABASE_URL": f"{both}?target_session_attrs=read-write",
            "TRACKER_STATE_DIR": str(tmp_path / "state"),
        }
        server = ending.enter_context(serving(shell, **env))
        wait_until(lambda: not server.failing())
        assert server.add("in-both").status_code == 201
        wait_until(lambda: lagging.has(url))
        lagging.detach()
        assert server.add("in-one").status_code == 201
        lagging.promote()
        way.refuse()
        server.comes(lambda: "log" in server.failing())
        assert "a server took over that had not received everything" in server.failing()["log"]
        refused = server.add("afterwards")
        assert (refused.status_code, refused.json()["code"]) == (503, "log_went_back")
        assert [one["pledge"] for one in server.get("/v1/events").json()["items"]] == ["in-both"]
