"""When two reports are the same report (DOMAIN §4, `duplicate_fact`)."""

from __future__ import annotations

from tracker.facts import AnyFact, ShareReported, TallyReported, figure_in


def report_keys(fact: AnyFact) -> list[tuple[object, ...]]:
    """What makes two reports the same (DOMAIN §4): equal in one key is equal. Empty for facts that report nothing.

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
    keys: list[tuple[object, ...]] = [
        ("date", fact.type, publisher, source.published_on or str(fact.stated_on), source.locator, *content)
    ]
    if source.url is not None:
        keys.append(("url", fact.type, publisher, source.url, *content))
    return keys
