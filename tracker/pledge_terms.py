"""Whether terms and reports go together: units, baselines, instalments, conditions, members (DOMAIN §3, §4).

These checks look at facts beside each other, so they are made when a fact is posted and never when one is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tracker.errors import InvalidFact, UnitMismatch
from tracker.facts import MemberReported, TallyReported
from tracker.promise_facts import ConditionReported, PledgeMade, PledgeRevised
from tracker.promises import BELOW_BASELINE, RELATIVE_UNITS, Baseline, Instalment
from tracker.quantity import Quantity
from tracker.values import KIND_UNITS, Figure, Group, Kind, fits_kind

Promising = PledgeMade | PledgeRevised
HUNDRED = Decimal(100)


def must_promise_in_fitting_units(fact: Promising, kind: Kind, others: Sequence[Promising]) -> None:
    """Let terms pass whose target, baseline and instalments fit the kind, each other and the `others`, in their order.

    Raises: UnitMismatch if two of them cannot be compared; InvalidFact if a relative target says no certain number.
    """
    if fact.target is not None:
        _must_be_a_clear_share(fact.target)
    for terms in (fact, *others) if isinstance(fact, PledgeMade) else (fact,):
        _must_fit_kind(terms, kind, "/kind" if terms is not fact else None)
    measured = [*(("/target", t) for t in (fact.target,) if t), *(("/baseline/quantity", b) for b in _baseline(fact))]
    known = [q for terms in others for q in (terms.target, *_baseline(terms)) if q is not None]
    for pointer, quantity in measured:
        for other in (*known, *(q for _, q in measured)):
            if not RELATIVE_UNITS & {quantity.unit, other.unit} and quantity.measure != other.measure:
                raise UnitMismatch(
                    f"{quantity.unit} cannot be compared with {other.unit}; another measure is another pledge:"
                    " supersede this one",
                    pointer=pointer,
                )
    _must_pay_in_the_targets_unit(fact, others)


def _must_be_a_clear_share(target: Quantity) -> None:
    if target.unit not in RELATIVE_UNITS:
        return
    if target.op in ("approx", "nearly") or (target.unit == BELOW_BASELINE and target.op in ("le", "lt")):
        raise InvalidFact(
            f"a target of {target} says no certain number: give the share that it is at least, or exactly",
            pointer="/target",
        )


def _baseline(terms: Promising) -> tuple[Quantity, ...]:
    return () if terms.baseline is None else (terms.baseline.quantity,)


def _must_fit_kind(terms: Promising, kind: Kind, elsewhere: str | None) -> None:
    """The target fits the kind; of a relative one the baseline does, and the kind is one that is measured."""
    said = [("/target", q) for q in (terms.target,) if q] + [("/baseline/quantity", q) for q in _baseline(terms)]
    for pointer, quantity in said:
        fits = kind in ("money", "count", "ratio") if quantity.unit in RELATIVE_UNITS else fits_kind(quantity, kind)
        if not fits:
            what = "target" if pointer == "/target" else "baseline"
            raise UnitMismatch(
                f"a {what} in {quantity.unit} does not fit kind {kind}; {KIND_UNITS[kind]}",
                pointer=elsewhere or pointer,
            )


def _must_pay_in_the_targets_unit(fact: Promising, others: Sequence[Promising]) -> None:
    target: Quantity | None = None
    baseline: Baseline | None = None
    instalments: Iterable[Instalment] = ()
    for terms in (*others, fact):
        target = terms.target or target
        baseline = terms.baseline or baseline
        instalments = instalments if terms.instalments is None else terms.instalments
    unit = None if target is None else target.unit
    if unit in RELATIVE_UNITS:
        unit = None if baseline is None else baseline.quantity.unit
    for index, instalment in enumerate(instalments):
        unit = unit or instalment.quantity.unit
        if instalment.quantity.unit != unit:
            given_here = fact.instalments is not None and len(fact.instalments) > index
            raise UnitMismatch(
                f"the instalment due {instalment.due} is in {instalment.quantity.unit}, what is promised in {unit}",
                pointer=f"/instalments/{index}/quantity/unit" if given_here else "/target",
            )


def must_compare(figure: Figure, terms: Iterable[Promising]) -> None:
    """Let a figure pass that can be compared with every target, or is money beside money.

    Figures of a relative target are in the baseline's unit or in the target's own.

    Raises: UnitMismatch if it can be compared with one of them in no way.
    """
    quantity = figure.quantity
    known = list(terms)
    targets = [one.target for one in known if one.target is not None]
    if quantity.unit in RELATIVE_UNITS and quantity.unit in {target.unit for target in targets}:
        return
    baselines = [q for one in known for q in _baseline(one)]
    for other in (*(t for t in targets if t.unit not in RELATIVE_UNITS), *baselines):
        if other.measure != quantity.measure and not _are_both_money(quantity, other):
            raise UnitMismatch(
                f"{quantity.unit} cannot be compared with the target in {other.unit}; record it on a pledge of its own",
                pointer="/figure/quantity/unit",
            )


def _are_both_money(one: Quantity, other: Quantity) -> bool:
    """Whether both are in a currency, at current or at constant prices."""
    return fits_kind(one, "money") and fits_kind(other, "money")


def must_be_a_condition(fact: ConditionReported, terms: Iterable[Promising]) -> None:
    """Let a report pass on a condition that the pledge has or had.

    Raises: InvalidFact if it never had it.
    """
    known = {one.condition: None for promise in terms for one in promise.conditions or ()}
    if fact.condition not in known:
        said = f"its conditions are {', '.join(known)}" if known else "it has none; revise it to name them"
        raise InvalidFact(f'this pledge has no condition "{fact.condition}": {said}', pointer="/condition")


def must_know_members(fact: MemberReported | TallyReported, groups: Sequence[Group]) -> None:
    """Let a report pass that names members of the group, and counts no more of them than there are.

    Raises: InvalidFact if it names or counts others.
    """
    known = {member for group in groups for member in group.members}
    if isinstance(fact, MemberReported):
        if not groups:
            raise InvalidFact("this pledge has no group; revise it to name its members", pointer="/member")
        if fact.member not in known:
            raise InvalidFact(f'"{fact.member}" is not among the members of the group', pointer="/member")
        return
    for name in ("members_met", "members_not_met") if groups else ():
        for index, member in enumerate(getattr(fact, name) or ()):
            if member not in known:
                raise InvalidFact(f'"{member}" is not among the members of the group', pointer=f"/{name}/{index}")
    _must_count_members(fact, groups)


def _must_count_members(fact: TallyReported, groups: Sequence[Group]) -> None:
    aside = fact.not_applicable if isinstance(fact.not_applicable, int) else 0
    bound = [len(g.members) - max(len(g.not_applicable), aside) - len(g.opted_out) for g in groups if g.members]
    eligible = max(bound, default=None)
    counted = Decimal(0)
    for name in ("met", "not_met"):
        count = getattr(fact, name)
        if isinstance(count, Quantity):
            if count.unit not in ("count:members", "percent:members"):
                raise InvalidFact(
                    f"a tally counts members: {count.unit} is neither count:members nor percent:members",
                    pointer=f"/{name}/unit",
                )
            low = count.interval.low or Decimal(0)
            counted += low if count.unit == "count:members" or eligible is None else low * eligible / HUNDRED
        elif count is not None:
            counted += count
        if eligible is not None and counted > eligible:
            raise InvalidFact(f"{eligible} members are bound by it, and the tally counts more", pointer=f"/{name}")
