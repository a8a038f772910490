"""All that can be read, for tests that ask whether everything answers."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from httpx import Response

from tests.support.api import MONITOR, NEEDED_QUERY, Api

PAGES = (
    "/", "/compare?from=2024-01-01", "/compare?from=2024-01-01&axis=recorded", "/parties", "/parties/nato-allies",
    "/tags/aid", "/deadlines", "/audit", "/audit?replay=true", "/record", "/proposals", "/import", "/about/rules",
    "/developers", "/v1/feed.atom",
)  # fmt: skip
"""The pages that are of no pledge, or of many; those of a party and a tag that may not be there."""


def pages_of(pledge: str) -> Iterator[str]:
    """The pages of a pledge."""
    yield from (f"/pledges/{pledge}", f"/pledges/{pledge}?as_of=2024-08-15", f"/pledges/{pledge}/record")
    yield from (f"/pledges/{pledge}/picture.svg", f"/pledges/{pledge}/statement", f"/embed/{pledge}")
    yield from (f"/audit?pledge={pledge}", f"/audit?replay=true&pledge={pledge}")
    yield f"/record?pledge={pledge}&type=EventCorrected"


def get_routes(api: Api, pledges: Sequence[str]) -> Iterator[str]:
    """Every GET of the OpenAPI document and every page, on these pledges, in every format."""
    document = api.get("/schema/openapi.json").json()
    for path, methods in document["paths"].items():
        if "get" not in methods or path.endswith("/stream"):
            continue
        query = {p["name"]: p["schema"] for p in methods["get"].get("parameters", ()) if p["in"] == "query"}
        for filled_in in [path.replace("{pledge}", pledge) for pledge in pledges] if "{pledge}" in path else [path]:
            if "{" in filled_in:
                continue
            start = NEEDED_QUERY.get(path, "?")
            yield filled_in + start
            if "as_of" in query:
                yield f"{filled_in}?as_of=2024-07-31" + ("&known_from=2020-01-01T00:00:00Z" if "from" in start else "")
            for format_ in query.get("format", {}).get("enum", ()):
                yield f"{filled_in}{start}&format={format_}"
            if "axis" in query:
                yield f"{filled_in}?axis={query['axis']['enum'][-1]}"
            if "compare" in query:
                yield f"{filled_in}?compare=true"
    for pledge in pledges:
        yield from pages_of(pledge)
    yield from PAGES
    yield from ("/v1/summary?by=tag&currency=USD", "/v1/pledges?flag=stale_projection", "/health/ready", "/metrics")


def failing(api: Api, paths: Iterable[str]) -> dict[str, str]:
    """The paths that are not answered, or with what is not what it says to be, and what they were answered."""
    failed = {}
    for path in paths:
        answer = api.get(path.replace("?&", "?").rstrip("?"), headers=MONITOR)
        if answer.status_code >= 500 or answer.status_code == 400 or "Traceback" in answer.text:
            failed[path] = f"{answer.status_code} {answer.text[:300]}"
        elif not is_whole(answer):
            failed[path] = f"no JSON: {answer.text[:300]}"
    return failed


def is_whole(answer: Response) -> bool:
    """Whether an answer that says to be JSON, or JSON line by line, is."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    pieces = answer.content.splitlines() if kind == "application/x-ndjson" else [answer.content]
    if not kind.endswith("json"):
        return True
    with suppress(ValueError):
        for piece in pieces:
            json.loads(piece)
        return True
    return False
