"""The container files: what a user of them relies on, as far as it can be read without an engine."""

import re
import tomllib
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from civitai_mock.cli.event_loop import AFTER_GRACE
from civitai_mock.settings import Settings
from tests.support.paths import ROOT
from tests.support.settings_table import FIXED_IN_CONTAINERS
from tests.support.table import table

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OURS = ("mock", "scheduler", "comfyui")
LAST_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]


def _pins(name: str) -> dict[str, str]:
    lines = (ROOT / ".docker" / name).read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {_normal(package): version for package, version in pairs}


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize("name", OURS)
def test_env_file_arrives_with_the_values_of_the_container_on_top(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["env_file"] == [{"path": ".env", "required": False}]
    fixed = {variable for variable, value in service["environment"].items() if value is not None}
    assert fixed == {variable.upper() for variable in FIXED_IN_CONTAINERS}
    assert set(service["environment"]) == {variable.upper() for variable in Settings.model_fields}


def test_ports_are_published_on_loopback_unless_set_otherwise() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert len(published) == 4
    assert all(port.startswith("${BIND:-127.0.0.1}:") for port in published)


def test_the_control_plane_is_open_where_only_this_machine_and_other_containers_reach_it() -> None:
    mock = COMPOSE["services"]["mock"]
    assert mock["ports"] == ["${BIND:-127.0.0.1}:${PORT:-3000}:3000"]
    assert mock["environment"]["ADMIN"] == "${ADMIN:-open}"
    names, _, more = mock["environment"]["ADMIN_ALLOWED_HOSTS"].partition("$")
    assert set(names.split(",")) <= set(COMPOSE["services"])
    assert {"mock", "comfyui"} <= set(names.split(","))
    assert more == "{ADMIN_ALLOWED_HOSTS:+,}${ADMIN_ALLOWED_HOSTS:-}"


@pytest.mark.parametrize("name", OURS)
def test_a_service_has_what_a_container_of_ours_needs(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["init"]
    assert service["read_only"]
    assert service["extra_hosts"] == ["host.docker.internal:host-gateway"]
    default = Settings.model_fields["shutdown_grace_ms"].default / 1000 + AFTER_GRACE.total_seconds()
    assert float(service["stop_grace_period"].removesuffix("s")) > default


def test_nothing_is_left_after_down_but_the_named_volume() -> None:
    assert "VOLUME" not in DOCKERFILE
    mounts = [mount for service in COMPOSE["services"].values() for mount in service.get("volumes", [])]
    kept = [mount.partition(":")[0] for mount in mounts if not _is_file_of_ours(mount)]
    assert kept == list(COMPOSE["volumes"])


def _is_file_of_ours(mount: str) -> bool:
    """Whether a container gets a file of this project, which it cannot change."""
    source, _, mode = mount.split(":") if mount.count(":") == 2 else (mount, "", "")
    return mode == "ro" and source.startswith("./assets/") and (ROOT / source).is_file()


def test_the_plain_up_is_one_process_and_its_store_and_profiles_have_the_rest() -> None:
    profiles = {name: service.get("profiles", []) for name, service in COMPOSE["services"].items()}
    assert profiles == {
        "mock": [],
        "scheduler": ["workers"],
        "comfyui": ["comfyui"],
        "mongo": [],
        "prometheus": ["metrics"],
        "grafana": ["metrics"],
    }
    alias = COMPOSE["services"]["scheduler"]["networks"]["default"]["aliases"]
    assert alias == ["civitai-mock-workers"]
    assert f"getent hosts {alias[0]} " in COMPOSE["services"]["mock"]["entrypoint"][2]


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_what_others_make_is_pinned_and_may_change_nothing(name: str) -> None:
    service = COMPOSE["services"][name]
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", service["image"])
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["healthcheck"]


def test_mongodb_is_one_that_is_maintained() -> None:
    version = COMPOSE["services"]["mongo"]["image"].removeprefix("mongo:")
    assert float(version) >= 8


@table(
    "rule",
    [
        r"\AARG PYTHON_IMAGE=python:3\.11-slim-[a-z]+\n",  # no `# syntax`, and a release of Debian
        r"COPY \.docker/requirements\.txt [^\n]*\n(?:.*\n)*RUN (?:.*\n)*.*pip(?:.*\n)*COPY src ",
        r"HEALTHCHECK --interval=2s --timeout=5s --retries=\d+ CMD \[\"civitai-mock\", \"healthcheck\"\]",
        r"ENTRYPOINT \[\"env\", \"--block-signal=TERM,INT,HUP\", \"civitai-mock\"\]",
        r"install --directory --mode=1777 /data",
        r"--without-pip /opt/venv",
        rf"org\.opencontainers\.image\.version=\"{re.escape(PROJECT['version'])}\"",
        rf"org\.opencontainers\.image\.licenses=\"{PROJECT['license']}\"",
        r"org\.opencontainers\.image\.revision=",
        r"org\.opencontainers\.image\.source=",
    ],
)
def test_the_dockerfile_keeps_its_rules(rule: str) -> None:
    assert re.search(rule, DOCKERFILE)


def test_an_empty_value_falls_back_to_what_the_image_sets() -> None:
    kept = re.search(r"printf '%s\\n' (.*) > /opt/venv/etc/civitai-mock\.env", LAST_STAGE)
    assert kept is not None
    names = re.findall(r'"(\w+)=\$\1"', kept[1])
    image_sets = re.findall(r"^ {4}(\w+)=", LAST_STAGE.partition("RUN")[0], re.MULTILINE)
    assert names == [name for name in image_sets if name.lower() in Settings.model_fields]


def test_what_the_image_installs_is_what_the_project_asks_for() -> None:
    pins = _pins("requirements.txt")
    for text in PROJECT["dependencies"]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(pins[_normal(wanted.name)]), f"make .docker/requirements.txt again: {text}"


def test_what_builds_the_package_is_pinned() -> None:
    assert "hatchling" in _pins("build-requirements.txt")
