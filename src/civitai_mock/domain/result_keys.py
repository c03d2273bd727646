"""Keys of results: by them a job finds what an equal request has made before."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from civitai_mock.domain.json_types import Json, ReadOnlyJson

ANY_SEED = "any"
SEED = "seed"


def result_key(job_type: str, spec: ReadOnlyJson, airs: Sequence[str], *, place: int, seed: int | None) -> str:
    """Return the key of a request: what it asks for, without its seeds, and the seed; without one any will do."""
    asked = [job_type, _without_seeds(spec), list(airs), place]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return f"{digest[:32]}/{ANY_SEED if seed is None else seed}"


def with_seed(key: str, seed: int) -> str:
    """Return the key of a request for the same that asks for this very seed."""
    return f"{key.partition('/')[0]}/{seed}"


def with_any_seed(key: str) -> str:
    """Return the key of a request for the same that leaves its seed open."""
    return f"{key.partition('/')[0]}/{ANY_SEED}"


def _without_seeds(value: object) -> Json:
    if isinstance(value, Mapping):
        return {name: _without_seeds(member) for name, member in value.items() if name != SEED}
    if isinstance(value, list | tuple):
        return [_without_seeds(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else None
