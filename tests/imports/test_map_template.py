"""A first map for somebody's sheet: it can be used as it stands, and says what it guessed."""

from pathlib import Path
from typing import Any

import pytest

from api.imports.items import UnreadableFile
from api.imports.map_template import map_template
from api.imports.sheet_map import parse_map
from tests.support.import_files import read_items, workbook, written
from tests.support.paths import ROOT
from tests.support.shell import Shell
from tracker.fact_reading import read_fact


def facts(path: Path) -> list[Any]:
    items, found = read_items(path, mapping=parse_map(map_template(path)))
    assert found == []
    return [item.fact for item in items]


def test_a_first_map_reads_the_documented_example() -> None:
    path = ROOT / "docs" / "examples" / "aid.csv"
    toml = map_template(path)
    mapping = parse_map(toml)
    assert (mapping.header, mapping.decimal) == (2, ",")
    assert mapping.fields["stated_on"] == "{Announced}"
    assert 'quantity = "{Amount (m)|number} {Currency}"    # guess' in toml
    assert "Measure may tell which: " in toml
    assert "# If the sheet is released again: [follow]" in toml


def test_what_a_first_map_makes_of_a_plain_sheet_can_be_recorded(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Donor", "Date", "Amount", "Currency"], ["Fenwick", "14.03.2024", 5, "EUR"], ["X", "15.03.2024", 7, "USD"],
    ]  # fmt: skip
    made = facts(workbook(tmp_path / "f.xlsx", rows))
    assert [fact["type"] for fact in made] == ["PledgeMade", "ProgressReported"] * 2
    assert made[1]["figure"]["quantity"] == "5 EUR"
    for fact in made:
        read_fact(fact)


def test_a_first_map_of_a_sheet_that_says_nothing_is_still_a_map(tmp_path: Path) -> None:
    toml = map_template(written(tmp_path / "f.csv", 'Alpha,"Be ""ta"" \\",Gamma\r\nx,y,z\r\n'))
    assert parse_map(toml).fact[0].type == "PledgeMade"
    assert "say when it was said" in toml


@pytest.mark.parametrize("codec", ["utf-16", "cp1252"])
def test_the_encoding_is_guessed(tmp_path: Path, codec: str) -> None:
    (tmp_path / "f.csv").write_bytes("Geber,Datum,Betrag\r\nÖsterreich,2024-01-02,5\r\n".encode(codec))
    assert parse_map(map_template(tmp_path / "f.csv")).encoding == codec


def test_the_command_prints_the_map_alone(tmp_path: Path) -> None:
    shell = Shell("sqlite://", tmp_path)
    result = shell.run("import", shell.write("f.csv", "Donor,Date\r\nX,2024-01-02\r\n"), "--map-template")
    assert parse_map(result.stdout).fields["stated_on"] == "{Date}"
    assert result.stderr == ""
    shell.run("import", shell.write("f.ndjson", "{}"), "--map-template", code=1)


def test_a_file_without_a_header_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="there is no header"):
        map_template(written(tmp_path / "f.csv", ""))
