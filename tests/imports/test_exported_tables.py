"""Exported CSV: no cell is a formula, and the import reads every cell as it was."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.formats.csv_table import guarded, unguarded, write_table
from api.imports.sheets import read_csv


@given(st.text())
def test_a_guarded_cell_is_no_formula_and_comes_back_as_it_was(cell: str) -> None:
    bare = guarded(cell).lstrip(" \u00a0\ufeff\u200b\n")
    assert not bare.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert unguarded(guarded(cell)) == cell


CELLS = st.text(st.sampled_from("'=+-@＝＋－＠ \ufeff\u200b\t\r\n,\"a1é"), max_size=8)


@given(st.lists(CELLS.filter(str.strip), min_size=1, max_size=5))
def test_an_exported_table_is_read_as_it_was(cells: list[str]) -> None:
    columns = [f"c{number}" for number in range(len(cells))]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "f.csv"
        path.write_bytes(b"".join(write_table(columns, [dict(zip(columns, cells, strict=True))])))
        (row,) = read_csv(path).rows
    assert [unguarded(row.cells[column]) for column in columns] == cells


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        " =1",
        "\ufeff=1",
        "＝1",
        "＋1",
        "－1",
        " ＠x",
        "\u200b=1",
        "'=1",
        "\n =1",
    ],
)
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


def test_exported_csv_is_rfc_4180() -> None:
    lines = list(write_table(["a", "b"], [{"a": 'say "x", y\nz', "b": "=1"}]))
    assert lines == [b"a,b\r\n", b'"say ""x"", y\nz",\'=1\r\n']
