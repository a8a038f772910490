"""How the pages are sent, and what may be asked of them, without a browser."""

import hashlib
import re
from html import unescape

import pytest

from api.pages.frame import POLICY, static_files
from tests.support.api import MONITOR, Api, progress, running, statement
from tests.support.pages import BROWSER, text_of
from tests.support.paths import ROOT

PATHS = ["/", "/pledges/aid-2024", "/audit", "/record", "/proposals", "/record?pledge=aid-2024", "/?sort=title"]


# --- what is vendored


@pytest.mark.parametrize("folder", ["tests/vendor"])
def test_vendored_files_are_the_published_ones_with_their_licences(folder: str) -> None:
    listed = re.findall(r"^\| (\S+\.js) \| .+ \| `([0-9a-f]{64})` \|$", (ROOT / folder / "README.md").read_text(), re.M)
    assert listed
    for name, digest in listed:
        assert hashlib.sha256((ROOT / folder / name).read_bytes()).hexdigest() == digest, name
        assert (ROOT / folder / name).parent.joinpath("LICENSE").is_file()
    there = {str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*.js")}
    assert there == {name for name, _ in listed}


# --- how pages are sent


@pytest.mark.parametrize("path", PATHS)
def test_a_page_brings_everything_along_from_here(kept: Api, path: str) -> None:
    page = kept.get(path, headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    scripts = re.sub(r'<script type="application/ld\+json">[^<]*</script>', "", page.text)  # data, which nobody runs
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", scripts)
    for address in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page.text):
        assert address.startswith("/")
        assert kept.get(address).status_code == 200
    again = kept.get(path, headers={**BROWSER, "If-None-Match": page.headers["etag"]})
    assert again.status_code == 304


def test_static_files_have_their_types_and_nothing_else_is_served(kept: Api) -> None:
    types = {name: kept.get(f"/assets/{name}").headers["content-type"] for name in static_files()}
    assert types["app.js"].startswith("text/javascript")
    assert types["app.css"].startswith("text/css")
    assert types["icon.svg"] == "image/svg+xml"
    assert kept.get("/assets/../pages.py").status_code == 404
    assert kept.get("/assets/%2e%2e/pages.py").status_code == 404


def test_static_files_are_kept_for_ever_below_their_hash(kept: Api) -> None:
    page = kept.get("/", headers=BROWSER).text
    addresses = re.findall(r'"(/assets/[^"]+)"', page)
    assert addresses
    for address in addresses:
        answer = kept.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        if len(answer.content) > 1024:
            assert answer.headers["content-encoding"] == "gzip"
        folder, _, name = address.removeprefix("/assets/").partition("/")
        other = kept.get(f"/assets/{'0' * len(folder)}/{name}")
        assert (other.status_code, other.content) == (200, answer.content)
        assert other.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/pledges/aid-2024", "/audit", "/record", "/schema", "/nowhere"])
def test_every_page_has_its_icon_from_here(kept: Api, path: str) -> None:
    page = kept.get(path, headers=BROWSER)
    icon = re.search(r'<link rel="icon" href="(/[^"]+)"', page.text)
    assert icon is not None
    assert "img-src 'self'" in page.headers["content-security-policy"]
    for address in (icon[1], "/favicon.ico"):
        found = kept.get(address, headers={"Accept": "image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8"})
        assert (found.status_code, found.headers["content-type"]) == (200, "image/svg+xml")


def test_our_scripts_and_styles_name_no_other_machine() -> None:
    for name, answer in static_files().items():
        if not name.startswith("vendor/") and name.endswith((".js", ".css")):
            text = (answer.body or b"").decode()
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name
            assert not re.search(r"localStorage|sessionStorage|document\.cookie|indexedDB|innerHTML|eval\(", text), name


def test_what_is_recorded_is_never_markup(lite: Api) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    lite.open("evil", title=evil, pledgor={"name": evil}, summary=evil, tags=["a"])
    lite.add(statement(summary=evil, quote=evil, speaker={"name": evil}, source={"publisher": evil, "tier": "media",
             "url": "https://example.org/?\"><script>"}), "evil")  # fmt: skip
    paper = "/pledges/evil/statement?as_of=2024-12-31&at_position=1"
    for path in (
        "/",
        "/pledges/evil",
        paper,
        "/audit",
        "/record?pledge=evil&type=EventCorrected",
        "/?q=alert",
    ):
        page = lite.get(path, headers=BROWSER).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert '"><script>' not in page


# --- what is asked


def test_blank_fields_of_a_form_count_as_not_given(kept: Api) -> None:
    blank = kept.get("/?as_of=&known_on=&page=&q=&pledgor=&sort=&status=", headers=BROWSER)
    assert blank.status_code == 200
    assert "1 pledge<" in blank.text
    assert str(blank.url).endswith("/")


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("/?q=aid&status=&tag=", "/?q=aid"),
        ("/?q=+&as_of=2024-08-01&status=met,exceeded&sort=", "/?as_of=2024-08-01&status=met,exceeded"),
        ("/audit?by=&pledge=aid-2024&type=", "/audit?pledge=aid-2024"),
        ("/pledges/aid-2024?as_of=2024-08-01&known_on=", "/pledges/aid-2024?as_of=2024-08-01"),
        ("/record?pledge=&type=PledgeMade", "/record?type=PledgeMade"),
        ("/pledges/a%0d%0ab%3f?as_of=", "/pledges/a%0D%0Ab%3F"),
    ],
)
def test_the_address_of_a_form_is_the_one_without_its_blank_fields(kept: Api, asked: str, canonical: str) -> None:
    answer = kept.get(asked, headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, canonical)
    assert kept.client.head(asked, headers=BROWSER, follow_redirects=False).status_code == 302
    assert "location" not in kept.get(canonical, headers=BROWSER, follow_redirects=False).headers


def test_an_unknown_parameter_is_refused_by_a_page_too(kept: Api) -> None:
    page = kept.get("/?asof=2024-01-01", headers=BROWSER)
    assert page.status_code == 400
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert "unknown_parameter" in page.text


def test_a_browser_is_told_in_a_page_and_a_program_in_a_problem(kept: Api) -> None:
    for path in ("/pledges/nothing", "/nowhere", "/problems/nothing"):
        assert kept.get(path, headers=BROWSER).headers["content-type"] == "text/html; charset=utf-8"
        assert kept.get(path).headers["content-type"] == "application/problem+json"
    program = kept.get("/v1/pledges/nothing", headers=BROWSER)
    assert program.headers["content-type"] == "application/problem+json"


def test_a_pledge_before_it_was_recorded_shows_what_is_known_of_it_now(lite: Api) -> None:
    lite.open("first")
    lite.open()
    lite.add(progress())
    for clocks in ("known_on=2020-01-01", "at_position=1"):
        page = lite.get(f"/pledges/aid-2024?{clocks}&as_of=2024-02-01", headers=BROWSER)
        assert page.status_code == 200
        assert "We had recorded nothing of this pledge by then" in page.text
        assert "Aid of 2024" in page.text
        assert "20.9" not in text_of(page.text)
    assert "had recorded nothing" not in lite.get("/pledges/aid-2024", headers=BROWSER).text
    for address in ("/pledges/aid-2024?known_on=2020-01-01&as_of=2023-01-01", "/pledges/none?known_on=2020-01-01"):
        assert lite.get(address, headers=BROWSER).status_code == 404
    unchanged = {"If-None-Match": lite.get("/pledges/aid-2024?at_position=1", headers=BROWSER).headers["etag"]}
    lite.add(progress("22bn EUR", stated_on="2024-07-20"))
    assert lite.get("/pledges/aid-2024?at_position=1", headers={**BROWSER, **unchanged}).status_code == 200


def test_the_overview_before_the_record_shows_what_is_known_of_it_now(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    for clocks in ("known_on=2020-01-01", "known_at=2020-01-01T00:00:00Z", "at_position=0"):
        page = lite.get(f"/?{clocks}&as_of=2024-02-01", headers=BROWSER)
        assert page.status_code == 200
        assert "We began to record on" in page.text
        assert "as we knew it" not in page.text
        assert "Aid of 2024" in page.text
        assert "20.9" not in text_of(page.text)
        unchanged = {**BROWSER, "If-None-Match": page.headers["etag"]}
        assert lite.get(f"/?{clocks}&as_of=2024-02-01", headers=unchanged).status_code == 304
    lite.open("other", title="Another one")
    assert "Another one" in lite.get(f"/?{clocks}&as_of=2024-02-01", headers=unchanged).text
    assert "No pledge fits" in lite.get("/?known_on=2020-01-01&as_of=2023-01-01", headers=BROWSER).text
    for now in ("/", "/?as_of=2024-02-01", "/?at_position=1"):
        assert "We began to record" not in lite.get(now, headers=BROWSER).text


def test_the_end_of_a_day_is_what_was_known_on_it(lite: Api) -> None:
    lite.open()
    lite.open("second", title="A second one")
    first = text_of(lite.get("/?at_position=1", headers=BROWSER).text)
    assert "Aid of 2024" in first
    assert "A second one" not in first
    assert "Aid of 2024" in lite.get("/", headers=BROWSER).text
    assert lite.get("/?known_on=2999-01-01", headers=BROWSER).status_code == 400
    assert lite.get("/?known_on=2020-01-01&at_position=1", headers=BROWSER).status_code == 400


def test_a_page_can_be_made_again_from_its_own_footer(lite: Api) -> None:
    lite.open()
    lite.add(progress("20.9bn EUR"))
    page = lite.get("/pledges/aid-2024", headers=BROWSER).text
    again = re.search(r'href="(/pledges/aid-2024\?as_of=[0-9-]+&amp;at_position=2)"', page)
    assert again is not None
    lite.add(progress("over 50bn EUR", stated_on="2024-12-01", figure={"period": {"end": "2024-12-31"}}))
    pinned = lite.get(again[1].replace("&amp;", "&"), headers=BROWSER).text
    assert "€20.9bn of at least €40bn" in pinned
    assert "over €50bn" in pinned  # beside it, as it is now
    assert "over €50bn of at least" in lite.get("/pledges/aid-2024", headers=BROWSER).text


def test_a_whole_replay_is_for_auditors_and_kept_for_nobody(kept: Api) -> None:
    assert "is for auditors" in kept.get("/audit?replay=true", headers=BROWSER).text
    assert "No difference" in kept.get("/audit?replay=true", headers=BROWSER | MONITOR).text
    assert "is for auditors" in kept.get("/audit?replay=true", headers=BROWSER).text
    assert "No difference" in kept.get("/audit?replay=true&pledge=aid-2024", headers=BROWSER).text


def test_the_licence_of_the_data_stands_in_the_footer(sqlite_url: str) -> None:
    with running(sqlite_url, data_license="CC BY 4.0") as api:
        assert "Data: CC BY 4.0." in api.get("/", headers=BROWSER).text
    with running(sqlite_url, data_license="CC-BY-4.0") as api:
        linked = '<a href="https://spdx.org/licenses/CC-BY-4.0.html" rel="license noopener external">CC-BY-4.0</a>'
        assert f"Data: {linked}." in api.get("/", headers=BROWSER).text


def test_a_private_record_is_no_page_for_strangers(sqlite_url: str) -> None:
    with running(sqlite_url, public_read=False) as api:
        api.open(title="A secret")
        for path in PATHS:
            page = api.get(path, headers=BROWSER)
            assert page.status_code == 401
            assert page.headers["content-type"].startswith("text/html")
            assert page.headers["content-security-policy"] == POLICY
            assert page.headers["www-authenticate"].startswith("Bearer")
            assert "This record is not public" in page.text
            assert "key with the role “reader”" in page.text
            assert "secret" not in page.text
            assert api.get(path).headers["content-type"] == "application/problem+json"
            revoked = api.get(path, headers=BROWSER | {"Authorization": "Bearer 0123456789ab.nonsense"})
            assert "This is no key, or it was mistyped" in revoked.text
        assert api.get("/", headers=BROWSER | MONITOR).status_code == 200
        assert api.get("/", headers=BROWSER).status_code == 401


def test_a_voided_pledge_is_found_in_the_log_and_replayed_to_nothing(lite: Api) -> None:
    made_ = lite.open()["event"]["id"]
    lite.add(progress())
    lite.open("other")
    assert 'href="/pledges/aid-2024#event-' in lite.get("/audit", headers=BROWSER).text
    lite.add({"type": "EventVoided", "stated_on": "2024-08-01", "event": made_, "reason": "a test"})
    assert lite.get("/pledges/aid-2024", headers=BROWSER).status_code == 404
    page = lite.get("/audit", headers=BROWSER).text
    links = re.findall(r'href="(/(?:pledges|audit)[^"]*)"[^>]*>(aid-2024|other)<', page)
    assert {link.partition("#")[0] for link, _ in links} == {"/audit?pledge=aid-2024", "/pledges/other"}
    for link, _ in links:
        assert lite.get(link, headers=BROWSER).status_code == 200
    replayed = lite.get("/audit?pledge=aid-2024&replay=true", headers=BROWSER)
    assert replayed.status_code == 200
    said = text_of(replayed.text)
    assert "No difference. The log has 3 events of aid-2024 up to position 4. Folded, they are no pledge as of" in said
    assert "The projection has no such pledge either." in said
    assert "Our record voided" in said
    assert 'href="/audit?pledge=aid-2024"' in lite.get("/pledges/aid-2024", headers=BROWSER).text


def test_a_replay_at_a_day_before_the_pledge_shows_its_log_and_says_so(kept: Api) -> None:
    said = text_of(kept.get("/audit?as_of=2020-01-01&pledge=aid-2024&replay=true", headers=BROWSER).text)
    assert "The log has 2 events of aid-2024 up to position 2. Folded, they are no pledge as of 1 Jan 2020" in said
    assert "Progress reported" in said
    nobody = kept.get("/audit?pledge=nobody&replay=true", headers=BROWSER)
    assert nobody.status_code == 200
    assert "The log has no event of nobody up to position 2." in text_of(nobody.text)


def test_what_a_problem_means_is_a_page_for_browsers_and_json_for_programs(kept: Api) -> None:
    for path in ("/problems", "/problems/unknown_parameter", "/problems/unauthorized"):
        page = kept.get(path, headers=BROWSER)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"] == POLICY
        assert '<html lang="en">' in page.text
        assert len(re.findall("<h1>", page.text)) == len(re.findall("<main", page.text)) == 1
        program = kept.get(path)
        assert program.headers["content-type"] == "application/json"
        assert "Accept" in page.headers["vary"]
        assert "Accept" in program.headers["vary"]
    shown = kept.get("/problems/unknown_parameter", headers=BROWSER).text
    assert "<title>No such parameter · Commitments Tracker</title>" in shown
    assert kept.get("/problems/unknown_parameter").json()["about"] in unescape(shown)


def test_the_name_of_a_parameter_is_written_as_it_is(kept: Api) -> None:
    page = unescape(kept.get("/pledges/aid-2024?compare=true", headers=BROWSER).text)
    assert "<p class=\"standfirst\">'compare' is not known here" in page
    assert "first-letter" not in (static_files()["app.css"].body or b"").decode()
    assert '<p class="standfirst">Nothing is served' in kept.get("/nowhere", headers=BROWSER).text
