"""The README's set-up of both SDKs works as it stands there, on a server with default settings."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import COMPAT, TOKEN, BasePath

pytestmark = pytest.mark.slow

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
WRITTEN = f"http://127.0.0.1:3000/compat/{COMPAT}"
PATIENCE_SECONDS = 25


def example(language: str, base_path: BasePath) -> str:
    """The one of this language that names the base path, with the address of the test's own server."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    (found,) = (block for block in blocks if WRITTEN in block)
    return str(found).replace(WRITTEN, base_path.url)


def output(*command: str | Path, **variables: str) -> str:
    environment = {**os.environ, **TOKEN, **variables}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    return done.stdout


def test_the_example_for_civitai_py_makes_a_picture(base_path: BasePath) -> None:
    assert "blobUrl" in output(sys.executable, "-c", example("python", base_path))


def test_the_example_for_npm_makes_a_picture(base_path: BasePath, node_modules: Path) -> None:
    assert "/blobs/" in output("node", "-e", example("js", base_path), NODE_PATH=str(node_modules / "node_modules"))
