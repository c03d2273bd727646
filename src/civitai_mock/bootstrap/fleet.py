"""Read the fleet of FLEET, which every namespace has from its beginning; the module is loaded where there is one."""

from pathlib import Path

from civitai_mock.domain.errors import ROOT, InvalidRequestError
from civitai_mock.domain.fleet.document import HYBRID, FleetDocument, parse_fleet
from civitai_mock.domain.fleet.engines import ServerNames
from civitai_mock.services.yaml_text import LocatedText, YamlError, parse_json, parse_yaml
from civitai_mock.settings import SettingsError

BUILT_IN = "hybrid"


def read_fleet(text: str, *, servers: ServerNames) -> FleetDocument:
    """Return the fleet that the setting names, which may name these ComfyUI servers.

    Raise `SettingsError` in one line for what is wrong with its file.
    """
    if text.strip().lower() == BUILT_IN:
        return HYBRID
    path = Path(text)
    located = _read(path)
    try:
        return parse_fleet(located.value, servers=servers)
    except InvalidRequestError as error:
        faults = [(located.line_of("" if at == ROOT else at), at, found[0]) for at, found in error.errors.items()]
        line, at, message = min(faults)
        more = f" ({len(faults) - 1} more are wrong)" if len(faults) > 1 else ""
        raise SettingsError(f"FLEET: {path}, line {line}: {at}: {message}{more}") from error


def _read(path: Path) -> LocatedText:
    try:
        content = path.read_bytes()
        return parse_json(content) if path.suffix.lower() == ".json" else parse_yaml(content)
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}; expected {BUILT_IN} or a file"
        raise SettingsError(f"FLEET: {problem}") from error
    except YamlError as error:
        raise SettingsError(f"FLEET: {path}, line {error.line}: {error.message}") from error
