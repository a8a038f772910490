"""`tracker import --map-template`: a first map for a sheet, made from its header, with every guess marked as one.

It reads as a map as it stands, so that a dry run tells what is left to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import get_args

from api.imports.cell_numbers import COMMA, POINT, NumberStyle, plain_number, without_footnotes
from api.imports.cell_periods import read_dated, read_period
from api.imports.items import UnreadableFile
from api.imports.sheet_layout import Encoding, SheetLayout, SheetTable
from api.imports.sheets import beginning_of, read_csv

_HEADER_ROWS_TRIED = 8
"""Rows in which the header is looked for."""

_ROWS_LOOKED_AT = 200

_DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%B %Y", "%b %Y")

_NAMES: Mapping[str, str] = {
    "id": r"\b(id|key|ref|reference|code)\b",
    "date": r"\b(date|day|announced|announcement|month|reported|period|decision)\b|datum",
    "year": r"\byears?\b|jahr",
    "who": r"\b(donor|pledgor|source org\w*|from|party|country|organi[sz]ation|government|member|provider)\b|geber",
    "whom": r"\b(recipient|beneficiary|to|destination|receiver|partner)\b",
    "amount": r"\b(amount|value|usd|eur|total|sum|budget|figure)\b|betrag",
    "currency": r"\b(currency|curr|unit)\b|währung",
    "kind": r"\b(status|stage|measure|flow)\b",
    "sort": r"\b(type|kind|category)\b",
    "what": r"\b(title|project|activity|description|explanation|name|purpose|item)\b",
    "link": r"\b(url|link|source)\b",
}
"""What a column may be, by words of its heading."""


@dataclass(frozen=True, slots=True)
class _Guess:
    """The column that is taken for something, and whether its cells look like it."""

    column: str
    is_sure: bool


def map_template(path: Path, sheet: str | None = None, encoding: Encoding | None = None) -> str:
    """A first map of a CSV or XLSX file, in TOML.

    Raises: UnreadableFile if the file cannot be read in any encoding that maps know.
    """
    table, header, encoding = _table(path, sheet, encoding)
    return "\n".join([*_head(path, table, header, encoding), *_body(table), ""])


def _table(path: Path, sheet: str | None, encoding: Encoding | None) -> tuple[SheetTable, int, Encoding | None]:
    """The table by the header that names most columns, and the row of the header."""
    best: tuple[SheetTable, int, Encoding | None] | None = None
    failed: UnreadableFile | None = None
    read = _reader(path, sheet)
    for tried in [encoding] if encoding is not None else [None, *get_args(Encoding)[1:]]:
        for header in range(1, _HEADER_ROWS_TRIED + 1):
            try:
                table = read(SheetLayout(header, encoding=tried))
                table = replace(table, rows=list(islice(table.rows, _ROWS_LOOKED_AT)))
            except UnreadableFile as unreadable:
                failed = failed or unreadable
                continue
            if best is None or _named(table) > _named(best[0]):
                best = table, int(table.place.rpartition(" ")[2]), tried
        if best is not None:
            return best
    raise failed or UnreadableFile("there is no header: the first row names the columns")


def _reader(path: Path, sheet: str | None) -> Callable[[SheetLayout], SheetTable]:
    """What reads the beginning of the file's table in a layout; a workbook is opened once for all of them."""
    if path.suffix.lower() == ".xlsx":
        return beginning_of(path, sheet, _HEADER_ROWS_TRIED + _ROWS_LOOKED_AT)
    if path.suffix.lower() in (".csv", ".tsv"):
        return partial(read_csv, path)
    raise UnreadableFile("a map is for a file whose name ends in .csv or .xlsx")


def _named(table: SheetTable) -> int:
    """The number of columns whose heading is no number."""
    return sum(re.search(r"[^\W\d]", column) is not None for column in table.columns)


def _head(path: Path, table: SheetTable, header: int, encoding: Encoding | None) -> list[str]:
    texts = [text for column in table.columns for text in _texts(table, column)]
    dates = [form for form in _DATE_FORMATS if any(read_dated(text, (form,)) for text in texts)]
    points, commas = (_numbers(texts, style) for style in (POINT, COMMA))
    lines = [
        f"# A first map for {_comment(path.name)}, made from its header. Look at everything that is marked as a guess.",
        f"# Its columns: {_comment(', '.join(table.columns))}",
        *([f"header = {header}"] if header > 1 else []),
        *([f"encoding = {_text(encoding)}    # guess"] if encoding is not None else []),
        *([f"dates = [{', '.join(map(_text, dates))}]    # guess"] if dates else []),
        *(['decimal = ","    # guess'] if commas > points else []),
    ]
    return [*lines, ""]


def _body(table: SheetTable) -> list[str]:
    found = {role: _guessed(table, role) for role in _NAMES}
    amount, who, what, currency = found["amount"], found["who"], found["what"], found["currency"]
    link, whom, key = found["link"], found["whom"], found["id"]
    date_ = found["date"] or found["year"]
    title = what or who
    name = _cell(who, "|slug") if who else "all"
    money = f"{_cell(amount, '|number')} {_cell(currency) if currency else 'EUR'}" if amount else ""
    no_unit = "" if currency else ": say the currency, and whether millions"
    lines = [
        "[fields]    # of every fact",
        'publisher = "Who publishes this sheet"    # say who',
        'tier = "other"    # official, primary, media or other',
        _line("stated_on", date_) if date_ else 'stated_on = "2024-12-31"    # say when it was said',
        *([_line("url", link)] if link else []),
        "",
        "[[fact]]    # guess: each row makes a pledge",
        'type = "PledgeMade"',
        f"pledge = {_text(name + '-example')}    # guess",
        "once = true",
        "[fact.fields]",
        _line("title", title) if title else 'title = "What is promised"    # say what',
        _line("pledgor", who) if who else 'pledgor = "Who promises"    # say who',
        *([_line("beneficiary", whom)] if whom else []),
        f'kind = "{"money" if money else "qualitative"}"    # guess',
    ]
    if amount:
        lines += [
            "",
            f"[[fact]]    # guess: each amount is a part that adds up{_kinds(table, found['kind'] or found['sort'])}",
            f"when = {_text(amount.column)}",
            'type = "ProgressReported"',
            f"pledge = {_text(name + '-example')}    # guess",
            "[fact.fields]",
            f"quantity = {_text(money)}    # guess{no_unit}",
            'basis = "increment"    # increment, cumulative or level',
            'stage = "unspecified"    # pledged, committed, allocated, disbursed or delivered',
        ]
    used = {guess.column for guess in found.values() if guess is not None}
    unused = [column for column in table.columns if column not in used]
    lines += ["", "# [[leave_out]]    # rows that are meant to become no fact, such as totals"]
    lines += [f'# when = {{ {_text(title.column if title else table.columns[0])} = {{ like = "*total*" }} }}']
    if unused:
        lines += ["", f"# Not read: {_comment(', '.join(unused))}"]
    if key:
        lines += ["", f"# If the sheet is released again: [follow], and in each fact ref = {_text(_cell(key))}"]
    return lines


def _guessed(table: SheetTable, role: str) -> _Guess | None:
    """The first column that is called so; one whose cells look like it goes before the others."""
    readable = [column for column in table.columns if not re.search(r"[{}|]", column)]
    named = [column for column in readable if re.search(_NAMES[role], _words(column))]
    looks = [column for column in named if _looks(role, _texts(table, column), column, table)]
    if looks:
        return _Guess(looks[0], is_sure=True)
    return _Guess(named[0], is_sure=False) if named and role not in _SHAPES else None


def _words(column: str) -> str:
    return re.sub(r"[_\W]+", " ", column).casefold()


def _texts(table: SheetTable, column: str) -> list[str]:
    return [text for row in table.rows if (text := row.cells.get(column, "")).strip()]


def _numbers(texts: Iterable[str], style: NumberStyle) -> int:
    found = 0
    for text in texts:
        try:
            plain_number(without_footnotes(text)[0], style)
        except ValueError:
            continue
        found += 1
    return found


def _is_date(text: str) -> bool:
    try:
        return read_dated(text, (*_DATE_FORMATS, "%Y-%m-%d")) is not None or read_period(text, 1) is not None
    except ValueError:
        return False


def _are_dates(texts: Sequence[str]) -> bool:
    return sum(map(_is_date, texts)) * 2 > len(texts)


def _are_numbers(texts: Sequence[str]) -> bool:
    return max(_numbers(texts, POINT), _numbers(texts, COMMA)) * 2 > len(texts) and not _are_dates(texts)


_SHAPES: Mapping[str, Callable[[Sequence[str]], bool]] = {
    "date": _are_dates,
    "year": _are_dates,
    "amount": _are_numbers,
}


def _looks(role: str, texts: Sequence[str], column: str, table: SheetTable) -> bool:
    if role in _SHAPES:
        return bool(texts) and _SHAPES[role](texts)
    if role == "id":
        return len(set(texts)) == len(list(table.rows)) > 0
    if role == "link":
        return any(text.startswith("http") for text in texts)
    return bool(texts) and not _are_numbers(texts) and column != ""


def _cell(guess: _Guess, filter_: str = "") -> str:
    """The placeholder of a column in a template."""
    return f"{{{guess.column}{filter_}}}"


def _kinds(table: SheetTable, kind: _Guess | None) -> str:
    """What stands in the column that tells kinds of rows apart, as a hint."""
    if kind is None:
        return ""
    shown = list(dict.fromkeys(_texts(table, kind.column)))[:6]
    return f"; {_comment(kind.column)} may tell which: {_comment(', '.join(shown))}"


def _line(field: str, guess: _Guess) -> str:
    return f"{field} = {_text(_cell(guess))}    # guess{'' if guess.is_sure else ', by the name alone'}"


def _comment(text: str) -> str:
    return " ".join(text.split())[:300]


def _text(text: str) -> str:
    """A TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04x}", escaped) + '"'
