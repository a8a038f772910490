"""What is printed on a terminal has no character in it that moves the cursor, turns the text, or is not seen."""

import io
import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.group import CommandGroup, fail
from api.cli.terminal import columns, say, show, write_pieces
from api.http.json_logging import JsonLines
from tests.support.shell import Shell
from tracker.visible_text import unseen_in

HOSTILE = "a\x1b[2Jb\x9bc\u202ed\u200be\u2066f"
SHOWN = r"a\u001b[2Jb\u009bc\u202ed\u200be\u2066f"


def test_sentences_and_tables_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    table = columns("name")
    table.add_row(HOSTILE)
    show(table, HOSTILE)
    printed = capsys.readouterr()
    assert printed.err == f"{SHOWN}\n"
    assert printed.out.count(SHOWN) == 2


def test_an_error_is_escaped() -> None:
    group = CommandGroup("x")
    group.command("y")(lambda: fail(HOSTILE))
    assert CliRunner().invoke(group, ["y"]).stderr == f"Error: {SHOWN}\n"
    assert unseen_in(CliRunner().invoke(group, [HOSTILE]).stderr.replace("\n", "")) is None


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def test_what_is_written_is_escaped_on_a_terminal_and_exact_elsewhere() -> None:
    pieces = [bytes([byte]) for byte in HOSTILE.encode()]
    terminal, file = Terminal(), io.BytesIO()
    write_pieces(pieces, terminal)
    write_pieces(pieces, file)
    assert terminal.getvalue().decode() == SHOWN
    assert file.getvalue().decode() == HOSTILE


def test_a_line_of_the_log_is_escaped_and_says_the_same() -> None:
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "%s", (HOSTILE,), None)
    record.path = HOSTILE
    line = JsonLines().format(record)
    assert SHOWN in line
    assert json.loads(line)["path"] == json.loads(line)["message"] == HOSTILE


def test_a_file_that_holds_such_characters_is_told_without_them(sqlite_url: str, tmp_path: Path) -> None:
    shell = Shell(sqlite_url, tmp_path)
    file = shell.write("f.csv", f"pledge,type,{HOSTILE}\np,PledgeMade,x\n")
    assert SHOWN in shell.run("import", file, code=1).stderr
