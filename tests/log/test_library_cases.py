"""The library's own recorder test cases, on both stores."""

import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from unittest import TestCase

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from tests.support.waiting import wait_until
from tracker.log.open import open_recorder
from tracker.log.recorder import LogRecorder

# The library's test cases import its cipher, which needs a package that they and we do without.
with pytest.MonkeyPatch.context() as without:
    without.setitem(sys.modules, "eventsourcing.cipher", SimpleNamespace(AESCipher=None))
    from eventsourcing.tests import persistence as library


LISTENS = """SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND query LIKE 'LISTEN%%' AND state = 'idle' AND query_start >= %s)"""
"""Whether a session has begun to listen since then."""


class LibraryCase(TestCase):
    """A test case of the library's, which knows no fixtures with parameters: one class a store."""

    log: LogRecorder

    @pytest.fixture(autouse=True)
    def _opened(self, request: pytest.FixtureRequest) -> Iterator[None]:
        with closing(open_recorder(request.getfixturevalue(f"{self.store}_url"))) as self.log:
            yield

    store: str

    def create_recorder(self) -> Any:
        return self.log

    def new_originator_id(self) -> str:
        return uuid.uuid4().hex


class OnlyAggregates:
    """An aggregate recorder answers an insert with None; ours with positions."""

    def __init__(self, log: Any) -> None:
        self.log = log
        self.select_events = log.select_events

    def insert_events(self, stored_events: Sequence[StoredEvent]) -> None:
        self.log.insert_events(stored_events)


class AggregateCase(LibraryCase):
    def create_recorder(self) -> Any:
        return OnlyAggregates(self.log)


class TestApplicationOnSQLite(LibraryCase, library.ApplicationRecorderTestCase[Any]):
    store = "sqlite"


class TestApplicationOnPostgres(LibraryCase, library.ApplicationRecorderTestCase[Any]):
    store = "postgres"

    @pytest.fixture(autouse=True)
    def _heard(self, _opened: None, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> Iterator[None]:
        """A subscription listens in a thread of its own, and misses what is appended before it does."""
        subscribe = self.log.subscribe
        with psycopg.connect(postgres_url, autocommit=True) as conn:

            def heard(*given: Any, **named: Any) -> Any:
                began = conn.execute("SELECT clock_timestamp()").fetchone()
                subscription = subscribe(*given, **named)
                wait_until(lambda: conn.execute(LISTENS, began).fetchone() == (True,))
                return subscription

            monkeypatch.setattr(self.log, "subscribe", heard)
            yield

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregatesOnSQLite(AggregateCase, library.AggregateRecorderTestCase):
    store = "sqlite"


class TestAggregatesOnPostgres(AggregateCase, library.AggregateRecorderTestCase):
    store = "postgres"


class TestOrderOnSQLite(LibraryCase, library.NonInterleavingNotificationIDsBaseCase):
    store = "sqlite"


class TestOrderOnPostgres(LibraryCase, library.NonInterleavingNotificationIDsBaseCase):
    store = "postgres"
