"""A real server over the seeds, as a process of its own, and where Chromium is."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from tests.support import api
from tests.support.api import ADMIN
from tests.support.waiting import HANG_SECONDS, wait_until

LICENSE = "CC BY 4.0"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZES = {320: {"width": 320, "height": 640}, 1440: {"width": 1440, "height": 900}}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TRACKER = [sys.executable, "-c", "from api.cli.main import main; main()"]


class Site:
    """The address of a running server, and its API as a monitor uses it."""

    def __init__(self, url: str, database_url: str) -> None:
        self.url, self._database_url = url, database_url
        self._api = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=HANG_SECONDS)

    def get(self, path: str) -> Any:
        answer = self._api.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        """The answer, once every page shows what was recorded."""
        answer = self._api.post(path, json=body)
        assert answer.is_success, answer.text
        wait_until(lambda: self.get("/health/ready")["lag"] == 0)
        return answer.json()

    def fork(self, reason: str) -> str:
        """Fork the log beside the server; the new id."""
        env = {**os.environ, "TRACKER_DATABASE_URL": self._database_url}
        command = [*TRACKER, "log", "fork", "--reason", reason]
        said = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        return said.stdout.splitlines()[-1]

    def close(self) -> None:
        self._api.close()


@contextmanager
def serving(directory: Path, *, seeded: bool = True, **settings: str) -> Iterator[Site]:
    """`tracker serve` as a process of its own on a free port."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    env |= {
        "TRACKER_DATABASE_URL": f"sqlite:///{directory}/tracker.db",
        "TRACKER_ADMIN_KEY": ADMIN,
        "TRACKER_DATA_LICENSE": LICENSE,
        "TRACKER_RATE_LIMIT": "0",
        **settings,
    }
    if seeded:
        subprocess.run([*TRACKER, "seed"], env=env, check=True, capture_output=True)
    command = [*TRACKER, "serve", "--port", "0"]
    log = directory / "serve.log"
    with log.open("w+b") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as process:
        try:
            site = Site(_address(process, log), env["TRACKER_DATABASE_URL"])
            try:
                yield site
            finally:
                site.close()
        finally:
            process.terminate()
            assert process.wait(HANG_SECONDS) in (0, -15), log.read_text()
            assert "Traceback" not in log.read_text(), log.read_text()


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    def is_ready() -> bool:
        assert process.poll() is None, log.read_text()
        found = address.search(log.read_text())
        try:
            return bool(found and httpx.get(f"{found[0]}/health/ready", timeout=HANG_SECONDS).is_success)
        except httpx.TransportError:
            return False

    address = re.compile(r"http://127\.0\.0\.1:\d+")
    wait_until(is_ready)
    found = address.search(log.read_text())
    assert found is not None
    return found[0]


Opener = Callable[..., Page]
"""Opens a path in a tab of its own."""


def opened(site: Site, *, pledge: str = "", **fields: Any) -> str:
    """A fresh pledge of at least 40bn EUR."""
    slug = pledge or f"aid-{uuid.uuid4().hex[:8]}"
    window = {"start": "2025-01-01", "end": "2025-12-31"}
    fact = api.made(**{"stated_on": "2025-01-10", "title": f"Aid {slug}", "window": window} | fields)
    site.post("/v1/pledges", {"pledge": slug, "fact": fact})
    return slug


def progress(quantity: str, **fields: Any) -> dict[str, Any]:
    """A running total of the first half of 2025."""
    period = {"start": "2025-01-01", "end": "2025-06-30"}
    return api.progress(quantity, figure={"period": period}, stated_on="2025-07-10") | fields


def use_key(page: Page, key: str = ADMIN) -> None:
    """Give the page a key, as a monitor does, and wait for what it says of it."""
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Use this key").click()
    answered = "!document.querySelector('#key') || document.querySelector('#key-error').textContent !== ''"
    wait_on(page, lambda: bool(page.evaluate(answered)))


def wait_on(page: Page, holds: Callable[[], bool]) -> None:
    """Return once the condition holds; the page's requests and messages are heard meanwhile."""

    def heard() -> bool:
        page.wait_for_timeout(20)
        return holds()

    wait_until(heard)
