"""The tables of the log in PostgreSQL, and the triggers that let nobody change what is recorded."""

CREATE_LOG = (
    """CREATE TABLE IF NOT EXISTS {log} (
    position bigint PRIMARY KEY CHECK (position > 0),
    pledge text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version >= 0),
    event_id text COLLATE "C" NOT NULL UNIQUE,
    type text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    idempotency_key text COLLATE "C",
    idempotency_index integer,
    payload_hash bytea,
    leaf bytea NOT NULL CHECK (length(leaf) = 32),
    UNIQUE (pledge, version),
    CHECK ((idempotency_key IS NULL) = (idempotency_index IS NULL)),
    CHECK (idempotency_key IS NOT NULL OR payload_hash IS NULL)
)""",
    """CREATE UNIQUE INDEX IF NOT EXISTS {log_key} ON {log} (idempotency_key, idempotency_index)
    WHERE idempotency_key IS NOT NULL""",
    "CREATE INDEX IF NOT EXISTS {log_pledge} ON {log} (pledge, position)",
    "CREATE INDEX IF NOT EXISTS {log_type} ON {log} (type, position)",
    "CREATE INDEX IF NOT EXISTS {log_recorded} ON {log} (recorded_at, position)",
    """CREATE TABLE IF NOT EXISTS {ids} (
    number integer PRIMARY KEY CHECK (number > 0),
    log text COLLATE "C" NOT NULL UNIQUE,
    forked_from text COLLATE "C",
    position bigint NOT NULL CHECK (position >= 0),
    event_id text COLLATE "C",
    at timestamptz NOT NULL,
    reason text NOT NULL
)""",
    """INSERT INTO {ids} (number, log, position, at, reason)
    SELECT 1, {first_id}, 0, clock_timestamp(), {first_reason} WHERE NOT EXISTS (SELECT 1 FROM {ids})""",
    """CREATE OR REPLACE FUNCTION {refuse}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$""",
    """CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {events}
    FOR EACH STATEMENT EXECUTE FUNCTION {refuse}()""",
    """CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {log}
    FOR EACH STATEMENT EXECUTE FUNCTION {refuse}()""",
    """CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ids}
    FOR EACH STATEMENT EXECUTE FUNCTION {refuse}()""",
)
"""The statements that make what is missing, with names for the braces."""
