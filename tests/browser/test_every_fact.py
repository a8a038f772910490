"""Every type of fact with all of its fields, posted through its form, is the same fact as posted by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import Opener, Site, use_key
from tests.support.full_facts import FIGURE_EVENT, TALK_EVENT, full_facts

SHOWN_TARGET = ("EventCorrected", "FigureRestated")


class Recorded:
    """A pledge on which the facts are recorded one after the other."""

    def __init__(self) -> None:
        self.slug = f"aid-{uuid.uuid4().hex[:8]}"
        self.ids: dict[str, str] = {}

    def named(self, fact: Any) -> Any:
        """The fact with the ids of the events of this pledge."""
        text = json.dumps(fact)
        for name, id_ in self.ids.items():
            text = text.replace(name, id_)
        return json.loads(text)

    def note(self, event: Mapping[str, Any]) -> None:
        names = {"ProgressReported": FIGURE_EVENT, "StatementMade": TALK_EVENT}
        if (name := names.get(event["fact"]["type"])) is not None:
            self.ids.setdefault(name, event["id"])


def put(field: Locator, value: Any) -> None:
    """Fill in one field, as a value of JSON."""
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(json.dumps(value) if isinstance(value, bool) else value)
    else:
        field.fill("" if value is None else ", ".join(value) if isinstance(value, list) else str(value))


def state(page: Page, value: Any, pointer: str = "") -> None:
    """Fill in the form with a fact."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            state(page, part, f"{pointer}/{name}")
        return
    box = page.locator(f"[data-rows='{pointer}']")
    if value == []:
        page.locator(f"[data-none='{pointer}']").check()
    elif box.count():
        for number, row in enumerate(value):
            if box.locator("[data-row]").count() == number:
                box.locator("[data-add-row]").click()
            row_box = box.locator("[data-row]").nth(number)
            for name, part in flat(row):
                put(row_box.locator(f"[data-pointer$='{name}']"), part)
    else:
        put(page.locator(f"[data-pointer='{pointer}']"), value)


def flat(row: Mapping[str, Any], pointer: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, part in row.items():
        found += flat(part, f"{pointer}/{name}") if isinstance(part, Mapping) else [(f"{pointer}/{name}", part)]
    return found


@pytest.mark.slow
def test_every_fact_posted_through_its_form_is_the_fact_posted_by_hand(tab: Opener, site: Site) -> None:
    by_hand, by_form = Recorded(), Recorded()
    page = tab("/record", refused=True)  # half a fact is tried while it is typed
    for index, fact in enumerate(full_facts()):
        opens = fact["type"] == "PledgeMade"
        is_second = opens and index > 0
        slugs = [f"{pledge.slug}{'-again' if is_second else ''}" for pledge in (by_hand, by_form)]
        posted = by_hand.named(fact)
        body = {"pledge": slugs[0], "fact": posted} if opens else posted
        hand = site.post("/v1/pledges" if opens else f"/v1/pledges/{slugs[0]}/events", body)["event"]
        by_hand.note(hand)

        typed = by_form.named(fact)
        event = f"&event={typed['event']}" if fact["type"] in SHOWN_TARGET else ""
        where = "/record?type=PledgeMade" if opens else f"/record?pledge={slugs[1]}&type={fact['type']}{event}"
        page.goto(where)
        use_key(page)
        expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
        page.evaluate("document.querySelectorAll('.record-form details').forEach((fold) => { fold.open = true; })")
        if opens:
            page.get_by_label("Slug").fill(slugs[1])
        state(page, {name: value for name, value in typed.items() if name != "type"})
        page.get_by_role("button", name="Record it").click()
        receipt, errors = page.locator("[data-receipt]"), page.locator("[data-error-form]")
        expect(receipt.or_(errors.locator("li")).first).to_be_visible()
        assert errors.inner_text() == "", (fact["type"], errors.inner_text())
        form = site.get(f"/v1/pledges/{slugs[1]}/events")["items"][-1]
        by_form.note(form)
        assert form["fact"]["type"] == fact["type"]
        assert comparable(form, by_form) == comparable(hand, by_hand), fact["type"]


def comparable(event: Mapping[str, Any], pledge: Recorded) -> Any:
    """A fact without the ids that differ between two pledges."""
    text = json.dumps(event["fact"], sort_keys=True)
    for name, id_ in pledge.ids.items():
        text = text.replace(id_, name)
    return json.loads(text)
