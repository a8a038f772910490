"""Readers that take nothing: a stream holds a position, and no events of its own."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from faults.trial import Trial
from tests.support.api import made
from tests.support.servers import Server
from tests.support.waiting import HANG_SECONDS, wait_until

READERS, SHORT_READERS = 200, 40
"""Stalled readers of one try, and of a short one."""

WARM_FACTS = 100
"""Facts that are recorded beside one stalled reader and one that reads all, before the memory is measured, and again
beside all of them."""

READERS_AN_ADDRESS = 25
"""Streams that one address opens: fewer than the server allows it."""

BATCHES, BATCH_FACTS, FACT_CHARACTERS = 10, 120, 4_000
"""The log that they do not take: more than 4 MB, which no kernel's buffer holds."""

LOOK_SECONDS = 0.5
"""Seconds between two questions how many streams are left."""

MAX_STREAM_BYTES = 512 * 1024
"""Bytes of the server's memory that one stalled stream may cost: a piece of the log, the server's own buffer, and what
Python's allocator keeps of what was read for it. One that holds the events themselves costs the whole log, 4 MB."""


def readers_stalled(trial: Trial) -> None:
    """Readers open streams from the first event of a log of more than 4 MB and take nothing, while writers record.

    A stream MUST NOT cost the server more than 512 KiB, and all MUST be dropped in the end.
    """
    readers = SHORT_READERS if trial.short else READERS
    with trial.on_fresh_store():
        server = trial.serve()
        trial.writers.open()
        for batch in range(BATCHES):
            facts = [_long(f"long-{batch}-{n}") for n in range(BATCH_FACTS)]
            answer = server.client.post("/v1/events", json=facts)
            assert answer.status_code == 201, answer.text
        wait_until(lambda: server.get("/health/ready").json()["lag"] == 0)
        for _ in range(max(1, trial.times // 10)):
            with ExitStack() as stack:
                with trial.writers.at_work():
                    stack.callback(_stalled(server, 0).close)
                    trial.writers.more(WARM_FACTS)
                _read_all(server)
                before = resident_bytes(server)
                for number in range(1, readers):
                    stack.callback(_stalled(server, number).close)
                wait_until(lambda: open_streams(server) >= readers - 1)
                began = time.monotonic()
                with trial.writers.at_work():
                    trial.writers.more(WARM_FACTS)
                peak = resident_bytes(server)
                while open_streams(server):
                    peak = max(peak, resident_bytes(server))
                    trial.must(time.monotonic() - began < HANG_SECONDS, "readers that take nothing are not dropped")
                    time.sleep(LOOK_SECONDS)
                dropped = time.monotonic() - began
                each = (peak - before) / readers
                trial.must(each < MAX_STREAM_BYTES, f"a stalled stream costs {each / 1024:.0f} KiB")
                trial.row.remarks.append(
                    f"{readers} readers cost {each / 1024:.0f} KiB each (server {before >> 20} → {peak >> 20} MiB)"
                    f" and were dropped after {dropped:.0f} s"
                )
                trial.recover()


def _long(pledge: str) -> dict[str, object]:
    return {"pledge": pledge, "fact": made(title=pledge, summary="x" * FACT_CHARACTERS)}


def _read_all(server: Server) -> None:
    """Read the stream to its end, so that what the streams share is in memory before the others come."""
    last = f"id: {server.get('/v1/log').json()['head']}"
    with server.client.stream("GET", "/v1/events/stream?after=0") as answer:
        next(line for line in answer.iter_lines() if line == last)


def _stalled(server: Server, number: int) -> socket.socket:
    """A connection that asks for the stream from its beginning and takes nothing of it."""
    url = urlsplit(server.address)
    assert url.port is not None
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.bind((f"127.0.0.{2 + number // READERS_AN_ADDRESS}", 0))
    reader.connect((url.hostname, url.port))
    reader.sendall(b"GET /v1/events/stream?after=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    return reader


def open_streams(server: Server) -> int:
    """How many streams a server has open."""
    for line in server.get("/metrics").text.splitlines():
        if line.startswith("tracker_streams "):
            return int(float(line.split()[1]))
    raise AssertionError("the server does not tell how many streams it has")


def resident_bytes(server: Server) -> int:
    """The memory that a server's process holds."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
