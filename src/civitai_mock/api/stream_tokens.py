"""Take the token of a stream of events from its query: a browser's EventSource and WebSocket send no header."""

import re
from urllib.parse import parse_qsl

from starlette.types import Scope

from civitai_mock.api.exchange import Exchange

PARAMETER = "access_token"
PARAMETER_BYTES = PARAMETER.encode()
STREAM_PATH = re.compile(r"/(?:v1/consumer(?:/jobs(?:/[^/]+)?)?|_mock)/events/?$")


def take_token(exchange: Exchange, scope: Scope) -> None:
    """Have the token in the query count as the Bearer token, where the request is for a stream and has no other."""
    if b"authorization" in exchange.headers or not STREAM_PATH.search(scope["path"]):
        return
    query: bytes = scope["query_string"]
    token = dict(parse_qsl(query.decode("latin-1"))).get(PARAMETER)
    if token:
        exchange.headers = {**exchange.headers, b"authorization": f"Bearer {token}".encode()}
