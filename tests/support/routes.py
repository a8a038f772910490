"""Every route with its place-holders filled: those of the OpenAPI document, and the pages, which stand in none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from litestar.handlers import HTTPRouteHandler

from api.http.contract import Contract
from api.pages.about import AboutController
from api.pages.controller import PageController
from api.pages.deadlines import DeadlinePageController
from api.pages.desk import DeskController
from api.pages.embed import EmbedController
from api.pages.importing import ImportPageController
from api.pages.parties import PartyPageController
from api.pages.schema import SchemaPageController
from api.pages.sitemap import SitemapController
from tests.support.api import NEEDED_QUERY

FILLED = {"pledge": "aid-2024", "name": "app.css", "code": "not_found", "key": "alliance", "place": "0/000",
          "proposal": "01a217ba-1200-7101-8101-010101010101"}  # fmt: skip
"""What stands in the place of a name in a path; any other gets `aid-2024`."""

PAGES = (
    PageController, EmbedController, SchemaPageController, ImportPageController, AboutController,
    DeskController, PartyPageController, DeadlinePageController, SitemapController,
)  # fmt: skip
"""The controllers of pages."""

STREAM = "/v1/events/stream"
"""The one route whose answer has no end."""


class Route(NamedTuple):
    """One method of one path of the document. `role` is the role that it needs, None where nobody is asked for one."""

    method: str
    template: str
    role: str | None
    keyed: bool
    """Whether a key is needed even where reads are public."""

    operation: Mapping[str, Any]

    @property
    def path(self) -> str:
        """The path with something that is there in place of each name."""
        return re.sub(r"{(\w+)}", lambda found: FILLED.get(found[1], "aid-2024"), self.template)

    def parameters(self, place: str) -> dict[str, Mapping[str, Any]]:
        """The schemas of its parameters in `query`, `header` or `path`, by name."""
        return {p["name"]: p["schema"] for p in self.operation.get("parameters", ()) if p["in"] == place}

    @property
    def media_types(self) -> list[str]:
        """The media types of the bodies that it reads: those with a schema, then those told in words."""
        body = self.operation.get("requestBody", {})
        return [*body.get("content", ()), *re.findall(r"`(\w+/[\w.+-]+)`", body.get("description", ""))]

    @property
    def valid(self) -> str:
        """An address that is answered: the path, and what must be asked."""
        return self.path + NEEDED_QUERY.get(self.template, "")


def routes(document: Mapping[str, Any]) -> Iterator[Route]:
    """All routes of an OpenAPI document, and all of the pages."""
    for template, methods in document["paths"].items():
        for method, operation in methods.items():
            security = operation["security"]
            roles = [role for one in security for role in one.get("key", ())]
            yield Route(method.upper(), template, roles[0] if roles else None, {} not in security, operation)
    for controller in PAGES:
        for handler in vars(controller).values():
            if isinstance(handler, HTTPRouteHandler):
                for path in sorted(handler.paths):
                    method = "POST" if "POST" in handler.http_methods else "GET"
                    yield _of_page(method, handler.opt["contract"], re.sub(r"{(\w+):\w+}", r"{\1}", path))


def _of_page(method: str, contract: Contract, template: str) -> Route:
    query = [{"name": one.name, "in": "query", "schema": one.schema} for one in contract.query]
    names = [{"name": name, "in": "path", "schema": {}} for name in re.findall(r"{(\w+)}", template)]
    role = None if contract.needs == "open" else contract.needs
    return Route(method, template, role, role is not None and contract.keyed, {"parameters": [*query, *names]})
