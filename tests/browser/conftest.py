"""Fixtures of the browser tests.

They are our own and not pytest-playwright's session-wide ones: its synchronous API keeps an event loop running in the
thread of the tests, which no other test module must meet.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.support.browser import ARGUMENTS, CHROMIUM, SIZES, Opener, Site, serving
from tests.support.waiting import HANG_SECONDS

expect.set_options(timeout=HANG_SECONDS * 1_000)

REFUSED, AWAY = "status of 4", "net::ERR_FAILED"
"""What Chromium itself says of an answer that refuses, and of none."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The seeds, served."""
    with serving(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; without one the tests are skipped, loudly."""
    if CHROMIUM is None:
        message = "THE BROWSER TESTS ARE SKIPPED: no Chromium; `make browser` installs one"
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(message, stacklevel=2)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Browser, site: Site) -> Iterator[Opener]:
    """Opens tabs. In the end none of them has reported an error, or asked another machine for anything.

    `refused` says that the test asks for what the API refuses, `away` that nobody answers it: Chromium reports both as
    errors.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []
    strangers: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in expected):
            errors.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{at.url}/", "data:")):
            strangers.append(request.url)

    at = site
    expected: list[str] = []

    def opened(
        path: str = "/",
        *,
        width: int = 1440,
        base: Site | None = None,
        refused: bool = False,
        away: bool = False,
        **options: Any,
    ) -> Page:
        nonlocal at, expected
        at = base or site
        expected = [text for text, is_expected in ((REFUSED, refused), (AWAY, away)) if is_expected]
        context = chromium.new_context(viewport=SIZES[width], base_url=at.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.on("console", heard)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("request", asked)
        context.set_default_timeout(HANG_SECONDS * 1_000)
        page = context.new_page()
        answer = page.goto(path)
        assert answer is not None
        if answer.status >= 400:  # Chromium says so itself, of the page that was asked for
            errors[:] = [error for error in errors if "Failed to load resource" not in error]
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert strangers == []
