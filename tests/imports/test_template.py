"""`tracker template`: a workbook with a sheet for each type of fact, which imports as it is."""

from pathlib import Path

import openpyxl
import pytest

from api.cli.template_examples import EXAMPLES
from api.formats.fact_columns import columns_of
from tests.support.shell import Shell, with_tables
from tracker.facts import FACT_TYPES


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A database with its tables."""
    return with_tables(database_url, tmp_path)


def test_the_examples_of_the_template_import_as_they_are(shell: Shell) -> None:
    shell.run("template", "facts.xlsx")
    shell.run("import", "facts.xlsx")
    with shell.log() as log:
        recorded = [row.type for row in log.read()]
    assert sorted(recorded) == sorted(type_ for type_, rows in EXAMPLES.items() for _ in rows)
    assert set(recorded) == set(FACT_TYPES)


def test_every_sheet_has_notes_drop_downs_and_an_example(tmp_path: Path) -> None:
    Shell("sqlite://", tmp_path).run("template", "facts.xlsx")
    book = openpyxl.load_workbook(tmp_path / "facts.xlsx")
    assert book.sheetnames == ["Read me", *FACT_TYPES]
    for type_ in FACT_TYPES:
        header = [cell.value for cell in book[type_][1]]
        assert header == ["pledge", "ref", *columns_of(type_)]
        assert all(cell.comment is not None and cell.comment.text for cell in book[type_][1])
        assert book[type_]["A2"].value
    stages = next(
        validation.formula1 for validation in book["ProgressReported"].data_validations.dataValidation
        if "pledged" in validation.formula1
    )  # fmt: skip
    assert stages == '"pledged,committed,allocated,disbursed,delivered,unspecified"'
    needed = [cell.value for cell in book["ProgressReported"][1] if cell.font.b]
    assert needed == ["pledge", "stated_on", "publisher", "tier", "quantity", "basis"]


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    shell = Shell("sqlite://", tmp_path)
    path = shell.write("facts.xlsx", "mine")
    assert "is there already" in shell.run("template", path, code=1).stderr
    assert path.read_text(encoding="utf-8") == "mine"
    shell.run("template", path, "--force")
    shell.run("template", "facts.csv", code=2)


def test_problems_name_the_sheet_of_their_type(shell: Shell) -> None:
    shell.run("template", "facts.xlsx")
    book = openpyxl.load_workbook(shell.directory / "facts.xlsx")
    book["StatementMade"].append(["nowhere", None, "soon"])
    book.save(shell.directory / "facts.xlsx")
    result = shell.run("import", "facts.xlsx", "--problems", "wrong.csv", code=1)
    assert all(line.startswith('sheet "StatementMade" row 3: ') for line in result.stderr.splitlines()[:-1])
    assert (
        (shell.directory / "wrong.csv")
        .read_text(encoding="utf-8")
        .splitlines()[1]
        .startswith('"sheet ""StatementMade"" row 3"')
    )
