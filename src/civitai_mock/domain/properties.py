"""A job's properties, as they are looked for."""

import json
from collections.abc import Iterator

from civitai_mock.domain.json import Json, ReadOnlyJson


def leaves(properties: ReadOnlyJson) -> frozenset[str]:
    """One text for each value that stands at the end of a path of keys; a list is one value.

    A job matches a query if its leaves hold all of the query's: `{"a": {"b": 1}}` is found by itself and within more.
    Numbers that are equal (1 and 1.0) match, as they do in JSON.
    """
    return frozenset(_leaves((), dict(properties)))


def _leaves(path: tuple[str, ...], value: Json) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves((*path, key), item)
    elif path:
        yield json.dumps([*path, _plain(value)], sort_keys=True)


def _plain(value: Json) -> Json:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
