"""The statement for auditors: what was said, recorded and signed about one pledge, the same for ever at one address."""

from __future__ import annotations

import re

import pytest

from projections.ledger.reader import Ledger
from tests.support.api import Api, progress, running, statement
from tests.support.pages import BROWSER, text_of
from tests.support.tampering import tamper
from tests.support.waiting import wait_until
from tracker.signed_note import encode_base64

AT = "?as_of=2024-12-31&at_position=2"
ADDRESS = f"/pledges/aid-2024/statement{AT}"


def signed(api: Api, size: int) -> None:
    wait_until(lambda: api.services.ledger.size() >= size)


@pytest.fixture
def api(lite: Api) -> Api:
    """A pledge with one figure, recorded and signed, and one more event after it."""
    lite.open()
    lite.add(progress("21bn EUR", speaker={"name": "Minister <b>"}, summary="Half of it & more"))
    signed(lite, 2)
    lite.add(statement(summary="Said later"))
    signed(lite, 3)
    return lite


def test_it_says_what_was_recorded_by_then_with_leaves_and_the_first_checkpoint_that_covers_it(api: Api) -> None:
    answer = api.get(ADDRESS, headers=BROWSER)
    assert answer.status_code == 200
    text = text_of(answer.text)
    assert "On 31 Dec 2024, as recorded at position 2" in text
    assert "this pledge was In progress" in text
    assert "What was said and recorded (2)" in text
    for part in ("Minister <b>", "Half of it & more", "Example Gazette", "by admin", "at least €40bn", "€21bn"):
        assert part in text, part
    assert "Said later" not in text
    rows = api.services.tracker.log.pledge_rows("aid-2024")
    leaves = re.findall(r"leaf <code>(\S+)</code>", answer.text)
    assert leaves == [encode_base64(row.leaf) for row in rows[:2]]
    covering = api.services.ledger.checkpoint_covering(2)
    assert covering is not None
    assert covering.size == 2
    shown = re.search(r'<pre class="statement-checkpoint"><code>(.*?)</code>', answer.text, re.S)
    assert shown is not None
    assert shown[1] == covering.note.decode()


def test_the_same_address_gives_the_same_page_whatever_comes_later(sqlite_url: str) -> None:
    with running(sqlite_url) as api:
        api.open()
        api.add(progress("21bn EUR"))
        signed(api, 2)
        first = api.get(ADDRESS, headers=BROWSER)
        for _ in range(3):
            api.add(statement())
        signed(api, 5)
        assert api.get(ADDRESS, headers=BROWSER).content == first.content
    with running(sqlite_url) as api:
        again = api.get(ADDRESS, headers=BROWSER)
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        assert api.get(ADDRESS, headers=BROWSER | {"If-None-Match": first.headers["etag"]}).status_code == 304


def test_without_both_clocks_it_leads_to_the_address_that_has_them(api: Api) -> None:
    for given in ("", "?as_of=2024-12-31", "?known_on=2026-01-01&as_of=2024-12-31"):
        answer = api.get(f"/pledges/aid-2024/statement{given}", headers=BROWSER, follow_redirects=False)
        assert answer.status_code == 302
        assert re.search(r"\?as_of=\d{4}-\d\d-\d\d&at_position=\d$", answer.headers["location"]), given
    page = api.get("/pledges/aid-2024?as_of=2024-12-31", headers=BROWSER).text
    assert 'href="/pledges/aid-2024/statement?as_of=2024-12-31"' in page


def test_what_is_not_there_or_not_signed_yet_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.get(f"/pledges/nothing/statement{AT}", headers=BROWSER).status_code == 404
    assert api.get("/pledges/aid-2024/statement?as_of=2020-01-01&at_position=2", headers=BROWSER).status_code == 404
    assert api.get("/pledges/aid-2024/statement?as_of=2024-12-31&at_position=4", headers=BROWSER).status_code == 400
    monkeypatch.setattr(Ledger, "checkpoint_covering", lambda *_: None)
    refused = api.get("/pledges/aid-2024/statement?as_of=2024-12-31&at_position=1", headers=BROWSER)
    assert refused.status_code == 404
    assert "There is no checkpoint yet" in text_of(refused.text)


def test_a_withheld_text_is_gone_from_it_and_its_leaf_stays(api: Api) -> None:
    row = api.services.tracker.log.pledge_rows("aid-2024")[1]
    api.services.tracker.log.withhold(row.event_id, ["summary"], reason="Ruling.", at=row.recorded_at, by="alice")
    text = api.get(f"/pledges/aid-2024/statement{AT}", headers=BROWSER).text
    assert "Half of it" not in text
    assert f"{encode_base64(row.leaf)}</code> (of the whole line" in text


@pytest.mark.parametrize("note", [b"ab\xff", b"another\n"])
def test_a_checkpoint_that_was_changed_in_the_database_is_on_no_statement_and_in_no_proof(
    api: Api, sqlite_url: str, note: bytes
) -> None:
    tamper(sqlite_url, "UPDATE ledger_checkpoint SET note = :note", note=note)
    for address in (ADDRESS, "/ledger/checkpoint", "/ledger/proof/event?position=2"):
        assert api.get(address, headers=BROWSER).status_code == 503, address
