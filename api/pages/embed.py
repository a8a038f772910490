"""The status of one pledge as a small page for an iframe on any site. It loads nothing, and is whole without script."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from importlib.resources import files

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic_core import from_json

from api import amounts
from api.http import data_license
from api.http.contract import AnyRequest, read
from api.http.headers import style_only_policy
from api.http.responses import BytesResponse
from api.pages.frame import CLOCK_NAMES, render
from api.pages.pledge import not_said_yet
from api.pages.pledge_rows import pledge_row
from api.resources import contracts
from api.resources.read_request import ReadRequest
from api.services import Services
from tracker.errors import PledgeNotFound

FRAME_STYLE = files("api.pages").joinpath("templates", "embed.css").read_text("utf-8")

FRAME_SCRIPT = files("api.pages").joinpath("templates", "embed.js").read_text("utf-8")
"""Tells the page around the frame how high it is; the frame is whole without it."""

FRAME_SCRIPT_HASH = "sha256-" + b64encode(sha256(FRAME_SCRIPT.encode()).digest()).decode()


class EmbedController(Controller):
    """What other sites show in a frame."""

    @read("/embed/{pledge:str}", contracts.EMBED)
    def embed(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The status as a small page for an iframe on any site. It loads nothing, and is whole without its script."""
        read = ReadRequest(request, services)
        try:
            document = read.status(pledge)
            is_earlier = False
        except PledgeNotFound:
            # As the pledge's page does: what is known today of what had been said by then.
            if is_earlier := read.first_recorded_after(pledge) is not None:
                read.at = replace(read.at, position=None, known_at=None, numbered=False)
            at = read.projected()
            if (found := services.timeline.one(pledge, at)) is None:
                raise not_said_yet(read, pledge, at) from None
            document = found
        status = from_json(document)
        clocks = {name: read.query[name] for name in CLOCK_NAMES if name in read.query}
        near = amounts.distinct_digits(status["actual"], status["target"])
        body = render(
            "embed.html",
            read.base,
            status=status,
            is_earlier=is_earlier,
            style=FRAME_STYLE,
            script=FRAME_SCRIPT,
            row=pledge_row(status, near),
            actual=amounts.amount(status["actual"], near),
            target=amounts.amount(status["target"], near),
            link=read.address(contracts.addressed(f"/pledges/{pledge}", clocks)),
            license=services.settings.data_license,
            license_link=data_license.address(services.settings.data_license),
        )
        policy = style_only_policy(
            FRAME_STYLE, f"; script-src '{FRAME_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors *"
        )
        return read.about_pledge(pledge, status["version"], body, policy)
