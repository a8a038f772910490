"""The ledger of real servers, seen by a client who has nothing but an address: several writers, several workers,
restarts, a store that was rolled back, a fork."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.support.api import progress, statement
from tests.support.ledgers import walk
from tests.support.put_back import copied
from tests.support.servers import Server, serving
from tests.support.shell import Shell
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.checkpoint import Checkpoint, open_checkpoint
from tracker.merkle import verify_consistency
from tracker.signed_note import VerifierKey
from tracker.tile_tree import TileReader
from tracker.tiles import TileMissing

EVENTS = "/v1/pledges/aid-2024/events"
WRITERS, FACTS_OF_EACH, ROUNDS = 4, 2, 4

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    shell = Shell(database_url, tmp_path)
    shell.run("init")
    return shell


class Client:
    """Who trusts the first checkpoint that it sees, its key, and nothing that contradicts them later."""

    def __init__(self) -> None:
        self.keys: list[VerifierKey] = []
        self.last: Checkpoint | None = None
        self.seen: set[int] = set()

    def look(self, server: Server) -> Checkpoint:
        """Fetch the last checkpoint, and prove it consistent with the one before."""
        if not self.keys:
            wait_until(lambda: server.get("/ledger/key").status_code == 200)
            self.keys = [VerifierKey.parse(line) for line in server.get("/ledger/key").text.splitlines()]
        checkpoint = open_checkpoint(server.get("/ledger/checkpoint").content, self.keys)
        if self.last is not None and 0 < self.last.size < checkpoint.size:
            verify_consistency(
                first=self.last.size,
                second=checkpoint.size,
                first_root=self.last.root,
                second_root=checkpoint.root,
                proof=TileReader(checkpoint.size, fetching(server)).consistency_proof(self.last.size),
            )
        assert self.last is None or checkpoint.size >= self.last.size
        self.last = checkpoint
        self.seen.add(checkpoint.size)
        return checkpoint

    def walk(self, server: Server) -> list[bytes]:
        """Read and verify everything; the entries."""
        return walk(server.get("/ledger/checkpoint").content, fetching(server), self.keys)[1]


class fetching:  # noqa: N801 - a function with a server
    """The files of a server's log."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __call__(self, path: str) -> bytes:
        answer = self._server.get(f"/ledger/{path}")
        if answer.status_code == 404:
            raise TileMissing(path)
        assert answer.status_code == 200
        return answer.content


@contextmanager
def writing(server: Server, turn: int) -> Iterator[None]:
    """One round of several writers at once; all of their facts are recorded in the end."""
    failed: list[object] = []

    def write(name: int) -> None:
        with httpx.Client(base_url=server.address, headers=server.client.headers, timeout=HANG_SECONDS) as client:
            for number in range(FACTS_OF_EACH):
                fact = statement(summary=f"Writer {name} says {number} in round {turn}.")
                if client.post(EVENTS, json=fact).status_code != 201:
                    failed.append((name, number))

    threads = [Thread(target=write, args=(name,)) for name in range(WRITERS)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()
    assert not failed


def covers(client: Client, server: Server, head: int) -> bool:
    return client.look(server).size == head


def test_every_checkpoint_follows_from_the_one_before_while_many_write_and_after_a_restart(shell: Shell) -> None:
    several = () if shell.url.startswith("sqlite") else ("--workers", "2")
    client, head = Client(), 1
    with serving(shell, *several) as server:
        assert server.add().status_code == 201
        for turn in range(ROUNDS):
            head += WRITERS * FACTS_OF_EACH
            with writing(server, turn):
                while client.look(server).size < head:
                    pass
        wait_until(lambda: covers(client, server, head), server.process)
        entries = client.walk(server)
        assert len(entries) == head
        assert len(client.seen) >= ROUNDS
    # It was killed, with all of its children.
    with serving(shell, *several) as server:
        assert [VerifierKey.parse(line) for line in server.get("/ledger/key").text.splitlines()] == client.keys
        assert server.client.post(EVENTS, json=progress()).status_code == 201
        wait_until(lambda: covers(client, server, head + 1), server.process)
        assert client.walk(server)[:-1] == entries
        server.comes(lambda: not server.failing())


def test_the_projector_of_another_process_signs_what_a_server_without_one_answers(
    postgres_url: str, tmp_path: Path
) -> None:
    shell, client = Shell(postgres_url, tmp_path), Client()
    shell.run("init")
    with serving(shell, "--no-projector") as server:
        assert server.get("/ledger/checkpoint").status_code == 404
        projector = shell.start("project")
        try:
            assert server.add().status_code == 201
            wait_until(lambda: server.get("/ledger/checkpoint").status_code == 200, projector)
            wait_until(lambda: covers(client, server, 1), projector)
            assert len(client.walk(server)) == 1
            server.comes(lambda: not server.failing())
        finally:
            projector.kill()
            projector.communicate()


def test_a_store_that_was_rolled_back_is_not_signed_until_it_is_forked(shell: Shell) -> None:
    client = Client()
    with serving(shell) as server:
        assert server.add().status_code == 201
        wait_until(lambda: covers(client, server, 1), server.process)
        put_back = copied(shell.url, "restore", server.process)
        assert server.client.post(EVENTS, json=progress()).status_code == 201
        wait_until(lambda: covers(client, server, 2), server.process)
        state = shell.directory / ("tracker.db.state" if shell.url.startswith("sqlite") else "state")
        wait_until(lambda: '"size": 2' in (state / "checkpoints.json").read_text(), server.process)
    put_back()
    (state / "logs.json").unlink()  # so that the ledger alone knows better
    with serving(shell) as server:
        why = "the log ends at position 1, and a checkpoint of 2 events was published"
        server.comes(lambda: server.failing().get("ledger") == why)
        assert server.client.post(EVENTS, json=statement()).status_code == 201
        server.comes(lambda: server.get("/v1/log").json()["head"] == 2)
        before = server.get("/ledger/checkpoint").content
        assert server.failing()["ledger"] == why
        forked = shell.run("log", "fork", "--reason", "the copy of yesterday").stdout.splitlines()[-1]
        server.comes(lambda: server.get("/ledger/checkpoint").content not in (before, b""))
        other = Client()
        server.comes(lambda: server.get("/ledger/checkpoint").status_code == 200)
        wait_until(lambda: covers(other, server, 2), server.process)
        assert other.last is not None
        assert other.last.origin.endswith(forked)
        assert [key.name for key in other.keys] == [other.last.origin]
        assert len(other.walk(server)) == 2
        server.comes(lambda: not server.failing())
