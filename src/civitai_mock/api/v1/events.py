"""The routes of the stream of events; what answers them is only loaded for the first stream."""

from collections.abc import Sequence

from civitai_mock.api.late_imports import late_endpoint
from civitai_mock.api.openapi import DescribedRoute, EventStream, Operation, path_parameter, text_parameter
from civitai_mock.api.v1 import CONSUMER_PATH, JOB_PATH, JOBS_PATH, READ_PROBLEMS
from civitai_mock.domain.json_types import JsonObject

MODULE = "civitai_mock.api.event_stream.server_sent"
STREAM_TAG = "Stream of events"
OURS = (
    "The real service has no such route. The answer is `text/event-stream`, or a WebSocket if the request asks for one:"
    " the same messages as JSON. 204 says that there is nothing more to come."
)
STREAM_PROBLEMS = (*READ_PROBLEMS, 404, 406, 503)
STREAM_PARAMETERS = (text_parameter("after", required=False), text_parameter("access_token", required=False))


def stream_operation(operation_id: str, summary: str, *parameters: JsonObject) -> Operation:
    return Operation(
        id=operation_id,
        summary=summary,
        description=OURS,
        tag=STREAM_TAG,
        parameters=[*parameters, *STREAM_PARAMETERS],
        responses={200: EventStream, 204: None},
        problems=STREAM_PROBLEMS,
    )


ROUTES: Sequence[DescribedRoute] = [
    DescribedRoute(
        JOBS_PATH + "/events",
        late_endpoint(MODULE, "get_token_events"),
        method="GET",
        is_hot=True,  # so that it is found before the job of that id
        operation=stream_operation("streamJobsOfToken", "Listen to the jobs of a token", text_parameter("token")),
    ),
    DescribedRoute(
        JOB_PATH + "/events",
        late_endpoint(MODULE, "get_job_events"),
        method="GET",
        operation=stream_operation("streamJob", "Listen to a job", path_parameter("jobId")),
    ),
    DescribedRoute(
        CONSUMER_PATH + "/events",
        late_endpoint(MODULE, "get_namespace_events"),
        method="GET",
        operation=stream_operation("streamNamespace", "Listen to all of your jobs"),
    ),
]
