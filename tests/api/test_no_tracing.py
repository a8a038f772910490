"""Without OpenTelemetry the tracker serves as ever, and the setting that needs it says so."""

import sys
from pathlib import Path

import pytest

from api.http.tracing import begin_traces
from tests.support.shell import Shell


def test_the_setting_names_the_extra_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    refused = Shell(sqlite_url, tmp_path).run("serve", code=1, TRACKER_TRACES="true").stderr
    assert "commitments-tracker[otel]" in refused
    assert begin_traces(on=False) is None
