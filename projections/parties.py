"""Who promised or was promised what: counts by the party in force, joint ones too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select

from projections import party_lines
from projections.facets import usual
from projections.party_lines import PartyRole
from projections.queries import Clocks, day_of, holds
from projections.tables import TableSet
from projections.trait_runs import CountedParties


def _no_counts() -> dict[PartyRole, Counter[str]]:
    return {"pledgor": Counter(), "beneficiary": Counter()}


@dataclass(slots=True)
class PartyCounts:
    """One party: how its key and name are written, and how many pledges it has in each part, by status."""

    written: Counter[tuple[str, str]] = field(default_factory=Counter)
    before: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How it was written where it is a party no more."""

    by_status: dict[PartyRole, Counter[str]] = field(default_factory=_no_counts)

    @property
    def is_in_force(self) -> bool:
        """Whether it is a party of any pledge now, and not only was one."""
        return any(self.by_status.values())

    def document(self) -> dict[str, Any]:
        """As JSON: key and name are those that most pledges use."""
        key, name = usual(self.written or self.before)
        return {
            "key": key,
            "name": name,
            **{
                f"as_{role}": {"total": counts.total(), "by_status": dict(sorted(counts.items()))}
                for role, counts in self.by_status.items()
            },
        }


@dataclass(frozen=True, slots=True)
class PartyNames:
    """How else a party is, or was, called: names that other pledges give its key now (`also`), `former` names that none
    does any more, and by other keys the parties in whose place it came (`before`) and that came in its place (`after`),
    as `(key, name)`. Who leaves a joint pledge has nobody in its place. `has_left` tells whether any pledge was its own
    and is no more.
    """

    also: tuple[str, ...]
    former: tuple[str, ...]
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]
    has_left: bool


def ever(tables: TableSet, clocks: Clocks, key: str) -> Select[Any]:
    """`(parties, valid_from, is_now)` of the pledges that have or had the party of a key, on any day by the clocks'."""
    c = tables.catalogue
    is_now = holds(c, clocks).label("is_now")
    query = select(c.c.parties, func.max(c.c.valid_from).label("valid_from"), is_now)
    return query.where(
        c.c.parties.contains(f"\t{key.casefold()}\t", autoescape=True),
        c.c.known_from <= clocks.position,
        c.c.known_to > clocks.position,
        c.c.valid_from <= day_of(clocks),
    ).group_by(c.c.parties, is_now)


def names_of(rows: Iterable[Any], key: str, name: str) -> PartyNames:
    """The other names in the rows of `ever` of the party that is called `name` now."""
    own, also, former = key.casefold(), dict[str, None](), dict[str, None]()
    before, after = dict[tuple[str, str], None](), dict[tuple[str, str], None]()
    partners, has_left = set[str](), False
    for row in sorted(rows, key=lambda row: (row.valid_from, row.parties), reverse=True):
        lines = list(party_lines.read(row.parties))
        mine = [line for line in lines if line.key.casefold() == own]
        others = [line for line in lines if line.key.casefold() != own]
        for of in mine:
            has_left = has_left or (row.is_now and not of.is_in_force)
            if of.name != name:
                (also if row.is_now and of.is_in_force else former)[of.name] = None
            for line in others:
                if line.role != of.role:
                    continue
                if line.is_in_force and of.is_in_force:
                    partners.add(line.key)
                elif row.is_now and line.is_in_force != of.is_in_force:
                    (before if of.is_in_force else after)[line.key, line.name] = None
    return PartyNames(
        tuple(also),
        tuple(one for one in former if one not in also),
        tuple(one for one in before if one[0] not in partners),
        tuple(one for one in after if one[0] not in partners),
        bool(has_left),
    )


def grouped(tables: TableSet, clocks: Clocks, key: str | None) -> Select[Any]:
    """`(parties, status, pledges)` of all pledges, or of those that have or had the party of a key."""
    c, t = tables.catalogue, tables.timeline
    query = select(c.c.parties, t.c.status, func.count().label("pledges")).select_from(
        c.join(t, t.c.pledge == c.c.pledge)
    )
    query = query.where(holds(c, clocks), holds(t, clocks)).group_by(c.c.parties, t.c.status)
    if key is not None:
        query = query.where(c.c.parties.contains(f"\t{key.casefold()}\t", autoescape=True))
    return query


def of_key(rows: Iterable[CountedParties], key: str | None) -> list[CountedParties]:
    """The rows of `grouped` for a key, of those for none."""
    wanted = None if key is None else f"\t{key.casefold()}\t"
    return [row for row in rows if wanted is None or wanted in row.parties]


def counted(rows: Iterable[Any]) -> dict[str, PartyCounts]:
    """The parties of the rows, those of before too, by their case-folded keys."""
    found: dict[str, PartyCounts] = {}
    for row in rows:
        for line in party_lines.read(row.parties):
            party = found.setdefault(line.key.casefold(), PartyCounts())
            spelt = party.written if line.is_in_force else party.before
            spelt[line.key, line.name] += row.pledges
            if line.is_in_force:
                party.by_status[line.role][row.status] += row.pledges
    return found
