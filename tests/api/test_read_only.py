"""A process that answers reads alone: it writes nothing, and is well without."""

import pytest
from sqlalchemy import create_engine, text

from api.http.access_keys import create_key
from tests.support.api import Api, catch_up, made, prepare, problem, running


def test_it_answers_reads_and_refuses_writes(database_url: str) -> None:
    prepare(database_url)
    with running(database_url) as primary:
        primary.open()
        catch_up(primary)
        with running(database_url, read_only=True) as reader:
            assert reader.get("/v1/pledges/aid-2024").json()["status"] == "overdue"
            refused = problem(reader.post("/v1/pledges", {"fact": made()}), 503, "unavailable")
            assert "reads alone" in refused["detail"]
            headers = {"Content-Type": "application/pdf"}
            assert reader.client.put("/v1/captures", content=b"%PDF-", headers=headers).status_code == 401
            primary.add({"type": "StatementMade", "stated_on": "2024-09-01", "summary": "More.",
                         "source": {"publisher": "Gazette", "tier": "media"}})  # fmt: skip
            assert primary.head() == 2


def test_readiness_does_not_ask_it_for_writes(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(database_url)
    with running(database_url) as primary:
        primary.open()
        catch_up(primary)
        with running(database_url, read_only=True) as reader:
            monkeypatch.setattr(type(reader.services.tracker.log), "why_read_only", lambda _: "it is a standby")
            ready = reader.get("/health/ready")
            assert "writes" not in ready.json()["checks"]
            assert (ready.status_code, primary.get("/health/ready").status_code) == (200, 503), ready.text


def test_it_notes_no_uses_of_keys(lite: Api, sqlite_url: str) -> None:
    key = create_key(lite.services.engine, "alice", "reader")
    with running(sqlite_url, read_only=True) as reader:
        reader.services.keys.refresh()
        assert reader.get("/v1/pledges", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        reader.services.keys.note_uses()
    with create_engine(sqlite_url).connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM access_keys WHERE last_used_on <> ''")).scalar() == 0
