"""The shape of a decoded JSON document."""

from collections.abc import Mapping
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, Json]
ReadOnlyJson: TypeAlias = Mapping[str, Json]
