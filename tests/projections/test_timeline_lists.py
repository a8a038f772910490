"""Pages, sorts and filters against a list comprehension over the documents that the rules give."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from projections.kept_answers import KeptAnswers
from projections.queries import SORTS, Clocks, Filters
from projections.timeline import Timeline
from tests.support.timelines import World, expected, many, said
from tracker.rules.status import StatusFold


def documents(page: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(item) for item in page]


def brute(it: World, clocks: Clocks) -> list[dict[str, Any]]:
    found = (expected(it, pledge, clocks) for pledge in it.pledges())
    return [json.loads(document) for document in found if document is not None]


def changed_on(it: World, pledge: str, clocks: Clocks) -> date:
    found = StatusFold([e for e in it.events(pledge) if e.position <= clocks.position]).changed_on(clocks.as_of)
    assert found is not None
    return found


def sort_key(name: str, changed: dict[str, date]) -> Callable[[dict[str, Any]], Any]:
    def key(document: dict[str, Any]) -> Any:
        match name:
            case "changed":
                return changed[document["pledge"]]
            case "title":
                return document["title"].casefold()
            case "due":
                window = document["window"] or {}
                return window.get("latest") or window.get("end")
            case "ratio":
                return None if document["ratio"] is None else Decimal(document["ratio"]["value"])
        return document[name]

    return key


@pytest.mark.parametrize("day", ["2024-02-01", "2024-12-31", "2027-01-01"])
def test_pages_follow_every_sort_with_nulls_last_and_ties_by_pledge(it: World, day: str) -> None:
    many(it)
    for position in (it.log.head() // 2, it.log.head()):
        clocks = it.clocks(day, position)
        whole = brute(it, clocks)
        changed = {d["pledge"]: changed_on(it, d["pledge"], clocks) for d in whole}
        for sort in (*SORTS, *(f"-{name}" for name in SORTS)):
            key = sort_key(sort.removeprefix("-"), changed)
            given_ = sorted((d for d in whole if key(d) is not None), key=lambda d: d["pledge"])
            given_.sort(key=key, reverse=sort.startswith("-"))
            wanted = [d["pledge"] for d in given_]
            wanted += sorted(d["pledge"] for d in whole if key(d) is None)
            for limit in (1, 7, 45, 500) if sort == "-ratio" else (7,):
                found: list[dict[str, Any]] = []
                after: Any = None
                while True:
                    page = it.timeline.page(Filters(), clocks, sort, limit, after)
                    assert page.total == len(whole)
                    assert len(page.items) <= limit
                    found += documents(page.items)
                    if page.next is None:
                        break
                    after = json.loads(json.dumps(page.next))
                assert [d["pledge"] for d in found] == wanted, sort
                assert sorted(found, key=lambda d: d["pledge"]) == whole


def is_party(document: dict[str, Any], pledgor: str, beneficiary: str) -> bool:
    return document["pledgor"]["name"] == pledgor or (document["beneficiary"] or {}).get("code") == beneficiary


FILTERS: list[tuple[Filters, Callable[[dict[str, Any]], bool]]] = [
    (Filters(), lambda d: True),
    (Filters(status=("overdue",)), lambda d: d["status"] == "overdue"),
    (Filters(status=("met", "exceeded")), lambda d: d["status"] in ("met", "exceeded")),
    (Filters(status=()), lambda d: True),
    (Filters(flag=("single_source",)), lambda d: "single_source" in d["flags"]),
    (Filters(flag=("single_sourc%", "e,s")), lambda d: False),
    (Filters(kind=("count",)), lambda d: d["kind"] == "count"),
    (Filters(pledgor=("nato",)), lambda d: d["pledgor"].get("code") == "NATO"),
    (Filters(pledgor=("STRASSE", "be")), lambda d: d["pledgor"]["name"] in ("Straße", "Belgium")),
    (Filters(beneficiary=("ukraine",)), lambda d: (d["beneficiary"] or {}).get("code") == "UA"),
    (Filters(beneficiary=("ČESKO % _",)), lambda d: (d["beneficiary"] or {}).get("name") == "Česko % _"),
    (Filters(beneficiary=("%",)), lambda d: False),
    (Filters(tag=("nato",)), lambda d: "nato" in d["tags"]),
    (Filters(tag=("nato-plus", "ukraine")), lambda d: bool({"nato-plus", "ukraine"} & set(d["tags"]))),
    (Filters(tag=("nat_",)), lambda d: False),
    (Filters(tag=("",)), lambda d: False),
    (Filters(unit=("EUR",)), lambda d: (d["target"] or {}).get("unit") == "EUR"),
    (Filters(due_before=date(2024, 12, 31)), lambda d: (d["window"] or {}).get("end", "9") < "2024-12-31"),
    (Filters(q="100%_"), lambda d: "100%_" in d["title"]),
    (Filters(q="élan straße"), lambda d: "Élan" in d["title"] and d["pledgor"]["name"] == "Straße"),
    (Filters(pledge=("pledge-003", "pledge-007", "none")), lambda d: d["pledge"] in ("pledge-003", "pledge-007")),
    (Filters(promised_by="strae", promised_to="ua"), lambda d: is_party(d, "Straße", "UA")),
    (Filters(q="PLEDGE-01"), lambda d: "pledge-01" in d["pledge"]),
    (Filters(q="' OR 1=1 --"), lambda d: False),
    (Filters(q="nul\0"), lambda d: False),
    (Filters(pledgor=("\ud800",)), lambda d: False),
    (
        Filters(status=("in_progress", "overdue"), kind=("money",), tag=("nato",), q="aid"),
        lambda d: (
            d["status"] in ("in_progress", "overdue")
            and d["kind"] == "money"
            and "nato" in d["tags"]
            and "aid" in d["title"].casefold()
        ),
    ),
]


def test_filters_narrow_as_a_comprehension_over_the_documents_would(it: World) -> None:
    many(it)
    for day in ("2024-06-01", "2025-01-01"):
        clocks = it.clocks(day)
        whole = brute(it, clocks)
        for filters, keeps in FILTERS:
            wanted = [d for d in whole if keeps(d)]
            for sort in ("pledge", "-last_stated_on", "due"):
                page = it.timeline.page(filters, clocks, sort, 500)
                found = sorted(documents(page.items), key=lambda d: d["pledge"])
                assert (found, page.total) == (wanted, len(wanted)), filters
            assert documents(list(it.timeline.export(clocks, filters))) == wanted
            short = it.timeline.page(filters, clocks, "pledge", 1)
            assert short.total == len(wanted)
            counted = it.timeline.summary(filters, clocks)
            assert sum(counted["by_status"].values()) == len(wanted)


SEARCHES = [
    *(filters for filters, _ in FILTERS if filters.q is not None),
    Filters(q="shells 100%_ a/b\\ __"),
    Filters(q="often", kind=("money",), status=("in_progress", "overdue")),
    Filters(q="often twice"),
    Filters(q="often once"),
    Filters(q="aid aid AID  aid"),
    Filters(q=" "),
    Filters(q=" ".join(f"{number:x}" for number in range(100))),
]


def test_counts_over_many_days_are_those_of_each_day(it: World, monkeypatch: pytest.MonkeyPatch) -> None:
    many(it)
    for pledge in ("pledge-001", "pledge-002"):
        for day, words in (("2024-04-01", "Often."), ("2024-04-01", "Often, twice."), ("2024-06-01", "Often once.")):
            event = it.record(pledge, said("StatementMade", day, summary=words))
            it.record(pledge, said("StatementRetracted", f"2024-0{int(day[6]) + 1}-15", event=event, reason="x"))
    it.runner.catch_up()
    asked, read = list[str](), Timeline._read

    def counting(self: Timeline, query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(query.__name__)
        return read(self, query, *args, **kwargs)

    days = [date(2024, 1, 1) + timedelta(days=24 * number) for number in range(12)]
    clocks = it.clocks("2026-01-01")
    for filters in SEARCHES:
        with monkeypatch.context() as not_kept:
            not_kept.setattr(KeptAnswers, "is_of_now", lambda *_: False)
            alone = [next(it.timeline.statuses(filters, [day], clocks)) for day in days]
        with monkeypatch.context() as counted:
            counted.setattr(Timeline, "_read", counting)
            assert list(it.timeline.statuses(filters, days, clocks)) == alone, filters
        assert asked == ["turns", "turns"]
        asked.clear()
        assert [next(it.timeline.statuses(filters, [day], clocks)) for day in days] == alone, filters
    words = [sum(found.values()) for found in it.timeline.statuses(Filters(q="often"), days, clocks)]
    assert sorted(set(words)) == [0, 2]


@pytest.mark.parametrize(
    ("sort", "after"),
    [
        ("name", None),
        ("", None),
        ("due", ["2024-01-01"]),
        ("due", ["soon", "aid"]),
        ("pledge", [1, "aid"]),
        ("due", [None, None]),
    ],
)
def test_a_sort_or_a_cursor_that_no_page_gave_is_refused(it: World, sort: str, after: Any) -> None:
    with pytest.raises(ValueError, match=r"no page ends there|no list is sorted by"):
        it.timeline.page(Filters(), it.clocks(), sort, 10, after)
