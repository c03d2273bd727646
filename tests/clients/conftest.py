"""Servers in processes of their own, and the clients that talk to them."""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clients import Addressed, Client, bridged
from tests.support.npm import UnavailableError, install
from tests.support.process import Server, running

HERE = Path(__file__).parent
NPM_PACKAGE = "civitai@0.1.15"
# The packages for version 2, and what lets node run one that is written for bundlers.
V2_PACKAGES = ("@civitai/client@0.2.0-beta.86", "@civitai/app-sdk@0.14.0", "tsx@4.23.15")
IN_MEMORY = {"MONGODB_URI": "memory://"}
COMPAT = "sdk-2024"
INSTANT = IN_MEMORY | {"SIMULATION_PROFILE": "instant"}
ENDLESS = {"SIMULATION_LOAD_MS": "3600000"}
TOKEN = {"CIVITAI_API_TOKEN": "any"}


@dataclass(frozen=True, slots=True)
class BasePath:
    url: str


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As the SDKs need it; jobs end at once."""
    with running(tmp_path_factory.mktemp("server"), INSTANT | {"CLIENT_COMPAT": COMPAT}) as started:
        yield started


@pytest.fixture(scope="package")
def base_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BasePath]:
    """Of a server with default settings, for the SDKs; jobs end at once."""
    with running(tmp_path_factory.mktemp("based"), INSTANT) as started:
        yield BasePath(f"{started.url}/compat/{COMPAT}")


@pytest.fixture(params=["server", "base_path"])
def either(request: pytest.FixtureRequest) -> Addressed:
    """What an SDK can be pointed at: a server that is set for it, or a base path of any other."""
    found: Addressed = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="package")
def endless_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With default settings; jobs do not end by themselves."""
    with running(tmp_path_factory.mktemp("endless"), IN_MEMORY | ENDLESS) as started:
        yield started


@pytest.fixture(scope="package", params=[("RunPods", "SaladML"), ("spot", "serverless")], ids="-".join)
def fleet_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As the SDKs need it, with a fleet whose pods never end to boot, and whose workers are done at once."""
    pods, workers = request.param
    spot = {"name": pods, "kind": "spot", "bootSeconds": {"min": 3600, "max": 3600}, "bootTimeoutSeconds": 7200}
    others = {"name": workers, "kind": "serverless", "secondsPerPicture": 0, "coldStartSeconds": 0}
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "fleet.json").write_text(json.dumps({"providers": [spot, others]}))
    fleet = {"FLEET": str(folder / "fleet.json"), "CLIENT_COMPAT": COMPAT}
    with running(tmp_path_factory.mktemp("server"), INSTANT | fleet) as started:
        yield started


@pytest.fixture(scope="package")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where npm's client is."""
    folder = tmp_path_factory.mktemp("npm")
    try:
        install(NPM_PACKAGE, folder)
    except UnavailableError as error:
        pytest.skip(f"npm's civitai is not tested: {error}")
    return folder


@pytest.fixture(scope="package")
def civitai_py(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("py")
    with bridged(sys.executable, HERE / "bridge.py", folder=folder, environment=TOKEN) as client:
        yield client


@pytest.fixture
def civitai_js(node_modules: Path, tmp_path: Path) -> Iterator[Client]:
    with bridged("node", HERE / "bridge.cjs", node_modules, folder=tmp_path, environment={}) as client:
        yield client


@pytest.fixture(scope="package")
def v2_node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where npm's packages for version 2 are."""
    folder = tmp_path_factory.mktemp("npm-v2")
    try:
        for package in V2_PACKAGES:
            install(package, folder)
    except UnavailableError as error:
        pytest.skip(f"npm's packages for version 2 are not tested: {error}")
    return folder


@pytest.fixture(scope="package")
def civitai_v2(v2_node_modules: Path) -> Iterator[Client]:
    """`client.…` is a function of @civitai/client, `sdk.…` one of @civitai/app-sdk."""
    bridge = shutil.copy(HERE / "bridge_v2.mjs", v2_node_modules)
    with bridged(*run_modules(v2_node_modules), bridge, folder=v2_node_modules, environment={}) as client:
        yield client


def run_modules(folder: Path) -> Sequence[str]:
    """Return the command that runs a module beside the packages in `folder`, as tsx does."""
    return "node", "--import", (folder / "node_modules" / "tsx" / "dist" / "loader.mjs").as_uri()
