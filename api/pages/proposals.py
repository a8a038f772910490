"""The page of the queue: what waits for a second pair of eyes. Its script reads it with the key in the tab's memory."""

from __future__ import annotations

from api.http.responses import BytesResponse
from api.pages.form_words import WORDS
from api.pages.frame import PageRequest, page_contract
from tracker.proposal import STATES

QUEUE_CONTRACT = page_contract("What was proposed, for who decides on it.")

STATE_WORDS = {
    "open": "Waiting for a decision",
    "returned": "Returned, to be revised",
    "accepted": "Accepted",
    "declined": "Declined",
    "withdrawn": "Withdrawn",
}
"""The states of a proposal, in the words of the page."""


def draw_queue(page: PageRequest) -> BytesResponse:
    """The page at `/proposals`. Nothing of a proposal is in it: it is public, and proposals are not."""
    at = page.projected()
    labels = {name: label for name, (label, _) in WORDS.items() if name.startswith("/")}
    states = [(state, STATE_WORDS[state]) for state in STATES]
    html = page.render("proposals.html", at, states=states, labels=labels)
    return page.about_log(page.services.tracker.log.head() if page.at.position is None else page.at.position, html)
