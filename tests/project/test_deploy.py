"""What is deployed with the tracker: every setting reaches the containers, secrets are files, and what watches the
metrics names metrics that there are."""

import json
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from api.http.problems import STATUS
from api.outgoing import webhooks
from api.outgoing.published import STATE_FILE, key_of
from api.settings import FILE_ENDING, Settings
from projections.queries import Filters
from tests.support.api import MONITOR, Api, running
from tests.support.paths import ROOT
from tracker.log.state_file import StateFile

DEPLOY = ROOT / "deploy"
SETTINGS = {f"TRACKER_{name}".upper() for name in Settings.model_fields}
OF_INIT, OF_COMMAND = {"TRACKER_APP_ROLE"}, {"TRACKER_PROJECTOR"}
"""Settings of `tracker init` alone, and the one that `--no-projector` sets."""


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


COMPOSE = loaded(ROOT / "docker-compose.yml")


# --- containers


@pytest.mark.parametrize("service", ["api", "projector", "feed", "webhooks", "reader", "projector-standby"])
def test_every_setting_reaches_the_container_and_nothing_else(service: str) -> None:
    environment = COMPOSE["services"][service]["environment"]
    given = {name.removesuffix(FILE_ENDING) for name in environment if name.startswith("TRACKER_")}
    assert given == SETTINGS - OF_INIT - OF_COMMAND


@pytest.mark.parametrize("service", ["api", "projector"])
def test_every_directory_that_is_set_is_a_volume(service: str) -> None:
    of = COMPOSE["services"][service]
    directories = {value for name, value in of["environment"].items() if name.endswith("_DIR")}
    assert len(directories) == 2
    assert directories == {volume.partition(":")[2] for volume in of["volumes"]}
    assert {volume.partition(":")[0] for volume in of["volumes"]} <= COMPOSE["volumes"].keys()


@pytest.mark.parametrize(
    ("schema", "file"),
    [("compose-spec", "docker-compose.yml"), ("github-workflows", ".github/workflows/audit.yml")],
)
def test_what_others_run_is_of_their_schema(schema: str, file: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(
        (ROOT / file).read_text("utf-8").replace("\nservices:", "\nservice:").replace("\njobs:", "\njob:")
    )
    assert [checked(schema, ROOT / file), checked(schema, broken)] == [0, 1]


def checked(schema: str, file: Path) -> int:
    """The exit code of check-jsonschema, which has the schemas of the two specifications."""
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", file]
    return subprocess.run(command, check=False, capture_output=True).returncode


def test_secrets_reach_containers_by_files_alone() -> None:
    fields = Settings.model_fields.items()
    secret = {f"TRACKER_{name}".upper() for name, field in fields if "SecretStr" in str(field.annotation)}
    assert secret
    for name in ("api", "projector", "init"):
        service = COMPOSE["services"][name]
        assert not secret & service["environment"].keys()
        for value in service["environment"].values():
            assert not re.search(r"//[^/@]+:[^/@]+@", str(value or ""))
    for name, of in COMPOSE["secrets"].items():
        assert of == {"file": f"./secrets/{name}"}


def test_every_container_has_bounds_of_memory_and_cpu() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name


def test_every_setting_is_in_the_readme_and_the_example() -> None:
    readme = set(re.findall(r"^\| `(TRACKER_\w+)`", (ROOT / "README.md").read_text("utf-8"), flags=re.M))
    example = set(re.findall(r"^#?(TRACKER_\w+)=", (ROOT / ".env.example").read_text("utf-8"), flags=re.M))
    assert readme == SETTINGS - OF_COMMAND
    assert example == SETTINGS - OF_COMMAND - OF_INIT


def test_every_variable_of_compose_is_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    example = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text("utf-8"), flags=re.M))
    assert set(re.findall(r"\$\{(\w+)", text)) <= example


def secrets_made(directory: Path) -> dict[str, str]:
    subprocess.run(["sh", str(DEPLOY / "secrets")], cwd=directory, check=True)
    return {path.name: path.read_text() for path in (directory / "secrets").iterdir()}


def test_the_secrets_are_made_once_and_in_a_directory_of_their_owner(tmp_path: Path) -> None:
    made, again = (secrets_made(tmp_path) for _ in range(2))
    assert again == made
    assert made.keys() == COMPOSE["secrets"].keys()
    assert all(re.fullmatch(r"[0-9a-f]{48}", made[name]) for name in made if name.endswith("_password"))
    assert made["admin_key"] == made["metrics_key"] == made["signing_key"] == ""
    assert len({*made.values()}) == len(made) - 2
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


PROFILES = {
    "metrics": {"prometheus", "grafana"},
    "nats": {"nats", "feed"},
    "webhooks": {"webhooks"},
    "cluster": {"standby", "reader", "projector-standby", "balancer"},
}


def test_what_not_everybody_needs_is_a_profile_and_its_files_are_there() -> None:
    found: dict[str, set[str]] = {}
    for name, service in COMPOSE["services"].items():
        for profile in service.get("profiles", []):
            found.setdefault(profile, set()).add(name)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_dir(), volume
    assert found == PROFILES
    always = {name for name, service in COMPOSE["services"].items() if "profiles" not in service}
    assert always == {"db", "init", "api", "projector"}


# --- what watches


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """The names of all series that a server tells with a webhook and a feed, whether they have a value or not."""
    folder = tmp_path_factory.mktemp("metrics")
    with running(f"sqlite:///{folder}/tracker.db") as api:
        webhooks.create_tables(api.services.engine)
        now, log = datetime.now(UTC), api.services.heads.log_id
        webhooks.add_webhook(api.services.engine, "https://example.org/hook", "events", (), Filters(), now, log, 0)
        state = StateFile(api.services.settings.state_directory / STATE_FILE)
        with state.locked():
            state.write({key_of(log, "TRACKER"): 1})
        yield names_of(api)


def names_of(api: Api) -> set[str]:
    found: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", api.get("/metrics", headers=MONITOR).text, flags=re.M):
        found |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in loaded(DEPLOY / "prometheus/alerts.yml")["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana/dashboards/tracker.json").read_text("utf-8"))["panels"]
    return found


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


def test_every_metric_that_is_watched_is_told(metrics: set[str]) -> None:
    named = {name for expression in expressions() for name in re.findall(r"\btracker_\w+", expression)}
    assert named
    assert named <= metrics, named - metrics


def test_every_metric_of_ours_is_on_the_dashboard(metrics: set[str]) -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics if name.startswith("tracker_")}
    assert {name for name in ours if name not in shown} == set()


def test_every_label_that_is_asked_for_is_told() -> None:
    labels = {label for expression in expressions() for label in re.findall(r"[{,]\s*(\w+)=", expression)}
    assert labels <= {"job", "method", "route", "status", "code", "result", "pool", "state"}
    codes = {code for expression in expressions() for code in re.findall(r'code="(\w+)"', expression)}
    assert codes <= STATUS.keys()


def test_every_expression_is_promql() -> None:
    for expression in expressions():
        promql_parser.parse(expression)
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum(rate(tracker_refusals_total[5m]) > 0")


def test_every_alert_has_its_place_in_the_handbook() -> None:
    handbook = (ROOT / "docs/operations.md").read_text("utf-8")
    anchors = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", handbook, flags=re.M)
    }
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/operations.md"
        assert anchor in anchors, rule["alert"]


def test_prometheus_and_grafana_find_what_they_are_told() -> None:
    prometheus = loaded(DEPLOY / "prometheus/prometheus.yml")
    assert [(DEPLOY / "prometheus" / name).exists() for name in prometheus["rule_files"]] == [True]
    (job,) = prometheus["scrape_configs"]
    assert job["static_configs"][0]["targets"] == ["api:8000"]
    kind, _, secret = job["authorization"]["credentials_file"].rpartition("/")
    assert (job["authorization"]["type"], kind) == ("Bearer", "/run/secrets")
    assert secret in COMPOSE["services"]["prometheus"]["secrets"]
    assert secret in COMPOSE["secrets"]
    (source,) = loaded(DEPLOY / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert {panel["datasource"]["uid"] for panel in panels()} == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
