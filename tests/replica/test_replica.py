"""Reads from a streaming replica: it answers while it has all that is known, and the primary otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from api.settings import Settings
from tests.support.api import MONITOR, Api, catch_up, prepare, problem, progress, running
from tests.support.outages import frozen
from tests.support.replicas import Standby, standby
from tests.support.stores import own_postgres_server, postgres_database
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.many]


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[str, Standby]]:
    """A database on a primary, and its replica."""
    with TemporaryDirectory(prefix="tracker-replica-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o755)
        with own_postgres_server(root) as server, postgres_database(server) as url:
            prepare(url)
            with standby(url, root / "standby") as replica:
                yield url, replica


@pytest.fixture
def replica(servers: tuple[str, Standby]) -> Standby:
    return servers[1]


@pytest.fixture
def api(servers: tuple[str, Standby], tmp_path: Path) -> Iterator[Api]:
    """A server that reads from the replica and projects itself."""
    url, replica = servers
    with running(url, replica_url=replica.url, state_dir=tmp_path) as api:
        api.post("/v1/pledges", {"pledge": "aid-2024", "fact": MADE}, headers={"Idempotency-Key": "once"})
        wait_until(lambda: bool(api.services.replica and api.services.replica.has_all))
        yield api


MADE = {
    "type": "PledgeMade", "stated_on": "2024-01-10", "title": "Aid of 2024", "pledgor": {"name": "Alliance"},
    "kind": "money", "target": "at least 40bn EUR", "window": {"start": "2024-01-01", "end": "2024-12-31"},
    "source": {"publisher": "Gazette", "tier": "media"},
}  # fmt: skip


def read_by(api: Api, store: str) -> float:
    """How many reads a store has answered."""
    found = api.services.metrics.registry.get_sample_value("tracker_store_reads_total", {"store": store})
    return found or 0.0


def test_reads_are_answered_by_the_replica_as_by_the_primary(api: Api) -> None:
    before = read_by(api, "replica"), read_by(api, "primary")
    found = api.get("/v1/pledges/aid-2024?as_of=2024-02-01")
    assert found.json()["status"] == "announced"
    assert found.headers["Tracker-Log"] == api.services.heads.log_id
    assert api.get("/v1/events?limit=1").json()["items"][0]["pledge"] == "aid-2024"
    assert (read_by(api, "replica"), read_by(api, "primary")) == (before[0] + 2, before[1])


def test_a_writer_reads_its_write_though_the_replica_stands_still(api: Api, replica: Standby) -> None:
    replica.replay(on=False)
    try:
        receipt = api.add(progress("21bn EUR", stated_on="2024-07-11"))
        read = api.get("/v1/pledges/aid-2024?as_of=2024-07-12")
        assert read.json()["actual"]["value"] == "21000000000"
        assert read.json()["position"] == receipt["position"]
        assert read_by(api, "replica") == 0
        listed = api.get("/v1/pledges?as_of=2024-07-12", headers={"Tracker-Min-Position": str(receipt["position"])})
        assert listed.json()["position"] >= receipt["position"]
    finally:
        replica.replay(on=True)
    wait_until(lambda: bool(api.services.replica and api.services.replica.has_all))
    assert api.get("/v1/pledges/aid-2024?as_of=2024-07-13").json()["actual"]["value"] == "21000000000"
    assert read_by(api, "replica") == 1


def test_the_primary_answers_while_the_replica_is_gone_and_the_replica_once_it_is_back(
    api: Api, replica: Standby
) -> None:
    replica.stop()
    try:
        assert api.get("/v1/pledges/aid-2024?as_of=2024-02-02").status_code == 200
        assert read_by(api, "replica") == 0
        assert api.get("/health/reads").status_code == 200
    finally:
        replica.start()
    wait_until(lambda: bool(api.services.replica and api.services.replica.has_all))
    assert api.get("/v1/pledges/aid-2024?as_of=2024-02-03").status_code == 200
    assert read_by(api, "replica") == 1


def test_a_read_that_the_replica_refuses_is_asked_of_the_primary(api: Api, replica: Standby) -> None:
    assert api.services.from_replica is not None
    api.services.from_replica.engine.dispose()
    with frozen(replica.url):
        # It has all, as far as was seen a moment ago, and does not answer.
        assert api.services.replica is not None
        assert api.get("/v1/pledges/aid-2024?as_of=2024-02-04").status_code == 200
    assert read_by(api, "replica") == 0


def test_the_replica_answers_while_the_primary_is_gone(servers: tuple[str, Standby], tmp_path: Path) -> None:
    url, replica = servers
    with running(url, replica_url=replica.url, state_dir=tmp_path, projector=False, read_timeout=1) as reader:
        catch_up(reader)
        wait_until(lambda: bool(reader.services.replica and reader.services.replica.has_all))
        with frozen(url):
            assert reader.get("/v1/pledges/aid-2024?as_of=2024-02-05").status_code == 200
            assert read_by(reader, "replica") == 1
            problem(reader.post("/v1/pledges", {"pledge": "other", "fact": MADE}), 503, "unavailable")


def test_a_position_is_waited_for_on_a_node_that_reads_the_replica_alone(
    servers: tuple[str, Standby], tmp_path: Path
) -> None:
    url, replica = servers
    with (
        running(url, state_dir=tmp_path / "primary") as primary,
        running(replica.url, read_only=True, state_dir=tmp_path / "replica") as reader,
    ):
        position = primary.open("waited-for")["position"]
        named = {"Tracker-Min-Position": str(position)}
        wait_until(lambda: reader.get("/v1/pledges/waited-for", headers=named).status_code == 200)
        replica.replay(on=False)
        try:
            beyond = {"Tracker-Min-Position": str(primary.open("not-there-yet")["position"])}
            late = problem(reader.get("/v1/pledges/not-there-yet", headers=beyond), 503, "unavailable")
            assert "has not got to position" in late["detail"]
        finally:
            replica.replay(on=True)
        wait_until(lambda: reader.get("/v1/pledges/not-there-yet", headers=beyond).status_code == 200)


def test_a_replica_that_another_history_was_written_to_answers_nothing(
    servers: tuple[str, Standby], tmp_path: Path
) -> None:
    url, _ = servers
    with (
        standby(url, Path(servers[1].directory).parent / "promoted") as other,
        running(url, replica_url=other.url, state_dir=tmp_path / "one") as api,
    ):
        wait_until(lambda: bool(api.services.replica and api.services.replica.has_all))
        other.promote()
        with running(other.url, state_dir=tmp_path / "two") as elsewhere:
            elsewhere.open("of-the-other-history")
        api.open("of-this-history")
        assert api.get("/v1/pledges/of-this-history").status_code == 200
        assert api.services.replica is not None
        assert not api.services.replica.has_all
        assert read_by(api, "replica") == 0


def test_a_position_beyond_the_log_is_of_another_log(lite: Api) -> None:
    lite.open()
    refused = problem(lite.get("/v1/pledges", headers={"Tracker-Min-Position": "99"}), 409, "other_log")
    assert refused["head"] == 1
    assert lite.get("/v1/pledges", headers={"Tracker-Min-Position": "1"}).status_code == 200
    for wrong in ("-1", "one", ""):
        problem(lite.get("/v1/pledges", headers={"Tracker-Min-Position": wrong}), 400, "invalid_parameter")


def test_a_position_that_is_not_projected_is_waited_for(lite: Api, sqlite_url: str) -> None:
    lite.open()
    with running(sqlite_url, projector=False) as reader:
        named = {"Tracker-Min-Position": "1"}
        assert reader.get("/v1/pledges/aid-2024", headers=named).json()["position"] == 1
        assert reader.get("/v1/proposals", headers={**named, **MONITOR}).status_code == 200


def test_a_replica_is_of_postgresql() -> None:
    for urls in (
        {"replica_url": "postgresql://db/tracker"},
        {"database_url": "postgresql://db/tracker", "replica_url": "sqlite:///tracker.db"},
    ):
        with pytest.raises(ValueError, match="TRACKER_REPLICA_URL"):
            Settings(_env_file=None, **urls)


def test_the_password_that_stands_apart_is_the_replicas_too() -> None:
    given = Settings(
        _env_file=None, database_url="postgresql://app@one/tracker", replica_url="postgresql://app@two/tracker",
        database_password="p w",
    )  # fmt: skip
    assert (given.database_url, given.replica_url) == (
        "postgresql://app:p%20w@one/tracker", "postgresql://app:p%20w@two/tracker",
    )  # fmt: skip
