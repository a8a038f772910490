"""The withholdings beside the log: a table of their own, which is only ever added to, like the log itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tracker.log.rows import LogRow
from tracker.log.store_calls import StoreCalls
from tracker.withholding import Withholding, withheld_line

CREATE_SQLITE = (
    """CREATE TABLE IF NOT EXISTS withheld (
    event_id TEXT NOT NULL,
    field TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    reason TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (event_id, field)
)""",
    # INSERT OR REPLACE deletes without a DELETE trigger, so the insert itself is looked at.
    """CREATE TRIGGER IF NOT EXISTS withheld_no_replace BEFORE INSERT ON withheld
    WHEN EXISTS (SELECT 1 FROM withheld WHERE event_id = NEW.event_id AND field = NEW.field)
    BEGIN SELECT RAISE(ABORT, 'withheld is append-only'); END""",
)

CREATE_POSTGRES = (
    """CREATE TABLE IF NOT EXISTS {withheld} (
    event_id text COLLATE "C" NOT NULL,
    field text COLLATE "C" NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    PRIMARY KEY (event_id, field)
)""",
    """CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {withheld}
    FOR EACH STATEMENT EXECUTE FUNCTION {refuse}()""",
)

_ADD = """
INSERT INTO {withheld} (event_id, field, number, reason, recorded_at, recorded_by)
SELECT CAST(:event AS text), each.value, (SELECT coalesce(max(number), 0) + 1 FROM {withheld}),
       CAST(:reason AS text), :at, CAST(:by AS text)
FROM {each}
WHERE NOT EXISTS (SELECT 1 FROM {withheld} AS w WHERE w.event_id = CAST(:event AS text) AND w.field = each.value)
"""

_LIST = "SELECT number, event_id, field, reason, recorded_at, recorded_by FROM {withheld} ORDER BY number, field"

_PLEDGES = """
SELECT DISTINCT w.number, l.pledge FROM {withheld} AS w JOIN {log} AS l ON l.event_id = w.event_id
WHERE w.number > :after ORDER BY w.number, l.pledge
"""


class WithheldFields(StoreCalls):
    """What is withheld of the events of a log."""

    def withhold(self, event_id: str, fields: Sequence[str], *, reason: str, at: datetime, by: str) -> None:
        """Withhold fields of an event from now on and for ever; those that are withheld already stay as they are.

        Check them with `must_be_withholdable` first. Raises: Unavailable if the store does not answer.
        """
        given = {"event": event_id, "reason": reason, "at": self._to_stored(at), "by": by}
        self._record(_ADD, given | {"given": self._to_array(fields)})

    def withholdings(self) -> list[Withholding]:
        """All that is withheld, the oldest first."""
        return [
            Withholding(number, event_id, field, reason, self._from_stored(at), by)
            for number, event_id, field, reason, at, by in self._ask(_LIST, {})
        ]

    def withheld_since(self, number: int) -> list[tuple[int, str]]:
        """`(number, pledge)` of the withholdings after one, the oldest first."""
        return [tuple(row) for row in self._ask(_PLEDGES, {"after": number})]


def as_read(row: LogRow, fields: str | None) -> LogRow:
    """A row of the log as everybody reads it; `fields` are the withheld ones, one a line, None where there are none."""
    if fields is None:
        return row
    names = tuple(sorted(fields.split("\n")))
    return row.with_withheld(withheld_line(row.state, names), names)
