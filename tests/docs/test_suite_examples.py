"""The examples for test suites pass as they stand in the documentation, and CI runs what it is told to."""

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.docs.conftest import Servers, Shell
from tests.support.paths import ROOT
from tests.support.plugin import loading_plugin
from tests.support.process import PATIENCE_SECONDS, free_port

pytestmark = [pytest.mark.slow, pytest.mark.long]

EXAMPLES = ROOT / "assets" / "examples"
PYTEST_EXAMPLES = ("app.py", "conftest.py", "test_app.py", "test_images.py")
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\ntestpaths = test_app.py test_images.py\n"
INSTALLS = r"(\S*pip|apt-get|python3 -m venv)\b"  # a line that begins so needs an index of packages


def copy(shell: Shell, *names: str) -> None:
    for name in names:
        shutil.copy(EXAMPLES / name, shell.folder)


def test_the_pytest_examples_pass(shell: Shell) -> None:
    copy(shell, *PYTEST_EXAMPLES)
    (shell.folder / "pytest.ini").write_text(INI, "utf-8")
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error", *loading_plugin())
    assert "6 passed" in shell.run(sys.executable, "-m", "pytest", *options)


def test_the_unittest_example_passes(shell: Shell) -> None:
    copy(shell, "app.py", "test_with_unittest.py")
    shell.run(sys.executable, "-W", "error", "-m", "unittest", "test_with_unittest")


def test_the_example_in_javascript_passes(servers: Servers, shell: Shell) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    copy(shell, "images.test.mjs")
    assert re.search(
        r"^. pass 2$", shell.run("node", "--test", "images.test.mjs", CIVITAI_BASE_URL=servers.mock), re.MULTILINE
    )


def test_the_example_in_go_passes(servers: Servers, shell: Shell) -> None:
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    copy(shell, "images_test.go")
    variables = {"CIVITAI_BASE_URL": servers.mock, "GO111MODULE": "off", "GOCACHE": str(shell.folder / "cache")}
    assert "ok" in shell.run("go", "test", "images_test.go", **variables)


@pytest.mark.long
def test_the_pytest_jobs_of_ci_pass(shell: Shell) -> None:
    copy(shell, *PYTEST_EXAMPLES)
    (shell.folder / "pytest.ini").write_text(INI, "utf-8")
    patient = replace(shell, patience_seconds=4 * PATIENCE_SECONDS)
    for script in (github_script("pytest"), gitlab_script("pytest")):
        (command,) = commands(script)
        assert "6 passed" in patient.run("bash", "-euc", command, PYTEST_ADDOPTS=" ".join(loading_plugin()))


@pytest.mark.long
@pytest.mark.parametrize(("platform", "job", "program"), [("github", "node", "node"), ("gitlab", "go", "go")])
def test_the_jobs_of_ci_that_start_a_mock_pass(shell: Shell, platform: str, job: str, program: str) -> None:
    copy(shell, "images.test.mjs", "images_test.go")
    (shell.folder / "go.mod").write_text("module app\n", "utf-8")
    script = {"github": github_script, "gitlab": gitlab_script}[platform](job)
    port = str(free_port())
    variables = {"PORT": port, "CIVITAI_BASE_URL": f"http://127.0.0.1:{port}", "GOCACHE": str(shell.folder / "cache")}
    lines = [line for line in commands(script) if shutil.which(program) or not line.startswith(program)]
    shell.run("bash", "-euc", "\n".join(["trap 'kill %1' EXIT", *lines]), **variables, **variables_of(platform, job))
    assert "ready" in (shell.folder / "civitai-mock.log").read_text("utf-8")


def github_script(job: str) -> Sequence[str]:
    return [step["run"] for step in github()["jobs"][job]["steps"] if "run" in step and "if" not in step]


def gitlab_script(job: str) -> Sequence[str]:
    return [line for part in ("before_script", "script") for line in gitlab()[job].get(part, [])]


def variables_of(platform: str, job: str) -> dict[str, str]:
    found: dict[str, str] = github()["jobs"][job]["env"] if platform == "github" else gitlab()[job]["variables"]
    return found


def github() -> Any:
    return yaml.safe_load((EXAMPLES / "github-actions.yml").read_text("utf-8"))


def gitlab() -> Any:
    return yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text("utf-8"))


def commands(script: Sequence[str]) -> Sequence[str]:
    """Return what a machine without an index of packages can run."""
    lines = [line for text in script for line in text.splitlines()]
    return [line for line in lines if not re.match(INSTALLS, line) and not line.startswith("export PATH=")]
