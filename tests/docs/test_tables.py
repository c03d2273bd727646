"""Tables of the documentation hold what the code holds."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from civitai_mock.api import errors as http_errors
from civitai_mock.cli.arguments import CONTROL_COMMANDS, parse_arguments
from civitai_mock.domain.errors import InsufficientBuzzError, MockError
from civitai_mock.domain.fleet.pods import COARSE, TRANSITIONS, PodState
from civitai_mock.domain.workflow import WorkflowStatus
from civitai_mock.services.error_boundary import ErrorBoundary
from tests.docs.conftest import Servers
from tests.support.docs import Page
from tests.support.paths import ROOT

SOURCE = ROOT / "src" / "civitai_mock"
ERRORS = Page(ROOT / "docs" / "errors.md")
RECIPE = re.compile(r"/recipes/\w+$")
COMMANDS = ("api", "scheduler", "comfyui", "seed", "healthcheck")


def _rows(table: str) -> list[list[str]]:
    """The cells of each row below the head."""
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()[2:]]


def test_the_table_of_refusals_has_every_status_and_code() -> None:
    told = {(int(status), code.strip("`")) for status, code, _ in _rows(ERRORS.between("errors"))}
    known = {(status, error.code) for error, status in http_errors.STATUS_OF.items()}
    assert told == known | {(403, InsufficientBuzzError.code), (405, "method_not_allowed"), (500, MockError.code)}


def test_the_table_of_job_errors_has_codes_that_exist() -> None:
    source = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    told = [code.strip("`") for code, _ in _rows(ERRORS.between("job errors"))]
    assert [code for code in told if f'"{code}"' not in source] == []


def test_the_table_of_log_events_has_events_that_are_logged() -> None:
    told = re.findall(r"`([a-z -]+ [a-z -]+)`", ERRORS.between("log"))
    logged = {event for path in SOURCE.rglob("*.py") for event in _logged(path)}
    assert told
    assert [event for event in told if event not in logged] == []


def _logged(path: Path) -> Iterator[str]:
    """Yield what is logged by name: by a logger, or by the boundary of a loop that is told what to log."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            first, called = node.args[0], node.func
            is_log = isinstance(called, ast.Attribute) and called.attr in {"info", "warning", "error"}
            is_boundary = isinstance(called, ast.Name) and called.id == ErrorBoundary.__name__
            if (is_log or is_boundary) and isinstance(first, ast.Constant):
                yield str(first.value)


def test_the_table_of_commands_has_every_command() -> None:
    told = re.findall(r"^\| `civitai-mock ([a-z]+)` \|", (ROOT / "docs" / "cli.md").read_text("utf-8"), re.MULTILINE)
    assert tuple(told) == COMMANDS
    assert [parse_arguments([command]).command for command in COMMANDS] == list(COMMANDS)


def test_the_table_of_what_asks_a_server_has_every_command_and_its_words() -> None:
    rows = _rows(Page(ROOT / "docs" / "cli.md").between("control commands"))
    told = [words for row in rows for words in re.findall(r"`([a-z][^`]*)`", row[0])]
    assert list(dict.fromkeys(words.split()[0] for words in told)) == list(CONTROL_COMMANDS)
    for words in told:
        assert parse_arguments(words.replace("ID", "x").split()).act


def test_the_table_of_statuses_has_every_status() -> None:
    told = [status.strip("`") for status, _ in _rows(Page(ROOT / "docs" / "v2-clients.md").between("statuses"))]
    assert told == list(WorkflowStatus)


@pytest.mark.slow
def test_the_table_of_the_states_of_pods_is_the_one_that_they_obey() -> None:
    told = {
        PodState(state.strip("`")): (status.strip("`"), set(re.findall("`([A-Z_]+)`", then.partition(";")[0])))
        for state, status, then in _rows(Page(ROOT / "docs" / "fleet.md").between("states"))
    }
    assert told == {
        state: (COARSE[state].value, {*TRANSITIONS[state]} - {PodState.PREEMPTION_WARN, PodState.BOOT_REQUESTED})
        for state in PodState
    }


def test_the_table_of_routes_has_every_route(servers: Servers) -> None:
    """Those of the description, but for the page at `/`; one row is for all recipes."""
    with urlopen(f"{servers.mock}/openapi.json") as answer:
        paths = {RECIPE.sub("/recipes/{name}", path): methods for path, methods in json.load(answer)["paths"].items()}
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods if path != "/"}
    text = "".join((ROOT / "docs" / page).read_text("utf-8") for page in ("app-developers.md", "control-plane.md"))
    told = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]+)`", text)
    assert set(told) == {(method, path) for method, path in described if method != "HEAD"}


@pytest.mark.slow
def test_the_table_of_the_stand_ins_faults_has_every_fault(servers: Servers) -> None:
    table = Page(ROOT / "docs" / "comfyui-standin.md").between("faults")
    with urlopen(f"{servers.standin}/standin/faults") as answer:
        faults = json.load(answer)
    assert faults.pop("items") == []
    assert sorted(name for row in _rows(table) for name in re.findall(r"`(\w+)`", row[0])) == sorted(faults)


def test_the_table_of_layers_has_the_layers_that_the_imports_are_checked_by() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "layers")
    names = [[name.strip("() ") for name in layer.split("|")] for layer in layers]
    there = [[name for name in row if (SOURCE / name).exists() or (SOURCE / f"{name}.py").exists()] for row in names]
    told = [re.findall(r"`(\w+)`", row[0]) for row in _rows(Page(ROOT / "docs" / "architecture.md").between("layers"))]
    assert [sorted(row) for row in told] == [sorted(row) for row in there]
