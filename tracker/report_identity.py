"""When two reports are the same report (DOMAIN §4, `duplicate_fact`)."""

from __future__ import annotations

from hashlib import blake2b

from tracker.facts import AnyFact, ShareReported, TallyReported, figure_in
from tracker.quantity import Quantity, plain
from tracker.values import Period


def report_keys(fact: AnyFact) -> list[bytes]:
    """What makes two reports the same (DOMAIN §4), hashed: equal in one key is equal. Empty for facts that report
    nothing.

    The source is the same with its publisher and its url, or with its publisher, date and locator.
    """
    content: tuple[object, ...]
    figure = figure_in(fact)
    if isinstance(fact, TallyReported):
        content = (fact.met, fact.not_met, fact.not_applicable, fact.total, fact.members_met, fact.members_not_met)
        content = (*content, fact.nature)
    elif isinstance(fact, ShareReported):
        content = (fact.subset, fact.share, fact.of)
    elif figure is not None:
        content = (figure.quantity, figure.attribution, figure.stage, figure.basis, figure.nature, figure.period)
        content = (*content, getattr(fact, "member", None), getattr(fact, "event", None))
    else:
        return []
    source = fact.source
    if source is None:
        return []
    publisher = " ".join(source.publisher.casefold().split())
    told = [_canonical(part) for part in content]
    keys = [_hashed("date", fact.type, publisher, source.published_on or str(fact.stated_on), source.locator, *told)]
    if source.url is not None:
        keys.append(_hashed("url", fact.type, publisher, source.url, *told))
    return keys


def _hashed(*parts: object) -> bytes:
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _canonical(value: object) -> object:
    """The same for equal values: quantities are equal without their words."""
    if isinstance(value, Quantity):
        upper = None if value.upper is None else plain(value.upper)
        return value.op, plain(value.value), upper, value.unit, value.open
    return (value.start, value.end) if isinstance(value, Period) else value
