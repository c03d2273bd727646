"""List the fault presets: what can be made to go wrong by name, and the incidents that they come from."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import PresetItem, PresetItemList, PresetParamItem
from civitai_mock.api.mock.scopes import SCOPE_PARAMETER, record_name
from civitai_mock.api.openapi import Operation
from civitai_mock.domain.fault_presets import FaultPreset, PresetParam, fault_presets


async def list_presets(request: Request) -> Response:
    """Answer the presets, which are the same in every scope."""
    record_name(request)
    return page_of(request, [*fault_presets().values()], key=lambda preset: preset.name, render=_render)


def _render(preset: FaultPreset) -> PresetItem:
    return {
        "name": preset.name,
        "hook": preset.hook,
        "fits": preset.fits,
        "action": preset.usual_action(),
        "params": {name: _render_param(param) for name, param in preset.params.items()},
        "evidence": preset.evidence,
        "docs": {"v1": preset.v1_docs, "v2": preset.v2_docs},
        "isAvailable": preset.is_available,
    }


def _render_param(param: PresetParam) -> PresetParamItem:
    item: PresetParamItem = {"type": param.type, "default": param.default, "docs": param.docs}
    if param.is_bounded:
        item |= {"min": param.least, "max": param.most}
    if param.unit is not None:
        item["unit"] = param.unit
    return item


ROUTES = [
    ControlRoute(
        "/presets",
        list_presets,
        method="GET",
        operation=Operation(
            id="listPresets",
            summary="List the fault presets, and the incidents that they come from",
            tag=CONTROL_TAG,
            parameters=[*LIST_PARAMETERS, SCOPE_PARAMETER],
            responses={200: PresetItemList},
            problems=READ_PROBLEMS,
        ),
    )
]
