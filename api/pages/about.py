"""The pages about the tracker itself: by which rules a status is found, and how programs use it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from litestar import Controller
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic_core import from_json

from api import wording
from api.http.addresses import base_path
from api.http.contract import AnyRequest, read
from api.http.known_heads import Validity
from api.http.responses import BytesResponse, Redirect
from api.pages.frame import HEADERS, HTML, PageRequest, page_contract, render
from api.pages.pledge_rows import pledge_row
from api.pages.ways_out import EMBED_HEIGHT
from api.resources.contracts import serves
from api.services import Services
from projections.queries import Filters
from tracker.rules.status_document import RULES_VERSION

_EXAMPLE = "nato-ukraine-2024"
"""The pledge that stands in addresses while there is none."""


class AboutController(Controller):
    """What the tracker is, for readers and for programs."""

    @read("/about/rules", serves("A page.", {"text/html": {"type": "string"}}), threaded=False)
    def rules(self, request: AnyRequest) -> BytesResponse:
        """By which rules a status is found, each with an example and the hard case that it comes from."""
        return _rules_page(base_path(request.scope))

    @read("/developers", page_contract("A page for who reads the record with programs."))
    def developers(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """How programs read the record, and how other sites show it."""
        page = PageRequest(request, services)
        return Redirect(page.link()) if page.has_blanks else _developers_page(page)


@lru_cache(maxsize=8)
def _rules_page(base: str) -> BytesResponse:
    """The page of rules below a base path; it changes with the release alone."""
    body = render("rules.html", base, version=RULES_VERSION, **_rules())
    return BytesResponse(body, media_type=HTML, validity=Validity(), headers=HEADERS)


@cache
def _rules() -> Mapping[str, Any]:
    """The tables of rules.md with an example for each row, as `docs/rules_examples.py` wrote them."""
    written = from_json((files("api.pages") / "rules_examples.json").read_bytes())
    return {
        "statuses": [
            {**row, "examples": [{"name": name, **_drawn(row["examples"][name])} for name in row["names"]]}
            for row in written["statuses"]
        ],
        "flags": [{**row, **_drawn(row["example"])} for row in written["flags"]],
        "thresholds": written["thresholds"],
        "versions": written["versions"],
    }


def _drawn(example: Mapping[str, Any]) -> dict[str, Any]:
    status = example["status"]
    return {"row": pledge_row(status), "means": wording.means(status), "case": example["case"]}


def _developers_page(page: PageRequest) -> BytesResponse:
    at = page.projected()
    found = page.services.timeline.page(Filters(), at, "-changed", 1).items
    status = from_json(found[0]) if found else None
    slug = _EXAMPLE if status is None else status["pledge"]
    body = page.render(
        "developers.html",
        at,
        slug=slug,
        status=status,
        here_is=page.absolute(page.base) if page.services.settings.public_url else None,
        frame_height=EMBED_HEIGHT,
    )
    return page.about_all(at.position, body)
