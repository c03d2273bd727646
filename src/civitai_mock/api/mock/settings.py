"""Look at the settings of the process that answers, as its namespace obeys them."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import SettingItem, SettingItemList
from civitai_mock.api.openapi import Operation
from civitai_mock.services.shown_settings import ShownSetting


async def list_settings(request: Request) -> Response:
    cases = use_cases(request)
    return page_of(
        request,
        cases.looking_in.show_settings(),
        key=lambda setting: setting.name,
        render=_render,
        more={"schemaVersion": cases.health.store.schema_version},
    )


def _render(setting: ShownSetting) -> SettingItem:
    return {"name": setting.name, "value": setting.value, "origin": setting.origin}


ROUTES = [
    ControlRoute(
        "/settings",
        list_settings,
        method="GET",
        operation=Operation(
            id="listSettings",
            summary="List the settings of the process that answers, and where each comes from",
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: SettingItemList},
            problems=READ_PROBLEMS,
        ),
    )
]
