"""A server in a container, on a played container engine that runs the product with the variables it is given."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from testcontainers.core import container as testcontainers_container
from testcontainers.core.config import ConnectionMode, testcontainers_config

from civitai_mock.pytest_plugin import CivitaiMock, CivitaiMockError, CivitaiMockServer
from civitai_mock.pytest_plugin.server import running_server
from civitai_mock.testcontainers import IMAGE, PORT, CivitaiMockContainer
from tests.plugin.conftest import Suite
from tests.support.paths import ROOT

pytest_plugins = ["pytester"]


@dataclass(slots=True, kw_only=True)
class Container:
    """Is a container that the engine has made; it can be removed."""

    image: str
    variables: dict[str, str]
    ports: list[str]
    open: ExitStack = field(default_factory=ExitStack)
    id: str = "c0ffee"
    short_id: str = "c0ffee"
    status: str = "created"
    port: int = 0

    def reload(self) -> None:
        """Have nothing to look up."""

    def remove(self, **_: bool) -> None:
        self.open.close()
        self.status = "removed"


class Engine:
    """Stands in for the client of the container engine."""

    made: list[Container]

    def __init__(self, **_: Any) -> None:
        self.client = ExitStack()
        Engine.made = []

    def create(self, image: str, *, environment: dict[str, str], ports: dict[str, Any], **_: Any) -> Container:
        Engine.made.append(Container(image=image, variables=dict(environment), ports=list(ports)))
        return Engine.made[-1]

    def start(self, container: Container) -> None:
        server = container.open.enter_context(running_server(container.variables))
        container.port = urlsplit(server.url).port or 0
        container.status = "running"

    def get_connection_mode(self) -> ConnectionMode:
        return ConnectionMode.docker_host

    def host(self) -> str:
        return "127.0.0.1"

    def port(self, _: str, port: int) -> int:
        assert port == PORT
        return Engine.made[-1].port


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testcontainers_container, "DockerClient", Engine)
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)


def test_a_container_serves_until_it_is_removed() -> None:
    with CivitaiMockContainer() as container:
        mock = CivitaiMock(CivitaiMockServer(container.url, token=container.token), "a test")
        mock.reset()
        assert mock.jobs == []
    (made,) = Engine.made
    assert (made.image, made.ports, made.status) == (IMAGE, [str(PORT)], "removed")


def test_only_its_own_token_opens_the_control_plane() -> None:
    tokens = {CivitaiMockContainer().token for _ in range(2)}
    assert len(tokens) == 2
    with CivitaiMockContainer(token="letmein") as container, pytest.raises(CivitaiMockError, match="401"):
        CivitaiMockServer(container.url, token=tokens.pop()).check()


def test_variables_of_the_container_are_settings() -> None:
    with CivitaiMockContainer("mine:1").with_env("AUTH", "any") as container:
        server = CivitaiMockServer(container.url, token=container.token)
        shown = {setting["name"]: setting["value"] for setting in server.control.items("/settings")}
    assert (shown["AUTH"], shown["SIMULATION_PROFILE"], shown["ADMIN_TOKEN"]) == ("any", "instant", "***")
    assert Engine.made[0].image == "mine:1"


def test_image_and_port_are_those_of_the_project() -> None:
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["mock"]
    assert service["image"] == IMAGE
    assert f"EXPOSE {PORT}\n" in (ROOT / "Dockerfile").read_text("utf-8")


def test_the_example_serves_a_suite(suite: Suite) -> None:
    suite.pytester.makeconftest((ROOT / "assets" / "examples" / "container_conftest.py").read_text("utf-8"))
    result = suite.run("def test_one(civitai_mock): assert civitai_mock.jobs == []")
    result.assert_outcomes(passed=1)
    assert [made.status for made in Engine.made] == ["removed"]
