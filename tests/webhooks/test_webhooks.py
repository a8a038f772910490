"""Webhooks on both stores: who is told of what, signed, again and again until it is taken, whoever is killed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.outgoing.webhook_sender import signature
from api.outgoing.webhooks import send_again, webhooks
from tests.support.api import made, progress, statement
from tests.support.moving import lived_in
from tests.support.receivers import receiving
from tests.support.shell import Shell, ended, gone, with_tables
from tests.support.waiting import wait_until
from tests.support.webhook_desk import NOW, Desk

NETWORKS = {"TRACKER_WEBHOOK_NETWORKS": "127.0.0.0/8"}


def test_events_are_told_as_they_are_served_signed_with_the_secret(desk: Desk) -> None:
    desk.api.open("before-it")
    _, secret = desk.add("--what", "events")
    event = desk.api.open()["event"]
    assert desk.send() == 1
    (sent,) = desk.receiver.sent
    assert sent.id == event["id"]
    assert sent.message["type"] == "org.commitments-tracker.PledgeMade"
    assert sent.message["data"] == event
    timestamp = sent.headers["webhook-timestamp"]
    assert int(timestamp) == round(NOW.timestamp())
    assert sent.headers["webhook-signature"] == signature(secret, sent.id, int(timestamp), sent.body)
    assert desk.send() == 0


def test_filters_narrow_what_is_told(desk: Desk) -> None:
    desk.add("--what", "events", "--type", "StatementMade")
    desk.add("--what", "events", "--pledge", "other-one")
    desk.add("--what", "events", "--party", "Alliance", "--tag", "aid")
    one, _, third = (hook.id for hook in webhooks(desk.engine, NOW))
    desk.api.open(tags=["aid"])
    desk.api.add(statement())
    desk.api.open("elsewhere", pledgor={"name": "Somebody"}, tags=["aid"])
    desk.send()
    told = {hook.id: [d.pledge for d in desk.log() if d.webhook == hook.id] for hook in webhooks(desk.engine, NOW)}
    assert told == {one: ["aid-2024"], third: ["aid-2024", "aid-2024"]} | {
        hook.id: [] for hook in webhooks(desk.engine, NOW) if hook.id not in (one, third)
    }


def test_a_change_of_status_is_told_with_the_event_that_made_it_known(desk: Desk) -> None:
    desk.now = datetime(2025, 6, 1, tzinfo=UTC)
    desk.add("--what", "statuses")
    desk.api.open()
    event = desk.api.add(progress("50bn EUR", stated_on="2025-02-01", figure={
        "period": {"start": "2024-01-01", "end": "2024-12-31"}}))["event"]  # fmt: skip
    desk.api.add(statement(stated_on="2025-03-01"))
    desk.send()
    sent = sorted(desk.receiver.sent, key=lambda one: one.message["data"]["position"])
    changes = [(one.message["data"]["status_before"], one.message["data"]["status_after"]) for one in sent]
    assert changes == [(None, "overdue"), ("overdue", "exceeded")]
    last = sent[-1]
    assert last.id == f"{event['id']}.status"
    assert last.message["data"]["event"] == event["id"]
    assert last.message["data"]["url"] == "https://pledges.example.org/v1/pledges/aid-2024?as_of=2025-06-01"


def test_a_change_that_comes_with_the_day_is_told_once(desk: Desk) -> None:
    desk.api.open(window={"start": "2024-01-01", "end": "2024-03-02"})
    desk.add("--what", "statuses")
    assert desk.send() == 0
    desk.now += timedelta(days=3)
    assert desk.send() == desk.send() + 1 == 1
    (sent,) = desk.receiver.sent
    log = desk.api.services.heads.log_id
    assert sent.id == f"{log}.aid-2024.2024-03-03"
    assert sent.message["data"]["status_after"] == "overdue"
    assert "event" not in sent.message["data"]


def test_what_is_not_taken_is_sent_again_ever_more_seldom_until_it_failed_and_then_by_hand(desk: Desk) -> None:
    id_, _ = desk.add("--what", "events")
    desk.receiver.answer = lambda _: (500, {})
    desk.api.open()
    attempts = 0
    while desk.log() == [] or desk.log()[0].state == "pending":
        desk.send()
        attempts += 1
        assert len(desk.receiver.sent) == attempts
        desk.send()
        assert len(desk.receiver.sent) == attempts  # not before its time
        desk.now = datetime.fromisoformat(desk.log()[0].next_at)
    assert (desk.log()[0].state, desk.log()[0].answer) == ("failed", "answered 500")
    assert attempts == 12
    assert desk.now - NOW > timedelta(days=4)
    desk.receiver.answer = lambda _: (200, {})
    assert send_again(desk.engine, id_, desk.now) == 1
    assert desk.send() == 1
    assert len(set(desk.receiver.ids)) == 1
    assert "delivered" in desk.shell.run("webhooks", "log", id_).stdout


def test_retry_after_is_kept_and_410_is_the_end(desk: Desk) -> None:
    id_, _ = desk.add("--what", "events")
    desk.receiver.answer = lambda _: (503, {"Retry-After": "7200"})
    desk.api.open()
    desk.send()
    assert desk.log()[0].next_at >= (NOW + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    desk.now += timedelta(hours=3)
    desk.receiver.answer = lambda _: (410, {})
    desk.send()
    (gone_one,) = webhooks(desk.engine, desk.now)
    assert gone_one.disabled == "its receiver answered 410"
    assert "whsec_" not in repr(gone_one)
    desk.api.open("later")
    desk.now += timedelta(days=1)
    desk.send()
    assert len(desk.receiver.sent) == 2
    desk.shell.run("webhooks", "enable", id_)
    desk.receiver.answer = lambda _: (200, {})
    assert desk.send() == 2


def test_nothing_goes_to_a_private_address_not_after_a_redirect_either(desk: Desk) -> None:
    desk.add("--what", "events")
    desk.api.open()
    desk.send(networks=())
    assert desk.receiver.sent == []
    assert desk.log()[0].answer.startswith("refused: 127.0.0.1 is 127.0.0.1")
    desk.receiver.answer = lambda sent: (307, {"Location": "https://[::1]/elsewhere"})
    desk.now += timedelta(hours=1)
    desk.send()
    assert desk.log()[0].answer.startswith("refused: ::1 is ::1, which is no address of the public internet")
    desk.receiver.answer = lambda sent: (308, {"Location": "/moved"}) if sent.path == "/hook" else (200, {})
    desk.now += timedelta(days=1)
    assert desk.send() == 1
    assert desk.receiver.sent[-1].path == "/moved"
    desk.receiver.answer = lambda sent: (307, {"Location": "/hook"})
    desk.api.open("round-and-round")
    desk.send()
    assert desk.log()[0].answer == "more than 3 redirects"


def test_a_receiver_sends_us_on_to_no_private_address_though_one_is_allowed(desk: Desk) -> None:
    desk.add("--what", "events")
    desk.api.open()
    with receiving() as elsewhere:
        desk.receiver.answer = lambda _: (307, {"Location": elsewhere.url})
        desk.send()
        desk.now += timedelta(hours=1)
        desk.receiver.answer = lambda _: (308, {"Location": elsewhere.url.replace("http:", "https:")})
        desk.send()
    assert (len(desk.receiver.sent), elsewhere.sent) == (2, [])
    assert desk.log()[0].answer == "refused: 127.0.0.1 is 127.0.0.1, which is no address of the public internet"


def test_a_secret_is_rotated_with_both_signing_for_a_time(desk: Desk) -> None:
    id_, old = desk.add("--what", "events")
    new = desk.shell.run("webhooks", "rotate", id_, "--overlap", "90d").stdout.split()[-1]
    desk.now = datetime.now(UTC)
    desk.api.open()
    desk.send()
    first = desk.receiver.sent[-1]
    at = int(first.headers["webhook-timestamp"])
    both = [signature(secret, first.id, at, first.body) for secret in (new, old)]
    assert first.headers["webhook-signature"].split() == both
    desk.now += timedelta(days=91)
    desk.api.open("afterwards")
    desk.send()
    last = desk.receiver.sent[-1]
    assert last.headers["webhook-signature"] == signature(
        new, last.id, int(last.headers["webhook-timestamp"]), last.body
    )


def test_what_is_withheld_by_then_is_in_no_body(desk: Desk) -> None:
    desk.add("--what", "events", "--type", "StatementMade")
    desk.receiver.answer = lambda _: (500, {})
    desk.api.open()
    event = desk.api.add(statement(summary="A private matter."))["event"]["id"]
    desk.send()
    desk.shell.run("withhold", event, "--fields", "summary", "--reason", "Ruling 7 O 123/26")
    desk.now += timedelta(hours=1)
    desk.send()
    bodies = [one.body for one in desk.receiver.sent if one.id == event]
    assert [b"A private matter." in body for body in bodies] == [True, False]


def test_a_fork_is_told_on_from_where_it_forked(desk: Desk) -> None:
    desk.add("--what", "events")
    desk.api.open()
    desk.send()
    desk.shell.run("log", "fork", "--reason", "a drill")
    wait_until(lambda: desk.api.services.heads.log_id == desk.api.services.tracker.log.look().log)
    desk.api.open("after-it")
    desk.send()
    assert [d.pledge for d in desk.log()] == ["after-it", "aid-2024"]
    assert len(desk.receiver.sent) == 2


@pytest.mark.slow
def test_every_message_arrives_though_the_sender_is_killed_again_and_again(database_url: str, tmp_path: Path) -> None:
    shell = with_tables(database_url, tmp_path)
    with receiving() as receiver:
        shell.run("webhooks", "add", receiver.url, "--what", "events")
        facts = [made(), *(statement(summary=f"Number {number}.") for number in range(150))]
        lines = "\n".join(json.dumps({"pledge": "killed", "fact": fact}) for fact in facts)
        shell.run("import", shell.write("facts.ndjson", lines))
        shell.run("status")  # it projects, since nobody else does
        for kills in (1, 2, 3):
            process = shell.start("webhooks", "send", **NETWORKS)
            wait_until(lambda until=40 * kills: len(set(receiver.ids)) >= until, process)  # type: ignore[misc]
            gone(process)
        with shell.log() as log:
            recorded = {row.event_id for row in log.read(limit=1_000)}
        process = shell.start("webhooks", "send", **NETWORKS)
        wait_until(lambda: set(receiver.ids) == recorded, process)
        assert ended(process) == 0
        gone(process)
        assert shell.run("webhooks", "log", "--state", "pending").stderr.endswith("0 messages.\n")


@pytest.mark.slow
def test_webhooks_outlive_a_rebuild_and_a_move(database_url: str, tmp_path: Path) -> None:
    home = Shell(database_url, tmp_path)
    lived_in(home)
    home.run("rebuild")
    before = home.run("webhooks", "list").stdout
    assert "ukraine" in before
    home.run("log", "export", "moving", "--private", "moving.private")
    away = tmp_path / "away"
    away.mkdir()
    there = Shell(f"sqlite:///{away}/tracker.db", away)
    there.run("log", "import", str(tmp_path / "moving"), "--private", str(tmp_path / "moving.private"))
    assert there.run("webhooks", "list").stdout == before


def test_the_commands_refuse_what_cannot_be(desk: Desk) -> None:
    shell = desk.shell
    assert "begins with https://" in shell.run("webhooks", "add", "ftp://example.org", code=2).stderr
    assert "beyond the log" in shell.run("webhooks", "add", "https://example.org", "--from", "9", code=2).stderr
    for command in ("remove", "rotate", "disable", "enable", "replay", "log"):
        assert "there is no webhook 'wh_0'" in shell.run("webhooks", command, "wh_0", code=1).stderr
    assert "RFC 3339" in shell.run("webhooks", "replay", "wh_0", "--since", "yesterday", code=2).stderr
    id_, _ = desk.add()
    assert "has no message" in shell.run("webhooks", "replay", id_, "--message", "one", code=1).stderr
    shell.run("webhooks", "remove", id_)
    assert shell.run("webhooks", "list").stderr.endswith("0 webhooks.\n")
