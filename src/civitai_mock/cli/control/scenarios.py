"""The command `scenario`: see the scenarios of a namespace, set one from a file, and see or set its state."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from civitai_mock.cli.control.session import Session, usable
from civitai_mock.cli.control.tables import Row
from civitai_mock.domain.json_types import Json, as_object

PATH = "scenarios"
HEAD = ("scenario", "state", "states")
JSON, YAML = "application/json", "application/yaml"


def list_scenarios(session: Session) -> None:
    session.list(PATH, HEAD, _row)


def put_scenario(session: Session) -> None:
    """Set one from a file: JSON if it begins as that does, and else YAML."""
    name, file = session.arguments.name, Path(session.arguments.file)
    with usable(file, "rb") as opened:
        content = opened.read()
    content_type = JSON if content.lstrip()[:1] == b"{" else YAML
    answer = session.server.upload(_path(name), content, content_type=content_type)
    session.done(answer, f"scenario {name} is in state {as_object(answer).get('state')}")


def show_or_set_state(session: Session) -> None:
    name, state = session.arguments.name, session.arguments.state
    if state is None:
        answer = session.server.get(_path(name))
        if session.as_json:
            session.output.json(answer)
        else:
            session.output.line(session.output.text(as_object(answer).get("state")))
        return
    answer = session.server.change("PUT", f"{_path(name)}/state", {"state": state})
    session.done(answer, f"scenario {name} is in state {state}")


def _path(name: str) -> str:
    return f"{PATH}/{quote(name, safe='')}"


def _row(scenario: Mapping[str, Json]) -> Row:
    return [scenario.get("name"), scenario.get("state"), list(as_object(scenario.get("states")))]
