"""Stores with many pledges, made in seconds: their events are appended to the log as the recorder writes them."""

import hashlib
from datetime import UTC, date, datetime, timedelta

from pydantic_core import to_json

from tracker.event import event_id, restamp, stamp
from tracker.log.open import open_recorder
from tracker.log.rows import NewLogRow

FIRST_DAY = date(2019, 1, 1)
RECORDED_AT = datetime(2025, 1, 1, tzinfo=UTC)
STATES = ("DE", "FR", "NL", "PL", "SE", "IT", "ES", "GB", "US", "CA", "NO", "DK")
TAGS = ("energy", "health", "climate", "education")


def load_promises(database_url: str, pledges: int) -> None:
    """So many pledges of one event each; a fifth of them have no deadline."""
    log = open_recorder(database_url)
    try:
        for start in range(0, pledges, 5_000):
            log.append([_made(number) for number in range(start, min(start + 5_000, pledges))], restamp=restamp)
    finally:
        log.close()


def _made(number: int) -> NewLogRow:
    pledge, state = f"promise-{number:05d}", STATES[number % len(STATES)]
    said = FIRST_DAY + timedelta(days=number % 2_000)
    at = RECORDED_AT + timedelta(microseconds=number)
    own = event_id(at, hashlib.sha256(pledge.encode()).digest()[:10])
    fact = {
        "type": "PledgeMade", "stated_on": said.isoformat(), "title": f"Promise {number} of {state}",
        "pledgor": {"name": f"Government of {state}", "code": state}, "kind": "money",
        "target": {"op": "ge", "value": str(1_000_000 * (1 + number % 900)), "unit": "EUR"},
        "tags": [TAGS[number % len(TAGS)]], "source": {"publisher": "Gazette", "tier": "official"},
        **({} if number % 5 == 0 else {"window": {"end": (said + timedelta(days=365)).isoformat()}}),
    }  # fmt: skip
    line = {"id": own, "pledge": pledge, "version": 1, "recorded_at": stamp(at), "recorded_by": "monitor", "fact": fact}
    return NewLogRow(pledge, 1, "PledgeMade", own, to_json(line), at)
