"""The command `tracker`, asked for help: every command and option is told, and asking loads little."""

import os
import re
import subprocess
import sys

import click
import pytest

from api.cli.main import COMMANDS, main
from tests.support.paths import ROOT
from tests.support.shell import Shell
from tests.support.waiting import HANG_SECONDS

README = (ROOT / "README.md").read_text(encoding="utf-8")


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


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_with_an_example_and_documented_options(name: str, lite: Shell) -> None:
    command = commands()[name]
    said = lite.run(*name.split()[1:], "--help").stdout
    assert re.search(rf"Examples?:\n(?: +.+\n)*? +(?:TRACKER_\w+=\w+ )?{name}", said), said
    assert all(getattr(p, "help", None) for p in command.params if isinstance(p, click.Option) and not p.hidden)


def test_every_command_is_in_the_readme_and_every_one_there_exists() -> None:
    table = README[README.index("## Commands") : README.index("## Containers")]
    rows = re.findall(r"^\| `tracker ([\w-]+)", table, flags=re.M)
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


@pytest.mark.parametrize("command", ["project", "keys", "log_export", "tables", "doctor"])
def test_commands_that_answer_no_request_import_no_server(command: str) -> None:
    loaded = python("-c", f"import sys, api.cli.{command}; print(*sys.modules)").stdout.split()
    assert {name.partition(".")[0] for name in loaded}.isdisjoint({"litestar", "uvicorn", "jinja2"})


def test_a_command_that_does_not_exist_is_wrong_usage_like_any_other(lite: Shell) -> None:
    assert "No such command 'nope'" in lite.run("nope", code=2).stderr


def test_python_m_tracker_is_the_command_tracker() -> None:
    listed = python("-m", "tracker", "--help").stdout
    assert (
        listed.partition("\n")[2]
        == python("-c", "from api.cli.main import main; main()", "--help").stdout.partition("\n")[2]
    )
    assert "Usage: python -m tracker [OPTIONS] COMMAND" in listed
