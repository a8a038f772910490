"""What crawlers are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.pages import sitemap
from tests.support.api import Api, made, running

HERE = "https://example.org/tracker"


def locations(api: Api, path: str = "/sitemap.xml") -> list[str]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    return re.findall(r"<loc>([^<]*)</loc>", answer.text)


def test_the_sitemap_has_every_page_that_is_worth_finding(sqlite_url: str) -> None:
    with running(sqlite_url, public_url=HERE, base_path="/tracker") as api:
        api.open(tags=["aid"], beneficiary={"name": "Ukraine", "code": "UA"})
        api.open("other", title="Other")
        found = locations(api)
        assert found == [
            f"{HERE}{path}" for path in (
                "/", "/parties", "/deadlines", "/about/rules", "/developers", "/schema", "/parties/alliance",
                "/parties/UA", "/tags/aid", "/pledges/aid-2024", "/pledges/other",
            )
        ]  # fmt: skip
        for one in found:
            assert api.get(one.removeprefix("https://example.org"), headers={"Accept": "text/html"}).status_code == 200
        robots = api.get("/robots.txt").text.splitlines()
        assert f"Sitemap: {HERE}/sitemap.xml" in robots
        assert "Disallow: /tracker/v1/" in robots


def test_a_long_sitemap_is_an_index_of_parts(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MAX_SITEMAP_ADDRESSES", 6)
    with running(sqlite_url, public_url=HERE) as api:
        for name in ("one", "two", "three"):
            api.open(name, title=name)
        parts = locations(api)
        assert parts == [f"{HERE}/sitemap.xml?part={part}" for part in (1, 2)]
        both = [one for part in parts for one in locations(api, part.removeprefix(HERE))]
        assert len(both) == len(set(both)) == 10
        assert api.get("/sitemap.xml?part=3").status_code == 404


def test_what_is_not_public_is_not_offered(tmp_path: Path) -> None:
    with running(f"sqlite:///{tmp_path}/a.db", public_read=False, public_url=HERE) as api:
        assert api.get("/robots.txt").text.splitlines() == ["User-agent: *", "Disallow: /"]
        assert api.get("/sitemap.xml").status_code == 401
    with running(f"sqlite:///{tmp_path}/b.db") as api:
        assert api.get("/sitemap.xml").status_code == 404
        assert "Sitemap" not in api.get("/robots.txt").text
        assert made()["title"] not in api.get("/robots.txt").text
