"""The process that sends: nobody holds up anybody else, nothing is left out, and no trouble ends it."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from api.outgoing import webhook_messages, webhook_sender
from api.outgoing.webhooks import Webhook, remove_webhook, webhooks
from projections.timeline import Timeline
from tests.support.api import progress, statement
from tests.support.receivers import Sent, receiving
from tests.support.waiting import HANG_SECONDS, wait_until
from tests.support.webhook_desk import NOW, Desk
from tracker.errors import Unavailable


def test_a_receiver_that_does_not_answer_holds_up_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "ANSWER_SECONDS", 2 * HANG_SECONDS)
    is_awake = Event()
    desk.receiver.answer = lambda _: (200 if is_awake.wait(HANG_SECONDS) else 500, {})
    desk.add("--what", "events")
    with receiving() as other, ThreadPoolExecutor() as threads:
        desk.shell.run("webhooks", "add", other.url, "--what", "events")
        for number in range(3 * webhook_sender.AT_ONCE):
            desk.api.open(f"aid-{number}")
        taken = threads.submit(desk.send)
        try:
            wait_until(lambda: len(other.sent) == 3 * webhook_sender.AT_ONCE)
            assert len(desk.receiver.sent) <= webhook_sender.AT_ONCE
        finally:
            is_awake.set()
        assert taken.result() == 6 * webhook_sender.AT_ONCE


def test_names_that_nobody_resolves_hold_up_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "ANSWER_SECONDS", 2 * HANG_SECONDS)
    may_answer, real = Event(), socket.getaddrinfo

    def slow(host: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).endswith(".example"):
            may_answer.wait(HANG_SECONDS)
            raise OSError("nobody knows")
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    for number in range(9):  # more attempts than the event loop has threads
        desk.shell.run("webhooks", "add", f"https://slow-{number}.example/hook", "--what", "events")
    desk.add("--what", "events")
    for number in range(webhook_sender.AT_ONCE):
        desk.api.open(f"aid-{number}")
    with ThreadPoolExecutor() as threads:
        taken = threads.submit(desk.send)
        try:
            wait_until(lambda: taken.done() or len(desk.receiver.sent) == webhook_sender.AT_ONCE)
        finally:
            may_answer.set()
        assert taken.result() == webhook_sender.AT_ONCE
    told = {d.answer for d in desk.log() if d.state == "pending"}
    assert {answer.partition(": ")[0] for answer in told} == {"ConnectError"}


def test_one_that_catches_up_has_its_turn_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_messages, "READ_EVENTS", 2)
    monkeypatch.setattr(webhook_sender, "LOOK_SECONDS", HANG_SECONDS)
    desk.api.open()
    for number in range(4):
        desk.api.add(statement(summary=f"Number {number}."))
    one, other = (desk.add("--what", "events", "--from", "0")[0] for _ in range(2))
    sender = desk.sender()

    def counts() -> list[int]:
        return [sum(d.webhook == id_ for d in desk.log()) for id_ in (one, other)]

    assert [(sender.take(), counts()) for _ in range(3)] == [(True, [2, 2]), (True, [4, 4]), (False, [5, 5])]
    monkeypatch.setattr(webhook_sender, "LOOK_SECONDS", -1.0)
    for number in range(4):
        desk.api.add(statement(summary=f"More {number}."))
    assert [(sender.take(), sum(counts())) for _ in range(4)] == [(True, 12), (True, 14), (True, 16), (False, 18)]


def test_nothing_is_read_while_the_read_models_are_behind_not_when_a_day_begins_either(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.api.open(window={"start": "2024-01-01", "end": "2024-03-02"})
    desk.api.add(statement())
    desk.add()
    desk.now += timedelta(days=3)
    with monkeypatch.context() as thrown_away:
        thrown_away.setattr(Timeline, "position", lambda _: 0)
        assert desk.send() == 0
        assert [(hook.position, hook.day) for hook in webhooks(desk.engine, desk.now)] == [(2, NOW.date())]
    assert desk.send() == 1
    assert desk.receiver.sent[-1].message["data"]["status_after"] == "overdue"
    assert [(hook.position, hook.day) for hook in webhooks(desk.engine, desk.now)] == [(2, desk.now.date())]


def test_a_change_of_status_is_told_though_its_event_waits_to_be_folded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.now = datetime(2025, 6, 1, tzinfo=UTC)
    desk.add("--what", "statuses")
    desk.add("--what", "events")
    desk.add("--what", "statuses", "--pledge", "other")
    desk.api.open()
    desk.api.add(progress("50bn EUR", stated_on="2025-02-01", figure={
        "period": {"start": "2024-01-01", "end": "2024-12-31"}}))  # fmt: skip
    desk.api.open("other")
    with monkeypatch.context() as waiting:
        waiting.setattr(Timeline, "waiting", lambda *_: {"aid-2024": 2})
        assert desk.send() == 5
    assert [hook.position for hook in webhooks(desk.engine, desk.now)] == [1, 3, 3]
    assert desk.send() == 2
    changes = [d.status_after for d in desk.log() if d.webhook == webhooks(desk.engine, desk.now)[0].id]
    assert sorted(filter(None, changes)) == ["exceeded", "overdue", "overdue"]


def test_one_that_is_removed_while_its_receiver_says_gone_ends_nothing(desk: Desk) -> None:
    id_, _ = desk.add("--what", "events")

    def gone_already(_: Sent) -> tuple[int, dict[str, str]]:
        remove_webhook(desk.engine, id_)
        return 410, {}

    desk.receiver.answer = gone_already
    desk.api.open()
    assert desk.send() == 0
    assert desk.log() == []


def test_trouble_with_one_webhook_or_with_the_store_is_told_and_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhook_sender, "STANDBY_SECONDS", 0.0)
    broken, _ = desk.add("--what", "events")
    desk.add("--what", "events")
    real, looks = webhook_messages.of_events, iter([Unavailable("the server is away"), None])

    def of_events(webhook: Webhook, *args: Any) -> Any:
        if webhook.id == broken:
            raise KeyError("a fault")
        return real(webhook, *args)

    class Lock:
        def acquire(self) -> bool:
            if (error := next(looks, None)) is not None:
                raise error
            return True

        def release(self) -> None:
            pass

    monkeypatch.setattr(webhook_messages, "of_events", of_events)
    monkeypatch.setattr(webhook_sender, "process_lock", lambda *_: Lock())
    desk.api.open()
    desk.send(until=lambda: len(desk.receiver.sent) == 1)
    told = [record.getMessage() for record in caplog.records if record.name == "tracker.webhooks"]
    assert told == [
        "nothing is sent, and it is tried again: the server is away",
        f"nothing is sent to {broken}, and it is tried again: 'a fault'",
        "messages are sent again",
    ]
