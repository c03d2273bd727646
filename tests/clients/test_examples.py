"""The examples for SDKs work as they stand in the documentation, on a server with default settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import COMPAT, TOKEN, BasePath, run_modules
from tests.clients.inputs import download
from tests.support.media import opened
from tests.support.process import Server

pytestmark = [pytest.mark.slow, pytest.mark.long]

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
MOCK_ADDRESS = "http://127.0.0.1:3000"
WRITTEN = f"{MOCK_ADDRESS}/compat/{COMPAT}"
PATIENCE_SECONDS = 60


def example(name: str, base_path: BasePath) -> str:
    """The example with the address of the test's own server."""
    text = (EXAMPLES / name).read_text("utf-8")
    assert WRITTEN in text
    return text.replace(WRITTEN, base_path.url)


def output(*command: str | Path, **variables: str) -> str:
    environment = {**os.environ, **TOKEN, **variables}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    return done.stdout


def test_the_example_for_civitai_py_makes_an_image(base_path: BasePath) -> None:
    assert "blobUrl" in output(sys.executable, "-c", example("civitai_py.py", base_path))


def test_the_example_for_npm_makes_an_image(base_path: BasePath, node_modules: Path) -> None:
    code = example("civitai_npm.cjs", base_path)
    assert "/blobs/" in output("node", "-e", code, NODE_PATH=str(node_modules / "node_modules"))


@pytest.mark.parametrize("name", ["v2_client.mjs", "v2_app_sdk.mjs"])
def test_the_examples_for_version_2_end_with_the_url_of_an_image(
    server: Server, v2_node_modules: Path, name: str
) -> None:
    text = (EXAMPLES / name).read_text("utf-8")
    assert MOCK_ADDRESS in text
    script = v2_node_modules / name
    script.write_text(text.replace(MOCK_ADDRESS, server.url), "utf-8")
    status, url = output(*run_modules(v2_node_modules), script).splitlines()[-1].split()
    assert status == "succeeded"
    assert opened(download(url)).format == "JPEG"
