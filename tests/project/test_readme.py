"""What the README and the demo print is run as it is written."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.shell import Shell, ask, gone, is_ready, with_tables
from tests.support.waiting import HANG_SECONDS, wait_until

BLOCKS = re.findall(r"<!-- test: curl -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
ADMIN = "k" * 40


def run(script: str, **env: str) -> str:
    """The output of a shell script that must succeed."""
    done = subprocess.run(
        ["sh", "-euc", script], env=os.environ | env, capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    shell = with_tables(database_url, tmp_path)
    shell.run("seed")
    return shell


def test_the_curl_lines_of_the_readme_work_in_their_order(shell: Shell) -> None:
    assert len(BLOCKS) >= 4
    with shell.serving(TRACKER_ADMIN_KEY=ADMIN) as (address, _):
        said = [run(block, TRACKER_URL=address, TRACKER_KEY=ADMIN) for block in BLOCKS]
        status = ask(f"{address}/v1/pledges/example-trees-2025").json()
    assert '"type":"PledgeMade"' in said[0]
    assert (status["version"], status["actual"]["op"], status["actual"]["value"]) == (2, "gt", "6000")
    assert shell.head() == 70


def test_the_line_that_the_demo_prints_records_a_fact(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TRACKER_DATABASE_URL": f"sqlite:///{tmp_path}/demo.db",
    }
    demo = subprocess.Popen(
        ["sh", str(ROOT / "deploy" / "demo"), str(port)], cwd=tmp_path, env=env, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert demo.stdout is not None
        printed = ""
        while "-d '" not in printed.rpartition("curl ")[2]:
            printed += demo.stdout.readline()
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_ready(address), demo)
        assert '"position":69' in run("curl " + printed.rpartition("curl ")[2])
        assert ask(f"{address}/v1/pledges/nato-ukraine-2024").json()["version"] == 15
    finally:
        gone(demo)
