"""The audit page shows what is signed, and leads to the proof of every event."""

import re
from html import unescape

from tests.support.api import Api, progress, statement
from tests.support.waiting import wait_until
from tracker.tlog_proof import TlogProof

BROWSER = {"Accept": "text/html"}


def audit(api: Api, query: str = "") -> str:
    answer = api.get(f"/audit{query}", headers=BROWSER)
    assert answer.status_code == 200
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.text)))


def signed(api: Api) -> None:
    wait_until(lambda: api.get("/v1/log").json().get("checkpoint", {}).get("size") == api.head())


def test_the_last_checkpoint_and_the_last_proof_are_shown_and_follow_the_log(lite: Api) -> None:
    lite.open()
    signed(lite)
    lite.add(progress())
    signed(lite)
    checkpoint = lite.get("/v1/log").json()["checkpoint"]
    wait_until(lambda: "The last checkpoint is of 2 events, signed" in audit(lite))
    said = audit(lite)
    assert f"with the root {checkpoint['root']}." in said
    assert "the log of 2 events was last proved to begin with the 1 that were signed before" in said
    assert f'datetime="{checkpoint["signed_at"]}" data-since' in lite.get("/audit", headers=BROWSER).text
    lite.add(statement())
    wait_until(lambda: "the log of 3 events was last proved to begin with the 2" in audit(lite))


def test_every_event_leads_to_its_proof(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    signed(lite)
    links = re.findall(r'href="(/ledger/proof/event[^"]*)"', lite.get("/audit", headers=BROWSER).text)
    assert links == [f"/ledger/proof/event?position={position}" for position in (2, 1)]
    assert [TlogProof.parse(lite.get(link).content).index for link in links] == [1, 0]


def test_at_a_past_position_the_first_checkpoint_that_covers_it_is_shown(lite: Api) -> None:
    lite.open()
    signed(lite)
    lite.add(progress())
    signed(lite)
    said = audit(lite, "?at_position=1")
    assert "The first checkpoint that covers position 1 is of 1 events, signed" in said
    assert "last proved" not in said


def test_that_nothing_is_signed_any_more_is_told(lite: Api) -> None:
    lite.open()
    signed(lite)
    (lite.services.settings.state_directory / "signing-keys").chmod(0o644)
    wait_until(lambda: "Nothing is signed any more: the file of signing keys" in audit(lite))
