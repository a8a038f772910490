"""The result of an IATI activity: what is promised and reported that is not money.

A number has an indicator with its baseline, and a target and an actual for each period; its bounds stand in their
comments. Members that have to keep the promise are one more, and so are its steps. A pledge with none of these has an
indicator in words. A baseline needs a year: one without it is told in the indicator's description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api import amounts, wording
from api.formats.iati_parts import Amount, Status, Term, bound_words, narrative, period, words

_OUTPUT, _OUTCOME, _OTHER = "1", "2", "9"
_UNIT, _PERCENTAGE, _QUALITATIVE = "1", "2", "5"
"""Codes of IATI's lists ResultType and IndicatorMeasure."""

_RESULT_TYPES = {"count": _OUTPUT, "milestone": _OUTPUT, "ratio": _OUTCOME, "money": _OUTCOME}


def result(status: Status, terms: Sequence[Term], *, has_money: bool) -> Iterator[str]:
    """The result of a pledge; nothing where all of it is money."""
    indicators: list[str] = []
    whole = [Term(terms[0].start, terms[-1].end, None, None)] if terms else []
    if not has_money and any(term.target or term.actual for term in terms):
        indicators += _numbers(status, terms)
    if "members" in status:
        indicators += _members(status["members"], whole)
    if "milestones" in status:
        indicators += _steps(status["milestones"], whole)
    if not indicators and not has_money:
        indicators += _in_words(status, whole)
    if indicators:
        addable = "1" if status["kind"] in ("count", "money") else "0"
        yield f'<result type="{_RESULT_TYPES.get(status["kind"], _OTHER)}" aggregation-status="{addable}">'
        yield f"<title>{narrative(status['title'])}</title>"
        yield from indicators
        yield "</result>"


def _numbers(status: Status, terms: Sequence[Term]) -> Iterator[str]:
    unit = next(amount["unit"] for term in terms for amount in (term.target, term.actual) if amount is not None)
    measure = _PERCENTAGE if unit.startswith("percent:") else _UNIT
    baseline: Mapping[str, Any] = status.get("baseline", {})
    about = f"Baseline: {words(baseline['quantity'])}." if baseline and "on" not in baseline else None
    yield from _opening(measure, amounts.unit_words(unit), about, ascending=status["direction"] == "up")
    if "on" in baseline:
        yield from _baseline(baseline)
    said = status.get("relative_target")
    for term in terms:
        of_days = "" if status["period"] is None or term.is_period else f"for {wording.span(status['period'])}"
        yield from _period(
            term,
            _value("target", term.target, None if said is None else words(said)),
            _value("actual", term.actual, of_days or None),
        )
    yield "</indicator>"


def _baseline(baseline: Mapping[str, Any]) -> Iterator[str]:
    amount, on = baseline["quantity"], str(baseline["on"])
    iso_date = f' iso-date="{on}"' if len(on) == len("1990-12-31") else ""
    comment = "; ".join(
        filter(None, (bound_words(amount), baseline.get("text"), None if iso_date else wording.day(on)))
    )
    yield f'<baseline year="{on[:4]}"{iso_date} value="{amount["value"]}">{_comment(comment)}</baseline>'


def _members(members: Mapping[str, Any], whole: Sequence[Term]) -> Iterator[str]:
    yield from _opening(_UNIT, "Members that keep it", None)
    aside = ("not_met", "not_reported", "not_applicable", "opted_out")
    about = ", ".join(f"{_count_words(members[name])} {wording.in_words(name)}" for name in aside if members[name])
    for term in whole:
        target = f'<target value="{members["eligible"]}">{_comment("all who are bound by it")}</target>'
        yield from _period(term, target, _count("actual", members["met"], about))
    yield "</indicator>"


def _steps(milestones: Sequence[Mapping[str, Any]], whole: Sequence[Term]) -> Iterator[str]:
    yield from _opening(_UNIT, "Steps that are reached", None)
    told = "; ".join(
        f"{one['milestone']}: {wording.in_words(one['state'])}"
        + (f", due {wording.day(one['due'])}" if one["due"] else "")
        for one in milestones
    )
    reached = sum(1 for one in milestones if one["state"] == "reached")
    for term in whole:
        target = f'<target value="{len(milestones)}">{_comment(told)}</target>'
        yield from _period(term, target, f'<actual value="{reached}"/>')
    yield "</indicator>"


def _in_words(status: Status, whole: Sequence[Term]) -> Iterator[str]:
    yield from _opening(_QUALITATIVE, status["title"], None)
    for term in whole:
        said = f"{wording.STATUS[status['status']]}: {wording.means(status)}."
        yield from _period(term, f"<target>{_comment(status['title'])}</target>", f"<actual>{_comment(said)}</actual>")
    yield "</indicator>"


def _opening(measure: str, title: str, about: str | None, *, ascending: bool = True) -> Iterator[str]:
    yield f'<indicator measure="{measure}" ascending="{int(ascending)}"><title>{narrative(title)}</title>'
    if about is not None:
        yield f"<description>{narrative(about)}</description>"


def _period(term: Term, target: str, actual: str) -> Iterator[str]:
    yield f"<period>{period(term.start, term.end)}{target}{actual}</period>"


def _value(name: str, amount: Amount | None, more: str | None) -> str:
    if amount is None:
        return ""
    comment = "; ".join(filter(None, (bound_words(amount), more)))
    return f'<{name} value="{amount["value"]}">{_comment(comment)}</{name}>'


def _count(name: str, count: int | Amount | None, about: str) -> str:
    if count is None:
        return ""
    value = count["value"] if isinstance(count, Mapping) else count
    bound = bound_words(count) if isinstance(count, Mapping) else None
    return f'<{name} value="{value}">{_comment("; ".join(filter(None, (bound, about))))}</{name}>'


def _count_words(count: int | Amount) -> str:
    return words(count) if isinstance(count, Mapping) else str(count)


def _comment(text: str) -> str:
    return f"<comment>{narrative(text)}</comment>" if text else ""
