"""The settings as `docs/configuration.md` and `.env.example` tell them."""

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from civitai_mock.settings import Settings, expected_of

DATA_DIR_DEFAULT = "the user's data folder"
FIXED_IN_CONTAINERS = (
    "host",
    "port",
    "metrics_port",
    "data_dir",
    "mongodb_uri",
    "seed_resources",
    "admin",
    "admin_allowed_hosts",
)


def table_of(settings: type[Settings]) -> str:
    rows = [
        f"| `{name.upper()}` | {_code(_default(name, field))} | {expected_of(name)} | {field.description} |"
        for name, field in settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | takes | what it does |", "|---|---|---|---|", *rows]) + "\n"


def dotenv_of(settings: type[Settings]) -> str:
    """Every setting commented out with its default, so that the file can be used as it is."""
    parts = ["# Copy to .env and uncomment what you want to change. The environment wins over this file.\n"]
    for name, field in settings.model_fields.items():
        about = f"# {field.description}.\n# Takes {expected_of(name)}."
        default = "" if name == "data_dir" else _default(name, field)
        parts.append(f"{about}\n# {name.upper()}={default}\n")
    return "\n".join(parts)


def compose_settings_of(settings: type[Settings]) -> str:
    """Every setting that means the same in a container, handed on from where Compose is run if it is set there."""
    return "".join(f"  {name.upper()}:\n" for name in settings.model_fields if name not in FIXED_IN_CONTAINERS)


def _default(name: str, field: FieldInfo) -> str:
    if name == "data_dir":
        return DATA_DIR_DEFAULT
    value = field.default
    if value is None or isinstance(value, SecretStr):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _code(text: str) -> str:
    return text if text in {"", DATA_DIR_DEFAULT} else f"`{text}`"
