"""A question that takes the store too long is given up, on either store; what writes has its own time."""

import pytest
from sqlalchemy import Connection, text

from projections.tables import open_engine, writing
from projections.timeline import Timeline
from tracker.errors import Unavailable
from tracker.log.open import open_recorder

COUNTING = "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
ENDLESS = text(COUNTING.format(10**15) + "SELECT count(*) FROM n")
LONG = text(COUNTING.format(3_000_000) + "SELECT count(*) FROM n")


def test_a_read_is_given_up_and_the_next_one_answers(database_url: str) -> None:
    log, engine = open_recorder(database_url), open_engine(database_url, read_seconds=0.2)
    timeline = Timeline(engine, log)

    def ask(conn: Connection) -> object:
        return conn.execute(ENDLESS).scalar()

    for _ in range(2):
        with pytest.raises(Unavailable):
            timeline._answered(ask, None)
        assert timeline._answered(lambda conn: conn.execute(text("SELECT 1")).scalar(), None) == 1
    with writing(engine).begin() as conn:
        assert conn.execute(LONG).scalar() == 3_000_000
    engine.dispose()
    log.close()


def test_several_short_questions_are_not_one_long_one(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url, read_seconds=0.5)
    short = text(COUNTING.format(300_000) + "SELECT count(*) FROM n")
    with engine.connect() as conn:
        assert [conn.execute(short).scalar() for _ in range(12)] == [300_000] * 12
    engine.dispose()
