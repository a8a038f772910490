"""Take the screenshots of the README anew, of the seeds as a demo shows them: ``python docs/screenshots.py``."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import ViewportSize, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.browser import ARGUMENTS, CHROMIUM, serving  # noqa: E402

PAGES = {"overview": "/?as_of=2025-07-15", "pledge": "/pledges/nato-ukraine-2024?as_of=2025-07-15"}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZE: ViewportSize = {"width": 1280, "height": 1420}
"""As high as the chart of the pledge reaches with its legend."""


def main() -> None:
    """One picture for each page and colour scheme."""
    with TemporaryDirectory() as directory, serving(Path(directory)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for scheme in SCHEMES:
            context = browser.new_context(color_scheme=scheme, viewport=SIZE)
            page = context.new_page()
            for name, address in PAGES.items():
                page.goto(f"{site.url}{address}")
                page.locator("[data-live-text]", has_text="Live").wait_for()
                page.screenshot(path=ROOT / "docs" / "screenshots" / f"{name}-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
