"""Hostile and damaged import files: every one is read or refused with a sentence, in bounded memory and time."""

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from api.imports import bounds, workbook
from api.imports.items import ImportItem, UnreadableFile
from api.imports.sheet_map import SheetMap
from api.imports.spool import ItemSpool
from tests.support.import_files import read_items
from tests.support.paths import ROOT
from tests.support.shell import Shell
from tracker.errors import Unavailable

HEADER = ["pledge", "type", "stated_on", "publisher", "tier", "title"]
ROW = ["some-pledge", "PledgeMade", "2024-07-10", "Gazette", "media", "Forty billion"]
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OOXML = b"application/vnd.openxmlformats-officedocument.spreadsheetml"
MUTATIONS = 400


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A small sound workbook."""
    made = Workbook()
    page = made.active
    assert page is not None
    page.title = "Facts"
    page.append(HEADER)
    for number in range(6):
        page.append([f"pledge-{number}", *ROW[1:]])
    page.append([1, 2.5, True, "=1+1", None, "text"])
    page["B3"].number_format = "0.0%"
    path = tmp_path / "facts.xlsx"
    made.save(path)
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    texts = [b"pledge-0", b"text", *HEADER]
    shared = b"".join(b"<si><t>%s</t></si>" % (text if isinstance(text, bytes) else text.encode()) for text in texts)
    parts["xl/sharedStrings.xml"] = b"<sst xmlns='%s'>%s</sst>" % (MAIN.encode(), shared)
    parts[SHEET] = re.sub(rb't="inlineStr"><is><t>text</t></is>', b't="s"><v>1</v>', parts[SHEET])
    kind = b"<Override PartName='/xl/sharedStrings.xml' ContentType='%s.sharedStrings+xml'/></Types>" % OOXML
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", kind)
    with ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def changed(book: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with one part changed."""
    with ZipFile(book) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    before, parts[part] = parts[part], change(parts[part])
    assert parts[part] != before
    with ZipFile(book, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return book


def row(cells: str, number: str = "3") -> Callable[[bytes], bytes]:
    """Put other cells into the third row of the sheet."""
    return lambda xml: re.sub(rb'<row r="3".*?</row>', f'<row r="{number}">{cells}</row>'.encode(), xml, count=1)


BAD_ROWS = {
    "a column that no sheet has": (row('<c r="ZZZZZZ3"><v>1</v></c>'), "behind row 2"),
    "no number": (row('<c r="A3" t="n"><v>NaN</v></c>'), "behind row 2"),
    "5,000 digits": (row(f'<c r="A3"><v>{"9" * 5000}</v></c>'), "behind row 2"),
    "a date that no calendar has": (row('<c r="A3" t="d"><v>9999-99-99</v></c>'), "behind row 2"),
    "a shared text that is not there": (row('<c r="A3" t="s"><v>99999</v></c>'), "behind row 2"),
    "a row without a number": (row('<c r="A3"><v>1</v></c>', "x"), "behind row 2"),
    "columns beyond a sheet's": (row('<c r="XFE3"><v>1</v></c>'), "has 16,385 columns"),
    "a row far away": (row('<c r="A3"><v>1</v></c>', "99999999999"), "at most 1,048,576 rows"),
    "an infinite number": (row('<c r="A3"><v>1e999</v></c>'), "row 3: pledge: this cell cannot be read: inf"),
    "a style that is not there": (row('<c r="A3" s="9999"><v>7</v></c>'), "row 3"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_row_that_cannot_be_read_is_told_with_its_sheet_and_place(book: Path, case: str) -> None:
    change, says = BAD_ROWS[case]
    changed(book, SHEET, change)
    try:
        found = "\n".join(map(str, read_items(book)[1]))
    except UnreadableFile as refused:
        found = str(refused)
    assert 'sheet "Facts"' in found
    assert says in found


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_workbook_that_declares_entities_is_refused_before_it_is_read(book: Path, part: str, encoding: str) -> None:
    def declare(xml: bytes) -> bytes:
        body = re.sub(rb"^<\?xml.*?\?>", b"", xml)
        return f'<?xml version="1.0" encoding="{encoding}"?>{(ENTITIES + body).decode()}'.encode(encoding)

    with pytest.raises(UnreadableFile, match=f"{part} in this workbook declares a DOCTYPE"):
        read_items(changed(book, part, declare))


def test_a_zip_bomb_is_refused_by_the_size_that_it_unzips_to(book: Path) -> None:
    with (
        ZipFile(book, "a", ZIP_DEFLATED) as archive,
        archive.open("xl/media/picture.bin", "w", force_zip64=True) as big,
    ):
        for _ in range(bounds.MAX_UNZIPPED_BYTES // 2**20):
            big.write(bytes(2**20))
    assert book.stat().st_size < 2**20
    with pytest.raises(UnreadableFile, match=r"bytes unzipped; 268,435,456 are read at most: save the sheet"):
        read_items(book)


@pytest.mark.parametrize("kept", [0, 1, 100, 2000, -1, -30])
def test_a_workbook_that_was_cut_off_is_told(book: Path, kept: int) -> None:
    book.write_bytes(book.read_bytes()[:kept])
    with pytest.raises(UnreadableFile, match="this is no XLSX workbook: "):
        read_items(book)


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        (("MAX_PARTS", 3), "parts; 3 are read at most"),
        (("MAX_PART_BYTES", 300), "bytes unzipped; 300 are read at most"),
        (("MAX_PART_ELEMENTS", 20), "XML elements at once; 20 are read at most"),
    ],
)
def test_parts_of_a_workbook_have_bounds(
    book: Path, monkeypatch: pytest.MonkeyPatch, bound: tuple[str, int], says: str
) -> None:
    monkeypatch.setattr(workbook, *bound)
    with pytest.raises(UnreadableFile, match=says):
        read_items(book)


@pytest.mark.parametrize(("tag", "kind"), [("row", "rows"), ("c", "cells"), ("si", "shared texts")])
def test_what_repeats_in_a_workbook_is_counted(
    book: Path, monkeypatch: pytest.MonkeyPatch, tag: str, kind: str
) -> None:
    monkeypatch.setitem(workbook._REPEATED, tag, (5, kind))
    with pytest.raises(UnreadableFile, match=f"has 6 or more {kind}; 5 are read at most: save the sheet"):
        read_items(book)


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        (("MAX_ROWS", 2), "line 3: a table has at most 2 rows; split it"),
        (("MAX_COLUMNS", 5), "line 1 has 6 columns; a table has at most 5"),
        (("MAX_CELLS", 17), "line 3: a table has at most 17 cells"),
    ],
)
def test_a_table_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: tuple[str, int], says: str) -> None:
    monkeypatch.setattr(bounds, *bound)
    (tmp_path / "f.csv").write_text("\n".join(map(",".join, [HEADER, ROW, ROW])))
    with pytest.raises(UnreadableFile, match=says):
        read_items(tmp_path / "f.csv")


def test_a_file_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds.check_file_size, "__defaults__", (10,))
    for name in ("f.csv", "f.ndjson"):
        (tmp_path / name).write_text("x" * 11)
        with pytest.raises(UnreadableFile, match="the file has 11 bytes; 10 are read at most: split it"):
            read_items(tmp_path / name)


@pytest.mark.parametrize("mapped", [False, True])
def test_a_wide_table_is_read_in_linear_time(tmp_path: Path, mapped: bool) -> None:
    """Fourfold columns may take eightfold time; the quadratic reading took sixteenfold."""
    mapping = None if not mapped else SheetMap.model_validate({"fact": [{"type": "PledgeMade", "pledge": "{c0}"}]})

    def seconds(columns: int) -> float:
        path = tmp_path / f"{columns}.csv"
        line = ",".join(f"c{number}" for number in range(columns))
        beyond = f"{line},{line}" if columns * 2 <= bounds.MAX_COLUMNS else line
        path.write_text("\n".join([line, *[beyond] * 5]))
        best = float("inf")
        for _ in range(3):
            began = time.thread_time()
            read_items(path, mapping=mapping)
            best = min(best, time.thread_time() - began)
        return best

    assert seconds(16_000) < max(8 * seconds(4_000), 0.5)


def test_cells_of_any_length_are_read_or_told(tmp_path: Path) -> None:
    for cell in ("9" * 5000, "9" * 100_000, "1e999999999", "9999-99-99", "[" * 100_000, " x" * 60_000, "-" * 100_000):
        for column in ("target", "stated_on", "window.end", "group.count", "group.members", "changes", "met"):
            (tmp_path / "f.csv").write_text(f"pledge,type,{column}\np,PledgeMade,{cell}\n")
            began = time.thread_time()
            read_items(tmp_path / "f.csv")
            assert time.thread_time() - began < 2, (column, cell[:9])


FUZZ_BYTES = 2**30
"""Bytes of address space of the process that reads mutated workbooks."""

FUZZ = """
import json, resource, sys
from pathlib import Path
from tests.imports.test_import_bounds import FUZZ_BYTES, fuzz
resource.setrlimit(resource.RLIMIT_AS, (FUZZ_BYTES, FUZZ_BYTES))
print(json.dumps(fuzz(Path(sys.argv[1]), int(sys.argv[2]))))
"""


def mutated(xml: bytes, chance: random.Random) -> bytes:
    """The XML with one thing changed: a byte, a piece, an attribute, a text, or an element doubled or gone."""
    start = chance.randrange(len(xml))
    end = min(len(xml), start + chance.randrange(1, 40))
    odd = [
        b"",
        b"x",
        b"-1",
        b"NaN",
        b"9" * 5000,
        b"ZZZZZZ1",
        b"&lt;",
        b"\x00",
        b"9999-99-99",
        b"1e400",
        b"\xff",
        b"<c/>",
    ]
    match chance.randrange(5):
        case 0:
            return xml[:start] + bytes([chance.randrange(256)]) + xml[start + 1 :]
        case 1:
            return xml[:start] + xml[end:]
        case 2:
            places = list(re.finditer(rb'"[^"<>]*"', xml))
            found = chance.choice(places) if places else None
            return (
                xml if found is None else xml[: found.start()] + b'"' + chance.choice(odd) + b'"' + xml[found.end() :]
            )
        case 3:
            places = list(re.finditer(rb">[^<>]+<", xml))
            found = chance.choice(places) if places else None
            return (
                xml if found is None else xml[: found.start()] + b">" + chance.choice(odd) + b"<" + xml[found.end() :]
            )
        case _:
            places = list(re.finditer(rb"<(\w+)[^<>]*?(/>|>[^<>]*</\1>)", xml))
            found = chance.choice(places) if places else None
            again = chance.choice((0, 2, 50))
            return xml if found is None else xml[: found.start()] + found[0] * again + xml[found.end() :]


def fuzz(path: Path, seed: int) -> dict[str, float]:
    """Read many mutated workbooks; how many were read and refused, and the longest in seconds.

    Whatever is no UnreadableFile is raised.
    """
    chance = random.Random(seed)
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    names = [SHEET, *parts]
    read = refused = 0
    longest = 0.0
    target = path.with_name("mutated.xlsx")
    for number in range(MUTATIONS):
        changed_parts = dict(parts)
        for _ in range(chance.randrange(1, 4)):
            name = chance.choice(names)
            changed_parts[name] = mutated(changed_parts[name], chance)
        with ZipFile(target, "w") as archive:
            for name, content in changed_parts.items():
                archive.writestr(name, content)
        if number % 10 == 0:  # the archive itself
            target.write_bytes(mutated(target.read_bytes(), chance))
        began = time.thread_time()
        try:
            read_items(target)
            read += 1
        except UnreadableFile:
            refused += 1
        longest = max(longest, time.thread_time() - began)
    return {"read": read, "refused": refused, "longest": longest}


def test_a_mutated_workbook_is_read_or_refused_with_a_sentence_in_bounded_memory_and_time(book: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, book, "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["read"] + found["refused"] == MUTATIONS
    assert found["read"] > 20
    assert found["refused"] > 100
    assert found["longest"] < 10


def test_the_command_says_it_without_a_traceback(sqlite_url: str, book: Path) -> None:
    result = Shell(sqlite_url, book.parent).run("import", changed(book, SHEET, row('<c r="ZZZZZZ3"/>')), code=1)
    assert 'sheet "Facts" behind row 2: this workbook is damaged' in result.stderr
    assert "Traceback" not in result.stderr


def utc_now() -> datetime:
    return datetime.now(UTC)


def test_a_file_that_finds_no_room_to_be_put_aside_is_told() -> None:
    items = (ImportItem(f"line {n}", "p", {"type": "StatementMade", "summary": "x" * 4_000}) for n in range(999))

    def put_aside() -> None:
        with ItemSpool(utc_now) as spool:
            spool._db.execute("PRAGMA max_page_count = 10")
            spool.fill(items)

    with pytest.raises(Unavailable, match=r"there is no room in .* name another in TMPDIR"):
        put_aside()
