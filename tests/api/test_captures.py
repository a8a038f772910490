"""The archive of sources: bytes are kept under their hash, and given back as they were."""

import hashlib
from pathlib import Path

import pytest
from httpx import Response

from api.http.access_keys import Role, create_key
from tests.support.api import MONITOR, Api, prepare, problem, running

PDF = b"%PDF-1.7 a page"
SHA256 = hashlib.sha256(PDF).hexdigest()


def put(api: Api, body: bytes = PDF, media_type: str = "application/pdf", **headers: str) -> Response:
    return api.client.put("/v1/captures", content=body, headers=MONITOR | {"Content-Type": media_type} | headers)


def get(api: Api, sha256: str = SHA256, **headers: str) -> Response:
    return api.client.get(f"/v1/captures/{sha256}", headers=MONITOR | headers)


def test_a_copy_is_kept_once_and_given_back(lite: Api) -> None:
    first, again = put(lite), put(lite)
    told = {"sha256": SHA256, "media_type": "application/pdf", "bytes": len(PDF)}
    assert (first.status_code, first.json()) == (201, told)
    assert (again.status_code, again.json()) == (200, told)
    assert first.headers["location"] == f"/v1/captures/{SHA256}"
    found = get(lite)
    assert (found.status_code, found.content) == (200, PDF)
    assert found.headers["content-type"] == "application/pdf"
    assert found.headers["content-disposition"] == f'attachment; filename="{SHA256}.pdf"'
    assert found.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert get(lite, **{"If-None-Match": found.headers["etag"]}).status_code == 304


def test_the_archive_is_beside_the_file_and_for_its_owner_alone(lite: Api) -> None:
    put(lite)
    archive = lite.services.settings.archive_directory
    assert archive is not None
    (kept,) = archive.glob("*/*")
    assert kept.relative_to(archive) == Path(SHA256[:2], f"{SHA256}.pdf")
    assert kept.stat().st_mode & 0o077 == 0
    assert archive.stat().st_mode & 0o077 == 0


def test_a_copy_that_was_damaged_is_mended_by_its_bytes(lite: Api) -> None:
    put(lite)
    archive = lite.services.settings.archive_directory
    assert archive is not None
    (kept,) = archive.glob("*/*")
    kept.write_bytes(b"damaged")
    assert put(lite).status_code == 201
    assert get(lite).content == PDF


def test_a_page_in_another_charset_is_kept_as_it_is(lite: Api) -> None:
    body = "<p>Größe</p>".encode("latin-1")
    kept = put(lite, body, "text/html; charset=iso-8859-1")
    assert (kept.status_code, kept.json()["media_type"]) == (201, "text/html")
    assert get(lite, kept.json()["sha256"]).content == body


@pytest.mark.parametrize("media_type", ["image/svg+xml", "application/javascript", "application/octet-stream", ""])
def test_what_could_be_a_program_is_refused(lite: Api, media_type: str) -> None:
    problem(put(lite, b"<svg/>", media_type), 415, "unsupported_media_type")


def test_bytes_that_say_what_they_are_need_no_type(lite: Api) -> None:
    for body, media_type in (
        (PDF, "application/pdf"), (b"\x89PNG\r\n\x1a\n..", "image/png"), (b"\xff\xd8\xff\xe0..", "image/jpeg"),
        (b"WARC/1.0\r\n", "application/warc"),
    ):  # fmt: skip
        assert put(lite, body, "application/octet-stream").json()["media_type"] == media_type


def test_bodies_have_bounds(lite: Api) -> None:
    problem(put(lite, b""), 400, "malformed")
    problem(put(lite, b"a" * 20_000_001), 413, "too_large")
    assert put(lite, b"a" * 20_000_000, "text/plain").status_code == 201


@pytest.mark.parametrize("sha256", ["0" * 64, SHA256.upper(), "x", "..%2f..%2ftracker.db", "a" * 300])
def test_no_other_file_is_found(lite: Api, sha256: str) -> None:
    put(lite)
    assert get(lite, sha256).status_code == 404


def test_it_may_be_said_for_which_log_it_is(lite: Api) -> None:
    problem(put(lite, **{"Tracker-Log": "another"}), 409, "other_log")
    assert put(lite, **{"Tracker-Log": lite.get("/v1/log").json()["log"]}).status_code == 201
    problem(lite.get(f"/v1/captures/{SHA256}?log=another", headers=MONITOR), 409, "other_log")


def test_an_unknown_copy_says_so(lite: Api) -> None:
    problem(get(lite, "0" * 64), 404, "capture_not_found")


def test_a_copy_whose_file_was_removed_is_gone(lite: Api) -> None:
    put(lite)
    archive = lite.services.settings.archive_directory
    assert archive is not None
    (archive / SHA256[:2] / f"{SHA256}.pdf").unlink()
    problem(get(lite), 404, "capture_not_found")


def test_who_may_put_and_who_may_get(lite: Api) -> None:
    put(lite)
    expected: list[tuple[Role, int, int]] = [
        ("reader", 403, 403), ("auditor", 403, 200), ("monitor", 200, 200), ("admin", 200, 200),
    ]  # fmt: skip
    keys = {role: create_key(lite.services.engine, f"{role} key", role) for role, _, _ in expected}
    lite.services.keys.refresh()
    for role, may_put, may_get in expected:
        headers = {"Authorization": f"Bearer {keys[role]}"}
        answer = lite.client.put("/v1/captures", content=PDF, headers=headers | {"Content-Type": "application/pdf"})
        assert answer.status_code == may_put, role
        assert lite.client.get(f"/v1/captures/{SHA256}", headers=headers).status_code == may_get, role
    assert lite.client.get(f"/v1/captures/{SHA256}").status_code == 401
    assert lite.client.put("/v1/captures", content=PDF, headers={"Content-Type": "application/pdf"}).status_code == 401


def test_without_a_directory_there_is_no_archive(postgres_url: str) -> None:
    prepare(postgres_url)
    with running(postgres_url) as api:
        problem(put(api), 503, "no_archive")
        problem(get(api), 503, "no_archive")


def test_postgresql_keeps_copies_where_the_setting_says(postgres_url: str, tmp_path: Path) -> None:
    prepare(postgres_url)
    with running(postgres_url, archive_dir=tmp_path / "kept") as api:
        assert put(api).status_code == 201
        assert get(api).content == PDF


def test_an_archive_that_takes_no_files_says_so(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with running(sqlite_url, archive_dir=tmp_path / "file") as api:
        assert "the archive takes no files" in problem(put(api), 503, "no_archive")["detail"]
