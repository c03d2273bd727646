"""Prompts that have ended, in memory only."""

from collections.abc import Iterable, Mapping
from itertools import islice

from civitai_mock.domain.json_types import JsonObject

SECRET_EXTRA_DATA = ("auth_token_comfy_org", "api_key_comfy_org")


class History:
    """Oldest first; a prompt id that comes again keeps its place and gets the new entry."""

    def __init__(self, *, limit: int) -> None:
        self._entries: dict[str, JsonObject] = {}
        self._limit = limit

    def add(self, prompt_id: str, entry: JsonObject) -> None:
        if len(self._entries) > self._limit:
            del self._entries[next(iter(self._entries))]
        self._entries[prompt_id] = entry

    def of(self, prompt_id: str) -> JsonObject:
        return {prompt_id: self._entries[prompt_id]} if prompt_id in self._entries else {}

    def page(self, *, most: int | None, offset: int) -> Mapping[str, JsonObject]:
        """The last `most`, or from `offset` on if that is not negative."""
        if offset < 0:
            offset = len(self._entries) - most if most is not None else 0
        start = max(offset, 0)
        stop = None if most is None else start + max(most, 0)
        return dict(islice(self._entries.items(), start, stop))

    def delete(self, prompt_ids: Iterable[str]) -> None:
        for prompt_id in prompt_ids:
            self._entries.pop(prompt_id, None)

    def clear(self) -> None:
        self._entries.clear()


def without_secrets(extra_data: object) -> object:
    """Keys for paid nodes may be seen in the queue, and never after."""
    if not isinstance(extra_data, dict):
        return extra_data
    return {name: value for name, value in extra_data.items() if name not in SECRET_EXTRA_DATA}
