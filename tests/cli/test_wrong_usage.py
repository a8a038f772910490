"""What the command `tracker` refuses: wrong usage, settings that cannot be, and a store that is not there."""

import re
from pathlib import Path

import pytest

from tests.support.shell import Shell


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["status", "--as-of", "yesterday"],
        ["status", "--known-at", "2026-01-01T00:00:00"],
        ["status", "--known-at", "2999-01-01T00:00:00Z"],
        ["status", "--at-position", "7"],
        ["status", "--known-at", "2020-01-01T00:00:00Z", "--at-position", "0"],
        ["status", "No Slug"],
        ["import", "missing.csv"],
        ["export", "--format", "xml"],
        ["export", "--events", "--as-of", "2024-01-01"],
        ["export", "--events", "--format", "iati"],
        ["export", "--format", "cloudevents"],
        ["keys", "create", "--name", "x", "--role", "king"],
        ["serve", "--workers", "2"],
    ],
)
def test_wrong_usage_is_exit_2_and_says_what(arguments: list[str], lite: Shell) -> None:
    lite.run("init")
    result = lite.run(*arguments, code=2)
    assert result.stdout == ""
    assert re.search(r"^Error: .+", result.stderr, flags=re.M)


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_URL", "mysql://secret@x/y"), ("ADMIN_KEY", "secret"), ("RATE_LIMIT", "secret")]
)
def test_a_setting_that_cannot_be_is_named_and_not_shown(name: str, value: str, lite: Shell) -> None:
    result = lite.run("status", code=2, **{f"TRACKER_{name}": value})
    assert f"TRACKER_{name}" in result.stderr
    assert "secret" not in result.stderr


def test_a_store_that_is_away_is_a_sentence_and_no_password(lite: Shell) -> None:
    url = "postgresql://me:secret@127.0.0.1:1/x"
    result = lite.run("status", code=1, TRACKER_DATABASE_URL=url, TRACKER_READ_TIMEOUT="0.5")
    assert re.fullmatch(r"Error: .*\n", result.stderr)
    assert "secret" not in result.stderr


def test_without_tables_the_sentence_names_init(postgres_url: str, tmp_path: Path) -> None:
    for command in (["status"], ["seed"], ["keys", "list"], ["serve"], ["replay", "--compare"]):
        assert "run `tracker init` first" in Shell(postgres_url, tmp_path).run(*command, code=1).stderr


@pytest.mark.parametrize(
    "command",
    [["status"], ["history", "a"], ["export"], ["replay"], ["parked"], ["rebuild"], ["keys", "list"],
     ["keys", "revoke", "a"], ["keys", "rotate", "a"], ["project", "--check"], ["log", "fork", "--reason", "lost"]],
)  # fmt: skip
def test_a_command_that_reads_says_that_there_is_no_log_and_makes_none(command: list[str], lite: Shell) -> None:
    result = lite.run(*command, code=1)
    assert f"there is no log at {lite.directory}/tracker.db: `tracker init` makes one" in result.stderr
    assert list(lite.directory.iterdir()) == []


def test_a_key_in_the_file_env_that_is_no_setting_is_told(lite: Shell) -> None:
    lite.write(".env", "TRACKER_RATE_LIMTI=5\nTRACKER_COLOUR=red\ntracker_max_lag=9\nPOSTGRES_PORT=1\n")
    said = lite.run("init").stderr
    assert "TRACKER_RATE_LIMTI in .env is no setting and changes nothing; TRACKER_RATE_LIMIT is one\n" in said
    assert "TRACKER_COLOUR in .env is no setting and changes nothing\n" in said
    assert "red" not in said
    assert "MAX_LAG" not in said
    assert "POSTGRES_PORT" not in said
