"""Answers that stand in the place of those that an API would have given, in the words in which it refuses."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.errors import INSUFFICIENT_BUZZ, code_of, problem
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.fault_presets import V1, V2
from civitai_mock.domain.faults.actions import Answer
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.services.blob_urls import V2_BLOBS_PATH

WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED})
CONTENT_TYPE = "content-type"


def response_of(answer: Answer, request: Request, subject: FaultSubject) -> Response:
    """Return what is said in place of an answer: its own body, or else what this API says with such a status."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if answer.status in WITHOUT_BODY:
        return Response(status_code=answer.status, headers=headers)
    if answer.body is not None:
        return _with_body(answer, headers)
    if answer.status < HTTPStatus.BAD_REQUEST:
        return Response(status_code=answer.status, headers=headers)
    return refusal(request, subject, answer.status, answer.detail, headers=headers)


def refusal(
    request: Request,
    subject: FaultSubject,
    status: int,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error as the API of a request words it: version 2 forbids by a bare string, but for blobs."""
    is_blob = request.scope["path"].startswith(V2_BLOBS_PATH)
    if status == HTTPStatus.FORBIDDEN and subject.version == V2 and not is_blob:
        return JsonResponse(detail or HTTPStatus.FORBIDDEN.phrase, status_code=status, headers=headers)
    return problem(request, status, detail, code=code_of(status), headers=headers)


def insufficient_buzz(request: Request, subject: FaultSubject) -> Response:
    if subject.version == V1:
        return JsonResponse(INSUFFICIENT_BUZZ, status_code=HTTPStatus.FORBIDDEN)
    return refusal(request, subject, HTTPStatus.FORBIDDEN, INSUFFICIENT_BUZZ["error"])


def early_access(request: Request, subject: FaultSubject, model: str | None) -> Response:
    """Name the model that the rule is about, or else the first of the request."""
    named = model or next(iter(subject.models), None)
    which = "A resource of this request" if named is None else f"The resource '{named}'"
    return refusal(request, subject, HTTPStatus.FORBIDDEN, f"{which} is in early access.")


def _with_body(answer: Answer, headers: Mapping[str, str]) -> Response:
    content_type = headers.get(CONTENT_TYPE, JsonResponse.media_type)
    is_text = isinstance(answer.body, str) and "json" not in content_type.lower()
    content = str(answer.body).encode() if is_text else orjson.dumps(answer.body)
    return Response(content, status_code=answer.status, headers={**headers, CONTENT_TYPE: content_type})
