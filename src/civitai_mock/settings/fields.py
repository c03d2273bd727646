"""What the groups of settings are written with: the class of a group, the function of a field, and types of values."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from civitai_mock.services.host_policy import parse_networks

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]

HostPatterns = Annotated[str, StringConstraints(pattern=r"^ *[A-Za-z0-9._:*-]+ *(, *[A-Za-z0-9._:*-]+ *)*$")]

Rate = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$")]


def _check_networks(text: str) -> str:
    parse_networks(text)
    return text


Networks = Annotated[str, AfterValidator(_check_networks)]


class SettingsGroup(BaseModel):
    """Holds the settings of one theme, with the rules for their values.

    Pydantic builds nothing for a group by itself, which would take as long as all of `Settings`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


def setting(default: Any, about: str, *, expected: str, **bounds: Any) -> Any:
    """Return a field; the documentation shows `about` and `expected`, and a refusal shows `expected`."""
    return Field(default, description=about, json_schema_extra={"expected": expected}, **bounds)
