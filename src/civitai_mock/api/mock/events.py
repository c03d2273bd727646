"""The stream of events for whoever looks from outside: of all namespaces, or of one."""

from civitai_mock.api.event_stream.server_sent import get_control_events
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.openapi import Operation, text_parameter
from civitai_mock.api.v1.events import OURS, STREAM_PARAMETERS

ROUTES = [
    ControlRoute(
        "/events",
        get_control_events,
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
            responses={200: bytes},
            problems=[*READ_PROBLEMS, 404, 406, 503],
        ),
    ),
]
