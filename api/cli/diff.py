"""`tracker diff`: what changed between two points, as `/v1/diff` answers it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import click
from pydantic_core import to_json
from rich.text import Text

from api import amounts
from api.cli.clock_options import clocks_footer, must_be_slug
from api.cli.filter_options import filtered, filters_of
from api.cli.status_text import plain_spaces, status_change
from api.cli.stores import Stores, opened_stores, timeline_at
from api.cli.terminal import answer, columns, say, show
from api.http.clocks import point
from api.http.problems import InvalidParameter
from api.resources.differences import Differences, compared_clocks
from api.wording import in_words
from projections.queries import Clocks


@click.command()
@click.argument("since", metavar="FROM")
@click.argument("until", metavar="TO")
@click.argument("slug", metavar="[PLEDGE]", required=False)
@click.option("--as-of", metavar="DAY", help="Between two instants: what had been said by then. [default: today]")
@click.option("--known-at", metavar="INSTANT", help="Between two days: what we had recorded by then.")
@click.option("--at-position", metavar="N", help="Between two days: what we had recorded up to this place in the log.")
@click.option("--json", "as_json", is_flag=True, help="The items as the API answers them.")
@filtered
def diff(since: str, until: str, slug: str | None, as_json: bool, **options: Any) -> None:
    """List the pledges whose status differs between two days, or between two instants of our knowledge.

    Two days compare what had been said by then; two instants compare what we had recorded by then.

    \b
    Examples:
      tracker diff 2024-09-01 2025-02-12
      tracker diff 2024-09-01 2025-02-12 nato-ukraine-2024
      tracker diff 2026-11-21T16:00:00Z 2026-11-22T16:00:00Z --party UA --json
    """
    if slug is not None:
        options["pledge"] = [must_be_slug(slug)]
    narrowed = filters_of(options)
    with opened_stores(must_exist=True) as stores:
        earlier, later = _points(stores, since, until, options)
        timeline = timeline_at(stores, later.position)
        found = list(Differences(timeline, stores.log, narrowed, earlier, later).items())
        if as_json:
            both = {"from": clocks_footer(earlier), "to": clocks_footer(later)}
            answer(to_json({"items": found, **both, **clocks_footer(later)}).decode())
            return
        _print(found)


def _points(stores: Stores, since: str, until: str, options: Mapping[str, Any]) -> tuple[Clocks, Clocks]:
    """The two points: days are on the one clock, instants on the other.

    Raises: click.UsageError if they cannot be compared.
    """
    on_days = len(since) <= len("2024-09-01")
    names = ("from", "to") if on_days else ("known_from", "known_to")
    for name in ("as_of",) if on_days else ("known_at", "at_position"):
        if options[name] is not None:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is the other clock: it goes with {'instants' if on_days else 'days'}")
    query = dict(zip(names, (since, until), strict=True))
    query |= {name: options[name] for name in ("as_of", "known_at", "at_position") if options[name] is not None}
    try:
        earlier, later = compared_clocks(query, point(query, stores.log), stores.log)
    except InvalidParameter as refused:
        sentence = refused.detail
        given = {names[0]: "FROM", names[1]: "TO", "known_at": "--known-at", "at_position": "--at-position"}
        for name, shown in given.items():
            sentence = sentence.replace(f"'{name}'", shown)
        raise click.UsageError(sentence) from None
    last = stores.log.head() if later.position is None else later.position
    first = last if earlier.position is None else earlier.position
    return Clocks(earlier.as_of, first, earlier.known_at), Clocks(later.as_of, last, later.known_at)


def _print(found: list[dict[str, Any]]) -> None:
    table, causes = columns("pledge", "status", "actual", "cause"), Counter[str]()
    for item in found:
        causes[item["cause"]] += 1
        status = status_change(item["status_before"], item["status_after"])
        digits = amounts.distinct_digits(item["actual_before"], item["actual_after"])
        was, now_ = (_words(item[f"actual_{at}"], digits) for at in ("before", "after"))
        actual = was if was == now_ else f"{was} → {now_}"
        table.add_row(Text(item["pledge"]), status, Text(actual), Text(in_words(item["cause"])))
    if found:
        show(table)
    told = ", ".join(f"{number} {in_words(cause)}" for cause, number in sorted(causes.items()))
    say(f"{len(found)} pledge{'' if len(found) == 1 else 's'} changed{f': {told}' if told else ''}")


def _words(quantity: Mapping[str, str] | None, digits: amounts.Digits) -> str:
    return "—" if quantity is None else plain_spaces(amounts.amount_text(quantity, digits).short)
