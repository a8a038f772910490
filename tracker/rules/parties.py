"""Every party that a pledge has or had: parties are renamed, merged and succeeded (DOMAIN §4, `PledgeRevised`)."""

from __future__ import annotations

from collections.abc import Iterator

from tracker.promise_facts import PledgeMade, PledgeRevised
from tracker.rules.views import View
from tracker.values import Party


def pledgors_of(view: View) -> frozenset[Party]:
    """Who promises it or has promised it by the view's days, joint ones too."""
    return frozenset(
        party
        for fact in _terms(view)
        for party in (fact.pledgor, *(one.party for one in fact.joint or ()))
        if party is not None
    )


def beneficiaries_of(view: View) -> frozenset[Party]:
    """Whom it is or was promised to by the view's days."""
    return frozenset(fact.beneficiary for fact in _terms(view) if fact.beneficiary is not None)


def _terms(view: View) -> Iterator[PledgeMade | PledgeRevised]:
    yield view.made.fact
    for item in view.of(PledgeRevised):
        yield item.fact
