"""Two servers that the documentation talks to: civitai-mock, and the ComfyUI stand-in."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.process import MOCK, PATIENCE_SECONDS, free_port, running, start, wait_for

MOCK_ADDRESS = "http://127.0.0.1:3000"
STANDIN_ADDRESSES = ("http://127.0.0.1:8188", "http://my-comfyui:8188")
IN_MEMORY = {"MONGODB_URI": "memory://", "SIMULATION_PROFILE": "instant", "ADMIN": "open"}


@dataclass(frozen=True, slots=True)
class Servers:
    """The addresses of both."""

    mock: str
    standin: str

    @property
    def port(self) -> str:
        """That of civitai-mock, which its commands find in the environment."""
        return self.mock.rpartition(":")[2]

    def readdressed(self, text: str) -> str:
        """`text`, with these servers in the place of those that the documentation names."""
        text = text.replace(MOCK_ADDRESS, self.mock)
        for address in STANDIN_ADDRESSES:
            text = text.replace(address, self.standin)
        return text


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp
    with running(folder("mock"), IN_MEMORY) as mock, _standin(folder("standin")) as standin:
        yield Servers(mock.url, standin)


@contextmanager
def _standin(folder: Path) -> Iterator[str]:
    port, started = free_port(), time.perf_counter()
    process = start(folder, IN_MEMORY, command=(*MOCK, "comfyui", "--port", str(port)))
    try:
        wait_for(f"http://127.0.0.1:{port}/system_stats", process, started)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


@dataclass(frozen=True, slots=True)
class Shell:
    """A folder that looks like the project's to examples, which write their files into it."""

    folder: Path
    patience_seconds: float = PATIENCE_SECONDS

    def run(self, *command: str, **variables: str) -> str:
        """Run the program with this environment's tools first in PATH; return what it prints."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment: Mapping[str, str] = {**os.environ, "PATH": path, **variables}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=self.patience_seconds,
            check=False,
        )
        assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    return Shell(tmp_path)
