"""Lets a test hold PyPI's `civitai-py`: calls come in as lines of JSON, and what they return goes out as lines of JSON.

A process of its own, as the client reads its token when it is imported.
"""

import json
import sys
from functools import reduce
from typing import Any

import civitai


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line)), default=_members) + "\n")
        sys.stdout.flush()


def _answer(call: Any) -> dict[str, Any]:
    civitai.civitai.base_path = call["server"]
    method = reduce(getattr, call["method"].split("."), civitai)
    try:
        return {"value": method(*call["args"])}
    except Exception as error:  # noqa: BLE001 - whatever a client raises is what the test wants to know
        return {"error": f"{type(error).__name__}: {error}"}


def _members(value: Any) -> Any:
    """Of the client's own models."""
    return value.model_dump(mode="json", exclude_none=True)


if __name__ == "__main__":
    main()
