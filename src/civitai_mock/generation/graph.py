"""A graph: a complete ComfyUI node map in API format."""

from typing import TypeAlias

from civitai_mock.domain.json import JsonObject

Graph: TypeAlias = dict[str, JsonObject]
