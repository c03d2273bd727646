"""List the presets of faults that this server knows: none yet."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import PresetItem, PresetList
from civitai_mock.api.openapi import Operation

PRESETS: tuple[PresetItem, ...] = ()  # rules of faults, and their presets, do not exist in this version


async def list_presets(request: Request) -> Response:
    return page_of(request, PRESETS, key=lambda preset: preset["name"], render=dict)


ROUTES = [
    ControlRoute(
        "/presets",
        list_presets,
        method="GET",
        operation=Operation(
            id="listPresets",
            summary="List the presets of faults, of which this version has none",
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: PresetList},
            problems=READ_PROBLEMS,
        ),
    )
]
