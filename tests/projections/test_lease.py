"""Who may project when another one stands still with its locks on PostgreSQL, or has given them back."""

from contextlib import suppress

import psycopg
import pytest

from projections import lease
from projections.queries import TIMELINE
from projections.runner import PROJECTION_VERSION
from projections.tables import LEASE_OF_PROJECTOR, create_tables, open_engine
from tests.support.waiting import wait_until

BEGUN = "UPDATE projection_lease SET beat = beat + 1"
"""What the holder has sent without the end of its message."""


def test_a_holder_that_was_frozen_between_two_messages_is_taken_over_although_it_holds_a_lock(
    postgres_url: str,
) -> None:
    """Its session is neither idle nor at work: PostgreSQL waits for the rest of what it began to send."""
    engine, now = open_engine(postgres_url), [0.0]
    create_tables(engine, TIMELINE, PROJECTION_VERSION)
    frozen, standby = (lease.Lease(postgres_url, engine, LEASE_OF_PROJECTOR, monotonic=lambda: now[0]) for _ in "12")
    assert frozen.acquire()
    with engine.connect() as conn:
        frozen.fence(conn)
        session = conn.connection.driver_connection
        assert isinstance(session, psycopg.Connection)
        with suppress(psycopg.OperationalError), session.pipeline():
            session.execute(BEGUN)
            session.pgconn.send_flush_request()
            session.pgconn.flush()
            with psycopg.connect(postgres_url, autocommit=True) as other:
                begun = f"SELECT count(*) FROM pg_stat_activity WHERE query = '{BEGUN}' AND wait_event = 'ClientRead'"
                wait_until(lambda: other.execute(begun).fetchone() == (1,))
            assert not standby.acquire()
            now[0] += lease.TAKEOVER_SECONDS
            assert standby.acquire()
        conn.invalidate()
        conn.rollback()
    with engine.connect() as conn, pytest.raises(lease.LeaseLost):
        frozen.fence(conn)
    frozen.release()
    standby.release()
    engine.dispose()


def test_a_lock_that_is_given_back_is_free_at_once(database_url: str) -> None:
    first, second = (lease.process_lock(database_url, "test") for _ in range(2))
    for _ in range(20):
        assert first.acquire()
        assert not second.acquire()
        first.release()
        assert second.acquire()
        second.release()
