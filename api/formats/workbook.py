"""Workbooks (XLSX, ECMA-376) that are made while they are sent: a row at a time, nothing in a file beside.

Text is an inline string, which no spreadsheet evaluates, and numbers, days and instants are what they are called. A
number of more than 15 digits stands in full in the column `….exact` beside it, and every instant does. The header is
frozen. A sheet that is full goes on in the next one, "events 2".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from typing import IO
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from api.formats.cell_kinds import EXACT, CellKind, CellValue, Columns, is_kept_by_a_double, value_of
from api.formats.csv_table import guarded
from api.formats.sink import Sink
from api.formats.xml_text import xml_safe, xml_text

MAX_SHEET_ROWS = 1_048_576
"""Rows of a sheet, the header among them."""

MAX_SHEET_BYTES = 1_500_000_000
"""Bytes of a sheet before it is compressed; from 2 GiB on the archive needs a layout that not everybody reads."""

MAX_CELL_CHARACTERS = 32_767
"""Characters of a cell, in UTF-16."""

_CUT = " … [cut: a cell holds no more]"
_WRITTEN_AT_ONCE = 64 * 1024
_FIRST_DAY = date(1900, 3, 1)
"""Before it, spreadsheets count days differently; such a day is text."""

_DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""An underscore that spreadsheets would take for the beginning of an escaped character."""

_BOLD, _DAY, _INSTANT, _AS_TYPED = 1, 2, 3, 4
"""The styles of cells; `_AS_TYPED` keeps a text that looks like a formula a text when somebody edits it."""

_WIDTHS: Mapping[CellKind, int] = {
    "day": 11,
    "partial": 11,
    "instant": 20,
    "number": 18,
    "whole": 9,
    "tally": 9,
    "flag": 7,
}
_TEXT_WIDTH = 22

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_TYPES = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook: its columns, and rows of cells by column."""

    name: str
    columns: Columns
    rows: Iterable[Mapping[str, str]]


def write_workbook(sheets: Iterable[Sheet], properties: Mapping[str, str]) -> Iterator[bytes]:
    """The bytes of a workbook. Its custom properties are `properties`; a sheet without rows has its header."""
    sink, names = Sink(), list[str]()
    with ZipFile(sink, "w", ZIP_DEFLATED) as package:
        for sheet in sheets:
            rows: Iterator[Mapping[str, str]] = iter(sheet.rows)
            parts, following = 0, next(rows, None)
            while parts == 0 or following is not None:
                parts += 1
                names.append(sheet.name if parts == 1 else f"{sheet.name} {parts}")
                rest = rows if following is None else chain([following], rows)
                with package.open(_entry(f"xl/worksheets/sheet{len(names)}.xml"), "w") as part:
                    writer = _SheetWriter(part, sheet.columns)
                    for _ in writer.write(rest):
                        yield sink.taken()
                following = writer.following
                rows = rest
        for name, text in _parts(names, properties).items():
            package.writestr(_entry(name), text)
    yield sink.taken()


def _entry(name: str) -> ZipInfo:
    """A file of the archive; the same content gives the same bytes on any day."""
    entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    return entry


class _SheetWriter:
    """Writes one sheet as far as it holds."""

    def __init__(self, part: IO[bytes], columns: Columns) -> None:
        self._part = part
        self._columns = _with_exact(columns)
        self._places = {name: (at, _letters(at)) for at, name in enumerate(self._columns, 1)}
        self.following: Mapping[str, str] | None = None
        """The row that found no place."""

    def write(self, rows: Iterable[Mapping[str, str]]) -> Iterator[None]:
        """Write the header and the rows; now and then it stops for what was written to be taken."""
        written, pending, waiting = 0, [self._head()], 0
        for number, cells in enumerate(rows, 2):
            if number > MAX_SHEET_ROWS or written > MAX_SHEET_BYTES:
                self.following = cells
                break
            pending.append(self._row(number, cells))
            waiting += len(pending[-1])
            if waiting >= _WRITTEN_AT_ONCE:
                written += self._part.write("".join(pending).encode())
                pending, waiting = [], 0
                yield
        pending.append("</sheetData></worksheet>")
        self._part.write("".join(pending).encode())

    def _head(self) -> str:
        widths = "".join(
            f'<col min="{at}" max="{at}" width="{_WIDTHS.get(kind, _TEXT_WIDTH)}" customWidth="1"/>'
            for at, kind in enumerate(self._columns.values(), 1)
        )
        header = "".join(_text(f"{letters}1", name, _BOLD) for name, (_, letters) in self._places.items())
        return (
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f'<cols>{widths}</cols><sheetData><row r="1">{header}</row>'
        )

    def _row(self, number: int, cells: Mapping[str, str]) -> str:
        placed: list[tuple[int, str]] = []
        for name, text in cells.items():
            if not text or name not in self._columns:
                continue
            at, letters = self._places[name]
            value = value_of(text, self._columns[name])
            placed.append((at, _cell(f"{letters}{number}", value)))
            beside = self._places.get(f"{name}{EXACT}")
            if beside is not None and not (isinstance(value, Decimal) and is_kept_by_a_double(value)):
                placed.append((beside[0], _text(f"{beside[1]}{number}", text)))
        placed.sort()
        return f'<row r="{number}">{"".join(cell for _, cell in placed)}</row>'


def _with_exact(columns: Columns) -> Columns:
    found: dict[str, CellKind] = {}
    for name, kind in columns.items():
        found[name] = kind
        if kind in ("number", "instant"):
            found[f"{name}{EXACT}"] = "text"
    return found


def _letters(number: int) -> str:
    """The name of a column, A for the first."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _cell(reference: str, value: CellValue) -> str:
    match value:
        case bool():
            return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
        case int():
            return f'<c r="{reference}"><v>{value}</v></c>'
        case Decimal():
            digits = format(value, "f") if is_kept_by_a_double(value) else repr(float(value))
            return f'<c r="{reference}"><v>{digits}</v></c>'
        case datetime() if value.date() >= _FIRST_DAY:
            days = (value - _DAY_ZERO).total_seconds() / 86_400
            return f'<c r="{reference}" s="{_INSTANT}"><v>{days!r}</v></c>'
        case date() if value >= _FIRST_DAY:
            return f'<c r="{reference}" s="{_DAY}"><v>{(value - _DAY_ZERO.date()).days}</v></c>'
    return _text(reference, str(value))


def _text(reference: str, text: str, style: int = 0) -> str:
    if len(text) * 2 > MAX_CELL_CHARACTERS:
        text = _cut(text)
    if style == 0 and guarded(text) is not text:
        style = _AS_TYPED
    styled = f' s="{style}"' if style else ""
    shown = _ESCAPE.sub("_x005F_", xml_text(text)).replace("\r", "_x000D_")
    return f'<c r="{reference}"{styled} t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'


def _cut(text: str) -> str:
    """The text as far as a cell holds it, and a word on what is missing."""
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= MAX_CELL_CHARACTERS * 2:
        return text
    return units[: (MAX_CELL_CHARACTERS - len(_CUT)) * 2].decode("utf-16-le", "ignore") + _CUT


def _parts(names: Sequence[str], properties: Mapping[str, str]) -> Mapping[str, str]:
    """The files of the archive beside the sheets."""
    sheet_type = f"{_TYPES}.spreadsheetml.worksheet+xml"
    numbered = list(enumerate(names, 1))
    overrides = {
        "/xl/workbook.xml": f"{_TYPES}.spreadsheetml.sheet.main+xml",
        "/xl/styles.xml": f"{_TYPES}.spreadsheetml.styles+xml",
        "/docProps/custom.xml": f"{_TYPES}.custom-properties+xml",
        **{f"/xl/worksheets/sheet{number}.xml": sheet_type for number, _ in numbered},
    }
    listed = "".join(f'<Override PartName="{part}" ContentType="{type_}"/>' for part, type_ in overrides.items())
    sheets = "".join(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in numbered)
    relations = [("worksheet", f"worksheets/sheet{number}.xml") for number, _ in numbered] + [("styles", "styles.xml")]
    told = "".join(
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{pid}" name={quoteattr(xml_safe(name))}>'
        f"<vt:lpwstr>{xml_text(value)}</vt:lpwstr></property>"
        for pid, (name, value) in enumerate(properties.items(), 2)
    )
    return {
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships">'
        f"<bookViews><workbookView/></bookViews><sheets>{sheets}</sheets></workbook>",
        "xl/styles.xml": _XML + _STYLES,
        "docProps/custom.xml": f'{_XML}<Properties xmlns="{_OFFICE}/custom-properties"'
        f' xmlns:vt="{_OFFICE}/docPropsVTypes">{told}</Properties>',
        "xl/_rels/workbook.xml.rels": _relationships(relations),
        "_rels/.rels": _relationships(
            [("officeDocument", "xl/workbook.xml"), ("custom-properties", "docProps/custom.xml")]
        ),
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>',
    }


def _relationships(relations: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/relationships/{type_}" Target="{target}"/>'
        for number, (type_, target) in enumerate(relations, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
