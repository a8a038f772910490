"""What is told of a bad file: every problem at once, the value that is wrong, and rows to hand back."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from api.imports.spool import ItemSpool
from tests.support.import_files import problems, written
from tests.support.shell import Shell, with_tables

HEADER = "pledge,type,stated_on,publisher,tier,title,pledgor,pledgor_code,kind"
GOOD = "p,PledgeMade,2024-01-01,P,media,T,P,BE,qualitative"


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A database with its tables."""
    return with_tables(database_url, tmp_path)


def test_an_unknown_column_hides_no_other_problem(tmp_path: Path) -> None:
    text = f"{HEADER},colour,final\r\n{GOOD},red,maybe\r\n"
    assert problems(written(tmp_path / "f.csv", text)) == [
        "line 1: colour: there is no such column; if it is not meant to be read, --ignore-column leaves it out",
        'line 2: final: "maybe" is neither true nor false',
    ]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("UK", "write GB"), ("EL", "write GR"), ("DEU", "it is the alpha-3 code: write DE"), ("de", "write DE"),
        ("GER", "write DE"), ("SUI", "write CH"),
        ("XX", "a party that is no state has a slug of its own"),
        ("BE", None), ("EU", None), ("XK", None), ("NATO", None), ("un", None), ("IMF", None), ("mark-rutte", None),
    ],
)  # fmt: skip
def test_a_code_that_looks_like_iso_and_is_none_is_a_problem(tmp_path: Path, code: str, says: str | None) -> None:
    found = problems(written(tmp_path / "f.csv", f"{HEADER}\r\n{GOOD.replace('BE', code)}\r\n"))
    assert found == ([] if says is None else [f'line 2: pledgor_code: "{code}" is no ISO 3166 alpha-2 code; {says}'])


def test_codes_in_lists_are_looked_at_one_by_one(tmp_path: Path) -> None:
    text = "pledge,type,members,member\r\np,PledgeMade,BE; UK; NATO,\r\np,MemberReported,,GRC\r\n"
    assert [line.partition(";")[0] for line in problems(written(tmp_path / "f.csv", text))] == [
        'line 2: members: "UK" is no ISO 3166 alpha-2 code', 'line 3: member: "GRC" is no ISO 3166 alpha-2 code',
    ]  # fmt: skip


def test_the_value_that_is_wrong_is_quoted(shell: Shell) -> None:
    path = shell.write("f.csv", f"{HEADER}\r\n{GOOD.replace('2024-01-01', '1st of May').replace('media', 'blog')}\r\n")
    lines = shell.run("import", path, code=1).stderr.splitlines()
    assert [line.rpartition("; ")[2] for line in lines[:2]] == ['here stands "1st of May"', 'here stands "blog"']


def test_a_value_is_quoted_though_its_letters_stand_in_the_message(shell: Shell) -> None:
    path = shell.write("f.csv", f"{HEADER}\r\n{GOOD.replace('media', 'y')}\r\n")
    assert shell.run("import", path, code=1).stderr.splitlines()[0].endswith('; here stands "y"')


def test_a_column_is_ignored_if_it_is_asked_for(shell: Shell) -> None:
    path = shell.write("f.csv", f"{HEADER},colour\r\n{GOOD},red,stray\r\n")
    shell.run("import", path, "--ignore-column", "colour", code=1)
    shell.run("import", path, "--ignore-column", "colour", "--ignore-column", "column K")
    assert shell.head() == 1
    result = shell.run("import", path, "--ignore-column", "shape", code=1)
    assert 'there is no column "shape" to ignore' in result.stderr


def test_rows_with_problems_are_written_to_be_handed_back(shell: Shell) -> None:
    bad = GOOD.replace("p,", "P p,", 1).replace("T,", '"=1+1, and ""more""",').replace("media", "blog")
    path = shell.write("f.csv", f"{HEADER}\r\n{GOOD}\r\n{bad}\r\n")
    shell.run("import", path, "--problems", "wrong.csv", code=1)
    (row,) = csv.DictReader(StringIO((shell.directory / "wrong.csv").read_text(encoding="utf-8"), newline=""))
    assert row.pop("row in the file") == "line 3"
    assert row.pop("problem").startswith('pledge: "P p" is no slug: small letters, digits and hyphens')
    assert row == dict(zip(HEADER.split(","), next(csv.reader([bad])), strict=True)) | {"title": '\'=1+1, and "more"'}
    mended = (shell.directory / "wrong.csv").read_text(encoding="utf-8").replace("P p", "q").replace("blog", "media")
    shell.run("import", shell.write("mended.csv", mended), "--ignore-column", "problem", "--ignore-column",
              "row in the file")  # fmt: skip
    with shell.log() as log:
        assert json.loads(log.read()[0].state)["fact"]["title"] == '=1+1, and "more"'


def test_lines_with_problems_are_written_too_and_a_sound_file_leaves_none(shell: Shell) -> None:
    path = shell.write("f.ndjson", '{"pledge": "p"}\n')
    shell.run("import", path, "--problems", "wrong.csv", code=1)
    rows = list(csv.DictReader(StringIO((shell.directory / "wrong.csv").read_text(encoding="utf-8"), newline="")))
    assert [(row["row in the file"], row["line"]) for row in rows] == [("line 1", '{"pledge": "p"}')]
    shell.run("import", shell.write("g.csv", f"{HEADER}\r\n{GOOD}\r\n"), "--problems", "none.csv")
    assert (shell.directory / "none.csv").read_text(encoding="utf-8").splitlines()[1:] == []


def test_problems_are_listed_though_their_rows_cannot_be_written(shell: Shell) -> None:
    path = shell.write("f.csv", f"{HEADER}\r\n{GOOD.replace('media', 'blog')}\r\n")
    told = shell.run("import", path, "--problems", "away/wrong.csv", code=1).stderr
    assert "away/wrong.csv was not written: " in told
    assert 'here stands "blog"' in told


def test_a_file_that_is_changed_while_it_is_read_is_not_recorded(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shell.write("f.csv", f"{HEADER}\r\n{GOOD}\r\n")
    order = ItemSpool.order

    def changed(spool: ItemSpool, *, oldest_first: bool) -> None:
        shell.write("f.csv", f"{HEADER}\r\n")
        order(spool, oldest_first=oldest_first)

    monkeypatch.setattr(ItemSpool, "order", changed)
    assert "was changed while it was read" in shell.run("import", path, code=1).stderr
    assert shell.head() == 0


def test_a_file_that_has_grown_names_the_option_that_helps(shell: Shell) -> None:
    shell.run("import", shell.write("f.csv", f"{HEADER}\r\n{GOOD}\r\n"))
    grown = shell.write("g.csv", f"{HEADER}\r\n{GOOD}\r\n{GOOD.replace('p,', 'q,', 1)}\r\n")
    assert "If it has grown, --skip-recorded leaves those out" in shell.run("import", grown, code=1).stderr
    shell.run("import", grown, "--skip-recorded")
    assert shell.head() == 2
