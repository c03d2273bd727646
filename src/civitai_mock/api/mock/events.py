"""The stream of events for whoever looks from outside: of all namespaces, or of one."""

from civitai_mock.api.late_imports import late_endpoint
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.openapi import EventStream, Operation, text_parameter
from civitai_mock.api.v1.events import MODULE, OURS, STREAM_PARAMETERS

ROUTES = [
    ControlRoute(
        "/events",
        late_endpoint(MODULE, "get_control_events"),
        method="GET",
        operation=Operation(
            id="streamEverything",
            summary="Listen to all jobs, whosever they are, or to those of one namespace",
            description=f"{OURS} `types` are those of the messages that are wanted, with commas between them.",
            tag=CONTROL_TAG,
            parameters=[
                text_parameter("types", required=False),
                text_parameter("namespace", required=False),
                *STREAM_PARAMETERS,
            ],
            responses={200: EventStream},
            problems=[*READ_PROBLEMS, 404, 406, 503],
        ),
    ),
]
