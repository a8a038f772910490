"""What others show: a feed of changes, a badge, a page for an iframe; readable by all, and by nobody's script."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from freezegun import freeze_time

from api.formats import badge as badges
from projections.timeline import Timeline
from tests.support.api import SOURCE, Api, made, problem, progress, running, statement

FEED = "/v1/feed.atom"
BADGE = "/v1/pledges/aid-2024/badge.svg"
EMBED = "/embed/aid-2024"
ATOM = {"a": "http://www.w3.org/2005/Atom"}
SVG = {"s": "http://www.w3.org/2000/svg"}


def tree(api: Api, path: str) -> ElementTree.Element:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return ElementTree.fromstring(answer.content)


def entries(api: Api, query: str = "") -> list[tuple[str, ...]]:
    """The title of each entry and the statuses that it tells, newest first."""
    found = tree(api, f"{FEED}{query}").findall("a:entry", ATOM)
    return [(one(e, "title"), *(c.attrib["term"] for c in e.findall("a:category", ATOM))) for e in found]


def one(element: ElementTree.Element, name: str) -> str:
    found = element.find(f"a:{name}", ATOM)
    assert found is not None, name
    return found.text or ""


def attribute(element: ElementTree.Element, name: str, which: str) -> str:
    found = element.find(f"a:{name}", ATOM)
    assert found is not None, name
    return found.attrib[which]


def the_style(policy: str, style: str) -> bool:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy


# --- the feed


def test_a_change_is_told_once_it_is_known_which_event_made_it_known(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.open()
    api.add(progress("50bn EUR", figure={"period": {"start": "2024-01-01", "end": "2024-12-31"}}))
    with monkeypatch.context() as folded:
        folded.setattr(Timeline, "waiting", lambda *_: {"aid-2024": 2})
        assert entries(api, "?limit=40") == [("Announced: Aid of 2024", "announced")]
    assert len(entries(api, "?limit=50")) > 1


def test_the_feed_tells_every_change_newest_first(api: Api) -> None:
    api.open()
    api.add(progress())
    api.open("other", title="<Other> & co.", window={"end": "2024-06-30"})
    feed = tree(api, FEED)
    assert api.get(FEED).headers["content-type"].startswith("application/atom+xml")
    assert entries(api) == [
        ("Overdue: <Other> & co.", "overdue", "announced"),
        ("Overdue: Aid of 2024", "overdue", "in_progress"),
        ("Announced: Aid of 2024", "announced"),
    ]
    assert [one(e, "published")[:10] for e in feed.findall("a:entry", ATOM)] == [
        "2024-07-01", "2025-01-01", "2024-01-10",
    ]  # fmt: skip
    updated = [one(e, "updated") for e in feed.findall("a:entry", ATOM)]
    assert updated == sorted(updated, reverse=True)
    assert one(feed, "updated") == updated[0]


def test_the_feed_is_valid_atom(kept: Api) -> None:
    """RFC 4287: what must be there once, and ids and instants in their form."""
    feed = tree(kept, FEED)
    for part in (feed, *feed.findall("a:entry", ATOM)):
        for name in ("id", "title", "updated"):
            assert len(part.findall(f"a:{name}", ATOM)) == 1, name
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", one(part, "id"))
        assert datetime.fromisoformat(one(part, "updated")).tzinfo == UTC
        kinds = [link.attrib["rel"] for link in part.findall("a:link", ATOM)]
        assert kinds.count("alternate") == 1
    assert feed.find("a:author/a:name", ATOM) is not None
    assert feed.find("a:link[@rel='self']", ATOM).attrib["href"] == FEED  # type: ignore[union-attr]
    ids = [one(e, "id") for e in feed.findall("a:entry", ATOM)]
    assert len(set(ids)) == len(ids) == 2
    for entry in feed.findall("a:entry", ATOM):
        for link in entry.findall("a:link", ATOM):
            assert kept.get(link.attrib["href"]).status_code == 200


def test_ids_stay_whatever_is_recorded_later(api: Api) -> None:
    api.open()
    api.add(progress())

    def ids() -> dict[str, str]:
        feed = tree(api, FEED).findall("a:entry", ATOM)
        return {one(e, "id"): one(e, "updated") for e in feed}

    before = ids()
    api.add(statement())
    api.add(progress("22bn EUR", stated_on="2024-08-01"))
    api.open("other")
    assert before.items() <= ids().items()


def test_no_two_logs_have_an_id_in_common_whatever_their_names(tmp_path: Path) -> None:
    ids: list[set[str]] = []
    for name in ("one", "two"):
        url = f"sqlite:///{tmp_path}/{name}.db"
        with freeze_time("2025-07-10 12:00:00", real_asyncio=True), running(url, origin="example.com/log") as api:
            api.open()
            feed = tree(api, FEED)
            ids.append({one(part, "id") for part in (feed, *feed.findall("a:entry", ATOM))})
    assert len(ids[0]) > 1
    assert not ids[0] & ids[1]


def test_what_one_request_made_known_is_one_entry(api: Api) -> None:
    items = [{"pledge": f"p{n}", "fact": made(title=f"Pledge {n}", window=None)} for n in range(25)]
    assert api.post("/v1/events", items).status_code == 201
    api.open("alone", window=None)
    feed = tree(api, FEED)
    (alone, batch) = feed.findall("a:entry", ATOM)
    assert one(alone, "title") == "Announced: Aid of 2024"
    assert one(batch, "title") == "Several pledges: Pledge 24, Pledge 23, Pledge 22 and others"
    assert len(batch.findall("a:link[@rel='related']", ATOM)) == 20
    assert one(batch, "summary").endswith("There are further changes.")
    assert entries(api, "?pledge=p3") == [("Announced: Pledge 3", "announced")]
    narrowed = tree(api, f"{FEED}?pledge=p3").find("a:entry", ATOM)
    assert narrowed is not None
    assert one(narrowed, "id") != one(batch, "id")
    later = tree(api, f"{FEED}?as_of=2026-01-01&limit=9").findall("a:entry", ATOM)
    assert [one(e, "id") for e in later] == [one(alone, "id"), one(batch, "id")]


def test_a_deadline_is_news_on_the_day_it_has_passed(sqlite_url: str) -> None:
    with freeze_time("2025-07-10 12:00:00", real_asyncio=True) as clock, running(sqlite_url) as api:
        api.open(window={"start": "2024-07-10", "end": "2025-07-10"})
        before = api.get(FEED)
        assert entries(api) == [("Announced: Aid of 2024", "announced")]
        clock.move_to("2025-07-11 00:00:01")
        after = api.get(FEED, headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert entries(api)[0] == ("Overdue: Aid of 2024", "overdue")
        newest = tree(api, FEED).find("a:entry", ATOM)
        assert newest is not None
        assert one(newest, "updated") == "2025-07-11T00:00:00.000000Z"


def test_the_feed_is_narrowed_and_asked_at_a_point(api: Api) -> None:
    api.open(tags=["a"])
    api.add(progress())
    api.open("other", pledgor={"name": "Belgium", "code": "BE"}, title="Other")
    assert entries(api, "?pledgor=be") == [("Overdue: Other", "overdue", "announced")]
    assert entries(api, "?status=in_progress") == [("In progress: Aid of 2024", "in_progress")]
    assert entries(api, "?pledge=other&status=overdue,met") == [("Overdue: Other", "overdue")]
    assert entries(api, "?party=be") == entries(api, "?pledge=other")
    assert len(entries(api, "?limit=2")) == 2
    assert entries(api, "?tag=a&as_of=2024-12-31") == [
        ("In progress: Aid of 2024", "in_progress"),
        ("Announced: Aid of 2024", "announced"),
    ]
    assert entries(api, "?at_position=1&as_of=2024-12-31") == [("Announced: Aid of 2024", "announced")]
    assert entries(api, "?as_of=2023-01-01") == []
    assert entries(api, "?type=ProgressReported&as_of=2024-12-31") == [("In progress: Aid of 2024", "in_progress")]
    assert entries(api, "?type=PledgeMade,StatementMade&tag=a&as_of=2024-12-31") == [
        ("Announced: Aid of 2024", "announced")
    ]
    assert entries(api, "?type=StatementMade") == []
    for query in ("?limit=0", "?type=x", "?limit=201", "?status=x", "?as_of=x"):
        problem(api.get(f"{FEED}{query}"), 400, "invalid_parameter")
    for query in ("?format=json", "?sort=title", "?x=1"):
        problem(api.get(f"{FEED}{query}"), 400, "unknown_parameter")


# --- the badge


def test_a_badge_says_the_status_to_everybody(kept: Api) -> None:
    answer = kept.get(BADGE + "?as_of=2024-12-01")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    svg = ElementTree.fromstring(answer.content)
    assert svg.attrib["role"] == "img"
    named = {svg.find(f"s:{name}", SVG).attrib["id"]: svg.findtext(f"s:{name}", "", SVG) for name in ("title", "desc")}  # type: ignore[union-attr]
    assert svg.attrib["aria-labelledby"].split() == list(named)
    assert named["badge-title"] == "In progress: Aid of 2024"
    assert "21,000,000,000" in named["badge-desc"]
    style = svg.findtext("s:style", "", SVG)
    assert "prefers-color-scheme:dark" in style
    assert the_style(answer.headers["content-security-policy"], style)
    assert "<script" not in answer.text
    assert "href" not in answer.text


@pytest.mark.parametrize(
    "title", ["x", "At least 40 billion euros of military equipment, assistance and training for Ukraine " * 3,
              "W" * 300, "條約" * 100, "a<b>&\"c\"", "émigré 🌳 ﷽"]
)  # fmt: skip
def test_no_text_of_a_badge_is_cut(lite: Api, title: str) -> None:
    lite.open(title=title.strip()[:300])
    lite.add(progress("over 50bn EUR"))
    svg = tree(lite, BADGE)
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    lines = svg.findall(".//s:text", SVG)
    whole = "".join((line.text or "") for line in lines).replace(" ", "")
    assert title.strip()[:300].replace(" ", "") in whole
    assert "Exceeded" in whole
    for line in lines:
        assert float(line.attrib["x"]) + float(line.attrib["textLength"]) <= width
        assert 0 < float(line.attrib["y"]) < height


def test_a_badge_can_be_read_in_light_and_in_dark() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a: str, b: str) -> float:
        light, dark = sorted((luminance(a), luminance(b)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    for light, dark in (*badges.STATUS_COLOURS.values(), badges.NEUTRAL_COLOURS):
        assert contrast("#ffffff", light) >= 4.5
        assert contrast("#14181c", dark) >= 4.5


# --- the frame


def test_a_page_for_a_frame_may_be_framed_and_nothing_else_may(kept: Api) -> None:
    answer = kept.get(EMBED)
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "default-src 'none'" in policy
    assert "x-frame-options" not in answer.headers
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    assert the_style(policy, style[1])
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert "postMessage" in script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert not re.search(r"\s(on\w+|style|src)=", answer.text)
    for path in ("/", "/pledges/aid-2024", "/v1/pledges/aid-2024", "/schema", "/nothing", BADGE):
        other = kept.get(path)
        assert other.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors *" not in other.headers.get("content-security-policy", "")


def test_a_framed_page_is_escaped_and_says_where_it_is_from(sqlite_url: str) -> None:
    with running(sqlite_url, data_license="CC-BY-4.0") as api:
        api.open(title="<script>alert(1)</script>")
        api.add(progress("over 50bn EUR"))
        text = api.get(f"{EMBED}?as_of=2024-12-31").text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text
        assert "over €50bn" in text
        assert "CC-BY-4.0" in text
        assert 'href="/pledges/aid-2024?as_of=2024-12-31"' in text
        assert "CC-BY-4.0" in api.get(FEED).text


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("CC-BY-4.0", "https://spdx.org/licenses/CC-BY-4.0.html"),
        ("odbl-1.0", "https://spdx.org/licenses/ODbL-1.0.html"),
        ("https://example.org/terms", "https://example.org/terms"),
        ("Proprietary", None),
        ("MyOwn-1.0", None),
        ("Ask us first", None),
    ],
)
def test_a_licence_is_linked_only_where_its_address_is_known(sqlite_url: str, named: str, address: str | None) -> None:
    with running(sqlite_url, data_license=named) as api:
        api.open()
        link = api.get("/v1/pledges/aid-2024").headers["link"]
        assert (f'<{address}>; rel="license"' in link) is (address is not None)
        assert ("license" in link) is (address is not None)
        for path in ("/", EMBED):
            page = api.get(path, headers={"Accept": BROWSER}).text
            assert named in page
            assert (f'<a href="{address}"' in page) is (address is not None)
            assert "spdx.org" in page if address and "spdx" in address else "spdx.org" not in page
        feed = api.get(FEED).text
        assert f"<rights>{named}</rights>" in feed
        assert ('rel="license"' in feed) is (address is not None)


# --- all three


def test_a_frame_before_the_pledge_was_recorded_shows_what_is_known_today(api: Api) -> None:
    api.open("first")
    api.open()
    for clock in ("known_on=2020-01-01", "known_at=2020-01-01T00:00:00Z", "at_position=1"):
        frame = api.get(f"{EMBED}?as_of=2024-06-01&{clock}")
        assert (frame.status_code, "Not recorded by then." in frame.text) == (200, True)
        assert f"{clock}" in frame.text.replace("%3A", ":")
    assert "Not recorded" not in api.get(EMBED).text
    problem(api.get(f"{EMBED}?as_of=2020-06-01&at_position=1"), 404, "pledge_not_found")
    for wrong in ("known_on=2020", "known_on=2020-01-01&at_position=1", "known_on=2999-01-01"):
        problem(api.get(f"{EMBED}?{wrong}"), 400, "invalid_parameter")


def test_badge_and_frame_count_members_and_name_a_step(lite: Api) -> None:
    lite.open("group", kind="ratio", target="at least 2 percent:gdp",
              group={"rule": "each_member", "members": ["BE", "FR", "IS"]})  # fmt: skip
    lite.add({"type": "TallyReported", "stated_on": "2025-01-10", "source": SOURCE, "met": 2, "not_met": 1, "total": 3},
             "group")  # fmt: skip
    lite.open("step", kind="milestone", target=None, window=None)
    lite.add({"type": "MilestoneReached", "stated_on": "2025-01-10", "source": SOURCE, "milestone": "founded"}, "step")
    for pledge, said, status in (("group", "2 of 3", "s-partly_met"), ("step", "“founded”: reached", "s-met")):
        assert said in lite.get(f"/v1/pledges/{pledge}/badge.svg").text
        frame = lite.get(f"/embed/{pledge}").text
        assert said in frame
        assert f'<strong class="{status}">' in frame


@pytest.mark.parametrize("path", [FEED, BADGE, EMBED])
def test_they_are_polled_as_everything_is(lite: Api, path: str) -> None:
    lite.open()
    first = lite.get(path)
    given = {"If-None-Match": first.headers["etag"]}
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["access-control-allow-origin"] == "*"
    assert lite.get(path, headers=given).status_code == 304
    head = lite.client.head(path)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])
    log = lite.get("/v1/log").json()["log"]
    fixed = lite.get(f"{path}?as_of=2024-06-01&at_position=1&log={log}")
    assert "immutable" in fixed.headers["cache-control"]
    lite.add(progress())
    assert lite.get(path, headers=given).status_code == 200
    problem(lite.get(f"{path}?asof=2024-01-01"), 400, "unknown_parameter")
    problem(lite.client.post(path), 405, "method_not_allowed")


IMG = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "kind"), [(FEED, "application/atom+xml"), (BADGE, "image/svg+xml"), (EMBED, "text/html")]
)
def test_they_come_to_all_who_take_them_and_are_406_to_others(kept: Api, path: str, kind: str) -> None:
    for accept in (kind, f"{kind.partition('/')[0]}/*", "*/*", "", IMG, BROWSER, f"text/csv, {kind};q=0.1"):
        answer = kept.get(path, headers={"Accept": accept})
        assert answer.status_code == 200, accept
        assert answer.headers["content-type"].startswith(kind)
    for accept in (f"{kind};q=0", f"{kind};q=0, */*"):
        assert kept.get(path, headers={"Accept": accept}).status_code == 406
    for accept in ("text/csv", "application/json", "audio/*"):
        refused = problem(kept.get(path, headers={"Accept": accept}), 406, "not_acceptable")
        assert [offered.partition(";")[0] for offered in refused["offered"]] == [kind]


@pytest.mark.parametrize("path", ["/v1/pledges/nobody/badge.svg", "/embed/nobody", "/embed/No%20Slug"])
def test_what_is_not_there_is_404(kept: Api, path: str) -> None:
    problem(kept.get(path), 404, "pledge_not_found")
    problem(kept.get(f"{BADGE}?as_of=2000-01-01"), 404, "pledge_not_found")


def test_a_private_service_shows_them_to_nobody_without_a_key(sqlite_url: str) -> None:
    with running(sqlite_url, public_read=False) as api:
        api.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()})
        for path in (FEED, BADGE, EMBED):
            problem(api.get(path), 401, "unauthorized")


def documents(api: Api) -> Any:
    return api.get("/schema/openapi.json").json()["paths"]


def test_they_are_described(kept: Api) -> None:
    found = documents(kept)
    for path, media in (("/v1/feed.atom", "application/atom+xml"),
                        ("/v1/pledges/{pledge}/badge.svg", "image/svg+xml")):  # fmt: skip
        reply = found[path]["get"]["responses"]["200"]
        assert f"`{media}`" in reply["description"]
        assert "content" not in reply  # generators of clients would warn
    assert "/embed/{pledge}" not in found  # a page
