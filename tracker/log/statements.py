"""What is asked of the log in SQL, the same on both stores save for the names in braces (`LogRecorder.names`)."""

# The state comes from a scalar subquery so that no planner joins from the beginning of the events.
LOG_ROWS = """
SELECT position, pledge, version, type, event_id, recorded_at,
       (SELECT e.state FROM {events} AS e WHERE e.{number} = l.position),
       idempotency_key, idempotency_index, payload_hash, leaf,
       (SELECT {joined} FROM {withheld} AS w WHERE w.event_id = l.event_id)
FROM {log} AS l
"""

# The inner LIMIT keeps PostgreSQL from joining, which reads the whole log.
HEADS = """
SELECT pledge, (SELECT l.version FROM {log} AS l WHERE l.position = head), head
FROM (SELECT each.value AS pledge,
             (SELECT max(m.position) FROM {log} AS m WHERE m.pledge = each.value AND m.position <= :upto) AS head
      FROM {each} LIMIT :all) AS heads
"""

# One row, whatever the log has.
STANDING = """
SELECT (SELECT i.log FROM {ids} AS i ORDER BY i.number DESC LIMIT 1), h.position, h.event_id, h.leaf,
       (SELECT l.event_id FROM {log} AS l WHERE l.position = {there}),
       (SELECT coalesce(max(w.number), 0) FROM {withheld} AS w), h.recorded_at
FROM (SELECT 1 AS one) AS one
LEFT JOIN (SELECT position, event_id, leaf, recorded_at FROM {log} ORDER BY position DESC LIMIT 1) AS h ON 1 = 1
"""
"""The log's id, its last event, the id of the event at `{there}`, the number of the last withholding, and when the last
event was recorded."""

STANDING_COLUMNS = 7
"""How many columns STANDING has."""

LOOK_ON = f"""
SELECT standing.*, ahead.* FROM ({STANDING}) AS standing LEFT JOIN (
    {LOG_ROWS} WHERE l.position > :after AND l.position <= :last ORDER BY l.position LIMIT :limit
) AS ahead ON 1 = 1
"""  # noqa: S608 - statements of ours
"""One row for each of the next rows of the log, or one without: the columns of STANDING, then those of LOG_ROWS."""

FORK = """
INSERT INTO {ids} (number, log, forked_from, position, event_id, at, reason)
SELECT i.number + 1, CAST(:log AS text), i.log, coalesce(h.position, 0), h.event_id, {now}, CAST(:reason AS text)
FROM (SELECT number, log FROM {ids} ORDER BY number DESC LIMIT 1) AS i
LEFT JOIN (SELECT position, event_id FROM {log} ORDER BY position DESC LIMIT 1) AS h ON 1 = 1
"""
