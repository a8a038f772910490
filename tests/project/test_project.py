"""The files around the code say what is so: locks, commands, containers, README."""

import json
import re
import subprocess
import tomllib
from itertools import chain
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

LOCKS = [
    "requirements.lock", "requirements-dev.lock", "requirements-image.lock", "requirements-cluster.lock",
    "requirements-bench.lock", "requirements-build.lock",
]  # fmt: skip


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def locked(name: str) -> dict[str, str]:
    """Versions by canonical name."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", read(name), flags=re.M))


def targets() -> dict[str, str]:
    """What the Makefile says of each of its commands."""
    return dict(re.findall(r"^([a-z-]+):.*## (.+)$", read("Makefile"), flags=re.M))


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return loaded


def dockerfile(instruction: str) -> list[str]:
    joined = re.sub(r"\\\n", " ", read("Dockerfile"))
    return re.findall(rf"^{instruction}\s+(.+)$", joined, flags=re.M)


# --- locks


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(lock: str) -> None:
    text = read(lock)
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


@pytest.mark.parametrize(
    ("lock", "required"),
    [
        ("requirements.lock", pyproject()["project"]["dependencies"]),
        ("requirements-dev.lock", pyproject()["project"]["dependencies"] + pyproject()["dependency-groups"]["dev"]),
        (
            "requirements-image.lock",
            [
                *pyproject()["project"]["dependencies"],
                *chain(*pyproject()["project"]["optional-dependencies"].values()),
            ],
        ),
        (
            "requirements-cluster.lock",
            [
                *pyproject()["project"]["dependencies"],
                *pyproject()["dependency-groups"]["dev"],
                *pyproject()["dependency-groups"]["cluster"],
            ],
        ),
        ("requirements-bench.lock", pyproject()["dependency-groups"]["bench"]),
        ("requirements-build.lock", pyproject()["build-system"]["requires"]),
    ],
)
def test_what_the_project_needs_is_locked_at_a_version_it_accepts(lock: str, required: list[str]) -> None:
    versions = locked(lock)
    for line in required:
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{name} is not in {lock}: run make lock"
        assert requirement.specifier.contains(versions[name], prereleases=True), f"{line} in {lock}: run make lock"


def test_tests_run_with_the_versions_that_are_shipped() -> None:
    tested = locked("requirements-dev.lock")
    assert tested.items() <= locked("requirements-cluster.lock").items()
    for shipped in (locked("requirements.lock"), locked("requirements-image.lock")):
        assert {name: tested.get(name) for name in shipped} == shipped


def test_the_generators_are_locked_by_hash_and_without_an_address() -> None:
    lock = json.loads(read("tests/clients/package-lock.json"))
    named = json.loads(read("tests/clients/package.json"))["dependencies"]
    packages = {name.removeprefix("node_modules/"): entry for name, entry in lock["packages"].items() if name}
    assert {name: packages[name]["version"] for name in named} == named
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


# --- commands


def test_every_make_command_is_described_and_in_the_readme() -> None:
    phony = set(re.findall(r"^\.PHONY: ([a-z-]+)$", read("Makefile"), flags=re.M))
    assert phony == set(targets())
    assert phony <= set(re.findall(r"`make ([a-z-]+)", read("README.md")))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_in_the_docs_exists(page: str) -> None:
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", read(page), flags=re.M)) <= set(targets())


def test_make_alone_lists_the_commands() -> None:
    listed = subprocess.run(["make", "-C", str(ROOT)], check=True, capture_output=True, text=True).stdout
    for name, description in targets().items():
        assert re.search(rf"make {name} +{re.escape(description)}", listed)


@pytest.mark.parametrize("script", ["deploy/demo", "deploy/secrets", ".ci/browser", ".ci/loaded", ".ci/run"])
def test_scripts_are_executable_and_parse(script: str) -> None:
    path = ROOT / script
    shell = path.read_text(encoding="utf-8").splitlines()[0].split("/")[-1].split()[-1]
    assert path.stat().st_mode & 0o111
    subprocess.run([shell, "-n", str(path)], check=True)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/decisions.md"])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", read(page)):
        assert ((ROOT / page).parent / link).exists(), link


def test_json_in_the_readme_is_json() -> None:
    bodies = re.findall(r"-d '(\{.+?\})'", read("README.md"), flags=re.S)
    assert bodies
    for body in bodies:
        json.loads(body)


# --- modules


def modules() -> dict[str, int]:
    """The lines of every Python module of ours; folders like .venv and what tools write are not ours."""
    left_out = ("build", "dist", "mutants")
    folders = [f for f in ROOT.iterdir() if f.is_dir() and not f.name.startswith(".") and f.name not in left_out]
    files = (file for folder in folders for file in folder.rglob("*.py"))
    return {str(file.relative_to(ROOT)): file.read_text("utf-8").count("\n") for file in files}


def test_no_module_is_over_400_lines() -> None:
    lines = modules()
    assert {"tracker/pledge.py", "tests/project/test_project.py"} <= lines.keys()
    assert {name: count for name, count in lines.items() if count > 400} == {}


# --- containers


def is_pinned(image: str) -> bool:
    _, _, tag = image.partition("@")[0].rpartition(":")
    return bool(re.match(r"v?\d+\.\d+|\d+-", tag)) and "latest" not in tag


def test_container_images_are_pinned() -> None:
    images = [line.split()[0] for line in dockerfile("FROM")]
    images += [service["image"] for service in compose()["services"].values()]
    assert [image for image in images if not is_pinned(image)] == []


def test_container_image_has_the_version_of_the_package() -> None:
    built = {service["image"] for service in compose()["services"].values() if "build" in service}
    assert built == {f"commitments-tracker:{pyproject()['project']['version']}"}


def test_container_runs_as_nobody_in_particular() -> None:
    final = re.split(r"^FROM ", read("Dockerfile"), flags=re.M)[-1]
    users = re.findall(r"^USER (\S+)$", final, flags=re.M)
    assert users
    assert all(user.split(":")[0] not in {"root", "0"} for user in users)


def test_container_installs_only_what_the_hashes_allow() -> None:
    installs = [part for run in dockerfile("RUN") for part in run.split("&&") if "pip install" in part]
    assert installs
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)


def test_container_copies_nothing_but_the_package_and_its_locks() -> None:
    allowed = set(re.findall(r"^!(\S+)$", read(".dockerignore"), flags=re.M))
    assert read(".dockerignore").splitlines()[1] == "*"
    copied = {name for line in dockerfile("COPY") if not line.startswith("--from") for name in line.split()[:-1]}
    assert copied == allowed
    assert set(pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied


def test_container_says_whether_it_lives() -> None:
    (health,) = dockerfile("HEALTHCHECK")
    assert "/health/live" in health
    assert "curl" not in health
    command = json.loads(health[health.index("CMD ") + 4 :])
    compile(command[-1], "HEALTHCHECK", "exec")


def test_containers_hold_no_secret() -> None:
    for name in ["Dockerfile", "docker-compose.yml", ".env.example"]:
        for value in re.findall(r"^[\s#]*\w+_(?:PASSWORD|KEY)[ \t]*[=:][ \t]*(\S.*)$", read(name), flags=re.M):
            assert value.startswith("${"), f"{name}: {value}"
    for service in compose()["services"].values():
        files = {f"/run/secrets/{name}" for name in service.get("secrets", [])}
        named = {value for value in (service.get("environment") or {}).values() if str(value).startswith("/run/")}
        assert named <= files
    assert set(compose()["secrets"]) == {name for s in compose()["services"].values() for name in s.get("secrets", [])}


def test_containers_that_listen_use_the_restricted_database_role() -> None:
    services = compose()["services"]
    for name in ["api", "projector"]:
        assert services[name]["environment"]["TRACKER_DATABASE_URL"].startswith("postgresql://tracker_app@")
        assert services[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert services["init"]["environment"]["TRACKER_DATABASE_URL"].startswith("postgresql://tracker_owner@")
    assert services["init"]["environment"]["TRACKER_APP_ROLE"] == "tracker_app"
    assert services["init"]["command"] == ["tracker", "init"]
    assert "CREATE ROLE tracker_app LOGIN NOSUPERUSER" in read("deploy/postgres/10-app-role.sql")


def test_container_of_the_api_leaves_projecting_to_the_projector() -> None:
    services = compose()["services"]
    assert "--no-projector" in services["api"]["command"]
    assert services["projector"]["command"] == ["tracker", "project"]
    assert services["projector"]["healthcheck"]["test"] == ["CMD", "tracker", "project", "--check"]


def test_container_of_the_database_is_not_published_and_is_waited_for() -> None:
    services = compose()["services"]
    assert "ports" not in services["db"]
    assert services["db"]["networks"] == ["store"]
    assert compose()["networks"]["store"]["internal"] is True
    assert "pg_isready" in services["db"]["healthcheck"]["test"][1]
    assert services["init"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert all(port.startswith("127.0.0.1:") for port in services["api"]["ports"])


def test_containers_have_no_privileges_and_a_read_only_root() -> None:
    for name, service in compose()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_containers_keep_the_record_on_a_volume() -> None:
    services = compose()["services"]
    used = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert set(compose()["volumes"]) <= used
    assert "record:/var/lib/postgresql/data" in services["db"]["volumes"]
    assert all("state:/state" in services[name]["volumes"] for name in ("api", "projector"))
    assert (ROOT / "deploy/postgres").is_dir()
