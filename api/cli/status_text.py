"""A status on the terminal: the words of the pages, why it is so in sentences, and colours where they are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from api import amounts, wording
from api.cli.terminal import columns
from api.formats.status_columns import status_cells
from api.pages.event_lines import event_line
from tracker.event import Event, fact_json

STYLES = {
    "exceeded": "green",
    "met": "green",
    "partly_met": "yellow",
    "in_progress": "blue",
    "announced": "blue",
    "conditional": "magenta",
    "overdue": "red",
    "missed": "bold red",
    "indeterminate": "yellow",
    "not_measurable": "dim",
    "withdrawn": "dim",
    "superseded": "dim",
}
"""How each status is written where there are colours; the word says the same without."""

MAX_REASONS = 12
"""Events that are told as the reasons of one status or flag, at most."""


def plain_spaces(text: str) -> str:
    """The words of a page for a terminal or a pipe, where every space is one that other programs split at."""
    return text.replace(wording.NBSP, " ")


def status_word(status: str) -> Text:
    """A status as the page calls it, in its colour."""
    return Text(wording.STATUS[status], style=STYLES[status])


def status_change(before: str | None, after: str | None) -> Text:
    """A status before and after; one word where it stays. None is no pledge."""
    was, is_now = (Text("—") if one is None else status_word(one) for one in (before, after))
    return is_now if before == after else Text.assemble(was, " → ", is_now)


def status_table(documents: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each pledge: its status, amounts abbreviated, how far it is, and its flags."""
    table = columns("pledge", "status", "reported", "promised", "progress", "flags")
    for one in documents:
        digits = amounts.distinct_digits(one["target"], one["actual"])
        flags = ", ".join(_flag(flag) for flag in one["flags"])
        cells = (_short(one["actual"], digits), _short(one["target"], digits), _progress(one), flags)
        table.add_row(Text(one["pledge"]), status_word(one["status"]), *map(Text, map(plain_spaces, cells)))
    return table


def status_report(document: Mapping[str, Any], events: Iterable[Event]) -> tuple[Text, Table]:
    """One pledge: its title, and its lines, with the events that made it so as sentences."""
    by_id = {event.id: event for event in events}
    parties = [document[name]["name"] for name in ("pledgor", "beneficiary") if document[name]]
    known_at = "now" if document["known_at"] is None else wording.instant(document["known_at"])
    because = document["because"]
    lines: dict[str, Text | str] = {
        "pledge": f"{document['pledge']} ({document['kind']})",
        "by, for": " → ".join(parties),
        "status": status_word(document["status"]),
        "because": _sentence(wording.means(document)),
        "from": _reasons(because.get("status", ()), by_id),
        "reported": _full(document["actual"]),
        "promised": _full(document["target"]),
        "progress": _progress(document),
        **_terms(document),
        "due": _window(document["window"]),
        "schedule": wording.schedule(document),
        "trajectory": wording.TRAJECTORY[document["trajectory"]] if document["trajectory"] else "—",
        "evidence": wording.EVIDENCE[document["evidence"]],
    }
    for flag in document["flags"]:
        name, means = wording.FLAG.get(flag, (wording.in_words(flag), ""))
        told = _reasons(because.get(flag, ()), by_id)
        lines[f"flag: {name.lower()}"] = f"{_sentence(means)}\n{told}" if told else _sentence(means)
    lines["as of"] = (
        f"{wording.day(document['as_of'])}, known at {known_at}, version {document['version']},"
        f" position {document['position']}"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in lines.items():
        if text:
            table.add_row(name, text if isinstance(text, Text) else Text(plain_spaces(text)))
    return Text(document["title"], style="bold"), table


def event_sentence(event: Event) -> str:
    """An event in a sentence: event 3, 12 Feb 2025: Claimed to be exceeded: over €50bn (Example Gazette)."""
    fact = fact_json(event.fact)
    publisher = fact.get("source", {}).get("publisher")
    told = f"event {event.version}, {wording.stated(fact)}: {step_words(event)}"
    return f"{told} ({publisher})" if publisher else told


def step_words(event: Event) -> str:
    """What an event says, in the words of the page: Progress reported: €20.9bn."""
    line = event_line(fact_json(event.fact)).short
    return plain_spaces(f"{wording.TYPE[event.type]}{f': {line}' if line else ''}")


def _reasons(ids: Sequence[str], by_id: Mapping[str, Event]) -> str:
    known = [by_id[id_] for id_ in ids if id_ in by_id]
    told = [event_sentence(event) for event in known[:MAX_REASONS]]
    return "\n".join([*told, *([f"and {len(known) - MAX_REASONS} more"] if len(known) > MAX_REASONS else [])])


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _flag(flag: str) -> str:
    return wording.FLAG.get(flag, (wording.in_words(flag), ""))[0].lower()


def _short(quantity: Mapping[str, str] | None, digits: amounts.Digits) -> str:
    return "—" if quantity is None else amounts.amount_text(quantity, digits).short


def _full(quantity: Mapping[str, str] | None) -> str:
    """A quantity abbreviated, and in full where that says more."""
    if quantity is None:
        return "—"
    said = amounts.amount_text(quantity)
    return said.short if said.short == said.exact else f"{said.short} ({said.exact})"


def _progress(document: Mapping[str, Any]) -> str:
    """How far a pledge is: 22 of 31, over 125 %."""
    return amounts.counted(document) or amounts.ratio(document["ratio"], document["actual"]) or "—"


def _window(window: Mapping[str, str] | None) -> str:
    if window is None:
        return "—"
    latest, end = window.get("latest"), window.get("end")
    told = wording.span({name: window[name] for name in ("start", "end") if name in window})
    late = f", by {wording.day(latest)} at the latest" if latest and latest != end else ""
    said = f" (“{window['text']}”)" if "text" in window else ""
    return f"{told}{late}{said}"


def _terms(document: Mapping[str, Any]) -> dict[str, str]:
    """What not every pledge has, in words: baseline, periods, instalments, conditions, joint parties, a verdict."""
    cells = status_cells(document)
    baseline = document.get("baseline")
    shown: dict[str, str | None] = {
        "as it was said": document.get("relative_target") and _full(document["relative_target"]),
        "baseline": baseline and _full(baseline["quantity"]),
        "of the way": amounts.ratio(document["progress"]) if "baseline" in document and document["progress"] else None,
        "promised only": "; ".join(_full(one["quantity"]) for one in document.get("announced_amounts", ())),
        "together with": cells.get("joint"),
        "part of": cells.get("part_of"),
        "converted": _conversion(document),
        "assessed": _assessment(document),
        "instalments": _each(document, "instalments", lambda one: (
            f"{_full(one['quantity'])} by {wording.day(one['due'])}: {wording.instalment(one, document['as_of'])}"
        )),
        "conditions": _each(document, "conditions", lambda one: (
            f"{wording.in_words(one['condition'])}: {wording.CONDITION[one['state']]}"
        )),
    }  # fmt: skip
    if "recurrence" in document:
        shown["again"] = f"{wording.EVERY[document['recurrence']['every']]}: {amounts.counted(document)}"
        shown["periods"] = _each(document, "periods", lambda one: (
            f"{wording.span(one)}: {wording.STATUS.get(one['status'], wording.in_words(one['status']))},"
            f" {_full(one['actual'])}"
        ))  # fmt: skip
    return {name: text for name, text in shown.items() if text}


def _each(document: Mapping[str, Any], name: str, tell: Callable[[Mapping[str, Any]], str]) -> str:
    return "\n".join(tell(one) for one in document.get(name, ()))


def _conversion(document: Mapping[str, Any]) -> str | None:
    how = document.get("conversion")
    if how is None:
        return None
    if how["provider"] == "source":
        by = "as the source says"
    else:
        by = "no rate" if how["rate"] is None else f"at {how['rate']}, {how['provider']}, {how['date']}"
    return f"{how['from']} to {how['to']}, {by}"


def _assessment(document: Mapping[str, Any]) -> str | None:
    verdict = document.get("assessment")
    return verdict and f"{verdict['rating']} ({verdict['rubric']} {verdict['rubric_version']})"
