"""Requests that prove by themselves what they may do: a signed URL, or a token in the path."""

from urllib.parse import parse_qsl

from starlette.types import Scope

from civitai_mock.services.blob_urls import EXPIRES, SIGNATURE, STREAMING_PATH, V2_BLOBS_PATH

READING_METHODS = frozenset({"GET", "HEAD"})
TOKEN_PATHS = tuple(f"{V2_BLOBS_PATH}/{kind}/" for kind in ("content", "blocked", "archive"))
NO_BLOB = f"{V2_BLOBS_PATH}/upload"
PROOFS = frozenset({SIGNATURE, EXPIRES})


def proves_itself(scope: Scope) -> bool:
    """Return whether the route looks at a signature or a token; nobody has to say then who calls."""
    path: str = scope["path"]
    if not path.startswith((V2_BLOBS_PATH, STREAMING_PATH)):
        return False
    if scope["method"] == "POST":
        return path == V2_BLOBS_PATH and has_signature(scope)
    if scope["method"] not in READING_METHODS:
        return False
    if path.startswith(TOKEN_PATHS):
        return True
    folder = path.rpartition("/")[0]
    return folder in {V2_BLOBS_PATH, STREAMING_PATH} and path != NO_BLOB and has_signature(scope)


def has_signature(scope: Scope) -> bool:
    """Return whether the query has any part of a signature, which has to be right then."""
    query: bytes = scope["query_string"]
    return bool(query) and any(name.lower() in PROOFS for name, _ in parse_qsl(query.decode("latin-1"), True))
