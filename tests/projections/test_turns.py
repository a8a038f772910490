"""A turn of the projector that is written at once, on either store."""

from __future__ import annotations

import pytest

from projections.lease import Lease, LeaseLost
from projections.queries import TIMELINE
from projections.table_writer import Superseded
from projections.tables import LEASE_OF_PROJECTOR
from projections.turns import turns_of
from tests.support.timelines import made, world


def test_who_is_overtaken_or_has_lost_the_lease_writes_nothing(database_url: str) -> None:
    with world(database_url) as it:
        it.record("aid", made())
        it.runner.run_once()
        it.runner.stop()
        own, other = (Lease(it.url, it.engine, LEASE_OF_PROJECTOR) for _ in "12")
        assert own.acquire()
        turn = turns_of(it.engine, own, TIMELINE, 1)
        with pytest.raises(Superseded, match="not at position 7"):
            turn.write(7, 8, "now", "notice", {})
        assert turn.write(1, 2, "now", "notice", {})
        with it.engine.begin() as conn:
            conn.exec_driver_sql(f"UPDATE projection_lease SET holder = '{other.holder}'")
        with pytest.raises(LeaseLost):
            turn.write(2, 3, "now", "notice", {})
        assert it.timeline.position() == 2
        own.release()
