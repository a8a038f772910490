"""The parties, one party or tag: what was kept of what was due, what was promised and reported, and its pledges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from pydantic_core import from_json

from api.http import system_clock
from api.http.addresses import encoded
from api.http.contract import AnyRequest, Parameter, read
from api.http.parameters import choice, flag
from api.http.problems import NotFound
from api.http.responses import BytesResponse, Redirect
from api.pages.frame import CLOCK_NAMES, PageRequest, page_contract
from api.pages.kept_share import KeptCount, kept_over_time
from api.pages.latest_changes import latest_changes
from api.pages.list_pages import LIST_ROWS, PAGE_NUMBER, list_page, sort_columns
from api.pages.overview import DEFAULT_SORT, ListedPledge, compared_totals
from api.pages.pledge_rows import pledge_row
from api.resources import list_filters
from api.resources.contracts import MAX_PAGE_PLEDGES, PARTY_KEY, SORT
from api.resources.names import SORT_NAMES
from api.services import Services
from projections.parties import PartyCounts, PartyNames
from projections.party_lines import PartyRole
from projections.queries import Clocks, Filters
from tracker.errors import PartyNotFound
from tracker.units import SLUG

PARTY_SORTS = ("name", "promised", "kept", "overdue", "received")
"""What the parties can be sorted by: names from A on, numbers from the most down."""

_DEFAULT_PARTY_SORT = "promised"
_COLUMNS = {
    "name": "Party", "promised": "Promised", "kept": "Kept of due", "overdue": "Overdue", "received": "Was promised",
}  # fmt: skip

_Q = Parameter("q", "Words in the name or key of a party.", {"type": "string", "minLength": 1, "maxLength": 300})
_SORT = Parameter("sort", "The order.", {"enum": list(PARTY_SORTS), "default": _DEFAULT_PARTY_SORT})
_ROLE = Parameter(
    "role", "What it promised, or what it was promised; by default what there is.", {"enum": ["pledgor", "beneficiary"]}
)

_TOTALS = Parameter("totals", "Unfolds what is promised and reported.", {"type": "boolean"})

PARTIES_CONTRACT = page_contract("Who promised or was promised what.", _Q, _SORT, PAGE_NUMBER)
PARTY_CONTRACT = page_contract("One party.", _ROLE, SORT, PAGE_NUMBER, _TOTALS, problems=("party_not_found",))
TAG_CONTRACT = page_contract("The pledges with a tag.", SORT, PAGE_NUMBER, _TOTALS, problems=("not_found",))

MAX_ADDED_PLEDGES = 250
"""Pledges that are added up at once; of more the sums are unfolded when they are asked for."""

_KEY, _TAG = re.compile(PARTY_KEY), re.compile(SLUG)


@dataclass(frozen=True, slots=True)
class ListedParty:
    """A party as a row: how many pledges it made and was made, and how many of its own were kept."""

    key: str
    name: str
    promised: int
    kept: KeptCount
    received: int
    link: str


@dataclass(frozen=True, slots=True)
class SortLink:
    """A column by which the parties are sorted, or can be."""

    name: str
    words: str
    link: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class RoleLink:
    """What a party promised, or what it was promised: how many pledges, and the address that shows those."""

    words: str
    count: int
    link: str
    is_own: bool


class PartyPageController(Controller):
    """The pages of who promised what, and of what belongs together."""

    @read("/parties", PARTIES_CONTRACT)
    def parties(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """Who promised or was promised what, and what of it was kept."""
        return _respond(PageRequest(request, services), _draw_parties)

    @read("/parties/{key:str}", PARTY_CONTRACT)
    def party(self, request: AnyRequest, services: NamedDependency[Services], key: FromPath[str]) -> ASGIApp:
        """One party: what of its pledges was kept, the money over the same pledges, and the pledges themselves."""
        return _respond(PageRequest(request, services), _draw_party, key)

    @read("/tags/{tag:str}", TAG_CONTRACT)
    def tag(self, request: AnyRequest, services: NamedDependency[Services], tag: FromPath[str]) -> ASGIApp:
        """The pledges with a tag, as those of a party are shown."""
        return _respond(PageRequest(request, services), _draw_tag, tag)


def _respond(page: PageRequest, draw: Callable[..., ASGIApp], *about: str) -> ASGIApp:
    return Redirect(page.link()) if page.has_blanks else draw(page, *about)


def _draw_parties(page: PageRequest) -> BytesResponse:
    at = page.projected()
    sort = choice(page.query, "sort", PARTY_SORTS, _DEFAULT_PARTY_SORT) or _DEFAULT_PARTY_SORT
    words = page.query.get("q", "").casefold().split()
    found = [
        _listed(page, one)
        for one in page.services.timeline.parties(at).values()
        if one.is_in_force and _has_words(one, words)
    ]
    found.sort(key=lambda party: _order(party, sort))
    shown = list_page(page, len(found))
    body = page.render(
        "parties.html",
        at,
        rows=found[max(0, shown.first - 1) : shown.last],
        shown=shown,
        columns=[
            SortLink(name, said, page.link(sort=None if name == _DEFAULT_PARTY_SORT else name, page=None), name == sort)
            for name, said in _COLUMNS.items()
        ],
        data=page.address(f"/v1/parties?{encoded({**_clocks(page), 'format': 'csv', 'limit': '500'})}"),
    )
    return page.about_all(at.position, body)


def _has_words(party: PartyCounts, words: Sequence[str]) -> bool:
    texts = "\n".join(part for pair in party.written for part in pair).casefold()
    return all(word in texts for word in words)


def _listed(page: PageRequest, party: PartyCounts) -> ListedParty:
    told = party.document()
    promised, received = told["as_pledgor"], told["as_beneficiary"]
    kept = KeptCount.of(promised["by_status"])
    link = page.link(f"/parties/{told['key']}")
    return ListedParty(told["key"], told["name"], promised["total"], kept, received["total"], link)


def _order(party: ListedParty, sort: str) -> tuple[Any, ...]:
    """The key by which a party is sorted; those that are alike follow by name."""
    share = party.kept.share
    first: dict[str, Any] = {
        "name": 0,
        "promised": -party.promised,
        "kept": (share is None, -(share or Decimal(0)), -party.kept.due),
        "overdue": -party.kept.overdue,
        "received": -party.received,
    }
    return first[sort], party.name.casefold(), party.key


def _draw_party(page: PageRequest, key: str) -> BytesResponse:
    """Raises: PartyNotFound if no pledge at the clocks has or had the party."""
    at, timeline = page.projected(), page.services.timeline
    counted = next(iter(timeline.parties(at, key).values()), None) if _KEY.fullmatch(key) else None
    if counted is None:
        raise PartyNotFound(f"no pledge at these clocks has or had a party {key[:128]!r}")
    told = counted.document()
    default = "pledgor" if told["as_pledgor"]["total"] or not told["as_beneficiary"]["total"] else "beneficiary"
    asked = choice(page.query, "role", ("pledgor", "beneficiary"), default)
    role: PartyRole = "beneficiary" if asked == "beneficiary" else "pledgor"
    roles = [
        RoleLink(words, told[f"as_{name}"]["total"], page.link(role=name, page=None), name == role)
        for name, words in (("pledgor", "Promised"), ("beneficiary", "Was promised"))
        if told[f"as_{name}"]["total"]
    ]
    narrowed = Filters(promised_by=key) if role == "pledgor" else Filters(promised_to=key)
    names = timeline.party_names(key, told["name"], at)
    return _draw_group(
        page, at, narrowed, told[f"as_{role}"]["by_status"], {role: told["key"]},
        kind="party", name=told["name"], key=told["key"], role=role, roles=roles, names=names,
    )  # fmt: skip


def _draw_tag(page: PageRequest, tag: str) -> BytesResponse:
    """Raises: NotFound if no pledge at the clocks has the tag."""
    at = page.projected()
    narrowed = Filters(tag=(tag,))
    (by_status,) = page.services.timeline.statuses_of_found(narrowed, [at.as_of], at) if _TAG.fullmatch(tag) else ({},)
    if not by_status:
        raise NotFound(f"no pledge at these clocks has the tag {tag[:128]!r}")
    return _draw_group(
        page, at, narrowed, by_status, {"tag": tag},
        kind="tag", name=tag, key=tag, role="pledgor", roles=(), names=PartyNames((), (), (), (), has_left=False),
    )  # fmt: skip


def _draw_group(
    page: PageRequest,
    at: Clocks,
    narrowed: Filters,
    by_status: Mapping[str, int],
    question: Mapping[str, str],
    *,
    kind: Literal["party", "tag"],
    names: PartyNames,
    **about: Any,
) -> BytesResponse:
    """The page of the pledges that pass a filter; `question` is that filter as the API takes it."""
    timeline = page.services.timeline
    sort = choice(page.query, "sort", SORT_NAMES, DEFAULT_SORT) or DEFAULT_SORT
    shown = list_page(page, sum(by_status.values()))
    has_totals = shown.total <= MAX_ADDED_PLEDGES or flag(page.query, "totals")
    found = timeline.listed(narrowed, at, sort, LIST_ROWS, (shown.number - 1) * LIST_ROWS) if shown.total else []
    body = page.render(
        "party.html",
        at,
        kind=kind,
        names=names,
        rows=[ListedPledge(pledge_row(from_json(listed.document)), listed.changed) for listed in found],
        shown=shown,
        columns=sort_columns(page, sort, DEFAULT_SORT),
        kept=KeptCount.of(by_status),
        by_status=by_status,
        line=kept_over_time(timeline, narrowed, at, system_clock.today(), lambda on: _as_of(page, on)),
        totals=compared_totals(timeline.summary(narrowed, at)) if has_totals else None,
        changes=latest_changes(page, narrowed, at),
        filtered=encoded({**_given_clocks(page), **question}, safe=":,"),
        data=dict(_data(page, question, shown.total, sort)),
        moved=_moved(page, question, shown.total, names, at),
        **about,
    )
    return page.about_all(at.position, body)


def _moved(page: PageRequest, question: Mapping[str, str], total: int, names: PartyNames, at: Clocks) -> int:
    """The pledges that the API finds for a party besides its own: those that are others' now, or were left by it."""
    if not names.has_left:
        return 0
    return page.services.timeline.listed_total(list_filters.filters(question), at) - total


def _as_of(page: PageRequest, on: date) -> str:
    return page.link(as_of=None if on == system_clock.today() else on.isoformat(), page=None)


def _given_clocks(page: PageRequest) -> dict[str, str]:
    return {name: page.query[name] for name in CLOCK_NAMES if name in page.query}


def _clocks(page: PageRequest) -> dict[str, str]:
    """The clocks of the page as the API takes them."""
    found = {"as_of": page.at.as_of.isoformat()} if page.at.dated else {}
    return found if page.at.position is None else {**found, "at_position": str(page.at.position)}


def _data(page: PageRequest, question: Mapping[str, str], total: int, sort: str) -> Iterator[tuple[str, str]]:
    """The same pledges in other formats, and as feeds, by what they are called.

    A list that is longer than a page of the API is its export, which is in order of the pledges.
    """
    asked = {**question, **_clocks(page)}
    is_page = total <= MAX_PAGE_PLEDGES
    listing = "/v1/pledges" if is_page else "/v1/export"
    listed = {"sort": sort, "limit": str(MAX_PAGE_PLEDGES)} if is_page else {}
    for words, path, more in (
        ("CSV", listing, {**listed, "format": "csv"}),
        ("XLSX", listing, {**listed, "format": "xlsx"}),
        ("JSON", listing, {**listed, "format": "json"}),
        ("feed", "/v1/feed.atom", {}),
        ("calendar", "/v1/deadlines.ics", {}),
    ):
        live = question if words in ("feed", "calendar") else asked
        yield words, page.address(f"{path}?{encoded({**live, **more}, safe=':,')}")
