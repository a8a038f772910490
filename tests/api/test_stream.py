"""The log, live: streams resume, narrow down, keep awake, end when told, and wait for nobody."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.http import access_keys, event_tail, shutdown
from api.resources import event_stream
from tests.support.api import ADMIN, Api, made, prepare, problem, running, statement
from tests.support.live import Live, serving
from tests.support.shell import Shell, ask, ended
from tests.support.waiting import HANG_SECONDS, wait_until

STREAM = "/v1/events/stream"
NEVER = 10 * HANG_SECONDS
"""Seconds of a limit that is not what the test is about."""


class Sent(NamedTuple):
    """One block of a stream."""

    id: str | None = None
    event: str | None = None
    data: str | None = None
    comment: str | None = None
    retry: str | None = None


@contextmanager
def listening(address: str, query: str = "", **headers: str) -> Iterator[Iterator[Sent]]:
    """The blocks of a stream as they come."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx.stream("GET", f"{address}{STREAM}{query}", headers=given, timeout=HANG_SECONDS) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        blocks = parsed(answer.iter_lines())
        assert next(blocks).retry == "2000"
        yield blocks


def parsed(lines: Iterator[str]) -> Iterator[Sent]:
    found: dict[str, str] = {}
    for line in lines:
        if not line:
            if found:
                yield Sent(**found)
            found = {}
        elif line.startswith(":"):
            found["comment"] = line
        else:
            name, _, value = line.partition(": ")
            found[name] = value


@pytest.fixture
def live(sqlite_url: str) -> Iterator[Live]:
    with serving(sqlite_url) as live:
        live.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()})
        yield live


def add(live: Live, **fields: Any) -> Any:
    return live.post("/v1/pledges/aid-2024/events", statement(**fields))


def test_a_plain_stream_names_no_event(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    for newest in (1_000, 0):  # from memory, and from the store
        monkeypatch.setattr(event_tail, "TAIL_EVENTS", newest)
        with (
            listening(live.address, "?after=0&events=plain") as plain,
            listening(live.address, "?after=0&events=named") as named,
        ):
            first, other = next(plain), next(named)
        assert (first.event, other.event) == (None, "PledgeMade")
        assert (first.id, first.data) == (other.id, other.data)
        assert json.loads(first.data or "")["fact"]["type"] == "PledgeMade"
    problem(httpx.get(f"{live.address}{STREAM}?events=loud"), 400, "invalid_parameter")


def test_what_is_recorded_is_sent_as_it_is_served(live: Live) -> None:
    with listening(live.address) as blocks:
        receipt = add(live)
        sent = next(blocks)
    assert (sent.id, sent.event) == ("2", "StatementMade")
    assert json.loads(sent.data or "") == receipt["event"]
    assert sent.data == json.dumps(live.client.get("/v1/events?after=1").json()["items"][0], separators=(",", ":"))


def test_it_goes_on_where_it_was(live: Live) -> None:
    for n in range(4):
        add(live, summary=f"{n}")
    with listening(live.address, "?after=3") as blocks:
        assert [next(blocks).id for _ in range(2)] == ["4", "5"]
    with listening(live.address, "?after=1", Last_Event_ID="4") as blocks:
        assert next(blocks).id == "5"
    with listening(live.address, "?after=0") as blocks:
        assert [next(blocks).id for _ in range(5)] == ["1", "2", "3", "4", "5"]


def test_it_is_narrowed_to_a_type_or_a_pledge(live: Live) -> None:
    live.post("/v1/pledges", {"pledge": "another", "fact": made()})
    with listening(live.address, "?after=0&type=StatementMade&pledge=aid-2024") as blocks:
        live.post("/v1/pledges/another/events", statement())
        add(live)
        assert next(blocks).id == "4"
    with listening(live.address, "?after=0&type=PledgeMade") as blocks:
        assert [next(blocks).id for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize(
    "query",
    ["?after=-1", "?after=x", "?type=Nothing", "?pledge=No", "?after=", "?status=late", "?tag=A", "?party="],
)
def test_a_wrong_stream_is_refused(kept: Api, query: str) -> None:
    problem(kept.get(f"{STREAM}{query}"), 400, "invalid_parameter")


@pytest.mark.parametrize("seen", ["", "x", "-1", "1.5", "9" * 30])
def test_a_last_event_id_is_a_position(kept: Api, seen: str) -> None:
    problem(kept.get(STREAM, headers={"Last-Event-ID": seen}), 400, "invalid_parameter")
    problem(kept.get(f"{STREAM}?as_of=2024-01-01"), 400, "unknown_parameter")


def test_what_the_log_has_not_reached_is_refused_as_everywhere(live: Live) -> None:
    """A reader of another log, or of one that was restored, must not wait in silence."""
    with listening(live.address, "?after=1"), listening(live.address, Last_Event_ID="1"):
        pass
    for asked, name in (
        ({"params": {"after": "2"}}, "after"),
        ({"headers": {"Last-Event-ID": "2"}}, "Last-Event-ID"),
        ({"params": {"after": "1"}, "headers": {"Last-Event-ID": str(10**17)}}, "Last-Event-ID"),
    ):
        refused = problem(live.client.get(STREAM, **asked), 409, "other_log")  # type: ignore[arg-type]
        log = live.services.heads.log_id
        assert refused["detail"] == f"'{name}' is beyond log {log}, which has reached 1: begin anew"
        assert (refused["log"], refused["head"]) == (log, 1)


def test_a_position_that_only_another_process_knows_of_is_reached(live: Live) -> None:
    add(live)
    live.services.heads.log = 1
    assert live.client.head(f"{STREAM}?after=2").status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [("text/event-stream", 200), ("*/*", 200), ("text/*", 200), ("", 200), ("text/html,*/*;q=0.1", 200),
     ("application/json", 406), ("text/event-stream;q=0, */*", 406)],
)  # fmt: skip
def test_a_stream_is_for_those_who_take_one(kept: Api, accept: str, status: int) -> None:
    answer = kept.client.head(STREAM, headers={"Accept": accept})
    assert answer.status_code == status


def test_head_opens_no_stream(kept: Api) -> None:
    answer = kept.client.head(STREAM)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "text/event-stream"


def test_an_idle_stream_is_kept_awake(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    assert event_stream.COMMENT_SECONDS == 15
    monkeypatch.setattr(event_stream, "COMMENT_SECONDS", 0.05)
    with listening(live.address) as blocks:
        assert [next(blocks) for _ in range(3)] == [Sent(comment=":")] * 3
        add(live)
        assert next(block.id for block in islice(blocks, 2_000) if block.id) == "2"


def test_a_key_has_so_many_streams_and_no_more(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_tail, "MAX_STREAMS_PER_HOLDER", 2)
    with listening(live.address), listening(live.address):
        refused = ask(f"{live.address}{STREAM}")
        problem(refused, 429, "rate_limited")
        assert int(refused.headers["retry-after"]) > 0
        with listening(live.address, Authorization=f"Bearer {ADMIN}"):
            pass
    wait_until(lambda: not live.services.event_tail.streams)
    with listening(live.address):
        pass
    assert live.services.event_tail._per_holder.total() <= 1


def test_a_stream_needs_no_thread(live: Live) -> None:
    def open_one(stack: list[socket.socket]) -> None:
        sock = socket.create_connection(live.socket.getsockname(), timeout=HANG_SECONDS)
        sock.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
        stack.append(sock)

    streams: list[socket.socket] = []
    open_one(streams)
    before = threading.active_count()
    for _ in range(event_tail.MAX_STREAMS_PER_HOLDER - 1):
        open_one(streams)
    assert threading.active_count() <= before
    for sock in streams:
        sock.close()


@contextmanager
def reading(live: Live, path: str, *, taking: int) -> Iterator[None]:
    """A reader of something long with small buffers, once its answer has begun: it takes so many bytes every few
    milliseconds."""
    with socket.socket() as slow:
        for end, buffer in ((live.socket, socket.SO_SNDBUF), (slow, socket.SO_RCVBUF)):
            end.setsockopt(socket.SOL_SOCKET, buffer, 4096)
        slow.settimeout(HANG_SECONDS)
        slow.connect(live.socket.getsockname())
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert slow.recv(12) == b"HTTP/1.1 200"
        taker = threading.Thread(target=_take, args=(slow, taking))
        taker.start()
        yield
        slow.close()
        taker.join()


def _take(slow: socket.socket, taking: int) -> None:
    with suppress(OSError):
        while taking and slow.recv(taking):
            time.sleep(0.001)


@contextmanager
def taking_nothing(live: Live) -> Iterator[None]:
    """A reader of a long stream that has filled all buffers."""
    items = [{"pledge": "aid-2024", "fact": statement(summary=f"{n} " + "x" * 3_000)} for n in range(500)]
    live.post("/v1/events", [{"pledge": "aid-2024", "fact": made()}, *items])
    with reading(live, f"{STREAM}?after=0", taking=0):
        yield


def test_a_reader_that_takes_nothing_is_dropped(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it did not take was never gathered for it."""
    monkeypatch.setattr(event_stream, "STALLED_READER_SECONDS", 0.2)
    with serving(sqlite_url, projector=False) as live, taking_nothing(live):
        wait_until(lambda: not live.services.event_tail.streams)
        assert live.services.event_tail._bytes <= event_tail.TAIL_BYTES


def test_a_reader_that_takes_nothing_does_not_hold_up_the_end(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "STALLED_READER_SECONDS", NEVER)
    monkeypatch.setattr(shutdown, "CONNECTION_GRACE_SECONDS", NEVER)
    with ExitStack() as stack, serving(sqlite_url, projector=False) as live:
        stack.enter_context(taking_nothing(live))
        wait_until(lambda: live.stalled() == 1)


def test_an_export_that_nobody_takes_does_not_hold_up_the_end(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither that one, nor one that goes on for too long; and neither is told as an error of ours."""
    monkeypatch.setattr(shutdown, "STALLED_SECONDS", 0.8)
    monkeypatch.setattr(shutdown, "ABORT_SECONDS", 1.6)
    monkeypatch.setattr(shutdown, "CONNECTION_GRACE_SECONDS", NEVER)
    with ExitStack() as stack, serving(sqlite_url) as live:
        title = "x" * 300
        items = [{"pledge": f"p{n}", "fact": made(title=title, summary=title)} for n in range(400)]
        live.post("/v1/events", items)
        wait_until(lambda: live.services.heads.projection >= len(items))  # the POST waits for it, but not for ever
        stack.enter_context(reading(live, "/v1/export?format=csv", taking=0))
        stack.enter_context(reading(live, "/v1/export", taking=100))
        wait_until(lambda: len(live.services.open_bodies._sent_at) == 2 and live.stalled() > 0)
    assert live.services.open_bodies._sent_at == {}
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_reader_that_goes_on_has_longer_than_one_that_takes_nothing() -> None:
    assert shutdown.STALLED_SECONDS < shutdown.ABORT_SECONDS

    async def both() -> None:
        bodies = shutdown.OpenBodies()
        nothing, goes_on = (asyncio.create_task(asyncio.sleep(NEVER)) for _ in range(2))
        bodies._sent_at = {nothing: time.monotonic() - HANG_SECONDS, goes_on: time.monotonic()}
        bodies._cancel(HANG_SECONDS)
        await asyncio.wait({nothing})
        assert (nothing.cancelled(), goes_on.cancelling()) == (True, 0)
        bodies._cancel(0.0)
        await asyncio.wait({goes_on})

    asyncio.run(both())


def test_an_answer_that_is_written_and_not_taken_does_not_hold_up_the_end(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its handler is long done: only the connection still has the bytes."""
    monkeypatch.setattr(shutdown, "ABORT_SECONDS", 1.0)
    with ExitStack() as stack, serving(sqlite_url) as live:
        title = "x" * 300
        items = [{"pledge": f"p{n}", "fact": made(title=title, tags=[title[:60]])} for n in range(300)]
        live.post("/v1/events", items)
        wait_until(lambda: live.services.heads.projection == 300)
        assert len(live.client.get("/v1/pledges?limit=500").content) > 300_000
        for _ in range(4):
            stack.enter_context(reading(live, "/v1/pledges?limit=500", taking=0))
        wait_until(lambda: live.stalled() == 4)


def test_what_is_long_ago_is_read_a_page_at_a_time(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_tail, "TAIL_EVENTS", 5)
    monkeypatch.setattr(event_tail, "READ_PAGE_ROWS", 3)
    monkeypatch.setattr(event_tail, "BEHIND_PAGE_ROWS", 3)
    live.post("/v1/events", [{"pledge": "aid-2024", "fact": statement(summary=f"{n}")} for n in range(30)])
    with listening(live.address, "?after=0") as blocks, listening(live.address, "?after=29") as other:
        assert [next(blocks).id for _ in range(31)] == [str(n) for n in range(1, 32)]
        assert [next(other).id for _ in range(2)] == ["30", "31"]
        add(live)
        assert next(blocks).id == next(other).id == "32"
    assert len(live.services.event_tail._events) <= 5


@pytest.mark.parametrize("tail", [5, 1000], ids=["from the store", "from memory"])
def test_a_stream_that_is_behind_takes_a_piece_at_a_time_with_it(
    live: Live, monkeypatch: pytest.MonkeyPatch, tail: int
) -> None:
    monkeypatch.setattr(event_tail, "TAIL_EVENTS", tail)
    monkeypatch.setattr(event_tail, "PIECE_BYTES", 1000)
    taken: list[int] = []
    piece = event_tail._piece

    def noted(events: Iterable[tuple[int, bytes]], upto: int) -> tuple[bytes, int]:
        frames, reached = piece(events, upto)
        taken.append(len(frames))
        return frames, reached

    monkeypatch.setattr(event_tail, "_piece", noted)
    facts = [statement(summary=f"{n}") for n in range(30)]
    live.post("/v1/events", [{"pledge": "aid-2024", "fact": fact} for fact in facts])
    with (
        listening(live.address, "?after=0") as blocks,
        listening(live.address, "?after=0&type=PledgeMade") as first,
    ):
        assert [next(blocks).id for _ in range(31)] == [str(n) for n in range(1, 32)]
        assert next(first).id == "1"
    assert 0 < max(taken) < 2000


def test_a_revoked_key_hears_no_more(sqlite_url: str) -> None:
    with serving(sqlite_url, public_read=False) as live:
        live.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()})
        assert ask(f"{live.address}{STREAM}").status_code == 401
        key = access_keys.create_key(live.services.engine, "reader", "reader")
        live.services.keys.refresh()
        with listening(live.address, Authorization=f"Bearer {key}") as blocks:
            add(live)
            assert next(blocks).id == "2"
            access_keys.revoke_key(live.services.engine, "reader")
            with_it = {"Authorization": f"Bearer {key}"}
            wait_until(lambda: live.client.get("/v1/events", headers=with_it).status_code == 401)
            add(live, summary="secret")
            assert list(blocks) == []


def test_processes_hear_each_other(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL by a notification: the other process does not look by itself."""
    prepare(postgres_url)
    with running(postgres_url) as writer, serving(postgres_url, projector=False) as other:
        monkeypatch.setattr(other.services.follower.watcher, "_poll", NEVER)
        writer.open()
        with listening(other.address, "?after=0") as blocks:
            assert next(blocks).id == "1"
            for n in range(20):
                writer.add(statement(summary=f"{n}"), Prefer="respond-async")
                assert next(blocks).id == str(n + 2)


def test_an_idle_stream_does_not_hold_up_the_end(sqlite_url: str, tmp_path: Path) -> None:
    with Shell(sqlite_url, tmp_path).serving() as (address, process), listening(address) as blocks:
        assert ended(process) == 0
        assert list(blocks) == []  # the stream ends as it should, not in the middle of a chunk
