"""A log that has all that a log can have, and how two of them are compared."""

from pathlib import Path

from tests.support.api import made, progress, statement
from tests.support.servers import serving
from tests.support.shell import Shell
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow

KEY = {"Idempotency-Key": "once"}


def lived_in(shell: Shell) -> None:
    """A log with the seed, facts under idempotency keys, a key, proposals, a fork, and withheld texts."""
    shell.run("init")
    shell.run("seed")
    shell.run("keys", "create", "--name", "desk", "--role", "monitor")
    key = shell.run("keys", "create", "--name", "carla", "--role", "contributor").stdout.split()[-1]
    shell.run("webhooks", "add", "https://example.org/hook", "--tag", "ukraine", "--what", "statuses")
    shell.run("log", "fork", "--reason", "a drill")
    with serving(shell) as server:
        server.comes(lambda: not server.failing())
        assert server.client.post("/v1/pledges", json={"pledge": "aid-2024", "fact": made()}).status_code == 201
        said = server.client.post("/v1/pledges/aid-2024/events", json=progress(), headers=KEY)
        assert said.status_code == 201
        told = server.client.post("/v1/pledges/aid-2024/events", json=statement(summary="A private matter."))
        event = told.json()["event"]["id"]
        own = {"Authorization": f"Bearer {key}"}
        for figure in ("21bn EUR", "22bn EUR"):
            fact = {"pledge": "aid-2024", "fact": progress(figure, stated_on="2024-09-01")}
            proposed = server.client.post("/v1/proposals", json=fact, headers={**own, "Idempotency-Key": figure})
            assert proposed.status_code == 201, proposed.text
        accepted = server.client.post(f"/v1/proposals/{proposed.json()['proposal']}/accept", json={})
        assert accepted.status_code == 201, accepted.text
        shell.run("withhold", event, "--fields", "summary", "--reason", "Ruling 7 O 123/26")


def whole(shell: Shell) -> list[LogRow]:
    with shell.log() as log:
        return rows_of(log)


def rows_of(log: LogRecorder) -> list[LogRow]:
    found: list[LogRow] = []
    while page := log.read(len(found)):
        found += page
    return found


def same_files(one: Path, other: Path) -> bool:
    def files(directory: Path) -> dict[str, bytes]:
        return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}

    return files(one) == files(other)
