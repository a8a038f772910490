"""The command `tracker`: what it answers, what it refuses, and how it ends."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import text

from api.cli.main import COMMANDS, main
from api.formats.table import EVENT_FORMATS, STATUS_FORMATS
from api.http import media
from projections.tables import open_engine, writing
from projections.timeline import Timeline
from tests.support.paths import ROOT
from tests.support.shell import Shell, ask, behind, ended, gone, is_ready
from tests.support.waiting import HANG_SECONDS, wait_until

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Shell:
    """A database with its tables."""
    shell = Shell(database_url, tmp_path)
    shell.run("init")
    return shell


@pytest.fixture
def shell(empty: Shell) -> Shell:
    """A database with the seed."""
    empty.run("seed")
    return empty


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Shell:
    return Shell(sqlite_url, tmp_path)


def commands(group: click.Group = main, prefix: str = "tracker") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[f"{prefix} {name}"] = command
        if isinstance(command, click.Group):
            found |= commands(command, f"{prefix} {name}")
    return found


# --- help


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_with_an_example_and_documented_options(name: str, lite: Shell) -> None:
    command = commands()[name]
    said = lite.run(*name.split()[1:], "--help").stdout
    assert re.search(rf"Examples?:\n(?: +.+\n)*? +(?:TRACKER_\w+=\w+ )?{name}", said), said
    assert all(getattr(p, "help", None) for p in command.params if isinstance(p, click.Option) and not p.hidden)


def test_every_command_is_in_the_readme_and_every_one_there_exists() -> None:
    table = README[README.index("## Commands") : README.index("## Containers")]
    rows = re.findall(r"^\| `tracker (\w+)", table, flags=re.M)
    assert sorted(rows) == sorted({name.split()[1] for name in commands()})


def test_every_option_in_the_readmes_table_exists() -> None:
    table = README[README.index("## Commands") : README.index("## Containers")]
    options = {o for c in commands().values() for p in c.params for o in p.opts}
    assert set(re.findall(r"--[a-z][a-z-]*", table)) - {"--help"} <= options


def test_the_list_of_commands_has_the_first_sentence_of_each() -> None:
    helps = {name: commands()[f"tracker {name}"].get_short_help_str(limit=1_000) for name in COMMANDS}
    assert {name: lazy.short_help for name, lazy in COMMANDS.items()} == helps


def python(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own, with this tree."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **env},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=True,
    )


def test_help_imports_neither_the_server_nor_a_store() -> None:
    script = (
        "import sys; from api.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    help_run = python("-c", script)
    assert "Commands:" in help_run.stdout
    loaded = {name.partition(".")[0] for name in help_run.stderr.split()}
    assert loaded.isdisjoint({"litestar", "sqlalchemy", "openpyxl", "psycopg", "eventsourcing", "pydantic", "uvicorn"})


def test_a_command_that_does_not_exist_is_wrong_usage_like_any_other(lite: Shell) -> None:
    assert "No such command 'nope'" in lite.run("nope", code=2).stderr


def test_python_m_tracker_is_the_command_tracker() -> None:
    listed = python("-m", "tracker", "--help").stdout
    assert (
        listed.partition("\n")[2]
        == python("-c", "from api.cli.main import main; main()", "--help").stdout.partition("\n")[2]
    )
    assert "Usage: python -m tracker [OPTIONS] COMMAND" in listed


# --- wrong usage


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
    result = lite.run("status", code=1, TRACKER_DATABASE_URL=url)
    assert re.fullmatch(r"Error: .*\n", result.stderr)
    assert "secret" not in result.stderr


def test_without_tables_the_sentence_names_init(postgres_url: str, tmp_path: Path) -> None:
    for command in (["status"], ["seed"], ["keys", "list"], ["serve"], ["replay", "--compare"]):
        assert "run `tracker init` first" in Shell(postgres_url, tmp_path).run(*command, code=1).stderr


@pytest.mark.parametrize(
    "command",
    [["status"], ["history", "a"], ["export"], ["replay"], ["parked"], ["rebuild"], ["keys", "list"],
     ["keys", "revoke", "a"], ["project", "--check"], ["log", "fork", "--reason", "lost"]],
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


# --- init, seed


def test_init_can_be_run_again(shell: Shell) -> None:
    assert shell.run("init").stderr == "The tables are there.\n"
    assert shell.head() == 68


def test_the_seed_is_loaded_once(empty: Shell) -> None:
    assert empty.run("seed").stderr == "68 facts on 12 pledges recorded.\n"
    again = empty.run("seed")
    assert again.stderr == "The seed is loaded already: 68 facts on 12 pledges. Nothing was changed.\n"
    assert empty.head() == 68
    with empty.log() as log:
        assert {row.key for row in log.read()} == {log.read()[0].key}


def test_a_seed_that_has_grown_adds_what_is_new(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    line = {
        "pledge": "nato-ukraine-2024",
        "fact": {"type": "StatementMade", "stated_on": "2025-07-01", "source": {"publisher": "P", "tier": "media"}},
    }
    grown = shell.write("z.ndjson", json.dumps(line))
    seeds = [file for file in files("seeds").iterdir() if file.name.endswith(".ndjson")]
    monkeypatch.setattr("seeds.seed_files", lambda: (*seeds, grown))
    assert shell.run("seed").stderr == "1 facts on 12 pledges recorded.\n"
    assert shell.head() == 69


# --- answers


def test_a_status_is_what_the_api_answers(shell: Shell) -> None:
    asked = ["nato-ukraine-2024", "--as-of", "2024-10-16"]
    document = json.loads(shell.run("status", *asked, "--json").stdout)
    assert (document["status"], document["as_of"], document["known_at"]) == ("in_progress", "2024-10-16", None)
    said = shell.run("status", *asked).stdout
    assert re.search(r"^actual +20900000000 EUR$", said, flags=re.M)
    assert re.search(r"^target +at least 40000000000 EUR$", said, flags=re.M)


def test_the_status_of_all_is_a_table_without_ragged_ends(shell: Shell) -> None:
    lines = shell.run("status").stdout.splitlines()
    assert len(lines) == 13
    assert any(re.match(r"nato-ukraine-2024 +exceeded +over 50000000000 EUR", line) for line in lines)
    assert lines == [line.rstrip() for line in lines]
    assert len(json.loads(shell.run("status", "--json").stdout)["items"]) == 12


def test_a_pledge_that_was_not_made_yet_is_not_there(shell: Shell) -> None:
    result = shell.run("status", "nato-ukraine-2024", "--as-of", "2024-07-30", code=1)
    assert "there is no pledge 'nato-ukraine-2024' as of 2024-07-30" in result.stderr
    shell.run("history", "nato-ukraine-2024", "--as-of", "2024-07-30", code=1)
    shell.run("status", "nato-ukraine-2024", "--at-position", "1", code=1)


@pytest.mark.parametrize("axis", ["as_of", "known"])
def test_history_says_how_the_status_came_to_be(axis: str, shell: Shell) -> None:
    said = json.loads(shell.run("history", "nato-ukraine-2024", "--axis", axis, "--json").stdout)
    changes = [i["status_after"] for i in said["items"] if i["status_after"] != i["status_before"]]
    assert changes == ["announced", "in_progress", "exceeded"] or axis == "known"
    assert "exceeded" in shell.run("history", "nato-ukraine-2024", "--axis", axis).stdout


@pytest.mark.parametrize("form", ["json", "ndjson", "csv"])
def test_an_export_holds_every_pledge(form: str, shell: Shell) -> None:
    said = shell.run("export", "--format", form, "--as-of", "2025-12-31").stdout
    rows: list[Any]
    if form == "csv":
        rows = list(csv.DictReader(StringIO(said, newline="")))
        row = next(row for row in rows if row["pledge"] == "nato-ukraine-2024")
        assert (row["ratio"], row["ratio.op"], row["ratio.value"]) == ("over 125 %", "gt", "1.25")
        assert (row["actual"], row["actual.value"]) == ("over 50000000000 EUR", "50000000000")
    else:
        rows = json.loads(said)["items"] if form == "json" else [json.loads(line) for line in said.splitlines()]
    assert len(rows) == 12


@pytest.mark.parametrize("form", [offered.name for offered in STATUS_FORMATS])
def test_an_export_is_what_the_api_answers_in_every_format_of_statuses(form: str, shell: Shell) -> None:
    shell.run("export", "--format", form, "--output", "statuses")
    with shell.serving() as (address, _):
        answer = ask(f"{address}/v1/export", format=form)
    assert (shell.directory / "statuses").read_bytes() == answer.content


@pytest.mark.parametrize("form", [offered.name for offered in EVENT_FORMATS])
def test_an_export_has_every_event_in_every_format_of_events(form: str, shell: Shell) -> None:
    exported = shell.run("export", "--events", "--format", form).stdout
    with shell.log() as log:
        ids = [row.event_id for row in log.read()]
    places = [exported.index(event_id) for event_id in ids]
    assert places == sorted(places)


def test_a_format_whose_library_is_not_there_says_how_to_have_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "find_spec", lambda library: None)
    refused = shell.run("export", "--format", "parquet", code=1)
    assert "pip install 'commitments-tracker[parquet]'" in refused.stderr


def test_an_export_to_a_file_is_whole_or_not_there(shell: Shell) -> None:
    shell.run("export", "--output", "all.json")
    assert len(json.loads((shell.directory / "all.json").read_bytes())["items"]) == 12
    assert "cannot be written" in shell.run("export", "--output", "no/such/place", code=1).stderr
    assert list(shell.directory.glob("*.part")) == []


def test_the_license_of_the_data_stands_in_the_export(shell: Shell) -> None:
    assert json.loads(shell.run("export", TRACKER_DATA_LICENSE="CC0-1.0").stdout)["license"] == "CC0-1.0"


# --- replay, rebuild


def test_a_replay_agrees_with_the_projection_at_any_clocks(shell: Shell) -> None:
    for clocks in ([], ["--as-of", "2024-12-31"], ["--at-position", "30"], ["--as-of", "2025-01-01"]):
        assert "no difference" in shell.run("replay", "--compare", *clocks).stderr
    lines = shell.run("replay", "--as-of", "2024-12-31").stdout.splitlines()
    exported = shell.run("export", "--format", "ndjson", "--as-of", "2024-12-31").stdout.splitlines()
    assert sorted(lines) == sorted(exported)


def test_a_projection_that_was_tampered_with_is_found_and_rebuilding_mends_it(shell: Shell) -> None:
    shell.run("status")
    engine = open_engine(shell.url)
    with writing(engine).begin() as conn:
        other = "(SELECT o.body FROM timeline_1 AS o WHERE o.pledge = 'equal-burden-for-ukraine' LIMIT 1)"
        conn.execute(text(f"UPDATE timeline_1 SET body = {other} WHERE pledge = 'nato-ukraine-2024'"))
        conn.execute(text("UPDATE timeline_1 SET body = :body WHERE pledge = 'nato-155mm-2024'"), {"body": b"?"})
        conn.execute(text("DELETE FROM timeline_1 WHERE pledge = 'jatec-poland'"))
        conn.execute(text("UPDATE timeline_1 SET pledge = 'ghost' WHERE pledge = 'nsatu-wiesbaden'"))
        conn.execute(text("UPDATE catalogue_1 SET pledge = 'ghost' WHERE pledge = 'nsatu-wiesbaden'"))
    engine.dispose()
    result = shell.run("replay", "--compare", code=1)

    found = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert "status" in found["nato-ukraine-2024"].split(", ")
    assert found["jatec-poland"] == "the log has it, the projection does not"
    assert found["nsatu-wiesbaden"] == "the log has it, the projection does not"
    assert found["nato-155mm-2024"] == "what the projection has cannot be read"
    assert found["ghost"] == "the projection has it, the log does not"
    assert re.search(
        r"^Error: \d of \d+ pledges differ between the log and the projection.$", result.stderr, flags=re.M
    )
    shell.run("rebuild")
    assert "12 pledges compared, no difference." in shell.run("replay", "--compare").stderr


# --- keys


def test_a_key_is_printed_once_and_alone(empty: Shell) -> None:
    result = empty.run("keys", "create", "--name", "desk", "--role", "monitor")
    key = result.stdout.splitlines()[-1]
    assert re.fullmatch(r"\S{40,}", key)
    assert key not in empty.run("keys", "list").stdout
    assert "in force" in empty.run("keys", "create", "--name", "desk", "--role", "reader", code=1).stderr
    assert empty.run("keys", "revoke", "desk").stderr == "The key of desk is revoked.\n"
    assert "no key named 'desk' is in force" in empty.run("keys", "revoke", "desk", code=1).stderr
    assert re.search(r"^desk +monitor +\S+ +\d{4}-", empty.run("keys", "list").stdout, flags=re.M)


# --- roles


def test_the_app_role_may_do_its_work_and_never_change_the_record(
    postgres_url: str, postgres_server_url: str, tmp_path: Path
) -> None:
    owner = Shell(postgres_url, tmp_path)
    owner.run("init")
    owner.run("seed")
    owner.run("status")
    role = f"app_{tmp_path.name.replace('-', '_')[:40]}".lower()
    engine = open_engine(postgres_url)
    with engine.begin() as conn:
        conn.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'x'"))
        conn.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    for _ in range(2):
        assert role in owner.run("init", TRACKER_APP_ROLE=role).stderr
    app = Shell(re.sub(r"//[^@/]*@?", f"//{role}:x@", postgres_url, count=1), tmp_path)
    try:
        app.run("seed")
        app.run("status")
        app.run("rebuild")
        app.run("replay", "--compare")
        app.run("keys", "create", "--name", "desk", "--role", "monitor")
        refused = open_engine(app.url)
        for statement in ("DELETE FROM tracker_events_log", "UPDATE tracker_events SET state = state"):
            with pytest.raises(Exception, match="permission denied"), refused.begin() as conn:
                conn.execute(text(statement))
        refused.dispose()
    finally:
        with engine.begin() as conn:
            conn.execute(text(f"DROP OWNED BY {role}"))
            conn.execute(text(f"DROP ROLE {role}"))
        engine.dispose()


# --- processes


def test_a_server_answers_and_ends_when_told(shell: Shell) -> None:
    with shell.serving() as (address, process):
        answer = ask(f"{address}/v1/pledges/nato-ukraine-2024", as_of="2025-02-12").content
        asked = shell.run("status", "nato-ukraine-2024", "--as-of", "2025-02-12", "--json").stdout
        assert asked.encode() == answer + b"\n"
        exported = shell.run("export").stdout
        assert exported.encode() == ask(f"{address}/v1/export").content
        assert ended(process) == 0


def test_a_server_warns_when_nobody_could_write(lite: Shell) -> None:
    lite.run("init")
    for env, warned in (({}, True), ({"TRACKER_ADMIN_KEY": "k" * 32}, False)):
        process = lite.start("serve", "--port", "0", **env)
        assert process.stderr is not None
        lines = [process.stderr.readline()]
        assert ("Nobody can write yet" in lines[0]) is warned
        if warned:
            lines.append(process.stderr.readline())
        assert "http://127.0.0.1:" in lines[-1]
        assert ended(process, signal.SIGINT) == 0
        gone(process)


def test_a_port_that_is_taken_is_a_sentence(lite: Shell) -> None:
    with lite.serving() as (address, _):
        result = lite.run("serve", "--port", address.rpartition(":")[2], code=1)
        assert "cannot be listened on" in result.stderr


@pytest.mark.slow
def test_several_workers_serve_one_record(postgres_url: str, tmp_path: Path) -> None:
    shell = Shell(postgres_url, tmp_path)
    shell.run("init")
    shell.run("seed")
    with shell.serving("--workers", "2") as (address, process):
        assert ask(f"{address}/v1/pledges").json()["total"] == 12
        assert ended(process) == 0


def test_the_projector_alone_projects_and_ends_when_told(shell: Shell) -> None:
    engine = open_engine(shell.url)
    with shell.log() as log:
        timeline = Timeline(engine, log)
        process = shell.start("project")
        try:
            wait_until(lambda: timeline.position() == 68, process)
            assert ended(process) == 0
        finally:
            gone(process)
    engine.dispose()


def test_a_server_can_leave_projecting_to_the_projector(shell: Shell) -> None:
    server = shell.start("serve", "--port", "0", "--no-projector", TRACKER_ADMIN_KEY="k" * 32)
    projector = None
    try:
        assert server.stderr is not None
        found = re.search(r"http://\S+", server.stderr.readline())
        assert found is not None
        wait_until(lambda: behind(found[0]) == 68, server)
        assert not is_ready(found[0])
        projector = shell.start("project")
        wait_until(lambda: is_ready(found[0]), server)
        assert ended(server) == ended(projector) == 0
    finally:
        for process in (server, projector):
            if process is not None:
                gone(process)


def test_a_command_waits_for_the_projector_that_is_at_work(shell: Shell) -> None:
    with shell.serving():
        assert len(shell.run("status").stdout.splitlines()) == 13
