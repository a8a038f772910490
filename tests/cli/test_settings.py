"""Settings that stand in files, as secrets do in containers, and a password apart from its address."""

from pathlib import Path

import pytest

from api.settings import Settings, unknown_keys
from tests.support.shell import Shell


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_any_setting_may_stand_in_a_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "key").write_text("k" * 40 + "\n")
    (here / "limit").write_text("7\n")
    monkeypatch.setenv("TRACKER_ADMIN_KEY_FILE", str(here / "key"))
    (here / ".env").write_text(f"TRACKER_RATE_LIMIT_FILE={here / 'limit'}\n")
    settings = Settings()
    assert settings.admin_key is not None
    assert settings.admin_key.get_secret_value() == "k" * 40
    assert settings.rate_limit == 7
    assert unknown_keys() == []


def test_an_empty_file_sets_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "key").write_text("\n")
    monkeypatch.setenv("TRACKER_ADMIN_KEY_FILE", "key")
    assert Settings().admin_key is None


def test_a_password_stands_apart_from_its_address(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "password").write_text("sesame/@:\n")
    monkeypatch.setenv("TRACKER_DATABASE_URL", "postgresql://app@db:5432/tracker?sslmode=require")
    monkeypatch.setenv("TRACKER_DATABASE_PASSWORD_FILE", "password")
    settings = Settings()
    assert settings.database_url == "postgresql://app:sesame%2F%40%3A@db:5432/tracker?sslmode=require"
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ADMIN_KEY_FILE": "nowhere"}, "nowhere cannot be read"),
        ({"ADMIN_KEY_FILE": "key", "ADMIN_KEY": "k" * 40}, "TRACKER_ADMIN_KEY is set, too"),
        ({"DATABASE_PASSWORD": "sesame"}, "TRACKER_DATABASE_URL of PostgreSQL"),
        ({"DATABASE_PASSWORD": "sesame", "DATABASE_URL": "postgresql://a:b@c/d"}, "no password"),
    ],
)
def test_what_cannot_be_is_wrong_usage_and_not_shown(given: dict[str, str], said: str, lite: Shell) -> None:
    lite.write("key", "x" * 40)
    result = lite.run("status", code=2, **{f"TRACKER_{name}": value for name, value in given.items()})
    assert said in result.stderr
    assert "sesame" not in result.stderr
