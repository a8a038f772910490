"""What a server logs of requests that are none is a line of JSON, as all that it logs."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.served import H11, received, serving, status
from tests.support.shell import gone
from tests.support.waiting import wait_until

NO_HTTP = b"\x16\x03\x01 hello\r\n\r\n"
TOLD = "Invalid HTTP request received."


def messages(log: Path, *, plain: str = "") -> list[str]:
    """The messages of a log, of which every line must be JSON but those that begin with `plain`."""
    lines = log.read_text().splitlines()
    return [json.loads(line)["message"] for line in lines if not (plain and line.startswith(plain))]


@pytest.mark.parametrize("prelude", ["", H11], ids=["httptools", "h11"])
def test_what_is_no_http_is_told_in_json(tmp_path: Path, prelude: str) -> None:
    with serving(tmp_path, prelude=prelude) as served:
        assert status(served.answer(NO_HTTP)) == 400
        wait_until(lambda: TOLD in messages(tmp_path / "serve.log", plain="Commitments Tracker is on"))


def test_another_servers_own_lines_become_json(sqlite_url: str, tmp_path: Path) -> None:
    log = tmp_path / "uvicorn.log"
    command = [sys.executable, "-m", "uvicorn", "api.cli.serve:application", "--factory", "--port", "0"]
    env = {**os.environ, "TRACKER_DATABASE_URL": sqlite_url, "PYTHONPATH": str(ROOT)}
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--no-access-log"], cwd=tmp_path, env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_until(lambda: re.search(r"http://[\d.]+:\d+", log.read_text()) is not None, process)
        found = re.search(r"http://([\d.]+):(\d+)", log.read_text())
        assert found is not None
        with socket.create_connection((found[1], int(found[2])), timeout=30) as connection:
            connection.sendall(NO_HTTP)
            assert b" 400 " in received(connection)
        wait_until(lambda: TOLD in messages(log), process)
    finally:
        gone(process)
