"""The rows of somebody's own spreadsheet as facts, by a map (`api.imports.sheet_map`, docs/import.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from api.imports.bounds import MAX_ROWS
from api.imports.cell_templates import CellReader, Template
from api.imports.sheet_layout import SheetRow, SheetTable, unpivoted
from api.imports.sheet_map import RELEASE_COLUMN, BadMap, FactRule, SheetMap
from tracker import quantity_words
from tracker.comparison import compare
from tracker.quantity_words_tables import UnclearWords
from tracker.values import is_slug


class MappedFact:
    """One fact that a row becomes: its cells by path, the columns they come from by path, and problems by path.

    `remarks` has what was read otherwise than it stands there, as column and sentence.
    """

    def __init__(self, row: SheetRow, type_: str, labels: Mapping[str, str]) -> None:
        self.place = row.place
        self.type = type_
        self.pledge = ""
        self.ref: str | None = None
        self.cells: dict[str, str] = {"type": type_}
        self.labels = labels
        self.problems: list[tuple[str, str]] = []
        self.remarks: list[tuple[str, str]] = []

    @property
    def slug(self) -> str:
        """The id of the pledge; empty if the row gives none that can be one."""
        return "" if any(path == "pledge" for path, _ in self.problems) or not is_slug(self.pledge) else self.pledge


@dataclass(slots=True)
class MappedRow:
    """What a row mapped. `left_out`: nothing, as the map wants it.

    `problems` are those of the row, by column. `uncertain` is what it may become when they are mended.
    """

    place: str
    facts: list[MappedFact] = field(default_factory=list)
    uncertain: list[MappedFact] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    left_out: bool = False


_MAX_NAMED_COLUMNS = 100
"""Columns of a table that a sentence names, at most."""


def mapped_rows(
    table: SheetTable, mapping: SheetMap, released_on: str = "", max_rows: int = MAX_ROWS
) -> Iterator[MappedRow]:
    """The facts that the rows of a table become, row by row, in the order of the map's facts.

    `released_on` is the day of the release, for maps that read it.

    Raises: BadMap if the table lacks a column that the map reads, UnreadableFile if it cannot be unpivoted.
    """
    if mapping.unpivot is not None:
        spread = mapping.unpivot
        table = unpivoted(table, spread.patterns, spread.name, spread.value, max_rows)
    columns = frozenset(table.columns)
    if missing := sorted(mapping.columns - columns):
        there = ", ".join(table.columns[:_MAX_NAMED_COLUMNS])
        if (more := len(columns) - _MAX_NAMED_COLUMNS) > 0:
            there += f" and {more} more"
        raise BadMap([f'{table.place}: there is no column "{name}"; there are: {there}' for name in missing])
    rules = _Rules(mapping)
    for row in table.rows:
        if released_on:
            row = replace(row, cells={**row.cells, RELEASE_COLUMN: released_on})
        mapped = rules.mapped(row)
        if row.broken:
            mapped.problems += [(column, why) for column, why in row.broken.items() if column not in columns]
        yield mapped


_NO_FACT = "this row becomes no fact; mend the row or the map, or name such rows in [[leave_out]] of the map"


class _Rules:
    """The rules of a map, made ready for very many rows."""

    def __init__(self, mapping: SheetMap) -> None:
        self._facts = [_FactMaker(rule, mapping) for rule in mapping.fact]
        self._leave_out = [rule for rule in mapping.leave_out if rule.conditions]
        self._leaves_out_rest = len(self._leave_out) < len(mapping.leave_out)
        self._opened: set[tuple[int, str]] = set()
        """The number and pledge of each rule with `once` that had its first row."""

    def mapped(self, row: SheetRow) -> MappedRow:
        """The facts of one row."""
        mapped = MappedRow(row.place)
        left_out = [rule.unreadable(row) for rule in self._leave_out]
        if [] in left_out:
            mapped.left_out = True
            return mapped
        broken = [column for unreadable in left_out for column in unreadable or ()]
        if broken:
            mapped.uncertain = [maker.made(row) for maker in self._facts if maker.rule.unreadable(row) is not None]
        for number, maker in enumerate(() if broken else self._facts):
            unreadable = maker.rule.unreadable(row)
            if unreadable is None:
                continue
            fact = maker.made(row)
            if unreadable:
                broken += unreadable
                mapped.uncertain.append(fact)
                continue
            if maker.rule.once and fact.slug:
                if (number, fact.slug) in self._opened:
                    continue
                self._opened.add((number, fact.slug))
            mapped.facts.append(fact)
        if not mapped.facts and not broken:
            mapped.left_out = self._leaves_out_rest
            if not mapped.left_out:
                mapped.uncertain = [maker.made(row) for maker in self._facts]
                mapped.problems.append(("", _NO_FACT))
        mapped.problems += [(column, row.broken[column]) for column in dict.fromkeys(broken)]
        return mapped


class _FactMaker:
    """Makes the fact of one rule from rows."""

    def __init__(self, rule: FactRule, mapping: SheetMap) -> None:
        self.rule = rule
        self._reader = CellReader(mapping)
        self._pledge = Template(rule.pledge, "pledge")
        self._ref = Template(rule.ref, "ref") if rule.ref else None
        self._fields = [Template(text, path) for path, text in mapping.templates[id(rule)]]
        self._verdict = None if rule.verdict_against is None else Template(rule.verdict_against, "verdict")
        self._followed_as = None if mapping.follow is None else mapping.follow.name
        self._labels = self._labelled({})

    def made(self, row: SheetRow) -> MappedFact:
        """The fact of a row."""
        labels = self._labels
        if row.headings:
            labels = _shared(self, tuple(row.headings.items()))
        fact = MappedFact(row, self.rule.type, labels)
        fill, reader, cells = self._reader.fill, self._reader, fact.cells
        fact.pledge = fill(self._pledge, row, fact)
        if self._ref is not None:
            fact.ref = fill(self._ref, row, fact) or None
        for template in self._fields:
            text = fill(template, row, fact)
            if text and template.is_date:
                text = reader.day(text, template.path, fact)
            if text:
                cells[template.path] = text
        if self._followed_as is not None:
            if fact.ref is None:
                fact.problems.append(("ref", "a row of a sheet that is followed needs its key"))
            cells["source.locator"] = f"{self._followed_as} {fact.ref}"
        if self._verdict is not None:
            _derive_verdict(fact, fill(self._verdict, row, fact), self.rule)
        return fact

    def _labelled(self, headings: Mapping[str, str]) -> dict[str, str]:
        """What each place of the fact is called: its path, and the columns that it is read from."""
        labels = {"type": "type"}
        for template in (self._pledge, self._ref, *self._fields, self._verdict):
            if template is not None:
                labels[template.path] = template.label(headings)
        if self._followed_as is not None:
            labels["source.locator"] = labels.get("ref", "ref")
        return labels

    def labels_under(self, headings: tuple[tuple[str, str], ...]) -> dict[str, str]:
        """The labels where cells of an unpivoted row stand under these headings of the file."""
        return self._labelled(dict(headings))


@lru_cache(maxsize=1_000)
def _shared(maker: _FactMaker, headings: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The labels as one object for all facts that have the same: there are as many facts as rows."""
    return maker.labels_under(headings)


def _derive_verdict(fact: MappedFact, target: str, rule: FactRule) -> None:
    """Give a member the verdict that its figure has against the target; one that is open is a problem."""
    figure = fact.cells.get("figure.quantity")
    if "verdict" in fact.cells or figure is None:
        return
    try:
        actual, wanted = quantity_words.read(figure), quantity_words.read(target)
        found = compare(actual, wanted, rule.direction)
    except UnclearWords:  # the figure itself is a problem as well; so is a target that cannot be read
        fact.problems.append(("verdict", f'no verdict follows from "{figure}" against "{target}"'))
    except ValueError as wrong:
        fact.problems.append(("verdict", str(wrong)))
    else:
        if found == "unknown":
            sentence = f'"{figure}" against "{target}" is open; give such members their verdict in a column'
            fact.problems.append(("verdict", sentence))
        fact.cells["verdict"] = "not_met" if found == "below" else "met"
