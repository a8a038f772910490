"""The manifests for Kubernetes are of its schemas, and fit together."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from api.settings import FILE_ENDING, Settings
from tests.support.paths import ROOT

VERSION = "1.34"
"""The version of Kubernetes whose schemas they are held to."""

FILES = ("tracker.yml", "outgoing.yml")
DOCUMENTS: list[Any] = [
    doc for name in FILES for doc in yaml.safe_load_all((ROOT / "deploy/kubernetes" / name).read_text("utf-8"))
]
BY_KIND = {(doc["kind"], doc["metadata"]["name"]): doc for doc in DOCUMENTS}
SETS = [doc for doc in DOCUMENTS if doc["kind"] == "StatefulSet"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda doc: f"{doc['kind']} {doc['metadata']['name']}")
def test_each_is_of_its_schema(document: Any) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_what_is_not_of_its_schema_is_found() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(DOCUMENTS[0] | {"dtaa": {}}, VERSION, strict=True)


def test_every_set_of_pods_but_the_feed_has_two_and_a_disruption_budget_that_leaves_one() -> None:
    budgets = [doc["spec"] for doc in DOCUMENTS if doc["kind"] == "PodDisruptionBudget"]
    assert {budget["unhealthyPodEvictionPolicy"] for budget in budgets} == {"AlwaysAllow"}
    assert {doc["metadata"]["name"]: doc["spec"]["replicas"] for doc in SETS} == {
        "tracker-api": 2, "tracker-projector": 2, "tracker-feed": 1, "tracker-webhooks": 2,
    }  # fmt: skip
    for doc in SETS:
        labels = doc["spec"]["template"]["metadata"]["labels"]
        assert doc["spec"]["selector"]["matchLabels"].items() <= labels.items()
        left = [b["minAvailable"] for b in budgets if b["selector"]["matchLabels"].items() <= labels.items()]
        assert left == ([1] if doc["spec"]["replicas"] > 1 else [])
        headless = BY_KIND["Service", doc["spec"]["serviceName"]]["spec"]
        assert (headless["clusterIP"], headless["selector"].items() <= labels.items()) == ("None", True)
        claims = {claim["metadata"]["name"] for claim in doc["spec"]["volumeClaimTemplates"]}
        assert "state" in claims


def test_probes_ask_what_each_is_for() -> None:
    (api,) = BY_KIND["StatefulSet", "tracker-api"]["spec"]["template"]["spec"]["containers"]
    paths = {name: probe["httpGet"]["path"] for name, probe in api.items() if name.endswith("Probe")}
    assert paths == {
        "startupProbe": "/health/live", "livenessProbe": "/health/live", "readinessProbe": "/health/reads",
    }  # fmt: skip
    (projector,) = BY_KIND["StatefulSet", "tracker-projector"]["spec"]["template"]["spec"]["containers"]
    assert projector["readinessProbe"]["exec"]["command"] == ["tracker", "project", "--check"]
    file = projector["command"][projector["command"].index("--alive") + 1]
    assert any(Path(file).is_relative_to(mount["mountPath"]) for mount in projector["volumeMounts"])
    assert projector["startupProbe"]["exec"]["command"][-1] == file
    assert file in projector["livenessProbe"]["exec"]["command"][-1]


@pytest.mark.parametrize(("age", "code"), [(0, 0), (300, 1), (None, 1)])
def test_the_projector_is_restarted_once_its_file_is_old(tmp_path: Path, age: float | None, code: int) -> None:
    (projector,) = BY_KIND["StatefulSet", "tracker-projector"]["spec"]["template"]["spec"]["containers"]
    file = tmp_path / "alive"
    if age is not None:
        file.touch()
        os.utime(file, (time.time() - age,) * 2)
    command = [part.replace("/tmp/alive", str(file)) for part in projector["livenessProbe"]["exec"]["command"]]
    assert subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == code


def test_settings_are_settings_and_secrets_are_files() -> None:
    known = {f"TRACKER_{name}".upper() for name in Settings.model_fields}
    given = set(BY_KIND["ConfigMap", "tracker"]["data"])
    assert {name.removesuffix(FILE_ENDING) for name in given} <= known
    assert "TRACKER_DATABASE_PASSWORD" not in given
    for doc in (*SETS, BY_KIND["Job", "tracker-init"]):
        spec = doc["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        security = container["securityContext"]
        assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert spec["securityContext"]["runAsNonRoot"] is True
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        named = {volume["name"] for volume in spec["volumes"]}
        named |= {claim["metadata"]["name"] for claim in doc["spec"].get("volumeClaimTemplates", [])}
        assert mounted == named
