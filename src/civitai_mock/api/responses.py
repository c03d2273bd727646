"""JSON answers, labelled as the real service labels them."""

import orjson
from starlette.responses import Response


class JsonAnswer(Response):
    """Takes what orjson can encode, and encodes it at once."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: object) -> bytes:
        return orjson.dumps(content)


class ProblemAnswer(JsonAnswer):
    """Every error, whatever its cause."""

    media_type = "application/problem+json; charset=utf-8"
