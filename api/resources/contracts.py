"""The contracts of the routes: parameters, bodies, responses and problems, each stated once."""

from __future__ import annotations

from collections.abc import Mapping

from api.formats.atom import ATOM_FORMAT
from api.formats.badge import BADGE_FORMAT
from api.formats.icalendar import ICS_FORMAT
from api.formats.table import EVENT_FORMATS, STATUS_FORMATS, STATUS_PAGE_FORMATS
from api.http.addresses import encoded
from api.http.clocks import CLOCKS, PAGE_CLOCKS
from api.http.contract import (
    JSON,
    MAX_VALUE_CHARACTERS,
    NDJSON,
    Contract,
    Needs,
    Parameter,
    Reply,
    Schema,
    ref,
)
from api.http.drafts import MAX_BATCH_ITEMS
from api.http.log_ids import LOG, LOG_HEADER
from api.http.media import CSV_FORMAT, HTML_FORMAT, JSON_FORMAT, LINK_FORMAT, MediaFormat
from api.http.min_position import MIN_POSITION
from api.http.negotiation import format_parameter
from api.resources.names import FLAG_NAMES, KINDS, SORT_NAMES, STATUSES, TYPE_NAMES
from api.resources.status_schemas import STATUS
from tracker.log.rows import MAX_POSITION
from tracker.units import CURRENCIES, SLUG, UNIT

STATUS_MEMBERS: tuple[str, ...] = tuple(STATUS["properties"])
"""The members that a status may have."""

_FIELD = "|".join(STATUS_MEMBERS)

MAX_PAGE_PLEDGES, MAX_PAGE_EVENTS = 500, 1_000
"""Items of a page, at most."""

MAX_FEED_ENTRIES = 200
"""Entries of the feed, at most."""

DUE_DAYS, MAX_DUE_DAYS = 30, 366
"""Days ahead in which a deadline is near where nobody says otherwise, and days that may be asked for."""


MAX_LIST_CHARACTERS = 4_000
"""Characters of a value with several values in it, commas between them, at most."""


def _several(name: str, about: str, schema: Schema) -> Parameter:
    """A parameter that may be given more than once, or with commas."""
    return Parameter(
        name, f"{about} Several: given again, or with commas.", schema, repeats="commas", most=MAX_LIST_CHARACTERS
    )


_LINE: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_VALUE_CHARACTERS,
    "pattern": r"^[^\x00-\x1f\x7f]+$",
}
_DAY, _INSTANT = CLOCKS[0].schema, CLOCKS[1].schema
_SLUG: Schema = {"type": "string", "pattern": f"^{SLUG}$"}


def _named(name: str, about: str) -> Parameter:
    """A parameter that may be given more than once; its values may have commas themselves."""
    return Parameter(name, f"{about} Several: given again.", _LINE, repeats="twice")


GROUPINGS = ("pledgor", "beneficiary", "tag", "kind", "rating")
"""What a summary can be grouped by."""

FILTERS = (
    _several("status", "The headline.", {"enum": list(STATUSES)}),
    _several("flag", "A flag.", {"enum": list(FLAG_NAMES)}),
    _several("kind", "The kind.", {"enum": list(KINDS)}),
    _named("pledgor", "Who promises or promised: code or name, in any case; joint parties too."),
    _named("beneficiary", "To whom it is or was promised: code or name, in any case."),
    _named("party", "Either of them."),
    _several("part_of", "The pledge that it is part of.", _SLUG),
    _named("rating", "The rating of the latest assessment, as written."),
    _named("rubric", "The rubric of the latest assessment, as written."),
    _several("tag", "A tag.", _SLUG),
    _several("unit", "The unit of the target, else of the actual.", {"type": "string", "pattern": UNIT}),
    _several("pledge", "The pledge itself: a dashboard's own few.", _SLUG),
    Parameter("due_before", "Due before this day.", _DAY),
    Parameter(
        "q",
        "Words that occur, in any case, in titles, parties, tags, slugs, speakers, summaries, or in amounts as they are"
        " written: `40bn`, `€40bn`, `2 %`.",
        _LINE,
    ),
)
TYPES = _several("type", "The type of the fact.", {"enum": list(TYPE_NAMES)})
"""The types of facts that a stream or a feed is narrowed to."""

SORT = Parameter(
    "sort",
    "The order, `-` for descending; `changed` is the day on which the status last changed.",
    {"enum": list(SORT_NAMES), "default": "pledge"},
)
FIELDS = Parameter(
    "fields",
    "Members of each status to keep, with commas between them; all by default.",
    {"type": "string", "pattern": f"^({_FIELD})(,({_FIELD}))*$", "examples": ["pledge,status,ratio"]},
    most=MAX_LIST_CHARACTERS,
)
FACETS = Parameter(
    "facets",
    "Adds how many pledges each filter value would give, counted with all filters but that one.",
    {"type": "boolean"},
)
CURSOR = Parameter(
    "cursor",
    "Where the page begins: `next_cursor` of the page before it, with the same filters and order.",
    {"type": "string", "maxLength": MAX_LIST_CHARACTERS, "pattern": "^[A-Za-z0-9_-]+$"},
    most=MAX_LIST_CHARACTERS,
)


def _limit(most: int, default: int = 100) -> Parameter:
    return Parameter("limit", "Items a page.", {"type": "integer", "minimum": 1, "maximum": most, "default": default})


PAGING = (_limit(MAX_PAGE_PLEDGES), CURSOR)

_SCHEMA_OF: Mapping[str, Schema] = {"cloudevents": {"type": "array", "items": ref("CloudEvent")}}
ETAG = {"ETag": "The tag of these bytes.", "Cache-Control": "How long they may be kept."}


IF_NONE_MATCH = Parameter("If-None-Match", "Tags of answers that the caller has.", {"type": "string"})
"""The header of every read that has a tag."""


TABLE_FORMATS = (JSON_FORMAT, CSV_FORMAT)
"""The formats of items that are no statuses and no events."""


def reads(
    about: str,
    schema: Schema,
    *query: Parameter,
    formats: tuple[MediaFormat, ...] = (JSON_FORMAT,),
    headers: tuple[Parameter, ...] = (),
    problems: tuple[str, ...] = (),
    needs: Needs = "reader",
) -> Contract:
    """The contract of a read at the clocks, in JSON and whatever else it is offered in."""
    media = {offered.essence: _SCHEMA_OF.get(offered.name, {"type": "string"}) for offered in formats}
    return Contract(
        needs=needs,
        replies={200: Reply(about, {**media, JSON: schema}, ETAG)},
        query=(*query, *CLOCKS, LOG, format_parameter(formats)),
        headers=(IF_NONE_MATCH, MIN_POSITION, *headers),
        problems=("invalid_parameter", "unknown_parameter", "not_acceptable", "other_log", *problems),
        formats=formats,
    )


_MISSING = ("pledge_not_found",)

LIST_PLEDGES = reads(
    "A page of statuses.", ref("StatusPage"), *FILTERS, SORT, *PAGING, FIELDS, FACETS, formats=STATUS_PAGE_FORMATS
)
_HTTP_DATE = (
    "^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), (0[1-9]|1[0-9]|2[0-8]) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    " (1[89]|2[0-9])[0-9]{2} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] GMT$"
)
_AT = Parameter(
    "Accept-Datetime",
    "Redirects to the answer as of that day (RFC 7089).",
    {"type": "string", "pattern": _HTTP_DATE, "examples": ["Wed, 12 Feb 2025 00:00:00 GMT"]},
)
ONE_PLEDGE = reads("One status.", ref("Status"), headers=(_AT,), problems=_MISSING)
TIMEMAP = reads(
    "The days on which its status changed.", ref("Timemap"), formats=(LINK_FORMAT, JSON_FORMAT), problems=_MISSING
)
PLEDGE_EVENTS = reads("The pledge's events in order.", ref("EventItems"), formats=EVENT_FORMATS, problems=_MISSING)
HISTORY = reads(
    "How the status came to be.",
    ref("History"),
    Parameter(
        "axis", "Along what was said, or along what we recorded.", {"enum": ["as_of", "known"], "default": "as_of"}
    ),
    formats=TABLE_FORMATS,
    problems=_MISSING,
)
PARTS = reads("The pledges that are part of it.", ref("Parts"), *PAGING, formats=STATUS_PAGE_FORMATS, problems=_MISSING)
PARTIES = reads("A page of parties.", ref("PartyPage"), *PAGING, formats=TABLE_FORMATS)
ONE_PARTY = reads("One party.", ref("PartyAnswer"), problems=("party_not_found",))
TIMELINE = reads("The rectangles on both clocks.", ref("Timeline"), formats=TABLE_FORMATS, problems=_MISSING)
FIGURES = reads("Every figure, chosen or not, and why.", ref("Figures"), formats=TABLE_FORMATS, problems=_MISSING)
MEMBERS = reads("Every member's result.", ref("Members"), formats=TABLE_FORMATS, problems=_MISSING)
EVENT_LOG = reads(
    "The log, oldest first.",
    ref("LogPage"),
    Parameter(
        "after", "The position after which the page begins.", {"type": "integer", "minimum": 0, "maximum": MAX_POSITION}
    ),
    _several("pledge", "Only this pledge's.", _SLUG),
    TYPES,
    Parameter("recorded_by", "Only what this one recorded, as `recorded_by` of the events tells it.", _LINE),
    Parameter("recorded_from", "Recorded at this instant or later, RFC 3339 with an offset.", _INSTANT),
    Parameter("recorded_to", "Recorded at this instant or before, RFC 3339 with an offset.", _INSTANT),
    Parameter("stated_from", "Stated on this day or later.", _DAY),
    Parameter("stated_to", "Stated on this day or before.", _DAY),
    _limit(MAX_PAGE_EVENTS),
    formats=EVENT_FORMATS,
)
SUMMARY = reads(
    "Counts and sums.",
    ref("Summary"),
    *FILTERS,
    Parameter("by", "The same for each of these, in `groups`.", {"enum": list(GROUPINGS)}),
    Parameter("currency", "Adds the totals in this currency.", {"enum": sorted(CURRENCIES)}),
    formats=TABLE_FORMATS,
)
PARTY_KEY = "[A-Za-z0-9][A-Za-z0-9-]{0,127}"
"""A regular expression for the keys of parties."""

EVERY = ("month", "quarter", "year")
"""The periods of the calendar at whose ends statuses are counted."""

MAX_STATUS_DAYS = 1_000
"""Days on which one read counts statuses, at most."""

STATUSES_OVER_TIME = reads(
    "Counts by status over time.",
    ref("StatusesOverTime"),
    *FILTERS,
    Parameter("every", "Count at the end of each of these.", {"enum": list(EVERY), "default": "month"}),
    Parameter("from", "The first day that may be counted; by default that of the first pledge.", _DAY),
    Parameter("to", "The last day, which is counted itself; `as_of` by default.", _DAY),
    formats=TABLE_FORMATS,
)
DIFF_GROUPINGS = ("cause",)
"""What the differences between two points can be counted by, beside the headlines."""

DIFF = reads(
    "What changed between two points.",
    ref("Diff"),
    *FILTERS,
    Parameter(
        "by",
        "Adds `counts`: how many pledges went from which headline to which, and why.",
        {"enum": list(DIFF_GROUPINGS)},
    ),
    Parameter("from", "The earlier `as_of`.", _DAY),
    Parameter("to", "The later `as_of`; today by default.", _DAY),
    Parameter("known_from", "The earlier `known_at`; not with `from`.", CLOCKS[1].schema),
    Parameter("known_to", "The later `known_at`; now by default.", CLOCKS[1].schema),
    formats=TABLE_FORMATS,
)
EXPORT = reads("All statuses, as a stream.", ref("Export"), *FILTERS, formats=STATUS_FORMATS)
REPLAY = reads(
    "Statuses folded from the log.",
    ref("Replay"),
    Parameter("compare", "Adds how the projection differs from them.", {"type": "boolean"}),
    needs="auditor",
)


def _reads_in_one_format(
    about: str,
    shown: MediaFormat,
    *query: Parameter,
    framed: bool = False,
    problems: tuple[str, ...] = (),
    schema: Schema | None = None,
    clocks: tuple[Parameter, ...] = CLOCKS,
) -> Contract:
    """The contract of a read that is offered in one format only."""
    return Contract(
        needs="reader",
        replies={200: Reply(about, {shown.essence: schema or {"type": "string"}}, ETAG)},
        query=(*query, *clocks, LOG),
        headers=(IF_NONE_MATCH, MIN_POSITION),
        problems=("invalid_parameter", "unknown_parameter", "not_acceptable", "other_log", *problems),
        formats=(shown,),
        framed=framed,
    )


FEED = _reads_in_one_format(
    "Changes of status; with `type` those that a fact of the type made known.",
    ATOM_FORMAT,
    *FILTERS,
    TYPES,
    _limit(MAX_FEED_ENTRIES, 50),
)
DEADLINES = _reads_in_one_format(
    "Deadlines as an iCalendar feed.",
    ICS_FORMAT,
    *FILTERS,
    Parameter(
        "days",
        "Up to how many days ahead.",
        {"type": "integer", "minimum": 1, "maximum": MAX_DUE_DAYS, "default": DUE_DAYS},
    ),
)
BADGE = _reads_in_one_format("A badge.", BADGE_FORMAT, problems=_MISSING)
WHICH_LOG = _reads_in_one_format("Which log this is.", JSON_FORMAT, schema=ref("Log"), clocks=())
EMBED = _reads_in_one_format("A page for an iframe.", HTML_FORMAT, framed=True, problems=_MISSING, clocks=PAGE_CLOCKS)


def addressed(path: str, query: Mapping[str, str]) -> str:
    """A path with its query."""
    return f"{path}?{encoded(query)}" if query else path


_DRY_RUN = Parameter("dry_run", "Say what would be recorded, and record nothing.", {"type": "boolean"})
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "Sent again with the same payload, the first answer is given again.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
)
PREFER = Parameter(
    "Prefer", "`respond-async` does not wait until reads show it.", {"type": "string", "enum": ["respond-async"]}
)
_IF_MATCH = Parameter(
    "If-Match",
    'The version that the pledge must have: `"2"`, or the tag of a GET of it.',
    {"type": "string", "pattern": '^(\\*|"[0-9]+[!#-~]*")$'},
)
_FACT_PROBLEMS = (
    *("malformed", "invalid_parameter", "unknown_parameter", "pledge_exists", "duplicate_fact", "mixed_basis"),
    *("already_voided", "version_conflict", "too_large", "unsupported_media_type", "invalid_fact", "unit_mismatch"),
    *("unknown_event", "wrong_event_type", "idempotency_mismatch", "not_opened", "future_statement", "rate_limited"),
    *("other_log", "log_went_back", "clock_implausible"),
)
RECORDED_HEADERS = {
    "Idempotency-Replayed": "`true` if the answer was given before.",
    "RateLimit": "What is left of this minute's writes.",
}


def _writes(about: str, schema: Schema, body: Mapping[str, Schema], *headers: Parameter, missing: bool) -> Contract:
    return Contract(
        needs="monitor",
        replies={
            201: Reply(about, {JSON: schema}, RECORDED_HEADERS | ({} if schema == ref("Batch") else {"ETag": "Tag."})),
            200: Reply("What a dry run would have recorded.", {JSON: ref("DryRun")}, {}),
        },
        query=(_DRY_RUN,),
        headers=(IDEMPOTENCY_KEY, *headers, LOG_HEADER, PREFER),
        body=body,
        problems=(*_FACT_PROBLEMS, *(_MISSING if missing else ())),
        tag="Writing",
        writes=True,
    )


_BATCH: Schema = {"type": "array", "items": ref("BatchItem"), "minItems": 1, "maxItems": MAX_BATCH_ITEMS}

OPEN_PLEDGE = _writes("The pledge is open.", ref("Receipt"), {JSON: ref("Opening")}, missing=False)
ADD_EVENT = _writes("The fact is recorded.", ref("Receipt"), {JSON: ref("Fact")}, _IF_MATCH, missing=True)
ADD_BATCH = _writes("All are recorded.", ref("Batch"), {JSON: _BATCH, NDJSON: {"type": "string"}}, missing=False)


def serves(about: str, content: Mapping[str, Schema], *problems: str) -> Contract:
    """The contract of a route that is open to all and takes no parameters."""
    return Contract("open", {200: Reply(about, content, {})}, problems=("unknown_parameter", *problems), tag="About")
