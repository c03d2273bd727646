"""Read the file of SCENARIOS, which every namespace has from its beginning; the module is loaded where there is one."""

import json
from collections.abc import Collection, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from civitai_mock.api.app import ROUTES
from civitai_mock.api.fastapi_app import make_fastapi_app
from civitai_mock.api.mock.route_table import ROUTES as CONTROL_ROUTES
from civitai_mock.domain.errors import ROOT, InvalidRequestError
from civitai_mock.domain.faults.scenarios import NAME_EXPECTED, Scenario, parse_scenario
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.namespaces import NAME
from civitai_mock.services.faults.scenarios import FileScenarios, StoredScenario
from civitai_mock.services.yaml_text import LocatedText, YamlError, parse_json, parse_yaml
from civitai_mock.settings import SettingsError

Faults = list[tuple[int, str]]  # what is wrong in which line


def read_file_scenarios(path: Path, *, most: int) -> FileScenarios:
    """Read scenarios by name, as JSON or YAML; raise `SettingsError` with line and path of all that is wrong."""
    try:
        content = path.read_bytes()
        located = parse_json(content) if path.suffix.lower() == ".json" else parse_yaml(content)
    except OSError as error:
        raise SettingsError(f"SCENARIOS: {path} cannot be read: {error.strerror}") from error
    except YamlError as error:
        raise SettingsError(f"SCENARIOS: {path}, line {error.line}: {error.message}") from error
    faults: Faults = []
    scenarios = _read_all(located, faults, most=most)
    if faults:
        lines = [f"SCENARIOS: {path}, line {line}: {message}" for line, message in sorted(faults)]
        raise SettingsError("\n".join(lines))
    return {name: StoredScenario(scenario=each, life=_digest(each)) for name, each in scenarios.items()}


def _read_all(located: LocatedText, faults: Faults, *, most: int) -> Mapping[str, Scenario]:
    if not isinstance(located.value, dict) or len(located.value) > most:
        faults.append((1, f"Expected an object of at most {most} scenarios by their names."))
        return {}
    scenarios = {}
    for name, document in located.value.items():
        if not NAME.fullmatch(name):
            faults.append((located.line_of(name), f"{name[:100]}: {NAME_EXPECTED}"))
            continue
        try:
            scenarios[name] = _read_one(name, document)
        except InvalidRequestError as error:
            for path, messages in error.errors.items():
                full = name if path == ROOT else f"{name}.{path}"
                faults += [(located.line_of(full), f"{full}: {message}") for message in messages]
    return scenarios


def _read_one(name: str, document: Json) -> Scenario:
    """Read a scenario; all paths of the description are only made where one is named that is not a plain route."""
    scenario = parse_scenario(document, name=name)
    named = [state.rule.match.route for state in scenario.states.values()]
    if all(route is None or route in _plain_paths() for route in named):
        return scenario
    return parse_scenario(document, name=name, routes=_described_paths())


@cache
def _plain_paths() -> Collection[str]:
    return frozenset(route.path_format for route in (*ROUTES, *CONTROL_ROUTES))


@cache
def _described_paths() -> Collection[str]:
    app = make_fastapi_app(ROUTES, version="any", only_system=False, load_others=lambda: CONTROL_ROUTES)
    return frozenset(app.openapi()["paths"])


def _digest(scenario: Scenario) -> str:
    """Return the name of a life that lasts as long as the file says the same."""
    return f"file-{sha256(json.dumps(dict(scenario.document)).encode()).hexdigest()[:16]}"
