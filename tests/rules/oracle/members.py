"""Members and tallies (DOMAIN §6, Each-member pledges; POINTS, Members)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from .clocks import Said
from .dates import Window, day_of, end_of
from .quantities import Quantity
from .verdict import counted_day


@dataclass(frozen=True)
class Count:
    """How many members certainly did (`low`) and may have (`high`)."""

    low: int
    high: int

    @property
    def exact(self) -> int | None:
        """The number where it is certain."""
        return self.low if self.low == self.high else None


def count_of(said: Any, eligible: int) -> Count:
    """POINTS: quantities in tallies are `count:members` or `percent:members` of the eligible; members are whole."""
    if isinstance(said, int):
        return Count(said, said)
    quantity = Quantity.read(said)
    interval = quantity.interval
    factor = Fraction(eligible, 100) if quantity.unit.startswith("percent:") else Fraction(1)
    interval = interval.scaled(factor)
    low = 0 if interval.low is None else math.ceil(interval.low)
    if interval.low is not None and interval.low_open and interval.low == low:
        low += 1
    high = eligible if interval.high is None else math.floor(interval.high)
    if interval.high is not None and interval.high_open and interval.high == high:
        high -= 1
    return Count(max(0, min(low, eligible)), max(0, min(high, eligible)))


class Members:
    """What is known of a group's members at one day."""

    def __init__(self, group: dict[str, Any], said: list[Said]) -> None:
        self.group = group
        self.codes: list[str] = list(group.get("members") or [])
        reports = [s for s in said if s.type == "MemberReported" and s.fact.get("nature", "actual") != "projection"]
        self.reports = {code: [r for r in reports if r.fact["member"] == code] for code in self.codes}
        tallies = [s for s in said if s.type == "TallyReported"]
        self.tallies = [t for t in tallies if t.fact.get("nature", "actual") != "projection"]
        self.projected = next((t for t in reversed(tallies) if t.fact.get("nature") == "projection"), None)

    @property
    def tally(self) -> Said | None:
        """The latest tally that counts."""
        return self.tallies[-1] if self.tallies else None

    def verdict(self, code: str) -> str:
        """§4: a later report replaces an earlier one, and what the promise itself said of the member."""
        rows = self.reports[code]
        if rows:
            return str(rows[-1].fact["verdict"])
        if any(entry["member"] == code for entry in self.group.get("not_applicable") or []):
            return "not_applicable"
        return "opted_out" if code in (self.group.get("opted_out") or []) else "not_reported"

    def with_verdict(self, verdict: str) -> list[str]:
        """The members that have a verdict."""
        return [code for code in self.codes if self.verdict(code) == verdict]

    @property
    def total(self) -> int:
        """All members; where the group names none, the tally's total."""
        if self.codes or self.tally is None or not isinstance(self.tally.fact.get("total"), int):
            return len(self.codes)
        return int(self.tally.fact["total"])

    def set_aside(self, tally: Said | None) -> int:
        """POINTS: `not_applicable` in a tally lowers the eligible."""
        rows = len(self.with_verdict("not_applicable"))
        if tally is None or self.is_complete:
            return rows
        said = tally.fact.get("not_applicable")
        number = said if isinstance(said, int) else Quantity.read(said).value if said else 0
        return max(rows, int(number))

    def eligible_by(self, tally: Said | None) -> int:
        """§6: members − not applicable − opted out."""
        return self.total - self.set_aside(tally) - len(self.with_verdict("opted_out"))

    @property
    def eligible(self) -> int:
        """The denominator now."""
        return self.eligible_by(self.tally)

    @property
    def is_complete(self) -> bool:
        """Whether every eligible member has a row."""
        return bool(self.codes) and all(self.verdict(code) != "not_reported" for code in self.codes)

    def met_by(self, tally: Said) -> Count | None:
        """How many met it, by a tally."""
        listed = tally.fact.get("members_met")
        said = tally.fact.get("met", len(listed) if listed is not None else None)
        return None if said is None else count_of(said, self.eligible_by(tally))

    def not_met_by(self, tally: Said) -> Count | None:
        """How many did not, by a tally."""
        listed = tally.fact.get("members_not_met")
        said = tally.fact.get("not_met", len(listed) if listed is not None else None)
        return None if said is None else count_of(said, self.eligible_by(tally))

    @property
    def uses_rows(self) -> bool:
        """§6: a complete set of member rows beats a tally, partial rows never override one."""
        return self.tally is None or self.is_complete

    @property
    def met(self) -> Count:
        """How many met it."""
        rows = len(self.with_verdict("met"))
        if self.uses_rows or self.tally is None:
            return Count(rows, rows)
        by_tally = self.met_by(self.tally)
        if by_tally is None:
            not_met = self.not_met_by(self.tally) or Count(0, 0)
            most = max(0, self.eligible - not_met.low)
            return Count(min(rows, most), most)
        if by_tally.high == 0 and self.later_rows_met():
            return Count(len(self.later_rows_met()), len(self.later_rows_met()))
        return by_tally

    @property
    def not_met(self) -> Count:
        """How many did not."""
        rows = len(self.with_verdict("not_met"))
        if self.uses_rows or self.tally is None:
            return Count(rows, rows)
        return self.not_met_by(self.tally) or Count(0, max(0, self.eligible - self.met.low))

    def later_rows_met(self) -> list[str]:
        """POINTS: rows later than a tally of none that say `met`."""
        tally = self.tally
        if tally is None:
            return []
        mark = (tally.day, tally.version)
        return [c for c in self.with_verdict("met") if (self.reports[c][-1].day, self.reports[c][-1].version) > mark]

    @property
    def is_none_of_all(self) -> bool:
        """§6: none of a complete report."""
        if self.eligible <= 0 or self.met.high > 0:
            return False
        if self.uses_rows:
            return self.is_complete
        assert self.tally is not None
        not_met = self.not_met_by(self.tally)
        if not_met is not None:
            return not_met.low >= self.eligible
        return self.met_by(self.tally) is not None

    @property
    def has_reports(self) -> bool:
        """A report that counts."""
        rows = any(r.fact["verdict"] != "not_reported" for reports in self.reports.values() for r in reports)
        return rows or self.tally is not None

    @property
    def mismatch(self) -> bool:
        """§6: rows and tally disagree."""
        if self.tally is None:
            return False
        rows_met, rows_not = self.with_verdict("met"), self.with_verdict("not_met")
        met, not_met = self.met_by(self.tally), self.not_met_by(self.tally)
        named_met = set(self.tally.fact.get("members_met") or [])
        named_not = set(self.tally.fact.get("members_not_met") or [])
        if named_met & set(rows_not) or named_not & set(rows_met):
            return True
        eligible = self.eligible_by(self.tally)
        for rows, own, others in ((rows_met, met, not_met), (rows_not, not_met, met)):
            most = own.high if own is not None else eligible - (others.low if others is not None else 0)
            if len(rows) > most or (self.is_complete and own is not None and len(rows) < own.low):
                return True
        return sum(count.low for count in (met, not_met) if count is not None) > eligible

    def need(self, eligible: int) -> int:
        """How many have to meet it."""
        return int(self.group["count"]) if self.group["rule"] == "count_at_least" else eligible

    def kept(self) -> str | None:
        """`met`, or of `count_at_least` also `exceeded`, where it is certain; else None."""
        if self.eligible <= 0:
            return None
        need = self.need(self.eligible)
        if self.met.low < need:
            return None
        return "exceeded" if self.group["rule"] == "count_at_least" and self.met.low > need else "met"

    def status(self, window: Window | None, as_of: date, admitted: bool, has_no_close: bool) -> str:
        """§6, Each-member pledges."""
        has_end = window is not None and window.latest is not None
        over = window is not None and window.passed(as_of) and not has_no_close
        kept = self.kept()
        if kept is not None and (self.group["rule"] == "count_at_least" or over or not has_end or has_no_close):
            return kept
        if admitted and kept is None:
            return "partly_met" if self.met.low > 0 else "missed"
        if over:
            if self.met.low > 0:
                return "partly_met"
            return "missed" if self.is_none_of_all else "overdue"
        return "in_progress" if self.has_reports else "announced"

    def kept_since(self, window: Window | None) -> date | None:
        """§6: the last member that was needed, or the tally that first said so."""
        if self.kept() is None:
            return None
        if not self.uses_rows and not self.later_counts():
            return self.tally_since(window)
        days = sorted(self.met_day(code, window) for code in self.with_verdict("met"))
        return days[min(self.need(self.eligible), len(days)) - 1] if days else None

    def later_counts(self) -> bool:
        """Whether rows later than a tally of none are what counts."""
        assert self.tally is not None
        by_tally = self.met_by(self.tally)
        return by_tally is not None and by_tally.high == 0

    def met_day(self, code: str, window: Window | None) -> date:
        """POINTS: kept since the first of its unbroken `met` reports."""
        first = self.reports[code][-1]
        for report in reversed(self.reports[code]):
            if report.fact["verdict"] != "met":
                break
            first = report
        return report_day(first, window)

    def tally_since(self, window: Window | None) -> date:
        """The first of the unbroken tallies that are enough."""
        first = self.tallies[-1]
        for tally in reversed(self.tallies):
            met = self.met_by(tally)
            if met is None or met.low < self.need(self.eligible_by(tally)):
                break
            first = tally
        return report_day(first, window)

    def natures(self) -> set[str]:
        """The natures of what counts."""
        if not self.uses_rows and self.tally is not None:
            return {self.tally.fact.get("nature", "actual")}
        return {rows[-1].fact.get("nature", "actual") for rows in self.reports.values() if rows}

    def counting(self) -> list[Said]:
        """The reports that count."""
        if not self.uses_rows and self.tally is not None:
            return [self.tally]
        return [rows[-1] for rows in self.reports.values() if rows]

    def attesting(self) -> list[list[Said]]:
        """For each report that counts, all that say the same: of a row its unbroken reports and tallies of as many."""
        if not self.uses_rows and self.tally is not None:
            return [[t for t in self.tallies if self.count_in(t) == self.count_in(self.tally)]]
        alike = [t for t in self.tallies if self.is_complete and self.count_in(t) == self.met.low]
        return [[*self.unbroken(code), *alike] for code in self.codes if self.reports[code]]

    def count_in(self, tally: Said) -> Any:
        """How many met it, in the tally's words."""
        listed = tally.fact.get("members_met")
        return tally.fact.get("met", None if listed is None else len(listed))

    def unbroken(self, code: str) -> list[Said]:
        """A member's last reports that all say the same."""
        found: list[Said] = []
        for report in reversed(self.reports[code]):
            if report.fact["verdict"] != self.reports[code][-1].fact["verdict"]:
                break
            found.append(report)
        return found

    def json(self) -> dict[str, Any]:
        """API.md, `members`: numbers where they are certain, else null."""
        met, not_met, eligible = self.met.exact, self.not_met.exact, self.eligible
        unknown = None if met is None or not_met is None else eligible - met - not_met
        return {
            "eligible": eligible,
            "met": met,
            "not_met": not_met,
            "not_applicable": self.set_aside(self.tally),
            "opted_out": len(self.with_verdict("opted_out")),
            "not_reported": unknown,
            "total": self.total,
        }


def report_day(report: Said, window: Window | None) -> date:
    """§6: by its `on`, its period end, else `stated_on`."""
    on = report.fact.get("on")
    period = (report.figure or {}).get("period") or {}
    return counted_day(None if on is None else end_of(on), day_of(period.get("end")), report.day, window)
