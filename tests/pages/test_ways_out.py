"""What of a pledge is taken along: links, citations, tables, pictures, frames, and what is shown of a link."""

import re
import struct
from contextlib import ExitStack
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic_core import from_json

from api.pages.png import KEPT_PICTURES, ROOM, WAITING_PICTURES, TooManyPictures, passed_on, png
from tests.support.api import SOURCE, Api, progress, running
from tests.support.pages import BROWSER, text_of

HERE = "https://tracker.example.org/base"


def meta(page: str, name: str) -> str:
    found = re.search(rf'<meta (?:name|property)="{name}" content="([^"]*)">', page)
    assert found is not None, name
    return unescape(found[1])


def claim_of(page: str) -> Any:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return from_json(found[1])


def test_what_is_shown_of_a_link_says_the_verdict_with_absolute_addresses(sqlite_url: str) -> None:
    with running(sqlite_url, public_url=HERE) as api:
        api.open(quote="At least 40bn.")
        api.add(progress("over 50bn EUR", stated_on="2025-01-10", figure={"period": {"end": "2024-12-31"}}))
        page = api.get("/pledges/aid-2024?as_of=2025-03-01", headers=BROWSER).text
        said = "Exceeded: over €50bn of at least €40bn (over 125\xa0%)."
        assert meta(page, "description").startswith(said)
        assert meta(page, "og:description").startswith(said)
        assert meta(page, "og:title") == "Aid of 2024: exceeded"
        assert meta(page, "og:url") == f"{HERE}/pledges/aid-2024?as_of=2025-03-01"
        assert meta(page, "twitter:card") == "summary_large_image"
        picture = meta(page, "og:image")
        assert picture == f"{HERE}/pledges/aid-2024/picture.png?as_of=2025-03-01"
        assert f'<link rel="canonical" href="{HERE}/pledges/aid-2024?as_of=2025-03-01">' in page
        assert f'title="Changes of this pledge" href="{HERE}/v1/feed.atom?pledge=aid-2024"' in page
        claim = claim_of(page)
        assert (claim["@type"], claim["name"], claim["text"]) == ("Claim", "Aid of 2024", "At least 40bn.")
        assert claim["url"] == f"{HERE}/pledges/aid-2024"


def test_an_assessment_makes_a_review_of_the_claim_in_its_own_words(lite: Api) -> None:
    lite.open(title="</script><script>alert(1)</script>")
    lite.add({"type": "AssessmentIssued", "stated_on": "2024-08-01", "rating": "Half true", "rubric": "R",
              "rubric_version": "1", "reasoning": "well"})  # fmt: skip
    page = lite.get("/pledges/aid-2024", headers=BROWSER).text
    assert "<script>alert" not in page
    review = claim_of(page)
    assert review["@type"] == "ClaimReview"
    assert review["reviewRating"] == {"@type": "Rating", "alternateName": "Half true"}
    assert review["itemReviewed"]["name"] == "</script><script>alert(1)</script>"


def test_every_way_out_leads_somewhere(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    page = lite.get("/pledges/aid-2024?as_of=2024-08-01", headers=BROWSER).text
    ways = re.search(r'<nav class="ways".*?</nav>', page, re.DOTALL)
    assert ways is not None
    links = [unescape(link) for link in re.findall(r'href="([^"]+)"', ways[0])]
    assert "/pledges/aid-2024?as_of=2024-08-01&at_position=2" in links
    for link in links:
        if not link.startswith("/pledges/aid-2024/statement"):  # it waits for the first signature
            assert lite.get(link, headers={"Accept": "*/*"}).status_code == 200, link
    said = text_of(ways[0])
    assert "Alliance: “Aid of 2024”, in progress (€20.9bn of at least €40bn) as of 1 Aug 2024." in said.replace(
        "\xa0", " "
    )
    snippet = unescape(re.findall(r"<textarea[^>]*>(.*?)</textarea>", ways[0])[0])
    assert 'src="/embed/aid-2024?as_of=2024-08-01"' in snippet


GROUP = {"rule": "each_member", "members": ["BE", "FR"]}


@pytest.mark.parametrize("kind", ["money", "members", "steps", "words"])
def test_a_pledge_of_any_kind_is_a_picture_with_its_title_source_and_date(lite: Api, kind: str) -> None:
    if kind == "members":
        lite.open(kind="ratio", target="at least 2 percent:gdp", group=GROUP)
        for member in ("BE", "FR"):
            figure = {"quantity": "1.3 percent:gdp", "basis": "level"}
            lite.add({"type": "MemberReported", "stated_on": "2024-07-10", "source": SOURCE, "member": member,
                      "verdict": "not_met", "figure": figure})  # fmt: skip
    elif kind == "steps":
        lite.open(kind="milestone", target=None, window=None)
        lite.add({"type": "MilestoneReached", "stated_on": "2024-07-10", "source": SOURCE, "milestone": "<agreed>"})
    elif kind == "words":
        lite.open(kind="qualitative", target=None, window=None, title="Peace & <quiet>")
    else:
        lite.open()
        lite.add(progress("over 20bn EUR"))
    svg = lite.get("/pledges/aid-2024/picture.svg?as_of=2024-08-01")
    assert svg.headers["content-type"] == "image/svg+xml"
    root = ElementTree.fromstring(svg.content)
    said = " ".join(root.itertext())
    assert "Example Gazette" in said
    assert "As of 1\xa0Aug\xa02024, log position" in said
    assert lite.get("/v1/pledges/aid-2024?as_of=2024-08-01").json()["title"] in said
    drawn = {"money": "c-step", "members": "c-member", "steps": "c-reached"}
    if kind in drawn:
        assert drawn[kind] in svg.text
    png = lite.get("/pledges/aid-2024/picture.png?as_of=2024-08-01")
    assert png.headers["content-type"] == "image/png"
    assert png.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png.content[16:24]) == (1200, 630)
    again = lite.get("/pledges/aid-2024/picture.png?as_of=2024-08-01", headers={"If-None-Match": png.headers["etag"]})
    assert again.status_code == 304


def test_a_picture_without_a_chart_has_the_bar(lite: Api) -> None:
    lite.open(kind="ratio", target="at least 2 percent:gdp", group=GROUP)
    lite.add({"type": "TallyReported", "stated_on": "2024-07-10", "source": SOURCE, "met": 1, "not_met": 1, "total": 2})
    svg = lite.get("/pledges/aid-2024/picture.svg?as_of=2024-08-01").text
    assert 'width="33.30%" height="24"' in svg


def test_a_picture_of_nothing_is_a_problem(lite: Api) -> None:
    assert lite.get("/pledges/none/picture.png").status_code == 404
    assert lite.get("/pledges/none/picture.svg?asof=2024-01-01").status_code == 400


def test_a_picture_draws_a_bound_without_an_end_as_one(lite: Api) -> None:
    lite.open(window=None, recurrence={"every": "year", "start": "2023-01-01", "end": "2024-12-31"})
    year = {"start": "2023-01-01", "end": "2023-12-31"}
    lite.add(progress("over 50bn EUR", stated_on="2024-01-20", figure={"period": year}))
    svg = lite.get("/pledges/aid-2024/picture.svg?as_of=2024-08-01").text
    assert re.search(r'<rect class="c-column s-exceeded c-maybe"[^>]*mask="url\(#rise\)"', svg)
    assert '<mask id="rise"' in svg


def test_a_picture_of_a_day_names_the_address_of_that_day(sqlite_url: str) -> None:
    with running(sqlite_url, public_url=HERE) as api:
        api.open()
        svg = api.get("/pledges/aid-2024/picture.svg?as_of=2024-08-01").text
        assert f">{HERE}/pledges/aid-2024?as_of=2024-08-01</text>" in svg


def test_a_part_of_the_chart_is_the_same_page_to_search_engines(sqlite_url: str) -> None:
    with running(sqlite_url, public_url=HERE) as api:
        api.open()
        page = api.get("/pledges/aid-2024?from=2024-01-01&to=2024-06-01&as_of=2024-08-01", headers=BROWSER).text
        assert f'<link rel="canonical" href="{HERE}/pledges/aid-2024?as_of=2024-08-01">' in page


SQUARE = b'<svg xmlns="http://www.w3.org/2000/svg" width="2" height="%d"/>'


def test_pictures_are_drawn_one_at_a_time_few_wait_and_the_last_ones_are_kept() -> None:
    png.cache_clear()
    first = png(SQUARE % 2)
    assert first.startswith(b"\x89PNG")
    with ExitStack() as held:
        for _ in range(WAITING_PICTURES):
            assert held.enter_context(ROOM) is True
        with pytest.raises(TooManyPictures) as refused:
            png(SQUARE % 3)
        assert png(SQUARE % 2) == first  # no room is needed for what is kept
    assert refused.value.members["retry_after"] > 0
    assert png(SQUARE % 3).startswith(b"\x89PNG")
    assert png.cache_info().maxsize == KEPT_PICTURES


def test_the_process_that_draws_gets_no_setting_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_ADMIN_KEY", "secret")
    assert "TRACKER_ADMIN_KEY" not in passed_on()
    assert "PATH" in passed_on()


def test_a_picture_that_finds_no_room_is_told_when_to_come_again(lite: Api) -> None:
    lite.open()
    png.cache_clear()
    with ExitStack() as held:
        for _ in range(WAITING_PICTURES):
            held.enter_context(ROOM)
        refused = lite.get("/pledges/aid-2024/picture.png")
        assert lite.get("/pledges/aid-2024/picture.svg").status_code == 200
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert "the SVG" in refused.json()["detail"]
    assert lite.get("/pledges/aid-2024/picture.png").status_code == 200


@pytest.mark.parametrize("path", ["pledges/aid-2024", "pledges/aid-2024/record", "embed/aid-2024",
                                  "pledges/aid-2024/picture.svg", "pledges/aid-2024/statement"])  # fmt: skip
def test_before_it_was_made_no_address_of_a_pledge_calls_it_unknown(lite: Api, path: str) -> None:
    lite.open()
    answer = lite.get(f"/{path}?as_of=2023-01-01&at_position=1", headers=BROWSER)
    assert answer.status_code == 404
    page = text_of(answer.text).replace("\xa0", " ")
    assert "Not promised yet" in page
    assert "the pledge was first spoken of on 10 Jan 2024" in page
    assert "slip" not in page
    assert "No such pledge" not in page
