"""A job's properties, as they are looked for."""

import json
from collections.abc import Iterator
from itertools import islice

from civitai_mock.domain.json import Json, ReadOnlyJson


def leaves(properties: ReadOnlyJson) -> frozenset[str]:
    """One text for each value that stands at the end of a path of keys; a list is one value.

    A job matches a query if its leaves hold all of the query's: `{"a": {"b": 1}}` is found by itself and within more.
    Numbers that are equal (1 and 1.0) match, as they do in JSON.
    """
    ends = _ends((), dict(properties))
    return frozenset(json.dumps([*path, _plain(value)], sort_keys=True) for path, value in ends)


def count_values(properties: ReadOnlyJson, *, most: int) -> int:
    """All of them, in objects and lists; once there are more than `most` it does not matter how many."""
    number = 0
    left: list[dict[str, Json] | list[Json]] = [dict(properties)]
    while left and number <= most:
        found = left.pop()
        items = found.values() if isinstance(found, dict) else found
        number += len(items)
        left += [item for item in islice(items, most) if isinstance(item, dict | list)]
    return number


def _ends(path: tuple[str, ...], value: Json) -> Iterator[tuple[tuple[str, ...], Json]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _ends((*path, key), item)
    elif path:
        yield path, value


def _plain(value: Json) -> Json:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
